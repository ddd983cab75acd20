//! AWS: where keys come from, in the order in which AWS's own SDKs look for them.

pub mod ini;
pub mod keys;
pub mod metadata;
pub mod profile;
pub mod source;
pub mod sts;

pub use source::Ways;
