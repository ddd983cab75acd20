//! How calls are authorised: a key that is shown, or an identity that is proved. An axis of its own: a dialect knows
//! nothing of it, and any provider may have any of it.
//!
//! The way of a credential: a provider file names an [`identity`], the configuration makes up its [`mod@source`] from
//! settings and environment, the gateway walks the [`grant`] that leads to a [`credential`], and shows it as a token
//! or signs with it ([`sigv4`]). Nothing here touches the world; nothing here prints a secret.

pub mod aws;
pub mod chain;
pub mod credential;
pub mod entra;
pub mod google;
pub mod grant;
pub mod identity;
pub mod key;
pub mod oauth;
pub mod refusal;
pub mod sigv4;
pub mod source;
pub mod stamp;
#[cfg(test)]
pub(crate) mod turns;

pub use credential::{Credential, Lease, SigningKeys};
pub use grant::{Answer, Fetch, Got, Grant, Reach, Signing, Step, Text};
pub use identity::Identity;
pub use key::{AuthKind, BadSecret, Secret};
pub use source::{Source, source};
