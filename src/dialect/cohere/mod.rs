//! Cohere's Chat API, version 2.
//!
//! Requests: [`request`] puts a body together out of [`messages`], [`tools`], [`thinking`] and [`mod@format`]. Answers:
//! [`stream`] and [`whole`] feed the one reader in [`answer`].

mod answer;
mod citations;
#[cfg(test)]
mod corpus_tests;
mod counts;
#[cfg(test)]
mod decode_tests;
mod dialect;
mod embed;
#[cfg(test)]
mod embed_tests;
#[cfg(test)]
mod encode_tests;
mod ending;
mod failure;
mod format;
mod logprobs;
mod messages;
mod params;
mod parts;
#[cfg(test)]
mod prefix_tests;
mod repeat;
mod request;
mod sampling;
mod state;
mod stream;
mod thinking;
mod tools;
mod turns;
mod whole;
mod wire;

pub use dialect::Cohere;
pub use embed::Embeddings;
