//! The client's messages as Converse's turns.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::chat::json::{comma, key, member, quoted};
use crate::chat::message::{Content, Message, Part, PartKind, Role, ToolCall};
use crate::chat::{Error, Escaped};

use super::super::anthropic::marks::Marks;
use super::super::anthropic::messages::{GO_ON, OPERATOR, arguments, ends_in_mark};
use super::super::anthropic::state::{Thought, What};
use super::super::anthropic::tools::Names;
use super::super::anthropic::turns::{Answered, Blocks, Turns};
use super::super::codec::{Mode, Reply, Report, refused};
use super::super::ids;
use super::super::text::{is_blank, trim_end};
use super::super::thoughts::merge;
use super::content::{Became, Parts, cache_point, text};
use super::maker::Maker;

/// What this format writes by itself. Roles alternate strictly, and no block may be empty.
static BLOCKS: Blocks = Blocks {
    filler: b"{\"text\":\".\"}",
    id: call_id,
    lost: |id, out| lost(id, b"}}", out),
};

/// The same for models that take the status of a result.
static WITH_STATUS: Blocks = Blocks {
    filler: b"{\"text\":\".\"}",
    id: call_id,
    lost: |id, out| lost(id, b",\"status\":\"error\"}}", out),
};

fn call_id(id: &str) -> String {
    ids::long_call_id(id)
}

fn lost(id: &str, end: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"toolResult\":{");
    member("toolUseId", &quoted(id), out);
    out.extend_from_slice(b",\"content\":[{\"text\":\"no result\"}]");
    out.extend_from_slice(end);
}

/// A thought as the block it came in.
fn block(thought: &Thought) -> String {
    let inner = match &thought.what {
        What::Signed { text, signature } => {
            format!("\"reasoningText\":{{\"text\":\"{text}\",\"signature\":\"{signature}\"}}")
        }
        What::Redacted(data) => format!("\"redactedContent\":\"{data}\""),
    };
    format!("{{\"reasoningContent\":{{{inner}}}}}")
}

/// The same for Claude, whose redacted reasoning is a text in base64.
fn claude_block(thought: &Thought) -> String {
    use base64::Engine as _;
    let data = match &thought.what {
        What::Signed { .. } => return block(thought),
        What::Redacted(data) => Escaped::trusted(data).decode(),
    };
    let bytes = base64::engine::general_purpose::STANDARD.encode(data.as_bytes());
    format!("{{\"reasoningContent\":{{\"redactedContent\":\"{bytes}\"}}}}")
}

/// Writes system prompt and turns.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    pub(super) parts: Parts<'a>,
    pub(super) maker: Maker,
    pub(super) marks: Marks,
    pub(super) mode: Mode,
    /// What the tools' translation changed.
    pub(super) reply: &'a Reply,
    pub(super) report: &'a mut Report,
    /// Whether thoughts go back at all: a model that does not think in this request takes none.
    pub(super) thinks: bool,
}

impl Writer<'_> {
    /// Writes the system prompt's blocks, then a line of ours.
    ///
    /// # Errors
    /// Where a part is no text.
    pub(super) fn system(
        &mut self,
        messages: &[Message<'_>],
        line: Option<Escaped<'_>>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        for (at, message) in messages.iter().enumerate() {
            self.texts(at, message, "", out)?;
        }
        if let Some(line) = line {
            text(line, "", out);
        }
        Ok(())
    }

    /// Writes the turns to a body that ends with the bracket that opens them. `first` is how many messages precede
    /// them.
    ///
    /// # Errors
    /// Where something cannot be carried over.
    pub(super) fn turns(
        &mut self,
        first: usize,
        messages: &[Message<'_>],
        thoughts: &[Vec<Thought>],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let blocks = if self.maker.takes_status() {
            &WITH_STATUS
        } else {
            &BLOCKS
        };
        let mut turns = Turns::new(std::mem::take(out), blocks);
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
        } else if turns.ends_with_assistant() && self.parts.target.caps.prefill != Some(true) {
            let why =
                "cannot be an assistant's at the end: this model is not known to go on from one.";
            self.report
                .emulate(self.mode, format!("messages[{last}]"), why)?;
            text(Escaped::trusted(GO_ON), "", turns.user());
        }
        *out = turns.finish();
        Ok(())
    }

    /// A system message after the start stays where it is: hoisting it would change the prompt's beginning (E-76).
    fn late(&mut self, at: usize, message: &Message<'_>, turns: &mut Turns) -> Result<(), Error> {
        if self.parts.target.caps.late_system == Some(true) {
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
        let Content::Parts(parts) = &message.content else {
            return self.plain(message, prefix, out);
        };
        for (k, part) in parts.iter().enumerate() {
            let path = format!("messages[{at}].content[{k}]");
            let is_last = k.saturating_add(1) == parts.len();
            match &part.kind {
                PartKind::Text(words) if !is_blank(*words) => {
                    text(*words, prefix, out);
                    self.mark(mark_of(message, part, is_last), out)?;
                }
                PartKind::Text(_) => {}
                PartKind::Other(kind) if kind == "guardContent" => {
                    self.parts.write(part, &path, self.report, out)?;
                }
                PartKind::Refusal(_)
                | PartKind::Image { .. }
                | PartKind::Audio { .. }
                | PartKind::File { .. }
                | PartKind::Other(_) => {
                    return Err(refused(
                        &path,
                        "is no text, and a system message takes nothing else.",
                    ));
                }
            }
        }
        Ok(())
    }

    /// A message's text, where it is one.
    fn plain(
        &mut self,
        message: &Message<'_>,
        prefix: &str,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        match &message.content {
            Content::Text(words) if !is_blank(*words) => {
                text(*words, prefix, out);
                self.mark(message.cache, out)
            }
            Content::Text(_) | Content::Absent | Content::Parts(_) => Ok(()),
        }
    }

    /// Writes a mark after the block that it marks.
    fn mark(&mut self, mark: Option<&RawValue>, out: &mut Vec<u8>) -> Result<(), Error> {
        let Some(mark) = self.marks.next(mark) else {
            return Ok(());
        };
        if !self.maker.caches() {
            let why = "is not known to this model.";
            return self.report.drop(self.mode, "cache_control", why);
        }
        comma(out);
        cache_point(mark, out);
        Ok(())
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
        let mut wants_text = false;
        match &message.content {
            Content::Parts(parts) => {
                let became = self.blocks(at, message, parts, out)?;
                wants_text = became.contains(&Became::Document) && !became.contains(&Became::Text);
            }
            Content::Absent | Content::Text(_) => self.plain(message, "", out)?,
        }
        if out.len() == before || wants_text {
            // A turn without blocks is refused, and so is a document without text.
            text(Escaped::trusted("."), "", out);
        }
        Ok(())
    }

    fn blocks(
        &mut self,
        at: usize,
        message: &Message<'_>,
        parts: &[Part<'_>],
        out: &mut Vec<u8>,
    ) -> Result<Vec<Became>, Error> {
        let mut all = Vec::with_capacity(parts.len());
        for (k, part) in parts.iter().enumerate() {
            let path = format!("messages[{at}].content[{k}]");
            let became = self.parts.write(part, &path, self.report, out)?;
            // What a tool gives holds no marks: they stand after it.
            if became != Became::Nothing && message.role == Role::User {
                let is_last = k.saturating_add(1) == parts.len();
                self.mark(mark_of(message, part, is_last), out)?;
            }
            all.push(became);
        }
        Ok(all)
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
        let mut words = Vec::new();
        self.spoken(at, message, ends && message.calls.is_empty(), &mut words)?;
        if !words.is_empty() {
            visible.push(words);
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
            self.mark(message.cache, last)?;
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
        let form = if self.maker == Maker::Anthropic {
            claude_block
        } else {
            block
        };
        merge(&visible, thoughts, form, turns.assistant());
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
            Content::Text(words) => texts.push((*words, None)),
            Content::Parts(parts) => {
                for (k, part) in parts.iter().enumerate() {
                    match &part.kind {
                        PartKind::Text(words) | PartKind::Refusal(words) => {
                            texts.push((*words, Some(part)));
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
        texts.extend(message.refusal.map(|words| (words, None)));
        texts.retain(|(words, _)| !is_blank(*words));
        let last = texts.len().saturating_sub(1);
        for (k, (words, part)) in texts.into_iter().enumerate() {
            // A last message of the assistant must not end in white space.
            let words = if ends && k == last {
                trim_end(words)
            } else {
                words
            };
            text(words, "", out);
            self.mark(part.and_then(|part| part.cache), out)?;
        }
        Ok(())
    }

    fn call(&self, call: &ToolCall<'_>, id: &str) -> Vec<u8> {
        let mut out = b"{\"toolUse\":{".to_vec();
        member("toolUseId", &quoted(id), &mut out);
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
        out.extend_from_slice(b"}}");
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
            Content::Text(words) if is_blank(*words) => {}
            Content::Text(words) => text(*words, "", &mut content),
            Content::Parts(parts) => {
                self.blocks(at, message, parts, &mut content)?;
            }
        }
        let out = turns.results();
        comma(out);
        out.extend_from_slice(b"{\"toolResult\":{");
        member("toolUseId", &quoted(&wire), out);
        key("content", out);
        out.push(b'[');
        out.extend_from_slice(&content);
        out.extend_from_slice(b"]}}");
        self.mark(result_mark(message), turns.results())
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

/// A part's mark; a message's mark stands on its last part.
fn mark_of<'r>(message: &Message<'r>, part: &Part<'r>, is_last: bool) -> Option<&'r RawValue> {
    part.cache.or_else(|| message.cache.filter(|_| is_last))
}

/// The mark of a tool's result: its last, wherever it stands in it.
fn result_mark<'r>(message: &Message<'r>) -> Option<&'r RawValue> {
    let Content::Parts(parts) = &message.content else {
        return message.cache;
    };
    let last = parts.iter().rev().find_map(|part| part.cache);
    last.or(message.cache)
}
