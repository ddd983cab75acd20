//! What Anthropic sends, as far as it is read, borrowed from its bytes.
//!
//! Everything is optional: an odd value costs one member, not the event.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::Escaped;

/// One event of a stream, or a whole answer, or an error body: the three share their `type` member.
#[derive(Debug, Deserialize)]
pub(crate) struct Message<'a> {
    /// What it is.
    #[serde(rename = "type", borrow, default)]
    pub(crate) kind: Cow<'a, str>,
    /// Which content block it is about.
    #[serde(default)]
    pub(crate) index: Option<u64>,
    /// `message_start`: the answer's head.
    #[serde(borrow, default)]
    #[serde(rename = "message")]
    pub(crate) head: Option<&'a RawValue>,
    /// `content_block_start`: the block.
    #[serde(borrow, default)]
    pub(crate) content_block: Option<&'a RawValue>,
    /// `content_block_delta`, `message_delta`: what is new.
    #[serde(borrow, default)]
    pub(crate) delta: Option<Delta<'a>>,
    /// `message_delta`: cumulative counts.
    #[serde(borrow, default)]
    pub(crate) usage: Option<&'a RawValue>,
    /// `error`: what went wrong.
    #[serde(borrow, default)]
    pub(crate) error: Option<&'a RawValue>,
    /// What a cloud's guardrail did.
    #[serde(borrow, default, rename = "amazon-bedrock-guardrailAction")]
    pub(crate) guardrail: Option<&'a RawValue>,
}

/// What is new in a block or in the message. Its own `type` only repeats which member is there.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Delta<'a> {
    #[serde(borrow, default)]
    pub(crate) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) partial_json: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) citation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) stop_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) stop_sequence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) stop_details: Option<&'a RawValue>,
}

/// What is new in a block, as texts: empty where it is none of that kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) text: Escaped<'a>,
    pub(crate) thinking: Escaped<'a>,
    pub(crate) signature: Escaped<'a>,
    pub(crate) json: Escaped<'a>,
    pub(crate) citation: Option<&'a str>,
}

impl<'a> Piece<'a> {
    /// Nothing new.
    pub(crate) const NONE: Self = Self {
        text: Escaped::EMPTY,
        thinking: Escaped::EMPTY,
        signature: Escaped::EMPTY,
        json: Escaped::EMPTY,
        citation: None,
    };

    /// What a delta brings.
    pub(crate) fn of(delta: &Delta<'a>) -> Self {
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
pub(crate) fn token(raw: Option<&RawValue>) -> Escaped<'_> {
    raw.and_then(Escaped::token).unwrap_or(Escaped::EMPTY)
}

/// The head of an answer, or a whole one.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Head<'a> {
    #[serde(borrow, default)]
    pub(crate) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) content: Option<&'a RawValue>,
    /// What went wrong, where there is no message after all.
    #[serde(borrow, default)]
    pub(crate) error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) stop_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) stop_sequence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) stop_details: Option<&'a RawValue>,
    /// What a cloud's guardrail did.
    #[serde(borrow, default, rename = "amazon-bedrock-guardrailAction")]
    pub(crate) guardrail: Option<&'a RawValue>,
}

/// A content block.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Block<'a> {
    #[serde(rename = "type", borrow, default)]
    pub(crate) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) citations: Option<&'a RawValue>,
}

/// Token counts. Streams tell them twice: the later holds, member by member.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Usage<'a> {
    #[serde(default)]
    pub(crate) input_tokens: Option<u64>,
    #[serde(default)]
    pub(crate) output_tokens: Option<u64>,
    #[serde(default)]
    pub(crate) cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    pub(crate) cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    pub(crate) cache_creation: Option<Lifetimes>,
    #[serde(default)]
    pub(crate) output_tokens_details: Option<OutputDetails>,
    #[serde(borrow, default)]
    pub(crate) server_tool_use: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) service_tier: Option<&'a RawValue>,
}

/// Cache writes by lifetime.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Lifetimes {
    #[serde(default)]
    pub(crate) ephemeral_1h_input_tokens: Option<u64>,
}

/// What output tokens were spent on.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct OutputDetails {
    #[serde(default)]
    pub(crate) thinking_tokens: Option<u64>,
}
