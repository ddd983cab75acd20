//! Google: application default credentials, as Google's own libraries look for them.

pub mod account;
pub mod external;
pub mod file;
pub mod impersonate;
pub mod metadata;
pub mod source;
pub mod user;

pub use source::Ways;
