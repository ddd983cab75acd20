//! What the provider sends, as far as it is read, borrowed from its bytes.
//!
//! Everything is optional: an odd value costs one member, not the event.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::Escaped;
use crate::chat::json::whole_number;

/// One event of a stream.
#[derive(Debug, Deserialize)]
pub(super) struct Message<'a> {
    /// What it is.
    #[serde(rename = "type", borrow, default)]
    pub(super) kind: Cow<'a, str>,
    /// Counts the events.
    #[serde(borrow, default)]
    pub(super) sequence_number: Option<&'a RawValue>,
    /// Which item it is about.
    #[serde(borrow, default)]
    pub(super) output_index: Option<&'a RawValue>,
    /// Which part of the item's content.
    #[serde(borrow, default)]
    pub(super) content_index: Option<&'a RawValue>,
    /// Which part of the item's summary.
    #[serde(borrow, default)]
    pub(super) summary_index: Option<&'a RawValue>,
    /// What is new.
    #[serde(borrow, default)]
    pub(super) delta: Option<&'a RawValue>,
    /// Log probabilities of what is new.
    #[serde(borrow, default)]
    pub(super) logprobs: Option<&'a RawValue>,
    /// Letters that hide how long the words are.
    #[serde(borrow, default)]
    pub(super) obfuscation: Option<&'a RawValue>,
    /// An item that begins or is complete.
    #[serde(borrow, default)]
    pub(super) item: Option<&'a RawValue>,
    /// A citation in the text.
    #[serde(borrow, default)]
    pub(super) annotation: Option<&'a RawValue>,
    /// The whole answer as far as it is there.
    #[serde(borrow, default)]
    pub(super) response: Option<&'a RawValue>,
    /// What went wrong, where something did.
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
    /// `response`, where an answer stands in an event's place.
    #[serde(borrow, default)]
    pub(super) object: Option<&'a RawValue>,
}

/// An answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Response<'a> {
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) created_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) status: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) incomplete_details: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) output: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) service_tier: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) moderation: Option<&'a RawValue>,
    /// Azure's verdicts on prompt and answer.
    #[serde(borrow, default)]
    pub(super) content_filters: Option<&'a RawValue>,
}

/// An item of an answer.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Item<'a> {
    #[serde(rename = "type", borrow, default)]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) call_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) summary: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) encrypted_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) phase: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) output_format: Option<&'a RawValue>,
}

/// A part of an item's content or summary.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) annotations: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) logprobs: Option<&'a RawValue>,
}

/// The inside of a string; empty where there is none.
pub(super) fn token(raw: Option<&RawValue>) -> Escaped<'_> {
    raw.and_then(Escaped::token).unwrap_or(Escaped::EMPTY)
}

/// A whole number; zero where there is none.
pub(super) fn count(raw: Option<&RawValue>) -> u64 {
    raw.and_then(|raw| whole_number(raw.get()))
        .unwrap_or_default()
}

/// The parts of a content or a summary.
pub(super) fn parts(raw: Option<&RawValue>) -> Vec<Part<'_>> {
    let list = raw.map(|raw| serde_json::from_str(raw.get()));
    list.and_then(Result::ok).unwrap_or_default()
}

/// What stands between the brackets of a list; empty where it is none.
pub(super) fn inside(raw: Option<&RawValue>) -> &str {
    let list = raw.map(RawValue::get).unwrap_or_default();
    let inside = list
        .strip_prefix('[')
        .and_then(|list| list.strip_suffix(']'));
    inside.unwrap_or_default().trim()
}
