//! What streamed and whole answers have in common: identity, usage, and how much is shown.

use super::event::{Finish, Tokens, Usage};
use super::json::{self, Escaped, Members};

/// What a client is to be shown beyond OpenAI's own members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extras {
    /// `reasoning_content`, `extra_content`, `native_finish_reason` and the like are written.
    Shown,
    /// For clients that refuse unknown members: only what OpenAI's own types have.
    Hidden,
}

/// Whether a stream ends with a chunk that tells the usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageChunk {
    /// The client asked for it.
    Asked,
    /// It did not.
    Unasked,
}

impl From<bool> for UsageChunk {
    /// From the request's `stream_options.include_usage`.
    fn from(include_usage: bool) -> Self {
        if include_usage {
            Self::Asked
        } else {
            Self::Unasked
        }
    }
}

/// Members beside text and calls that OpenAI's own messages have.
const OWN_IN_MESSAGE: [&str; 3] = ["annotations", "audio", "function_call"];
/// The same of a delta.
const OWN_IN_DELTA: [&str; 2] = ["audio", "function_call"];
/// Top-level members that OpenAI's own answers have.
const OWN_AT_TOP: [&str; 2] = ["service_tier", "system_fingerprint"];

/// Top-level members that OpenAI repeats in every chunk.
pub(super) const STICKY: [&str; 2] = OWN_AT_TOP;

impl Extras {
    /// Whether a member of a message is written.
    pub(super) fn in_message(self, name: &str) -> bool {
        self == Self::Shown || OWN_IN_MESSAGE.contains(&name)
    }

    /// Whether a member of a delta is written.
    pub(super) fn in_delta(self, name: &str) -> bool {
        self == Self::Shown || OWN_IN_DELTA.contains(&name)
    }

    /// Whether a top-level member is written.
    pub(super) fn at_top(self, name: &str) -> bool {
        self == Self::Shown || OWN_AT_TOP.contains(&name)
    }
}

/// How far one choice of a stream is.
#[derive(Clone, Debug, Default)]
pub(super) struct ChoiceState {
    pub(super) index: u32,
    pub(super) role_sent: bool,
    pub(super) logprobs: Option<String>,
    pub(super) finish: Option<(Finish, Option<String>)>,
}

impl ChoiceState {
    /// A choice that has said nothing yet.
    pub(super) fn of(index: u32) -> Self {
        Self {
            index,
            ..Self::default()
        }
    }
}

/// Who an answer is from when the provider does not say.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The id to use, `chatcmpl-…`.
    pub id: String,
    /// The model that was asked.
    pub model: String,
    /// Unix seconds.
    pub created: u64,
}

/// Writes `"id":…,"object":…,"created":…,"model":…`.
pub(super) fn write_identity(
    fallback: &Identity,
    id: Escaped<'_>,
    model: Escaped<'_>,
    created: Option<u64>,
    object: &[u8],
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"\"id\":");
    if id.is_empty() {
        json::quote(&fallback.id, out);
    } else {
        id.write_quoted(out);
    }
    out.extend_from_slice(b",\"object\":\"");
    out.extend_from_slice(object);
    out.extend_from_slice(b"\",\"created\":");
    json::number(created.unwrap_or(fallback.created), out);
    out.extend_from_slice(b",\"model\":");
    if model.is_empty() {
        json::quote(&fallback.model, out);
    } else {
        model.write_quoted(out);
    }
}

/// Writes a usage object: the provider's own where it is right as it stands, else the counts.
pub fn write_usage(usage: &Usage<'_>, out: &mut Vec<u8>) {
    if let Some(raw) = usage.raw {
        out.extend_from_slice(raw.as_bytes());
        return;
    }
    let tokens = usage.tokens;
    let total = tokens.prompt.saturating_add(tokens.completion);
    out.push(b'{');
    out.extend_from_slice(b"\"prompt_tokens\":");
    json::number(tokens.prompt, out);
    out.extend_from_slice(b",\"completion_tokens\":");
    json::number(tokens.completion, out);
    out.extend_from_slice(b",\"total_tokens\":");
    json::number(total, out);
    let prompt = [
        ("cached_tokens", tokens.cached),
        ("cache_write_tokens", tokens.cache_write),
        ("audio_tokens", tokens.audio_prompt),
    ];
    details("prompt_tokens_details", &prompt, out);
    let completion = [
        ("reasoning_tokens", tokens.reasoning),
        ("audio_tokens", tokens.audio_completion),
    ];
    details("completion_tokens_details", &completion, out);
    out.push(b'}');
}

/// The members of OpenAI's own usage object.
const USAGE: [&str; 5] = [
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "prompt_tokens_details",
    "completion_tokens_details",
];

/// A provider's usage object without what is not OpenAI's.
fn plain_usage(raw: &str) -> Option<String> {
    let members = Members::parse(raw).ok()?;
    let mut out = b"{".to_vec();
    for (name, value) in &members.0 {
        if USAGE.contains(&name.as_ref()) {
            json::member(name, value.get(), &mut out);
        }
    }
    out.push(b'}');
    String::from_utf8(out).ok()
}

/// Writes a usage object, and into it what the call cost, unless the provider says that itself.
pub(super) fn write_priced(
    usage: &Usage<'_>,
    cost: Option<&str>,
    extras: Extras,
    out: &mut Vec<u8>,
) {
    let plain = match extras {
        Extras::Shown => None,
        Extras::Hidden => usage.raw.and_then(plain_usage),
    };
    let usage = &Usage {
        raw: plain.as_deref().or(usage.raw),
        ..*usage
    };
    let before = out.len();
    write_usage(usage, out);
    let own = out.get(before..).unwrap_or_default();
    let said = memchr::memmem::find(own, b"\"cost\"").is_some();
    if let Some(cost) = cost.filter(|_| !said)
        && out.last() == Some(&b'}')
    {
        out.pop();
        json::member("cost", cost, out);
        out.push(b'}');
    }
}

/// Writes `"finish_reason":…`, and the provider's own word for it where it may be shown.
pub(super) fn write_finish(
    (reason, native): (Finish, Option<&str>),
    extras: Extras,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"\"finish_reason\":\"");
    out.extend_from_slice(reason.as_str().as_bytes());
    out.push(b'"');
    if let (Some(native), Extras::Shown) = (native, extras) {
        out.extend_from_slice(b",\"native_finish_reason\":");
        json::quote(native, out);
    }
}

fn details(name: &str, counts: &[(&str, Option<u64>)], out: &mut Vec<u8>) {
    if counts.iter().all(|(_, count)| count.is_none()) {
        return;
    }
    json::key(name, out);
    out.push(b'{');
    for (name, count) in counts {
        if let Some(count) = count {
            json::key(name, out);
            json::number(*count, out);
        }
    }
    out.push(b'}');
}

/// Keeps the latest usage in the memory of the one before.
pub(super) fn keep(kept: &mut Option<(Tokens, Option<String>)>, usage: Usage<'_>) {
    let mut memory = kept.take().and_then(|(_, raw)| raw).unwrap_or_default();
    let raw = usage.raw.map(|raw| {
        raw.clone_into(&mut memory);
        memory
    });
    *kept = Some((usage.tokens, raw));
}

/// JSON as it may stand in an event.
pub(super) fn one_line(json: &str) -> String {
    let mut out = Vec::with_capacity(json.len());
    json::one_line(json, &mut out);
    String::from_utf8(out).unwrap_or_default()
}
