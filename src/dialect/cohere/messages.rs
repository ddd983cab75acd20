//! The client's messages as the provider's: the same roles, the system prompt first and once
//! ("system turn must be the first in the list", docs.cohere.com/reference/errors).

use std::borrow::Cow;

use crate::chat::json::{Members, comma, key, member, quoted};
use crate::chat::message::{Content, Message, Role, ToolCall};
use crate::chat::{Error, Escaped};

use super::super::caps::Kind;
use super::super::codec::{Context, Reply, Report, Target, refused, turn_key};
use super::super::text::is_blank;
use super::parts::{Parts, Place};
use super::state::{self, Thought};
use super::tools::wire_name;
use super::turns::{Answered, Turns};

/// What stands before a late system message where it has to be a user's text.
const OPERATOR: &str = "[Instruction from the operator] ";

/// What asks a model to go on that takes no last message of the assistant.
const GO_ON: &str = "Go on exactly where your last message ends. Repeat nothing.";

/// Text where the format needs some and the client has none ("message must not be empty in a turn").
const FILLER: &[u8] = b"\".\"";

/// Writes the messages.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    pub(super) target: &'a Target<'a>,
    pub(super) context: &'a Context<'a>,
    /// What the tools' translation changed.
    pub(super) reply: &'a Reply,
    pub(super) report: &'a mut Report,
}

impl Writer<'_> {
    /// Writes the list; `line` is an instruction of ours for the system prompt.
    ///
    /// # Errors
    /// Where something cannot be carried over.
    pub(super) fn write(
        &mut self,
        messages: &[Message<'_>],
        line: Option<Escaped<'_>>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        out.push(b'[');
        let is_system = |m: &&Message<'_>| matches!(m.role, Role::System | Role::Developer);
        let first = messages.iter().take_while(is_system).count();
        let (leading, rest) = messages.split_at(first.min(messages.len()));
        self.system(leading, line, out)?;
        let mut turns = Turns::default();
        let mut answered: Option<&str> = None;
        for (at, message) in (first..).zip(rest) {
            self.marks(at, message)?;
            match message.role {
                Role::System | Role::Developer => self.late(at, message, &mut turns, out)?,
                Role::User => self.user(at, message, &mut turns, out)?,
                Role::Assistant => {
                    let ends = at.saturating_add(1) == messages.len();
                    let thought = self.thought(at, message, answered)?;
                    self.assistant((at, ends), message, &thought, &mut turns, out)?;
                }
                Role::Tool | Role::Function => self.result(at, message, &mut turns, out)?,
            }
            let is_result = message.role == Role::Tool;
            answered = message.call_id.as_deref().filter(|_| is_result);
        }
        self.end(messages.len().saturating_sub(1), &mut turns, out)?;
        out.push(b']');
        Ok(())
    }

    /// Calls without a result get one, and a last message of the assistant is gone on from.
    fn end(&mut self, last: usize, turns: &mut Turns, out: &mut Vec<u8>) -> Result<(), Error> {
        if turns.settle(out) {
            self.report.fill("messages");
        } else if turns.ends_with_assistant && self.target.caps.prefill == Some(false) {
            let why = "cannot be an assistant's at the end: this model does not go on from one.";
            let name = format!("messages[{last}]");
            self.report.emulate(self.context.mode, name, why)?;
            turns.other(&spoken("user", &quoted(GO_ON)), out);
        }
        if out.ends_with(b"[") {
            out.extend_from_slice(&spoken("user", &String::from_utf8_lossy(FILLER)));
        }
        Ok(())
    }

    /// Cache marks have no counterpart, and a speaker's name has no place.
    fn marks(&mut self, at: usize, message: &Message<'_>) -> Result<(), Error> {
        let mode = self.context.mode;
        let on_part = match &message.content {
            Content::Parts(parts) => parts.iter().any(|part| part.cache.is_some()),
            Content::Absent | Content::Text(_) => false,
        };
        if on_part || message.cache.is_some() {
            let why = "has no counterpart here.";
            self.report.drop(mode, "cache_control", why)?;
        }
        let is_result = matches!(message.role, Role::Tool | Role::Function);
        if message.name.is_some() && !is_result {
            let name = format!("messages[{at}].name");
            self.report.drop(mode, name, "has no place here.")?;
        }
        Ok(())
    }

    /// The system prompt: one text as a string, more as parts of one message.
    fn system(
        &mut self,
        messages: &[Message<'_>],
        line: Option<Escaped<'_>>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let alone = match (messages, line) {
            ([only], None) => match &only.content {
                Content::Text(text) => Some(*text),
                Content::Absent | Content::Parts(_) => None,
            },
            _ => None,
        };
        let mut parts = Vec::new();
        for (at, message) in messages.iter().enumerate() {
            self.marks(at, message)?;
            if alone.is_none() {
                self.parts(at, message, Place::Words, &mut parts)?;
            }
        }
        if let Some(text) = alone.filter(|text| !text.is_empty()) {
            out.extend_from_slice(&spoken_text("system", text));
        }
        if let Some(line) = line {
            comma(&mut parts);
            parts.extend_from_slice(b"{\"type\":\"text\",\"text\":");
            line.write_quoted(&mut parts);
            parts.push(b'}');
        }
        if !parts.is_empty() {
            out.extend_from_slice(&spoken_parts("system", &parts));
        }
        Ok(())
    }

    /// The parts of a content, comma separated.
    fn parts(
        &mut self,
        at: usize,
        message: &Message<'_>,
        place: Place,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let writer = Parts {
            target: self.target,
            mode: self.context.mode,
            place,
        };
        match &message.content {
            Content::Absent => {}
            Content::Text(text) if text.is_empty() => {}
            Content::Text(text) => {
                comma(out);
                out.extend_from_slice(b"{\"type\":\"text\",\"text\":");
                text.write_quoted(out);
                out.push(b'}');
            }
            Content::Parts(parts) => {
                for (k, part) in parts.iter().enumerate() {
                    let path = format!("messages[{at}].content[{k}]");
                    writer.write(part, &path, self.report, out)?;
                }
            }
        }
        Ok(())
    }

    /// A system message after the start stays where it is, as a user's: hoisting it would change the prompt's
    /// beginning (E-76).
    fn late(
        &mut self,
        at: usize,
        message: &Message<'_>,
        turns: &mut Turns,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if self.target.caps.late_system == Some(true) {
            return self.said("system", at, message, turns, out);
        }
        let why = "is sent as a user's text: only the first message can be the system's here.";
        let name = format!("messages[{at}].role");
        self.report.emulate(self.context.mode, name, why)?;
        self.labelled(OPERATOR, at, message, turns, out)
    }

    /// A user's text with something before it.
    fn labelled(
        &mut self,
        label: &str,
        at: usize,
        message: &Message<'_>,
        turns: &mut Turns,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut parts = Vec::new();
        if let Content::Text(text) = &message.content {
            let mut content = b"\"".to_vec();
            content.extend_from_slice(label.as_bytes());
            content.extend_from_slice(text.as_str().as_bytes());
            content.push(b'"');
            turns.other(&spoken("user", &String::from_utf8_lossy(&content)), out);
            return Ok(());
        }
        comma(&mut parts);
        parts.extend_from_slice(b"{\"type\":\"text\",\"text\":\"");
        parts.extend_from_slice(label.as_bytes());
        parts.extend_from_slice(b"\"}");
        self.parts(at, message, Place::User, &mut parts)?;
        turns.other(&spoken_parts("user", &parts), out);
        Ok(())
    }

    fn user(
        &mut self,
        at: usize,
        message: &Message<'_>,
        turns: &mut Turns,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        self.said("user", at, message, turns, out)
    }

    fn said(
        &mut self,
        role: &str,
        at: usize,
        message: &Message<'_>,
        turns: &mut Turns,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let message = match &message.content {
            Content::Text(text) if !is_blank(*text) => spoken_text(role, *text),
            Content::Absent | Content::Text(_) => spoken(role, &String::from_utf8_lossy(FILLER)),
            Content::Parts(_) => {
                let mut parts = Vec::new();
                self.parts(at, message, Place::User, &mut parts)?;
                if parts.is_empty() {
                    spoken(role, &String::from_utf8_lossy(FILLER))
                } else {
                    spoken_parts(role, &parts)
                }
            }
        };
        turns.other(&message, out);
        Ok(())
    }

    /// The reasoning that goes back with a turn: what is remembered of it tells plan from thinking; else the client's
    /// own, which is a plan where the model does not think.
    fn thought(
        &mut self,
        at: usize,
        message: &Message<'_>,
        answered: Option<&str>,
    ) -> Result<Thought, Error> {
        let first = message.calls.first().map(|call| call.id.as_ref());
        let known = turn_key(first, answered).and_then(|key| self.context.recall.recall(&key));
        if let Some(thought) = known.as_deref().and_then(Thought::read) {
            return Ok(thought);
        }
        let text = match message.reasoning {
            Some(text) => text.as_str().to_owned(),
            None => state::texts(&message.details),
        };
        let thinks = self.target.caps.reasoning.kind != Kind::None;
        let mut thought = Thought::default();
        if thinks {
            thought.thinking = text;
        } else if !message.calls.is_empty() {
            thought.plan = text;
        } else if !text.is_empty() {
            let name = format!("messages[{at}].reasoning_content");
            self.report
                .drop(self.context.mode, name, "is not taken by this model.")?;
        }
        Ok(thought)
    }

    fn assistant(
        &mut self,
        (at, ends): (usize, bool),
        message: &Message<'_>,
        thought: &Thought,
        turns: &mut Turns,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        if message.members.find("audio").is_some() {
            let name = format!("messages[{at}].audio");
            return Err(refused(&name, "cannot be replayed here."));
        }
        let content = self.content(at, message, thought)?;
        let silent = content.is_empty() && message.calls.is_empty();
        if silent && ends {
            return Ok(());
        }
        if turns.settle(out) {
            self.report.fill("messages");
        }
        comma(out);
        out.extend_from_slice(b"{\"role\":\"assistant\"");
        if silent {
            key("content", out);
            out.extend_from_slice(FILLER);
        } else if !content.is_empty() {
            key("content", out);
            out.extend_from_slice(&content);
        }
        self.calls(at, message, thought, turns, out);
        out.push(b'}');
        turns.ends_with_assistant = message.calls.is_empty();
        Ok(())
    }

    /// What an assistant said: a string where it is one text, else parts, thinking first.
    fn content(
        &mut self,
        at: usize,
        message: &Message<'_>,
        thought: &Thought,
    ) -> Result<Vec<u8>, Error> {
        let mut parts = Vec::new();
        if !thought.thinking.is_empty() {
            parts.extend_from_slice(b"{\"type\":\"thinking\",\"thinking\":");
            Escaped::trusted(&thought.thinking).write_quoted(&mut parts);
            parts.push(b'}');
        }
        let mut plain = None;
        if let (Content::Text(text), true, None) =
            (&message.content, parts.is_empty(), &message.refusal)
        {
            plain = Some(*text).filter(|text| !text.is_empty());
        }
        if let Some(text) = plain {
            let mut out = Vec::new();
            text.write_quoted(&mut out);
            return Ok(out);
        }
        self.parts(at, message, Place::Words, &mut parts)?;
        if let Some(refusal) = message.refusal.filter(|text| !text.is_empty()) {
            comma(&mut parts);
            parts.extend_from_slice(b"{\"type\":\"text\",\"text\":");
            refusal.write_quoted(&mut parts);
            parts.push(b'}');
        }
        if parts.is_empty() {
            return Ok(parts);
        }
        let mut out = b"[".to_vec();
        out.append(&mut parts);
        out.push(b']');
        Ok(out)
    }

    fn calls(
        &self,
        at: usize,
        message: &Message<'_>,
        thought: &Thought,
        turns: &mut Turns,
        out: &mut Vec<u8>,
    ) {
        if message.calls.is_empty() {
            return;
        }
        if !thought.plan.is_empty() {
            key("tool_plan", out);
            Escaped::trusted(&thought.plan).write_quoted(out);
        }
        key("tool_calls", out);
        out.push(b'[');
        for (call, k) in message.calls.iter().zip(0_u32..) {
            let id = turns.call(&call.id, &call.name, (at, k));
            comma(out);
            out.push(b'{');
            member("id", &quoted(&id), out);
            out.extend_from_slice(b",\"type\":\"function\",\"function\":{");
            member("name", &quoted(wire_name(self.reply, &call.name)), out);
            key("arguments", out);
            self.arguments(call, out);
            out.extend_from_slice(b"}}");
        }
        out.push(b']');
    }

    /// Arguments as the string of an object: nothing is `{}`, and what is no object is wrapped (E-11, E-30).
    fn arguments(&self, call: &ToolCall<'_>, out: &mut Vec<u8>) {
        let is = |list: &[String]| list.iter().any(|name| *name == call.name);
        let decoded = call.arguments.decode();
        let json = decoded.trim();
        let text = if call.custom || is(&self.reply.custom_tools) {
            format!("{{\"input\":\"{}\"}}", call.arguments.as_str())
        } else if is(&self.reply.wrapped_tools)
            && serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok()
        {
            format!("{{\"value\":{json}}}")
        } else if json.is_empty() {
            "{}".to_owned()
        } else if Members::parse(json).is_ok() {
            return call.arguments.write_quoted(out);
        } else {
            format!("{{\"_raw\":\"{}\"}}", call.arguments.as_str())
        };
        out.extend_from_slice(quoted(&text).as_bytes());
    }

    fn result(
        &mut self,
        at: usize,
        message: &Message<'_>,
        turns: &mut Turns,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut content = Vec::new();
        match &message.content {
            Content::Text(text) if !text.is_empty() => text.write_quoted(&mut content),
            Content::Absent | Content::Text(_) => {}
            Content::Parts(_) => {
                self.parts(at, message, Place::Result, &mut content)?;
                if !content.is_empty() {
                    content.insert(0, b'[');
                    content.push(b']');
                }
            }
        }
        if content.is_empty() {
            content.extend_from_slice(b"\"(no output)\"");
        }
        let id = message.call_id.as_deref().unwrap_or_default();
        let call = if message.role == Role::Function {
            Answered::Name(message.name.as_deref().unwrap_or_default())
        } else {
            Answered::Id(id)
        };
        if turns.answer(call, &String::from_utf8_lossy(&content), out) {
            return Ok(());
        }
        let why = "answers no call of the turn before it.";
        self.report
            .emulate(self.context.mode, format!("messages[{at}]"), why)?;
        let label = message.name.as_ref().or(message.call_id.as_ref());
        let label: Cow<'_, str> = label.cloned().unwrap_or_default();
        let label = quoted(&format!("[tool result {label}] "));
        let label = Escaped::quoted(&label).unwrap_or(Escaped::EMPTY);
        self.labelled(label.as_str(), at, message, turns, out)
    }
}

fn spoken(role: &str, content: &str) -> Vec<u8> {
    format!("{{\"role\":\"{role}\",\"content\":{content}}}").into_bytes()
}

fn spoken_text(role: &str, text: Escaped<'_>) -> Vec<u8> {
    let mut out = format!("{{\"role\":\"{role}\",\"content\":").into_bytes();
    text.write_quoted(&mut out);
    out.push(b'}');
    out
}

fn spoken_parts(role: &str, parts: &[u8]) -> Vec<u8> {
    let mut out = format!("{{\"role\":\"{role}\",\"content\":[").into_bytes();
    out.extend_from_slice(parts);
    out.extend_from_slice(b"]}");
    out
}
