//! What Anthropic sends, as far as it is read, borrowed from its bytes.
//!
//! Everything is optional: an odd value costs one member, not the event.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::Escaped;

/// One event of a stream, or a whole answer, or an error body: the three share their `type` member.
#[derive(Debug, Deserialize)]
pub(super) struct Message<'a> {
    /// What it is.
    #[serde(rename = "type", borrow, default)]
    pub(super) kind: Cow<'a, str>,
    /// Which content block it is about.
    #[serde(default)]
    pub(super) index: Option<u64>,
    /// `message_start`: the answer's head.
    #[serde(borrow, default)]
    #[serde(rename = "message")]
    pub(super) head: Option<&'a RawValue>,
    /// `content_block_start`: the block.
    #[serde(borrow, default)]
    pub(super) content_block: Option<&'a RawValue>,
    /// `content_block_delta`, `message_delta`: what is new.
    #[serde(borrow, default)]
    pub(super) delta: Option<Delta<'a>>,
    /// `message_delta`: cumulative counts.
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
    /// `error`: what went wrong.
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
}

/// What is new in a block or in the message. Its own `type` only repeats which member is there.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Delta<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) partial_json: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) citation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) stop_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) stop_sequence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) stop_details: Option<&'a RawValue>,
}

/// What is new in a block, as texts: empty where it is none of that kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub(super) text: Escaped<'a>,
    pub(super) thinking: Escaped<'a>,
    pub(super) signature: Escaped<'a>,
    pub(super) json: Escaped<'a>,
    pub(super) citation: Option<&'a str>,
}

impl<'a> Piece<'a> {
    /// Nothing new.
    pub(super) const NONE: Self = Self {
        text: Escaped::EMPTY,
        thinking: Escaped::EMPTY,
        signature: Escaped::EMPTY,
        json: Escaped::EMPTY,
        citation: None,
    };

    /// What a delta brings.
    pub(super) fn of(delta: &Delta<'a>) -> Self {
        Self {
            text: token(delta.text),
            thinking: token(delta.thinking),
            signature: token(delta.signature),
            json: token(delta.partial_json),
            citation: delta.citation.map(RawValue::get),
        }
    }
}

/// The inside of a string; empty where there is none.
pub(super) fn token(raw: Option<&RawValue>) -> Escaped<'_> {
    raw.and_then(Escaped::token).unwrap_or(Escaped::EMPTY)
}

/// The head of an answer, or a whole one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Head<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
    /// What went wrong, where there is no message after all.
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) stop_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) stop_sequence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) stop_details: Option<&'a RawValue>,
}

/// A content block.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Block<'a> {
    #[serde(rename = "type", borrow, default)]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) citations: Option<&'a RawValue>,
}

/// Token counts. Streams tell them twice: the later holds, member by member.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Usage<'a> {
    #[serde(default)]
    pub(super) input_tokens: Option<u64>,
    #[serde(default)]
    pub(super) output_tokens: Option<u64>,
    #[serde(default)]
    pub(super) cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    pub(super) cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    pub(super) cache_creation: Option<Lifetimes>,
    #[serde(default)]
    pub(super) output_tokens_details: Option<OutputDetails>,
    #[serde(borrow, default)]
    pub(super) service_tier: Option<&'a RawValue>,
}

/// Cache writes by lifetime.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Lifetimes {
    #[serde(default)]
    pub(super) ephemeral_1h_input_tokens: Option<u64>,
}

/// What output tokens were spent on.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct OutputDetails {
    #[serde(default)]
    pub(super) thinking_tokens: Option<u64>,
}
