//! What Cohere sends, as far as it is read, borrowed from its bytes.
//!
//! Everything is optional: an odd value costs one member, not the event.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::Escaped;

/// One event of a stream.
#[derive(Debug, Deserialize)]
pub(super) struct Told<'a> {
    /// What it is; empty in a whole answer and in an error.
    #[serde(rename = "type", borrow, default)]
    pub(super) kind: Cow<'a, str>,
    /// `message-start`: the answer's id.
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    /// Which content part or which call it is about.
    #[serde(default)]
    pub(super) index: Option<u64>,
    /// What is new.
    #[serde(borrow, default)]
    pub(super) delta: Option<Delta<'a>>,
    /// Log probabilities of what is new.
    #[serde(borrow, default)]
    pub(super) logprobs: Option<&'a RawValue>,
    /// The words of an error; in a whole answer, the message.
    #[serde(borrow, default)]
    pub(super) message: Option<&'a RawValue>,
}

/// What an event brings.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Delta<'a> {
    #[serde(borrow, default)]
    pub(super) message: Option<News<'a>>,
    /// `message-end`: why.
    #[serde(borrow, default)]
    pub(super) finish_reason: Option<&'a RawValue>,
    /// `message-end`: the counts.
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
    /// `message-end`: what went wrong.
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

/// What is new in a message: each member is an object here and a list in whole answers.
#[derive(Debug, Default, Deserialize)]
pub(super) struct News<'a> {
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) tool_plan: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) citations: Option<&'a RawValue>,
}

/// A content part, or a piece of one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) thinking: Option<&'a RawValue>,
}

/// A tool call, or a piece of one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Call<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) function: Option<Function<'a>>,
}

/// The function of a call.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Function<'a> {
    #[serde(borrow, default)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
}

/// A whole answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) logprobs: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

/// Token counts.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Usage<'a> {
    #[serde(borrow, default)]
    pub(super) billed_units: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) tokens: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) cached_tokens: Option<&'a RawValue>,
}

/// The inside of a string; empty where there is none.
pub(super) fn token(raw: Option<&RawValue>) -> Escaped<'_> {
    raw.and_then(Escaped::token).unwrap_or(Escaped::EMPTY)
}

/// A value as the type it should have; empty where it is of another.
pub(super) fn typed<'a, T: Default + Deserialize<'a>>(raw: Option<&'a RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}
