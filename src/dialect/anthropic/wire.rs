//! What Anthropic sends, as far as it is read, borrowed from its bytes.
//!
//! Everything is optional: an odd value costs one member, not the event.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::Escaped;

/// One event of a stream, or a whole answer, or an error body: the three share their `type` member.
#[derive(Debug, Deserialize)]
pub(in crate::dialect) struct Message<'a> {
    /// What it is.
    #[serde(rename = "type", borrow, default)]
    pub(in crate::dialect) kind: Cow<'a, str>,
    /// Which content block it is about.
    #[serde(default)]
    pub(in crate::dialect) index: Option<u64>,
    /// `message_start`: the answer's head.
    #[serde(borrow, default)]
    #[serde(rename = "message")]
    pub(in crate::dialect) head: Option<&'a RawValue>,
    /// `content_block_start`: the block.
    #[serde(borrow, default)]
    pub(in crate::dialect) content_block: Option<&'a RawValue>,
    /// `content_block_delta`, `message_delta`: what is new.
    #[serde(borrow, default)]
    pub(in crate::dialect) delta: Option<Delta<'a>>,
    /// `message_delta`: cumulative counts.
    #[serde(borrow, default)]
    pub(in crate::dialect) usage: Option<&'a RawValue>,
    /// `error`: what went wrong.
    #[serde(borrow, default)]
    pub(in crate::dialect) error: Option<&'a RawValue>,
    /// What a cloud's guardrail did.
    #[serde(borrow, default, rename = "amazon-bedrock-guardrailAction")]
    pub(in crate::dialect) guardrail: Option<&'a RawValue>,
}

/// What is new in a block or in the message. Its own `type` only repeats which member is there.
#[derive(Debug, Default, Deserialize)]
pub(in crate::dialect) struct Delta<'a> {
    #[serde(borrow, default)]
    pub(in crate::dialect) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) partial_json: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) citation: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) stop_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) stop_sequence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) stop_details: Option<&'a RawValue>,
}

/// What is new in a block, as texts: empty where it is none of that kind.
#[derive(Clone, Copy, Debug)]
pub(in crate::dialect) struct Piece<'a> {
    pub(in crate::dialect) text: Escaped<'a>,
    pub(in crate::dialect) thinking: Escaped<'a>,
    pub(in crate::dialect) signature: Escaped<'a>,
    pub(in crate::dialect) json: Escaped<'a>,
    pub(in crate::dialect) citation: Option<&'a str>,
}

impl<'a> Piece<'a> {
    /// Nothing new.
    pub(in crate::dialect) const NONE: Self = Self {
        text: Escaped::EMPTY,
        thinking: Escaped::EMPTY,
        signature: Escaped::EMPTY,
        json: Escaped::EMPTY,
        citation: None,
    };

    /// What a delta brings.
    pub(in crate::dialect) fn of(delta: &Delta<'a>) -> Self {
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
pub(in crate::dialect) fn token(raw: Option<&RawValue>) -> Escaped<'_> {
    raw.and_then(Escaped::token).unwrap_or(Escaped::EMPTY)
}

/// The head of an answer, or a whole one.
#[derive(Debug, Default, Deserialize)]
pub(in crate::dialect) struct Head<'a> {
    #[serde(borrow, default)]
    pub(in crate::dialect) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) content: Option<&'a RawValue>,
    /// What went wrong, where there is no message after all.
    #[serde(borrow, default)]
    pub(in crate::dialect) error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) stop_reason: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) stop_sequence: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) stop_details: Option<&'a RawValue>,
    /// What a cloud's guardrail did.
    #[serde(borrow, default, rename = "amazon-bedrock-guardrailAction")]
    pub(in crate::dialect) guardrail: Option<&'a RawValue>,
}

/// A content block.
#[derive(Debug, Default, Deserialize)]
pub(in crate::dialect) struct Block<'a> {
    #[serde(rename = "type", borrow, default)]
    pub(in crate::dialect) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(in crate::dialect) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) thinking: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) signature: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(in crate::dialect) citations: Option<&'a RawValue>,
}

/// Token counts. Streams tell them twice: the later holds, member by member.
#[derive(Debug, Default, Deserialize)]
pub(in crate::dialect) struct Usage<'a> {
    #[serde(default)]
    pub(in crate::dialect) input_tokens: Option<u64>,
    #[serde(default)]
    pub(in crate::dialect) output_tokens: Option<u64>,
    #[serde(default)]
    pub(in crate::dialect) cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    pub(in crate::dialect) cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    pub(in crate::dialect) cache_creation: Option<Lifetimes>,
    #[serde(default)]
    pub(in crate::dialect) output_tokens_details: Option<OutputDetails>,
    #[serde(borrow, default)]
    pub(in crate::dialect) service_tier: Option<&'a RawValue>,
}

/// Cache writes by lifetime.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(in crate::dialect) struct Lifetimes {
    #[serde(default)]
    pub(in crate::dialect) ephemeral_1h_input_tokens: Option<u64>,
}

/// What output tokens were spent on.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(in crate::dialect) struct OutputDetails {
    #[serde(default)]
    pub(in crate::dialect) thinking_tokens: Option<u64>,
}
