//! The client's messages as the flat list of items that this API takes.

use std::borrow::Cow;

use crate::chat::json::{comma, key, member, quoted};
use crate::chat::message::{Content, Message, Part, PartKind, Role, ToolCall};
use crate::chat::{Error, Escaped};

use super::super::caps::Kind;
use super::super::codec::{refused, turn_key};
use super::super::ids;
use super::super::thoughts::merge;
use super::job::Job;
use super::parts;
use super::state::Turn;

/// The longest call id that the provider takes.
const LONGEST_ID: usize = 64;

/// Writes items.
#[derive(Debug)]
pub(super) struct Input<'j, 'a> {
    job: &'j mut Job<'a>,
    /// Whether reasoning goes back at all: a model that does not reason takes none.
    reasons: bool,
    /// The ids of calls of custom tools, whose results are items of another kind.
    custom: Vec<String>,
    /// Calls of the deprecated form, which has no ids: name and id, not yet answered.
    unnamed: Vec<(String, String)>,
    /// The call that the message before answers.
    answered: Option<String>,
}

impl<'j, 'a> Input<'j, 'a> {
    /// Nothing written yet.
    pub(super) fn new(job: &'j mut Job<'a>) -> Self {
        Self {
            reasons: job.target.caps.reasoning.kind != Kind::None,
            job,
            custom: Vec::new(),
            unnamed: Vec::new(),
            answered: None,
        }
    }

    /// Writes all messages, comma separated.
    ///
    /// # Errors
    /// Where something cannot be carried over.
    pub(super) fn write(
        mut self,
        messages: &[Message<'_>],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        for (at, message) in messages.iter().enumerate() {
            match message.role {
                Role::System => self.said(at, message, "system", out)?,
                Role::Developer => self.said(at, message, "developer", out)?,
                Role::User => self.said(at, message, "user", out)?,
                Role::Assistant => self.assistant(at, message, out)?,
                Role::Tool | Role::Function => self.result(at, message, out)?,
            }
            let is_result = message.role == Role::Tool;
            let answered = message.call_id.as_deref().filter(|_| is_result);
            self.answered = answered.map(str::to_owned);
        }
        Ok(())
    }

    /// A message of the operator or the person.
    fn said(
        &mut self,
        at: usize,
        message: &Message<'_>,
        role: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if message.name.is_some() {
            let name = format!("messages[{at}].name");
            self.job.drop(name, "has no place in this format.")?;
        }
        open(role, out);
        key("content", out);
        self.content(at, message, out)?;
        out.push(b'}');
        Ok(())
    }

    /// Content that is text, or parts in brackets.
    fn content(
        &mut self,
        at: usize,
        message: &Message<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let path = format!("messages[{at}].content");
        match &message.content {
            Content::Absent => out.extend_from_slice(b"\"\""),
            Content::Text(text) if message.cache.is_none() => text.write_quoted(out),
            Content::Text(text) => {
                out.extend_from_slice(b"[{\"type\":\"input_text\",\"text\":");
                text.write_quoted(out);
                parts::mark(self.job, message.cache, &path, out)?;
                out.extend_from_slice(b"}]");
            }
            Content::Parts(list) => {
                out.push(b'[');
                parts::write(self.job, list, &path, message.cache, out)?;
                out.push(b']');
            }
        }
        Ok(())
    }

    /// A turn of the model: its text, then its calls, each after the reasoning that led to it.
    fn assistant(
        &mut self,
        at: usize,
        message: &Message<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if message.members.find("audio").is_some() {
            let path = format!("messages[{at}].audio");
            return Err(refused(&path, "cannot be replayed in this format."));
        }
        if is_marked(message) {
            let path = format!("messages[{at}].prompt_cache_breakpoint");
            let why = "has no place on what the model said.";
            self.job.drop(path, why)?;
        }
        let turn = self.turn(message);
        let mut visible = Vec::new();
        visible.extend(spoken(at, message, turn.phase.as_deref())?);
        for call in &message.calls {
            let item = self.call(at, call);
            visible.push(item);
        }
        if message.reasoning.is_some() && turn.thoughts.is_empty() && self.reasons {
            let path = format!("messages[{at}].reasoning_content");
            let why = "is not taken as text; only encrypted reasoning goes back.";
            self.job.drop(path, why)?;
        }
        let thoughts = if self.reasons {
            &turn.thoughts[..]
        } else {
            &[]
        };
        merge(&visible, thoughts, |thought| thought.what.clone(), out);
        Ok(())
    }

    /// What a turn carries beside what the client sees: the client's own, else what was remembered. Where the turn is
    /// known to be another model's, nothing.
    fn turn(&self, message: &Message<'_>) -> Turn {
        let first = message.calls.first().map(|call| call.id.as_ref());
        let key = turn_key(first, self.answered.as_deref());
        let known = key.and_then(|key| self.job.recall.recall(&key));
        let own = Turn::kept(message);
        match known.map(|state| Turn::recalled(&state, self.job.target.model)) {
            Some(None) => Turn::default(),
            Some(Some(remembered)) if own.thoughts.is_empty() => Turn {
                phase: own.phase.or(remembered.phase),
                ..remembered
            },
            Some(Some(_)) | None => own,
        }
    }

    fn call(&mut self, at: usize, call: &ToolCall<'_>) -> Vec<u8> {
        let id = self.call_id(at, call);
        let (kind, body) = if call.custom {
            self.custom.push(call.id.clone().into_owned());
            ("custom_tool_call", "input")
        } else {
            ("function_call", "arguments")
        };
        let mut out = b"{\"type\":\"".to_vec();
        out.extend_from_slice(kind.as_bytes());
        out.push(b'"');
        member("call_id", &quoted(&id), &mut out);
        member("name", &quoted(&call.name), &mut out);
        key(body, &mut out);
        if call.arguments.is_empty() && !call.custom {
            out.extend_from_slice(b"\"{}\"");
        } else {
            call.arguments.write_quoted(&mut out);
        }
        out.push(b'}');
        out
    }

    /// The provider's id of a call: the deprecated form has none, so that its place makes one.
    fn call_id<'c>(&mut self, at: usize, call: &'c ToolCall<'_>) -> Cow<'c, str> {
        if !call.id.is_empty() {
            return short(&call.id);
        }
        let made = ids::made_call_id("", 0, u32::try_from(at).unwrap_or(u32::MAX));
        let name = call.name.clone().into_owned();
        self.unnamed.push((name, made.clone()));
        Cow::Owned(made)
    }

    fn result(&mut self, at: usize, message: &Message<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let id = message.call_id.as_deref().unwrap_or_default();
        let is_custom = self.custom.iter().any(|known| known == id);
        let id = if message.role == Role::Function {
            Cow::Owned(self.unnamed_id(message.name.as_deref().unwrap_or_default()))
        } else {
            short(id)
        };
        comma(out);
        let kind = if is_custom {
            "custom_tool_call_output"
        } else {
            "function_call_output"
        };
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.push(b'"');
        member("call_id", &quoted(&id), out);
        key("output", out);
        self.content(at, message, out)?;
        out.push(b'}');
        Ok(())
    }

    /// The made id of the earliest unanswered call of a function of that name.
    fn unnamed_id(&mut self, name: &str) -> String {
        let found = self.unnamed.iter().position(|(known, _)| known == name);
        found.map_or_else(String::new, |at| self.unnamed.remove(at).1)
    }
}

/// Whether a message or one of its parts has a prompt-cache mark.
fn is_marked(message: &Message<'_>) -> bool {
    let on_part = match &message.content {
        Content::Parts(list) => list.iter().any(|part| part.cache.is_some()),
        Content::Absent | Content::Text(_) => false,
    };
    on_part || message.cache.is_some()
}

fn open(role: &str, out: &mut Vec<u8>) {
    comma(out);
    out.extend_from_slice(b"{\"type\":\"message\",\"role\":\"");
    out.extend_from_slice(role.as_bytes());
    out.push(b'"');
}

/// The assistant's words as one item, if there are any. They are one text, whatever parts they came in and though they
/// be a refusal: an item of parts would need an id, and nothing is stored under any.
fn spoken(at: usize, message: &Message<'_>, phase: Option<&str>) -> Result<Option<Vec<u8>>, Error> {
    let mut words: Vec<Escaped<'_>> = Vec::new();
    match &message.content {
        Content::Absent => {}
        Content::Text(text) => words.push(*text),
        Content::Parts(list) => {
            for (k, part) in list.iter().enumerate() {
                words.push(word(part, || format!("messages[{at}].content[{k}]"))?);
            }
        }
    }
    words.extend(message.refusal);
    if words.iter().all(|text| text.is_empty()) {
        return Ok(None);
    }
    let mut out = Vec::new();
    open("assistant", &mut out);
    key("content", &mut out);
    out.push(b'"');
    for text in words {
        out.extend_from_slice(text.as_str().as_bytes());
    }
    out.push(b'"');
    if let Some(phase) = phase {
        member("phase", &quoted(phase), &mut out);
    }
    out.push(b'}');
    Ok(Some(out))
}

fn word<'p>(part: &Part<'p>, path: impl FnOnce() -> String) -> Result<Escaped<'p>, Error> {
    match &part.kind {
        PartKind::Text(text) | PartKind::Refusal(text) => Ok(*text),
        PartKind::Image { .. }
        | PartKind::Audio { .. }
        | PartKind::File { .. }
        | PartKind::Other(_) => Err(refused(
            &path(),
            "cannot be an assistant's content in this format.",
        )),
    }
}

/// A call id that is not too long; ids of other providers may be.
fn short(id: &str) -> Cow<'_, str> {
    if id.len() <= LONGEST_ID {
        return Cow::Borrowed(id);
    }
    Cow::Owned(format!("call_{}", ids::digest(id, 40)))
}
