//! Anthropic's Messages API.
//!
//! Requests: [`request`] puts a body together out of [`messages`], [`tools`], [`thinking`] and [`mod@format`]. Answers:
//! [`stream`] and [`whole`] feed the one reader in [`answer`].

mod answer;
mod call;
mod citations;
mod content;
mod counts;
#[cfg(test)]
mod decode_tests;
mod dialect;
#[cfg(test)]
mod encode_tests;
mod ending;
pub(super) mod envelope;
mod failure;
mod fences;
mod format;
mod marks;
mod messages;
pub(super) mod params;
#[cfg(test)]
mod prefix_tests;
mod repeat;
pub(super) mod request;
mod sampling;
mod schema;
mod state;
mod stream;
mod text;
mod thinking;
mod toolroot;
mod tools;
mod turns;
#[cfg(test)]
mod turns_tests;
mod whole;
mod wire;

pub use dialect::Anthropic;
