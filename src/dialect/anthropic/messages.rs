//! The client's messages as the provider's turns.

use std::borrow::Cow;

use crate::chat::json::{Members, comma, compact, key, member, quoted};
use crate::chat::message::{Content, Message, Part, PartKind, Role, ToolCall};
use crate::chat::{Error, Escaped};

use super::super::codec::{Mode, Recall, Reply, Report, refused, turn_key};
use super::super::ids;
use super::super::text::{is_blank, trim_end};
use super::super::thoughts::merge;
use super::content::{Parts, open_text};
use super::marks::Marks;
use super::state::{self, Format, Thought};
use super::tools::Names;
use super::turns::{Answered, Blocks, Turns};

/// What this format writes by itself.
static BLOCKS: Blocks = Blocks {
    filler: b"{\"type\":\"text\",\"text\":\".\"}",
    id: ids::plain_call_id,
    lost: |id, out| {
        out.extend_from_slice(b"{\"type\":\"tool_result\"");
        member("tool_use_id", &quoted(id), out);
        out.extend_from_slice(b",\"content\":\"no result\",\"is_error\":true}");
    },
};

/// What stands before a late system message where it has to be a user's text.
pub(crate) const OPERATOR: &str = "[Instruction from the operator] ";

/// What asks a model to go on that takes no last message of the assistant.
pub(crate) const GO_ON: &str = "Go on exactly where your last message ends. Repeat nothing.";

/// How many messages at the start are the system prompt.
pub(crate) fn leading(messages: &[Message<'_>]) -> usize {
    let is_system = |message: &&Message<'_>| matches!(message.role, Role::System | Role::Developer);
    messages.iter().take_while(is_system).count()
}

/// The reasoning that goes back with each message: the client's own, else what was remembered. Where a turn is known
/// to be another model's, nothing.
pub(crate) fn thoughts(
    messages: &[Message<'_>],
    recall: &dyn Recall,
    (model, format): (&str, Format),
) -> Vec<Vec<Thought>> {
    let mut answered: Option<&str> = None;
    let mut all = Vec::with_capacity(messages.len());
    for message in messages {
        all.push(if message.role == Role::Assistant {
            of_turn(message, answered, recall, (model, format))
        } else {
            Vec::new()
        });
        answered = message
            .call_id
            .as_deref()
            .filter(|_| message.role == Role::Tool);
    }
    all
}

fn of_turn(
    message: &Message<'_>,
    answered: Option<&str>,
    recall: &dyn Recall,
    (model, format): (&str, Format),
) -> Vec<Thought> {
    let first = message.calls.first().map(|call| call.id.as_ref());
    let known = turn_key(first, answered).and_then(|key| recall.recall(&key));
    let remembered = known
        .as_deref()
        .map(|state| state::recalled(state, model, format));
    match remembered {
        Some(None) => Vec::new(),
        Some(Some(remembered)) if message.details.is_empty() => remembered,
        Some(Some(_)) | None => state::read(&message.details, format),
    }
}

/// Whether the request goes on with a tool loop whose turn has lost its thoughts, in a history without any (E-78).
pub(crate) fn is_lost(messages: &[Message<'_>], thoughts: &[Vec<Thought>]) -> bool {
    let last = messages
        .iter()
        .rposition(|message| message.role == Role::Assistant);
    let loops = last
        .and_then(|at| messages.get(at))
        .is_some_and(|message| !message.calls.is_empty());
    loops && thoughts.iter().all(Vec::is_empty)
}

/// Writes system prompt and turns.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    pub(crate) parts: Parts<'a>,
    pub(crate) marks: Marks,
    pub(crate) mode: Mode,
    /// What the tools' translation changed.
    pub(crate) reply: &'a Reply,
    pub(crate) report: &'a mut Report,
    /// Whether thoughts go back at all: a model that does not think in this request takes none.
    pub(crate) thinks: bool,
}

impl Writer<'_> {
    /// Writes the system prompt's blocks, then a line of ours.
    ///
    /// # Errors
    /// Where a part is no text.
    pub(crate) fn system(
        &mut self,
        messages: &[Message<'_>],
        line: Option<Escaped<'_>>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        for (at, message) in messages.iter().enumerate() {
            self.texts(at, message, "", out)?;
        }
        if let Some(line) = line {
            open_text(line, "", out);
            out.push(b'}');
        }
        Ok(())
    }

    /// Writes the turns, comma separated, to a body that ends with the bracket that opens them. `first` is how many messages precede them.
    ///
    /// # Errors
    /// Where something cannot be carried over.
    pub(crate) fn turns(
        &mut self,
        first: usize,
        messages: &[Message<'_>],
        thoughts: &[Vec<Thought>],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut turns = Turns::new(std::mem::take(out), &BLOCKS);
        let last = first.saturating_add(messages.len()).saturating_sub(1);
        for ((at, message), thoughts) in (first..).zip(messages).zip(thoughts) {
            match message.role {
                Role::System | Role::Developer => self.late(at, message, &mut turns)?,
                Role::User => self.user(at, message, &mut turns)?,
                Role::Assistant => {
                    let ends = at == last;
                    self.assistant(at, message, thoughts, ends, &mut turns)?;
                }
                Role::Tool | Role::Function => self.result(at, message, &mut turns)?,
            }
        }
        if turns.has_unanswered() {
            self.report.fill("messages");
        } else if turns.ends_with_assistant() && self.parts.target.caps.prefill == Some(false) {
            let why = "cannot be an assistant's at the end: this model does not go on from one.";
            self.report
                .emulate(self.mode, format!("messages[{last}]"), why)?;
            let out = turns.user();
            open_text(Escaped::trusted(GO_ON), "", out);
            out.push(b'}');
        }
        *out = turns.finish();
        Ok(())
    }

    /// A system message after the start stays where it is: hoisting it would change the prompt's beginning (E-76).
    fn late(&mut self, at: usize, message: &Message<'_>, turns: &mut Turns) -> Result<(), Error> {
        if self.parts.target.caps.late_system == Some(true) && !self.parts.is_cloud {
            return self.texts(at, message, "", turns.operator());
        }
        let why = "is sent as a user's text: this model takes no late system message.";
        self.report
            .emulate(self.mode, format!("messages[{at}].role"), why)?;
        self.texts(at, message, OPERATOR, turns.user())
    }

    /// A message of text only, each part one block.
    fn texts(
        &mut self,
        at: usize,
        message: &Message<'_>,
        prefix: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match &message.content {
            Content::Absent => {}
            Content::Text(text) => self.text(*text, prefix, message, out),
            Content::Parts(parts) => {
                for (k, part) in parts.iter().enumerate() {
                    let path = format!("messages[{at}].content[{k}]");
                    match &part.kind {
                        PartKind::Text(text) if !is_blank(*text) => {
                            open_text(*text, prefix, out);
                            self.close(message, part, k.saturating_add(1) == parts.len(), out);
                        }
                        PartKind::Text(_) => {}
                        PartKind::Refusal(_)
                        | PartKind::Image { .. }
                        | PartKind::Audio { .. }
                        | PartKind::File { .. }
                        | PartKind::Other(_) => {
                            self.parts.write(part, &path, self.report, out)?;
                            return Err(refused(
                                &path,
                                "is no text, and a system message takes nothing else.",
                            ));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn text(&mut self, text: Escaped<'_>, prefix: &str, message: &Message<'_>, out: &mut Vec<u8>) {
        if !is_blank(text) {
            open_text(text, prefix, out);
            self.marks.write(message.cache, out);
            out.push(b'}');
        }
    }

    /// Closes a part's block with its mark; a message's mark stands on its last part.
    fn close(&mut self, message: &Message<'_>, part: &Part<'_>, is_last: bool, out: &mut Vec<u8>) {
        let mark = part.cache.or_else(|| message.cache.filter(|_| is_last));
        self.marks.write(mark, out);
        out.push(b'}');
    }

    fn user(&mut self, at: usize, message: &Message<'_>, turns: &mut Turns) -> Result<(), Error> {
        if message.name.is_some() {
            self.report.drop(
                self.mode,
                format!("messages[{at}].name"),
                "has no place here.",
            )?;
        }
        let out = turns.user();
        let before = out.len();
        match &message.content {
            Content::Absent => {}
            Content::Text(text) => self.text(*text, "", message, out),
            Content::Parts(parts) => self.blocks(at, message, parts, out)?,
        }
        if out.len() == before {
            // Blocks without text are refused, and so is a turn without blocks.
            open_text(Escaped::trusted("."), "", out);
            out.push(b'}');
        }
        Ok(())
    }

    fn blocks(
        &mut self,
        at: usize,
        message: &Message<'_>,
        parts: &[Part<'_>],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        for (k, part) in parts.iter().enumerate() {
            let path = format!("messages[{at}].content[{k}]");
            if self.parts.write(part, &path, self.report, out)? {
                self.close(message, part, k.saturating_add(1) == parts.len(), out);
            }
        }
        Ok(())
    }

    fn assistant(
        &mut self,
        at: usize,
        message: &Message<'_>,
        thoughts: &[Thought],
        ends: bool,
        turns: &mut Turns,
    ) -> Result<(), Error> {
        if message.members.find("audio").is_some() {
            return Err(refused(
                &format!("messages[{at}].audio"),
                "cannot be replayed here.",
            ));
        }
        let mut visible = Vec::new();
        let mut text = Vec::new();
        self.spoken(at, message, ends && message.calls.is_empty(), &mut text)?;
        if !text.is_empty() {
            visible.push(text);
        }
        if visible.is_empty() && message.calls.is_empty() {
            if !ends {
                turns.silent_assistant();
            }
            return Ok(());
        }
        turns.begin_assistant();
        for call in &message.calls {
            let id = turns.call(&call.id, &call.name);
            visible.push(self.call(call, &id));
        }
        if let Some(last) = visible.last_mut().filter(|_| !ends_in_mark(message)) {
            last.pop();
            self.marks.write(message.cache, last);
            last.push(b'}');
        }
        if message.reasoning.is_some() && thoughts.is_empty() {
            // Unsigned reasoning is refused (E-77).
            self.report.drop(
                self.mode,
                format!("messages[{at}].reasoning_content"),
                "is not signed.",
            )?;
        }
        let thoughts = if self.thinks { thoughts } else { &[] };
        merge(&visible, thoughts, state::block, turns.assistant());
        Ok(())
    }

    /// The assistant's text blocks; a refusal's words are text.
    fn spoken(
        &mut self,
        at: usize,
        message: &Message<'_>,
        ends: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut texts: Vec<(Escaped<'_>, Option<&Part<'_>>)> = Vec::new();
        match &message.content {
            Content::Absent => {}
            Content::Text(text) => texts.push((*text, None)),
            Content::Parts(parts) => {
                for (k, part) in parts.iter().enumerate() {
                    match &part.kind {
                        PartKind::Text(text) | PartKind::Refusal(text) => {
                            texts.push((*text, Some(part)));
                        }
                        PartKind::Image { .. }
                        | PartKind::Audio { .. }
                        | PartKind::File { .. }
                        | PartKind::Other(_) => {
                            let path = format!("messages[{at}].content[{k}]");
                            return Err(refused(&path, "cannot be an assistant's content here."));
                        }
                    }
                }
            }
        }
        texts.extend(message.refusal.map(|text| (text, None)));
        texts.retain(|(text, _)| !is_blank(*text));
        let last = texts.len().saturating_sub(1);
        for (k, (text, part)) in texts.into_iter().enumerate() {
            // A last message of the assistant must not end in white space.
            let text = if ends && k == last {
                trim_end(text)
            } else {
                text
            };
            open_text(text, "", out);
            self.marks.write(part.and_then(|part| part.cache), out);
            out.push(b'}');
        }
        Ok(())
    }

    fn call(&self, call: &ToolCall<'_>, id: &str) -> Vec<u8> {
        let mut out = b"{\"type\":\"tool_use\"".to_vec();
        member("id", &quoted(id), &mut out);
        let names = Names(&self.reply.names);
        member("name", &quoted(names.wire(&call.name)), &mut out);
        key("input", &mut out);
        let is = |list: &[String]| list.iter().any(|name| *name == call.name);
        if call.custom || is(&self.reply.custom_tools) {
            out.extend_from_slice(b"{\"input\":");
            call.arguments.write_quoted(&mut out);
            out.push(b'}');
        } else {
            arguments(call.arguments, is(&self.reply.wrapped_tools), &mut out);
        }
        out.push(b'}');
        out
    }

    fn result(&mut self, at: usize, message: &Message<'_>, turns: &mut Turns) -> Result<(), Error> {
        let id = message.call_id.as_deref().unwrap_or_default();
        let name = message.name.as_deref().unwrap_or_default();
        let call = if message.role == Role::Function {
            Answered::Name(name)
        } else {
            Answered::Id(id)
        };
        let Some(wire) = turns.answer(call) else {
            return self.orphan(at, message, turns);
        };
        let mut content = Vec::new();
        match &message.content {
            Content::Absent => {}
            Content::Text(text) if text.is_empty() => {}
            Content::Text(text) => text.write_quoted(&mut content),
            Content::Parts(parts) => {
                let mut blocks = Vec::new();
                self.blocks(at, message, parts, &mut blocks)?;
                if !blocks.is_empty() {
                    content.push(b'[');
                    content.append(&mut blocks);
                    content.push(b']');
                }
            }
        }
        let out = turns.results();
        comma(out);
        out.extend_from_slice(b"{\"type\":\"tool_result\"");
        member("tool_use_id", &quoted(&wire), out);
        if !content.is_empty() {
            key("content", out);
            out.extend_from_slice(&content);
        }
        if !matches!(message.content, Content::Parts(_)) {
            self.marks.write(message.cache, out);
        }
        out.push(b'}');
        Ok(())
    }

    /// A result of no call that is known: refused as such, so its words are told.
    fn orphan(&mut self, at: usize, message: &Message<'_>, turns: &mut Turns) -> Result<(), Error> {
        let why = "answers no call of the turn before it.";
        self.report
            .emulate(self.mode, format!("messages[{at}]"), why)?;
        let label = message.name.as_ref().or(message.call_id.as_ref());
        let label: Cow<'_, str> = label.cloned().unwrap_or_default();
        let label = quoted(&format!("[tool result {label}] "));
        let label = Escaped::quoted(&label).unwrap_or(Escaped::EMPTY);
        self.texts(at, message, label.as_str(), turns.user())
    }
}

/// Whether the last part of a message has a mark of its own and no call follows it.
pub(crate) fn ends_in_mark(message: &Message<'_>) -> bool {
    let Content::Parts(parts) = &message.content else {
        return false;
    };
    message.calls.is_empty() && parts.last().is_some_and(|part| part.cache.is_some())
}

/// Arguments as the object that the provider demands: nothing is `{}`, and what is no object is wrapped (E-11, E-30).
pub(crate) fn arguments(text: Escaped<'_>, is_wrapped: bool, out: &mut Vec<u8>) {
    let decoded = text.decode();
    let json = decoded.trim();
    if is_wrapped && serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok() {
        out.extend_from_slice(b"{\"value\":");
        compact(json, out);
        out.push(b'}');
    } else if json.is_empty() {
        out.extend_from_slice(b"{}");
    } else if Members::parse(json).is_ok() {
        compact(json, out);
    } else {
        out.extend_from_slice(b"{\"_raw\":");
        text.write_quoted(out);
        out.push(b'}');
    }
}
