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
mod dialect;
mod failure;
mod fences;
mod format;
mod logprobs;
mod model;
mod params;
mod partial;
mod parts;
mod request;
mod results;
mod schema;
mod signatures;
mod stream;
mod system;
mod thinking;
mod tools;
mod usage;
mod wire;

#[cfg(test)]
mod tests;

pub use dialect::Gemini;
