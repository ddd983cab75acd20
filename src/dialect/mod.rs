//! Wire formats: pure translators between OpenAI's chat format and a provider's own.
//!
//! A dialect is code, a provider is data: what differs between providers of one dialect is in [`Quirks`], what
//! differs between models is in [`Caps`]. Nothing here knows a URL, a key, a price, a socket or a clock.
#![warn(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

pub mod anthropic;
pub mod bedrock;
mod call;
pub mod caps;
pub mod codec;
pub mod cohere;
mod complaint;
#[cfg(test)]
mod corpus_tests;
mod defs;
mod events;
pub mod eventstream;
mod fences;
pub mod gemini;
pub mod ids;
pub mod limits;
pub mod media;
pub mod openai;
pub mod params;
pub mod place;
mod points;
pub mod quirks;
pub mod refusing;
pub mod report;
pub mod responses;
pub mod signals;
pub mod sse;
mod template;
#[cfg(test)]
mod template_tests;
mod text;
mod thoughts;
mod tiers;
mod toolroot;
mod vectors;
pub mod vertex;

pub use caps::{Caps, Effort, Reasoning, Sampling};
pub use codec::{
    Context, Decode, Dialect, Encoded, Failure, Fault, Mode, Recall, Reply, Report, Shape, Stop,
    Target,
};
pub use quirks::Quirks;

/// Every wire format by the name that configuration and catalogue use.
pub const DIALECTS: &[(&str, &dyn Dialect)] = &[
    ("openai", &openai::OpenAi),
    ("openai-responses", &responses::Responses),
    ("anthropic", &anthropic::Anthropic),
    ("anthropic-vertex", &vertex::AnthropicVertex),
    ("gemini", &gemini::Gemini),
    ("bedrock", &bedrock::Bedrock),
    ("anthropic-bedrock", &bedrock::AnthropicBedrock),
    ("cohere", &cohere::Cohere),
];

/// A dialect by its name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, dialect)| *dialect)
}
