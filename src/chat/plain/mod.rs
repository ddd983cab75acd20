//! The plain routing API: a prompt, a strategy and a cap in; a result, its model and its price out.
//!
//! It is a way of speaking, not of working: its body becomes a chat request with hints, and what a model says becomes
//! its events or its one object.

pub mod body;
pub mod writer;

pub use body::{Job, in_own_words, request};
pub use writer::{ERROR, Facts, PlainWriter, whole};

#[cfg(test)]
mod tests;
