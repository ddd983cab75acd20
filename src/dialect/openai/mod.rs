//! OpenAI chat completions and every provider that copied them, whole and streamed.
//!
//! Requests are spliced: only what a quirk or a capability touches is written anew. Answers that are OpenAI's to
//! the letter pass as they are; others are read into events.

mod again;
mod answer;
mod calls;
mod choice;
mod completion;
mod dialect;
mod draft;
mod edits;
mod effort;
mod embed;
mod format;
mod handover;
mod history;
mod messages;
mod params;
mod pieces;
mod request;
mod right;
mod rules;
mod stream;
mod tags;
mod tools;
mod usage;
mod verbatim;
mod whole;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests_completion;
#[cfg(test)]
mod tests_decode;
#[cfg(test)]
mod tests_embed;
#[cfg(test)]
mod tests_encode;
#[cfg(test)]
mod tests_messages;
#[cfg(test)]
mod tests_whole;

pub use completion::Completions;
pub use dialect::OpenAi;
pub use embed::Embeddings;
