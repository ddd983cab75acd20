//! How calls are authorised: a key that is shown, or an identity that is proved. An axis of its own: a dialect knows
//! nothing of it, and any provider may have any of it.

pub mod credential;
pub mod identity;
pub mod key;
pub mod sigv4;
pub mod stamp;

pub use credential::{Credential, Lease, SigningKeys};
pub use identity::Identity;
pub use key::{AuthKind, BadSecret, Secret};
