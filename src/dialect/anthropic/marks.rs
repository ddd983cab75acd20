//! Prompt-cache marks: at most four, the newest.

use serde_json::value::RawValue;

use crate::chat::Error;
use crate::chat::json::{Members, member};
use crate::chat::message::{Content, Message};
use crate::chat::tool::Tool;

use super::super::codec::{Mode, Report};

/// How many marks the provider takes.
const MOST: usize = 4;

/// Gives out marks in the order of the body and leaves out the oldest of too many.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    skip: usize,
}

impl Marks {
    /// Counts the marks of a request; an automatic one takes a place as well.
    ///
    /// # Errors
    /// Under strict mode where there are too many.
    pub(crate) fn count(
        automatic: usize,
        tools: &[Tool<'_>],
        messages: &[Message<'_>],
        mode: Mode,
        report: &mut Report,
    ) -> Result<Self, Error> {
        let on_tools = tools.iter().filter(|tool| tool.cache.is_some()).count();
        let on_messages: usize = messages.iter().map(on_message).sum();
        let all = on_tools
            .saturating_add(on_messages)
            .saturating_add(automatic);
        let skip = all.saturating_sub(MOST);
        if skip > 0 {
            let why = "is taken four times; the oldest marks are left out.";
            report.drop(mode, "cache_control", why)?;
        }
        Ok(Self { skip })
    }

    /// Writes a mark as a member of the block that was just written up to its closing brace.
    pub(crate) fn write(&mut self, raw: Option<&RawValue>, out: &mut Vec<u8>) {
        if let Some(raw) = self.next(raw) {
            member("cache_control", translated(raw), out);
        }
    }

    /// A mark, unless it is one of too many.
    pub(crate) fn next<'r>(&mut self, raw: Option<&'r RawValue>) -> Option<&'r RawValue> {
        let raw = raw?;
        if self.skip > 0 {
            self.skip = self.skip.saturating_sub(1);
            return None;
        }
        Some(raw)
    }
}

/// How many marks [`Marks::write`] will be asked for: one per marked part, one for a marked message.
fn on_message(message: &Message<'_>) -> usize {
    let own = usize::from(message.cache.is_some());
    match &message.content {
        Content::Parts(parts) => {
            let on_parts = parts.iter().filter(|part| part.cache.is_some()).count();
            let last_has_one =
                message.calls.is_empty() && parts.last().is_some_and(|part| part.cache.is_some());
            if last_has_one {
                on_parts
            } else {
                on_parts.saturating_add(own)
            }
        }
        Content::Text(_) | Content::Absent => own,
    }
}

/// Anthropic's own mark as it is; OpenAI's `prompt_cache_breakpoint` by its lifetime.
pub(crate) fn translated(raw: &RawValue) -> &str {
    let Ok(mark) = Members::parse(raw.get()) else {
        return r#"{"type":"ephemeral"}"#;
    };
    if mark.find("type").is_some() {
        return raw.get();
    }
    match mark.text("ttl").as_deref() {
        Some("12h" | "24h" | "1h") => r#"{"type":"ephemeral","ttl":"1h"}"#,
        _ => r#"{"type":"ephemeral"}"#,
    }
}
