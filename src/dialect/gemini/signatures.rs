//! Thought signatures: the state of the model's reasoning that must come back on the part it came with.
//!
//! Models from 3.0 on refuse a step whose first function call is unsigned
//! (<https://ai.google.dev/gemini-api/docs/thought-signatures>). Most clients drop what they do not know, so a
//! signature is looked for in everything a client may have kept, then in what the proxy kept, and the sentinel is
//! the last resort.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::chat::json::{self, Escaped, Members};
use crate::chat::{Message, Role, ToolCall};
use crate::dialect::codec::turn_key;

use super::job::Job;

/// What a call without its signature may carry instead.
pub(super) const SENTINEL: &str = "skip_thought_signature_validator";

/// The `format` of our items in `reasoning_details`.
pub(super) const FORMAT: &str = "google-gemini-v1";

/// The signatures of one turn of the model, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Kept<'a> {
    /// Per call, in the calls' order.
    pub(super) calls: Vec<Option<Cow<'a, str>>>,
    /// Of the last text: the signature and how many characters at its end belong to the signed part.
    pub(super) text: Option<(Cow<'a, str>, usize)>,
}

/// Finds the signatures of the message at `at`.
pub(super) fn of<'a>(job: &mut Job<'_>, messages: &'a [Message<'a>], at: usize) -> Kept<'a> {
    let Some(message) = messages.get(at) else {
        return Kept::default();
    };
    let mut kept = Kept {
        calls: message
            .calls
            .iter()
            .map(|call| on_call(message, call))
            .collect(),
        text: on_text(message),
    };
    let lacks = match kept.calls.first() {
        Some(first) => first.is_none(),
        None => kept.text.is_none(),
    };
    if lacks {
        recalled(job, messages, at, &mut kept);
    }
    if let Some(first) = kept.calls.first_mut()
        && first.is_none()
        && job.model.is_third()
    {
        job.report.fill("messages.tool_calls.extra_content");
        *first = Some(Cow::Borrowed(SENTINEL));
    }
    kept
}

/// What a client kept beside the call, in any of the known places.
fn on_call<'a>(message: &'a Message<'_>, call: &'a ToolCall<'_>) -> Option<Cow<'a, str>> {
    let google = within(&call.members, "extra_content").and_then(|extra| within(&extra, "google"));
    let fields = within(&call.members, "provider_specific_fields").or_else(|| {
        within(&call.members, "function")
            .and_then(|function| within(&function, "provider_specific_fields"))
    });
    let beside = [google, fields].into_iter().flatten();
    let found = beside
        .filter_map(|members| members.text("thought_signature"))
        .find(|signature| !signature.is_empty());
    found.or_else(|| {
        let details = message.details.iter().filter_map(|raw| detail(raw));
        let mut own = details.filter(|item| item.text("id").as_deref() == Some(call.id.as_ref()));
        own.find_map(|item| item.text("data"))
    })
}

fn on_text<'a>(message: &'a Message<'_>) -> Option<(Cow<'a, str>, usize)> {
    let items = message.details.iter().rev().filter_map(|raw| detail(raw));
    let mut items = items;
    let item = items.find(|item| item.find("id").is_none())?;
    Some((item.text("data")?, tail(&item)))
}

/// An item of `reasoning_details` that is of this dialect.
fn detail(raw: &RawValue) -> Option<Members<'_>> {
    let members = Members::parse(raw.get()).ok()?;
    let format = members.text("format")?;
    format.starts_with("google").then_some(members)
}

fn within<'a>(members: &Members<'a>, name: &str) -> Option<Members<'a>> {
    Members::parse(members.find(name)?.get()).ok()
}

fn tail(members: &Members<'_>) -> usize {
    let tail = members.count("tail").unwrap_or_default();
    usize::try_from(tail).unwrap_or(usize::MAX)
}

/// What the proxy kept of the turn.
fn recalled(job: &Job<'_>, messages: &[Message<'_>], at: usize, kept: &mut Kept<'_>) {
    let Some(message) = messages.get(at) else {
        return;
    };
    let before = at.checked_sub(1).and_then(|before| messages.get(before));
    let answers = before
        .filter(|before| before.role == Role::Tool)
        .and_then(|before| before.call_id.as_deref());
    let key = match message.calls.first() {
        Some(call) if call.id.is_empty() => None,
        Some(call) => turn_key(Some(&call.id), None),
        None => turn_key(None, answers),
    };
    if let Some(state) = key.and_then(|key| job.recall.recall(&key)) {
        fill(&state, message, kept);
    }
}

fn fill(state: &Arc<str>, message: &Message<'_>, kept: &mut Kept<'_>) {
    let Some(state) = Members::parse(state)
        .ok()
        .and_then(|state| within(&state, "gemini"))
    else {
        return;
    };
    if let Some(calls) = within(&state, "calls") {
        for (slot, call) in kept.calls.iter_mut().zip(&message.calls) {
            let known = calls.text(&call.id);
            let known = known.map(|signature| Cow::Owned(signature.into_owned()));
            *slot = slot.take().or(known);
        }
    }
    if let Some(text) = within(&state, "text").filter(|_| kept.text.is_none()) {
        let signature = text.text("sig").map(Cow::into_owned);
        kept.text = signature.map(|signature| (Cow::Owned(signature), tail(&text)));
    }
}

/// Writes the state of a turn for [`Recall`](crate::dialect::Recall): signatures by call id, and the text's.
///
/// Signatures come as they stand between their quotes on the wire.
pub(super) fn state(calls: &[(String, String)], text: Option<&(String, usize)>) -> String {
    let mut out = b"{\"gemini\":{".to_vec();
    if !calls.is_empty() {
        json::key("calls", &mut out);
        out.push(b'{');
        for (id, signature) in calls {
            json::key(id, &mut out);
            Escaped::trusted(signature).write_quoted(&mut out);
        }
        out.push(b'}');
    }
    if let Some((signature, tail)) = text {
        json::key("text", &mut out);
        out.extend_from_slice(b"{\"sig\":");
        Escaped::trusted(signature).write_quoted(&mut out);
        json::member("tail", &tail.to_string(), &mut out);
        out.push(b'}');
    }
    out.extend_from_slice(b"}}");
    String::from_utf8(out).unwrap_or_default()
}

/// Writes the item of `reasoning_details` for a signature that came with text.
pub(super) fn text_detail(signature: Escaped<'_>, index: u32, tail: usize) -> String {
    let mut out = String::with_capacity(signature.as_str().len().saturating_add(96));
    let _ = write!(
        out,
        "{{\"type\":\"reasoning.encrypted\",\"data\":\"{}\",\"format\":\"{FORMAT}\",\"index\":{index},\"tail\":{tail}}}",
        signature.as_str()
    );
    out
}

/// How many characters escaped text has.
pub(super) fn length(text: Escaped<'_>) -> usize {
    let mut rest = text.as_str();
    let mut count = 0_usize;
    while !rest.is_empty() {
        rest = rest.get(step(rest)..).unwrap_or_default();
        count = count.saturating_add(1);
    }
    count
}

/// Splits escaped text so that the second half has the last `tail` characters.
pub(super) fn split(text: Escaped<'_>, tail: usize) -> (Escaped<'_>, Escaped<'_>) {
    let whole = text.as_str();
    if tail == 0 {
        return (text, Escaped::EMPTY);
    }
    let mut rest = whole;
    for _ in 0..length(text).saturating_sub(tail) {
        rest = rest.get(step(rest)..).unwrap_or_default();
    }
    let head = whole
        .get(..whole.len().saturating_sub(rest.len()))
        .unwrap_or_default();
    (Escaped::trusted(head), Escaped::trusted(rest))
}

/// How many bytes the first character takes, escapes and surrogate pairs whole.
fn step(rest: &str) -> usize {
    let Some(escape) = rest.strip_prefix('\\') else {
        return rest.chars().next().map_or(1, char::len_utf8);
    };
    if !escape.starts_with('u') {
        return 2.min(rest.len());
    }
    let high = escape.get(1..3).is_some_and(|digits| {
        matches!(
            digits.to_ascii_lowercase().as_str(),
            "d8" | "d9" | "da" | "db"
        )
    });
    let paired = high && rest.get(6..8) == Some("\\u");
    (if paired { 12 } else { 6 }).min(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_whole() {
        let table = [
            ("", 0),
            ("abc", 3),
            ("a\\nb", 3),
            ("é€😀", 3),
            ("\\ud83d\\ude00x", 2),
            ("\\u00e9", 1),
            ("\\ud83dx", 2),
        ];
        for (text, count) in table {
            assert_eq!(length(Escaped::trusted(text)), count, "{text}");
        }
        let (head, tail) = split(Escaped::trusted("ab\\ud83d\\ude00\\n"), 2);
        assert_eq!((head.as_str(), tail.as_str()), ("ab", "\\ud83d\\ude00\\n"));
        let (head, tail) = split(Escaped::trusted("ab"), 9);
        assert_eq!((head.as_str(), tail.as_str()), ("", "ab"));
    }
}
