//! What Converse sends, as far as it is read, borrowed from its bytes.
//!
//! Everything is optional: an odd value costs one member, not the event. Which event it is stands in its frame's head,
//! and padding (`p`) is passed over.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::Tokens;

/// The payload of any event of a stream, or a whole answer: the two share the members of their ends.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Told<'a> {
    /// Which content block it is about.
    pub(super) content_block_index: Option<u64>,
    /// `contentBlockStart`: the block; text and reasoning have no start.
    #[serde(borrow)]
    pub(super) start: Option<Block<'a>>,
    /// `contentBlockDelta`: what is new.
    #[serde(borrow)]
    pub(super) delta: Option<Delta<'a>>,
    /// A whole answer's message.
    #[serde(borrow)]
    pub(super) output: Option<Output<'a>>,
    /// `messageStop`: why the answer ended.
    #[serde(borrow)]
    pub(super) stop_reason: Option<&'a RawValue>,
    /// `messageStop`: what was asked for beside, by path.
    #[serde(borrow)]
    pub(super) additional_model_response_fields: Option<&'a RawValue>,
    /// `metadata`: token counts.
    #[serde(borrow)]
    pub(super) usage: Option<&'a RawValue>,
    /// `metadata`: what a guardrail or a prompt router did.
    #[serde(borrow)]
    pub(super) trace: Option<&'a RawValue>,
    /// `metadata`: the tier that served.
    #[serde(borrow)]
    pub(super) service_tier: Option<Tier<'a>>,
}

/// A whole answer's `output`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Output<'a> {
    #[serde(borrow)]
    pub(super) message: Option<Message<'a>>,
}

/// The message in it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) content: Vec<&'a RawValue>,
}

/// A content block, or the start of one.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Block<'a> {
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_use: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_result: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) image: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) reasoning_content: Option<Reasoning<'a>>,
    #[serde(borrow)]
    pub(super) citations_content: Option<Cited<'a>>,
}

/// A call, or its start.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ToolUse<'a> {
    #[serde(borrow, rename = "toolUseId")]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
    /// `server_tool_use` where the provider ran it itself.
    #[serde(borrow, rename = "type")]
    pub(super) kind: Option<&'a RawValue>,
}

/// Reasoning: the members of a delta, and `reasoningText` of a whole block.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Reasoning<'a> {
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) signature: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) redacted_content: Option<&'a RawValue>,
    #[serde(borrow, rename = "reasoningText")]
    pub(super) whole: Option<Words<'a>>,
}

/// The words of a whole block of reasoning.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Words<'a> {
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) signature: Option<&'a RawValue>,
}

/// Text with its sources.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Cited<'a> {
    #[serde(borrow)]
    pub(super) content: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(super) citations: Vec<&'a RawValue>,
}

/// A piece of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Text<'a> {
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
}

/// What is new in a block.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Delta<'a> {
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_use: Option<Input<'a>>,
    #[serde(borrow)]
    pub(super) tool_result: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) reasoning_content: Option<Reasoning<'a>>,
    #[serde(borrow)]
    pub(super) citation: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) image: Option<&'a RawValue>,
}

/// A piece of a call's arguments: JSON text in a string.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Input<'a> {
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
}

/// The tier that served.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tier<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Option<&'a RawValue>,
}

/// Token counts. Cached tokens are beside `inputTokens`, not within.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Usage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_write_input_tokens: Option<u64>,
    cache_details: Option<Vec<Written>>,
}

/// Tokens written to a cache, by how long they live there.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    ttl: Option<String>,
    input_tokens: Option<u64>,
}

/// Token counts in OpenAI's reckoning (E-80).
pub(super) fn tokens(raw: &RawValue) -> Option<Tokens> {
    let usage: Usage = serde_json::from_str(raw.get()).ok()?;
    let (cached, written) = (
        usage.cache_read_input_tokens,
        usage.cache_write_input_tokens,
    );
    let hour = usage.cache_details.and_then(|details| {
        let of_hour = |written: &&Written| written.ttl.as_deref() == Some("1h");
        details.iter().find(of_hour)?.input_tokens
    });
    let prompt = usage.input_tokens.unwrap_or_default();
    Some(Tokens {
        prompt: prompt
            .saturating_add(cached.unwrap_or_default())
            .saturating_add(written.unwrap_or_default()),
        completion: usage.output_tokens.unwrap_or_default(),
        cached,
        cache_write: written,
        cache_write_1h: hour,
        ..Tokens::default()
    })
}
