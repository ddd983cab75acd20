//! Microsoft Entra: tokens of an application or of the machine.

pub mod application;
pub mod machine;
pub mod source;

pub use source::Ways;
