//! Google's `generateContent`, whole and streamed.
//!
//! Encoding goes request -> config, tools, contents; decoding goes bytes -> stream -> answer -> choice.
//! Wire reference: <https://ai.google.dev/api/generate-content>.

mod answer;
mod calls;
mod choice;
mod citations;
mod config;
mod contents;
mod desk;
mod dialect;
mod embed;
#[cfg(test)]
mod embed_tests;
mod failure;
mod format;
mod group;
mod job;
mod labels;
mod logprobs;
mod model;
mod params;
mod partial;
mod parts;
mod repeat;
mod request;
mod results;
mod schema;
mod scribe;
mod signatures;
mod stream;
mod system;
mod thinking;
mod tools;
mod usage;
mod wire;

#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod decode_tests;
#[cfg(test)]
mod encode_tests;
#[cfg(test)]
mod failures_tests;
#[cfg(test)]
mod stable_tests;
#[cfg(test)]
mod turns_tests;

pub use dialect::Gemini;
pub use embed::Embeddings;
