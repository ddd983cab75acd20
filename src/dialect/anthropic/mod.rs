//! Anthropic's Messages API.
//!
//! Requests: [`request`] puts a body together out of [`messages`], [`tools`], [`thinking`] and [`mod@format`]. Answers:
//! [`stream`] and [`whole`] feed the one reader in [`answer`].

pub(super) mod answer;
pub(super) mod citations;
pub(super) mod content;
mod counts;
#[cfg(test)]
mod decode_tests;
mod dialect;
#[cfg(test)]
mod encode_tests;
pub(super) mod ending;
pub(super) mod envelope;
mod failure;
pub(super) mod format;
pub(super) mod marks;
pub(super) mod messages;
pub(super) mod params;
#[cfg(test)]
mod prefix_tests;
mod repeat;
pub(super) mod request;
pub(super) mod sampling;
pub(super) mod schema;
pub(super) mod state;
pub(super) mod stream;
pub(super) mod thinking;
pub(super) mod tools;
pub(super) mod turns;
#[cfg(test)]
mod turns_tests;
mod whole;
pub(super) mod wire;

pub use dialect::Anthropic;
