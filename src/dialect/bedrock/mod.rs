//! Amazon Bedrock: Converse for every vendor's models, and Claude's own Messages API through `InvokeModel`.
//!
//! Converse: [`request`] puts a body together out of [`messages`], [`tools`] and [`fields`]; [`stream`] and [`whole`]
//! feed the reader of Anthropic's format, whose blocks Converse's are. Claude: [`claude`] is that format in an
//! envelope and in binary frames.

mod claude;
mod content;
#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod decode_tests;
mod dialect;
#[cfg(test)]
mod encode_tests;
mod failure;
mod fields;
mod heads;
mod maker;
mod messages;
mod params;
mod path;
mod read;
mod request;
mod stream;
mod tools;
mod whole;
mod wire;

pub use claude::AnthropicBedrock;
pub use dialect::Bedrock;
