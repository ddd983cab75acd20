//! Messages, rewritten only where a provider's rule touches them.
//!
//! Cheap looks at the text come first: where no rule can apply, nothing is parsed and the client's bytes are sent.
//! Each message is rewritten by itself and its predecessor alone, so that a longer conversation begins with the
//! bytes of the shorter one.

use std::borrow::Cow;

use memchr::memmem;
use serde_json::value::RawValue;

use crate::chat::json::{self, Members, elements};
use crate::chat::message::PartKind;
use crate::chat::{Content, Error, Message, Role, ToolCall};

use super::super::codec::refused;
use super::super::ids;
use super::super::quirks::Quirks;
use super::draft::Draft;
use super::history;
use super::rules;

/// Members of an assistant's message that are echoes of some provider's answer and mean nothing to others.
const ECHOES: [&str; 6] = [
    "reasoning_content",
    "reasoning",
    "reasoning_details",
    "thinking_blocks",
    "provider_specific_fields",
    "native_finish_reason",
];

/// Further echoes that strict providers refuse.
const STRICT_ECHOES: [&str; 6] = [
    "annotations",
    "audio",
    "refusal",
    "images",
    "citations",
    "parsed",
];

/// The messages as the provider takes them; `None` where they can be sent as they are.
pub(super) fn rewrite(draft: &mut Draft<'_>) -> Result<Option<Vec<u8>>, Error> {
    let raw = draft.request.member("messages").unwrap_or("[]");
    if draft.instruction.is_none() && !may_apply(raw, draft) {
        return Ok(None);
    }
    let messages = draft.request.messages()?;
    let raws: Vec<&RawValue> = serde_json::from_str(raw)
        .map_err(|_| Error::value("messages", "'messages' must be an array."))?;
    let mut writer = Writer {
        quirks: draft.target.quirks,
        reasons: rules::reasons(draft),
        changed: draft.instruction.is_some(),
        list: Vec::with_capacity(raws.len().saturating_add(1)),
    };
    if let Some(text) = &draft.instruction {
        let json = format!("{{\"role\":\"system\",\"content\":{}}}", json::quoted(text));
        writer
            .list
            .push((Role::System, Cow::Owned(json.into_bytes())));
    }
    let mut answers: Option<Cow<'_, str>> = None;
    for (at, (message, raw)) in messages.iter().zip(&raws).enumerate() {
        let last = at.saturating_add(1) == raws.len();
        let place = Place {
            at,
            last,
            answers: answers.as_deref(),
        };
        writer.message(message, raw, place, draft)?;
        answers = message.call_id.clone();
    }
    Ok(writer.changed.then(|| writer.joined()))
}

/// Whether any rule may touch these messages.
fn may_apply(raw: &str, draft: &Draft<'_>) -> bool {
    let quirks = draft.target.quirks;
    let holds = |word: &str| memmem::find(raw.as_bytes(), word.as_bytes()).is_some();
    let by_person = (quirks.developer_as_system && holds("\"developer\""))
        || quirks
            .drop_in_messages
            .iter()
            .any(|name| holds(&format!("\"{name}\"")))
        || quirks.merge_roles
        || (quirks.nine_letter_ids && holds("\"tool_call_id\""))
        || (quirks.inline_images && holds("\"image_url\""));
    if by_person {
        return true;
    }
    if !holds("\"assistant\"") {
        return false;
    }
    quirks.strict_messages
        || quirks.prefix_last_assistant
        || !quirks.reasoning_history.is_empty()
        || ((quirks.nine_letter_ids || quirks.empty_content || !quirks.custom_tools)
            && holds("\"tool_calls\""))
        || [
            "\"reasoning",
            "\"thinking_blocks\"",
            "\"provider_specific_fields\"",
            "\"extra_content\"",
            "\"index\"",
            "\"native_finish_reason\"",
        ]
        .into_iter()
        .any(holds)
}

/// Where a message stands.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    at: usize,
    last: bool,
    answers: Option<&'a str>,
}

struct Writer<'a> {
    quirks: &'a Quirks,
    /// Whether the model reasons in this request.
    reasons: bool,
    changed: bool,
    list: Vec<(Role, Cow<'a, [u8]>)>,
}

impl<'a> Writer<'a> {
    fn message(
        &mut self,
        message: &Message<'a>,
        raw: &'a RawValue,
        place: Place<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<(), Error> {
        if self.quirks.inline_images {
            inline_only(message, place.at)?;
        }
        let mut out = vec![b'{'];
        let mut changed = false;
        for (name, value) in &message.members.0 {
            changed |= self.member((name, value), message, place, draft, &mut out)?;
        }
        changed |= self.additions(message, place, draft, &mut out);
        out.push(b'}');
        self.changed |= changed;
        let role = self.role(message.role);
        let json = if changed {
            Cow::Owned(out)
        } else {
            Cow::Borrowed(raw.get().as_bytes())
        };
        if self.quirks.merge_roles && self.merge(role, &json) {
            return Ok(());
        }
        self.list.push((role, json));
        Ok(())
    }

    const fn role(&self, role: Role) -> Role {
        match role {
            Role::Developer if self.quirks.developer_as_system => Role::System,
            Role::System
            | Role::Developer
            | Role::User
            | Role::Assistant
            | Role::Tool
            | Role::Function => role,
        }
    }

    /// Writes one member, or does not; whether it changed.
    fn member(
        &self,
        (name, value): (&str, &RawValue),
        message: &Message<'_>,
        place: Place<'_>,
        draft: &mut Draft<'_>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        let is_assistant = message.role == Role::Assistant;
        let is_null = value.get() == "null";
        if self
            .quirks
            .drop_in_messages
            .iter()
            .any(|known| known == name)
        {
            if !is_null {
                let mode = draft.mode();
                let param = format!("messages[{}].{name}", place.at);
                draft
                    .report
                    .drop(mode, param, "is not supported by this provider.")?;
            }
            return Ok(true);
        }
        if is_assistant && self.is_echo(name, value) {
            return Ok(true);
        }
        if self.quirks.strict_messages
            && is_null
            && !(is_assistant && name == "content" && self.quirks.empty_content)
        {
            return Ok(true);
        }
        let mended = match name {
            "role" if self.role(message.role) != message.role => Some(b"\"system\"".to_vec()),
            "content" if is_assistant && is_null && self.quirks.empty_content => {
                Some(b"\"\"".to_vec())
            }
            "tool_calls" if is_assistant && !is_null => self.calls(value, &message.calls),
            "tool_call_id" if self.quirks.nine_letter_ids => Self::answered(message),
            _ => None,
        };
        json::key(name, out);
        match &mended {
            Some(mended) => out.extend_from_slice(mended),
            None => out.extend_from_slice(value.get().as_bytes()),
        }
        Ok(mended.is_some())
    }

    /// Whether a member is an echo that this provider does not take.
    fn is_echo(&self, name: &str, value: &RawValue) -> bool {
        if ECHOES.contains(&name) {
            return name != self.quirks.reasoning_history || value.get() == "\"\"";
        }
        self.quirks.strict_messages
            && (STRICT_ECHOES.contains(&name) || (name == "function_call" && value.get() == "null"))
    }

    fn answered(message: &Message<'_>) -> Option<Vec<u8>> {
        let id = message.call_id.as_deref()?;
        let fitted = ids::nine_letters(id);
        (fitted != id).then(|| json::quoted(&fitted).into_bytes())
    }

    /// The calls without echoes, with the ids this provider takes; `None` where they are so already.
    fn calls(&self, raw: &RawValue, calls: &[ToolCall<'_>]) -> Option<Vec<u8>> {
        let list = elements(raw)?;
        if list.is_empty() {
            return None;
        }
        let mut changed = false;
        let mut out = vec![b'['];
        for (raw, call) in list.iter().zip(calls) {
            json::comma(&mut out);
            let start = out.len();
            if self.call(call, &mut out) {
                changed = true;
            } else {
                out.truncate(start);
                out.extend_from_slice(raw.get().as_bytes());
            }
        }
        out.push(b']');
        changed.then_some(out)
    }

    fn call(&self, call: &ToolCall<'_>, out: &mut Vec<u8>) -> bool {
        let packed = call.custom && !self.quirks.custom_tools;
        let mut changed = packed;
        out.push(b'{');
        for (name, value) in &call.members.0 {
            match name.as_ref() {
                "index" | "provider_specific_fields" => changed = true,
                "extra_content" if self.quirks.reasoning_history != "extra_content" => {
                    changed = true;
                }
                "id" if self.quirks.nine_letter_ids => {
                    let fitted = ids::nine_letters(&call.id);
                    changed |= fitted != call.id;
                    json::member("id", &json::quoted(&fitted), out);
                }
                "type" if packed => json::member("type", "\"function\"", out),
                "custom" if packed => pack(call, out),
                _ => json::member(name, value.get(), out),
            }
        }
        out.push(b'}');
        changed
    }

    /// Writes what a message lacks; whether there was any.
    fn additions(
        &self,
        message: &Message<'_>,
        place: Place<'_>,
        draft: &Draft<'_>,
        out: &mut Vec<u8>,
    ) -> bool {
        if message.role != Role::Assistant {
            return false;
        }
        let before = out.len();
        let has = |name: &str| message.members.0.iter().any(|(key, _)| key == name);
        if self.quirks.empty_content && !has("content") {
            json::member("content", "\"\"", out);
        }
        // The words of a refusal are all that such a message says.
        if self.quirks.strict_messages
            && message.content == Content::Absent
            && let Some(refusal) = message.refusal
        {
            json::key("content", out);
            refusal.write_quoted(out);
        }
        self.reasoning(message, place, draft, out);
        if self.quirks.prefix_last_assistant
            && place.last
            && message.calls.is_empty()
            && !has("prefix")
        {
            json::member("prefix", "true", out);
        }
        out.len() != before
    }

    fn reasoning(
        &self,
        message: &Message<'_>,
        place: Place<'_>,
        draft: &Draft<'_>,
        out: &mut Vec<u8>,
    ) {
        let name = self.quirks.reasoning_history.as_str();
        let kept = message
            .members
            .find(name)
            .filter(|value| value.get() != "\"\"");
        if name.is_empty() || kept.is_some() {
            return;
        }
        let name = if name == "reasoning_details" {
            "reasoning"
        } else {
            name
        };
        let found = history::reasoning(message, place.answers, draft.context.recall);
        let needed = self.quirks.reasoning_required
            && self.reasons
            && history::used_tools(message, place.answers);
        // Where it is lost, an empty text is what the provider takes in its place.
        if let Some(text) = found.or_else(|| needed.then(String::new)) {
            json::member(name, &format!("\"{text}\""), out);
        }
    }

    /// Joins a message to the one before it, if both are of one role and only say something.
    fn merge(&mut self, role: Role, json: &[u8]) -> bool {
        if matches!(role, Role::Tool | Role::Function) {
            return false;
        }
        let Some((known, last)) = self.list.last_mut() else {
            return false;
        };
        if *known != role {
            return false;
        }
        let Some(joined) = join(last, json) else {
            return false;
        };
        *last = Cow::Owned(joined);
        self.changed = true;
        true
    }

    fn joined(&self) -> Vec<u8> {
        let mut out = vec![b'['];
        for (_, json) in &self.list {
            json::comma(&mut out);
            out.extend_from_slice(json);
        }
        out.push(b']');
        out
    }
}

/// A custom tool's call as the function it was offered as.
fn pack(call: &ToolCall<'_>, out: &mut Vec<u8>) {
    json::key("function", out);
    out.extend_from_slice(b"{\"name\":");
    json::quote(&call.name, out);
    json::key("arguments", out);
    json::quote(
        &format!("{{\"input\":\"{}\"}}", call.arguments.as_str()),
        out,
    );
    out.push(b'}');
}

/// Two messages of one role as one; `None` where one of them is more than role and content.
fn join(first: &[u8], second: &[u8]) -> Option<Vec<u8>> {
    let first = Members::parse(std::str::from_utf8(first).ok()?).ok()?;
    let second = Members::parse(std::str::from_utf8(second).ok()?).ok()?;
    let plain = |members: &Members<'_>| {
        members
            .0
            .iter()
            .all(|(name, _)| matches!(name.as_ref(), "role" | "content" | "name"))
    };
    if !plain(&first) || !plain(&second) {
        return None;
    }
    let (one, other) = (first.find("content")?.get(), second.find("content")?.get());
    let mut out = b"{\"role\":".to_vec();
    out.extend_from_slice(first.find("role")?.get().as_bytes());
    json::key("content", &mut out);
    let inside = |text: &str| Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned());
    if let (Some(one), Some(other)) = (inside(one), inside(other)) {
        out.extend_from_slice(format!("\"{one}\\n\\n{other}\"").as_bytes());
    } else {
        let parts = [as_parts(one)?, as_parts(other)?];
        let parts: Vec<&str> = parts
            .iter()
            .map(String::as_str)
            .filter(|part| !part.is_empty())
            .collect();
        out.extend_from_slice(format!("[{}]", parts.join(",")).as_bytes());
    }
    out.push(b'}');
    Some(out)
}

/// A content as the inside of an array of parts.
fn as_parts(content: &str) -> Option<String> {
    if content.starts_with('"') {
        return Some(format!("{{\"type\":\"text\",\"text\":{content}}}"));
    }
    let inside = content.strip_prefix('[')?.strip_suffix(']')?;
    Some(inside.trim().to_owned())
}

fn inline_only(message: &Message<'_>, at: usize) -> Result<(), Error> {
    let Content::Parts(parts) = &message.content else {
        return Ok(());
    };
    for (k, part) in parts.iter().enumerate() {
        if let PartKind::Image { url, .. } = &part.kind
            && !url.starts_with("data:")
        {
            let param = format!("messages[{at}].content[{k}].image_url.url");
            return Err(refused(
                &param,
                "must be a data: URL: this provider fetches no images.",
            ));
        }
    }
    Ok(())
}
