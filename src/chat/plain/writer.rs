//! Answers of the plain API: one object, or a stream of its events.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::super::error::{Code, Error};
use super::super::event::{Event, Finish, Sink, Tokens};
use super::super::json::{self, Escaped, Members};

/// What a caller is told of the answer beside its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Members that are known when the answer begins: `,"model_used":…`.
    pub before: Vec<u8>,
    /// Members that are known at its end.
    pub after: Vec<u8>,
}

/// The one object of a whole answer. `answer` is the chat completion.
///
/// # Errors
/// Where it is none.
pub fn whole(answer: &[u8], facts: &Facts) -> Result<Vec<u8>, Error> {
    let wrong = || Error::new(Code::Internal, "The answer is no chat completion.");
    let text = std::str::from_utf8(answer).map_err(|_| wrong())?;
    let completion = Members::parse(text).map_err(|_| wrong())?;
    let choices = completion.find("choices").and_then(json::elements);
    let choice = choices.as_deref().and_then(<[_]>::first);
    let choice = Members::parse(choice.ok_or_else(wrong)?.get()).map_err(|_| wrong())?;
    let message = choice.find("message").ok_or_else(wrong)?;
    let message = Members::parse(message.get()).map_err(|_| wrong())?;
    let mut out = b"{".to_vec();
    let content = message.find("content").map_or("null", RawValue::get);
    json::member("result", content, &mut out);
    for name in ["tool_calls", "refusal", "reasoning_content"] {
        copy(&message, name, &mut out);
    }
    copy(&choice, "finish_reason", &mut out);
    add(&facts.before, &mut out);
    copy(&completion, "usage", &mut out);
    add(&facts.after, &mut out);
    out.push(b'}');
    Ok(out)
}

fn copy(members: &Members<'_>, name: &str, out: &mut Vec<u8>) {
    if let Some(raw) = members.find(name) {
        json::member(name, raw.get(), out);
    }
}

/// More members of an object that is being written.
fn add(members: &[u8], out: &mut Vec<u8>) {
    let members = members.strip_prefix(b",").unwrap_or(members);
    if members.is_empty() {
        return;
    }
    if !matches!(out.last(), None | Some(b'{')) {
        out.push(b',');
    }
    out.extend_from_slice(members);
}

/// Events to the plain API's stream: `meta`, then `delta`s, then `done`; or `error`.
#[derive(Clone, Debug)]
pub struct PlainWriter {
    out: Vec<u8>,
    /// The `meta` event until it is written.
    meta: Option<Vec<u8>>,
    finish: Option<Finish>,
    tokens: Option<Tokens>,
}

impl PlainWriter {
    /// A writer for one answer, and what its `meta` event says.
    #[must_use]
    pub const fn new(meta: Vec<u8>) -> Self {
        Self {
            out: Vec::new(),
            meta: Some(meta),
            finish: None,
            tokens: None,
        }
    }

    /// What is ready to be sent; empties the buffer.
    pub fn take(&mut self) -> Bytes {
        let ready = Bytes::copy_from_slice(&self.out);
        self.out.clear();
        ready
    }

    /// How many bytes wait to be sent.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.out.len()
    }

    /// A comment that keeps the connection warm.
    pub fn ping(&mut self) {
        self.out.extend_from_slice(b": ping\n\n");
    }

    /// Ends the answer where it is, as at a limit.
    pub fn cut(&mut self) {
        self.finish.get_or_insert(Finish::Length);
    }

    /// Ends a good answer: the `done` event, with these members.
    pub fn close(&mut self, members: &[u8]) {
        self.begin();
        self.out.extend_from_slice(b"event: done\ndata: {");
        let finish = self
            .finish
            .map_or_else(|| "null".into(), |finish| json::quoted(finish.as_str()));
        json::member("finish_reason", &finish, &mut self.out);
        if let Some(tokens) = self.tokens {
            json::key("usage", &mut self.out);
            usage(&tokens, &mut self.out);
        }
        add(members, &mut self.out);
        self.out.extend_from_slice(b"}\n\n");
    }

    /// Ends a failed answer: one `error` event and no `done`.
    pub fn error(&mut self, error: &Error) {
        self.out.extend_from_slice(ERROR);
        error.write(&mut self.out);
        self.out.extend_from_slice(b"\n\n");
    }

    fn begin(&mut self) {
        if let Some(meta) = self.meta.take() {
            self.out.extend_from_slice(b"event: meta\ndata: {");
            add(&meta, &mut self.out);
            self.out.extend_from_slice(b"}\n\n");
        }
    }

    fn delta(&mut self, name: &str, text: Escaped<'_>) {
        if text.is_empty() {
            return;
        }
        self.begin();
        self.out.extend_from_slice(DELTA);
        json::key(name, &mut self.out);
        text.write_quoted(&mut self.out);
        self.out.extend_from_slice(b"}\n\n");
    }

    fn call(&mut self, index: u32, members: &[(&str, Escaped<'_>)]) {
        self.begin();
        self.out.extend_from_slice(DELTA);
        self.out.extend_from_slice(b"\"tool_call\":{\"index\":");
        json::number(u64::from(index), &mut self.out);
        for (name, text) in members {
            json::key(name, &mut self.out);
            text.write_quoted(&mut self.out);
        }
        self.out.extend_from_slice(b"}}\n\n");
    }
}

/// How an `error` event begins.
pub const ERROR: &[u8] = b"event: error\ndata: ";

const DELTA: &[u8] = b"event: delta\ndata: {";

fn usage(tokens: &Tokens, out: &mut Vec<u8>) {
    out.push(b'{');
    let counts = [
        ("prompt_tokens", Some(tokens.prompt)),
        ("completion_tokens", Some(tokens.completion)),
        ("cached_tokens", tokens.cached),
        ("reasoning_tokens", tokens.reasoning),
    ];
    for (name, count) in counts {
        if let Some(count) = count {
            json::member(name, &count.to_string(), out);
        }
    }
    out.push(b'}');
}

impl Sink for PlainWriter {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Text { choice: 0, text } => self.delta("text", text),
            Event::Reasoning { choice: 0, text } => self.delta("reasoning", text),
            Event::Refusal { choice: 0, text } => self.delta("refusal", text),
            Event::ToolStart {
                choice: 0,
                index,
                id,
                name,
                ..
            } => self.call(index, &[("id", id), ("name", name)]),
            Event::ToolArgs {
                choice: 0,
                index,
                json,
            } => self.call(index, &[("arguments", json)]),
            Event::ToolInput {
                choice: 0,
                index,
                text,
            } => self.call(index, &[("input", text)]),
            Event::Finish {
                choice: 0, reason, ..
            } => self.finish = Some(reason),
            Event::Usage(usage) => self.tokens = Some(usage.tokens),
            // One result is told; what only chat clients know has no place in it.
            Event::Text { .. }
            | Event::Reasoning { .. }
            | Event::Refusal { .. }
            | Event::ToolStart { .. }
            | Event::ToolArgs { .. }
            | Event::ToolInput { .. }
            | Event::Finish { .. }
            | Event::Start { .. }
            | Event::Detail { .. }
            | Event::Field { .. }
            | Event::Logprobs { .. }
            | Event::Top { .. }
            | Event::Raw(_)
            | Event::Chunk { .. }
            | Event::Last(_)
            | Event::Turn { .. } => {}
        }
    }
}
