//! OpenAI's Responses API: the format in which the vendor's newest models take tools while they reason.
//!
//! A conversation is a flat list of items, and an answer is one too: messages, calls, reasoning. Nothing is stored at
//! the provider; its reasoning travels encrypted, as `reasoning_details` with clients that keep them and in the proxy's
//! own memory for clients that do not.

mod answer;
mod call;
mod citations;
mod dialect;
mod ending;
mod format;
mod input;
mod items;
mod job;
mod kept;
mod params;
mod parts;
mod reasoning;
mod repeat;
mod request;
mod state;
mod stream;
mod tools;
mod usage;
mod whole;
mod wire;

#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod decode_tests;
#[cfg(test)]
mod encode_tests;
#[cfg(test)]
mod turns_tests;

pub use dialect::Responses;
