//! The plain routing API: a prompt, a strategy and a cap in; a result, its model and its price out.
//!
//! It is a way of speaking, not of working: its body becomes a chat request with hints, and what a model says becomes
//! its events or its one object.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::error::{Code, Error};
use super::event::{Event, Finish, Sink, Tokens};
use super::gate;
use super::json::{self, Escaped, Members};

/// What the plain API is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// A whole answer.
    Whole,
    /// A stream of events.
    Stream,
    /// The plan alone.
    Recommend,
}

/// The members of a body, as errors name them.
const MEMBERS: &str = "prompt or messages, strategy, max_cost, force_model, params";

/// Members of a chat request that stand outside `params`, or have no place here.
const GOVERNED: [&str; 8] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "n",
    "waypost",
    "models",
    "fallbacks",
];

/// The chat request that a body means, with its hints in the `waypost` member.
///
/// # Errors
/// What the client must mend, with the member named.
pub fn request(body: Vec<u8>, job: Job) -> Result<Vec<u8>, Error> {
    let body = gate::text(body)?;
    gate::check(&body)?;
    let members = Members::parse(&body).map_err(|_| {
        Error::new(
            Code::InvalidJson,
            format!("The body must be an object of {MEMBERS}."),
        )
    })?;
    known(&members)?;
    let mut out = b"{".to_vec();
    json::member("model", &model(&members)?, &mut out);
    json::key("messages", &mut out);
    messages(&members, &mut out)?;
    params(&members, &mut out)?;
    if job == Job::Stream {
        json::member("stream", "true", &mut out);
    }
    let mut hints = b"{".to_vec();
    if let Some(strategy) = text(&members, "strategy")? {
        json::member("strategy", strategy, &mut hints);
    }
    if let Some(most) = members.find("max_cost") {
        json::member("max_cost_usd", &dollars(most)?, &mut hints);
    }
    if job == Job::Recommend {
        json::member("dry_run", "true", &mut hints);
    }
    hints.push(b'}');
    json::key("waypost", &mut out);
    out.extend_from_slice(&hints);
    out.push(b'}');
    Ok(out)
}

/// Refuses what nobody knows, by its name.
fn known(members: &Members<'_>) -> Result<(), Error> {
    let own = [
        "prompt",
        "messages",
        "strategy",
        "max_cost",
        "force_model",
        "params",
    ];
    for (name, _) in &members.0 {
        if name == "stream" {
            let message = "There is no 'stream' here. Send the same body to /api/route/stream.";
            return Err(unknown(name, message));
        }
        if !own.contains(&&**name) {
            let message = format!(
                "The member '{name}' is not known, and none is ignored in silence. These are: {MEMBERS}; members of a chat \
                 request go into params."
            );
            return Err(unknown(name, message));
        }
    }
    Ok(())
}

fn unknown(name: &str, message: impl Into<String>) -> Error {
    Error::new(Code::UnsupportedParameter, message).at(name)
}

/// A member that is a string that says something, as it stands.
fn text<'a>(members: &Members<'a>, name: &str) -> Result<Option<&'a str>, Error> {
    let Some(raw) = members.find(name) else {
        return Ok(None);
    };
    match Escaped::token(raw) {
        Some(text) if !text.is_empty() => Ok(Some(raw.get())),
        Some(_) | None => Err(Error::value(
            name,
            format!("'{name}' must be a string that is not empty."),
        )),
    }
}

fn model(members: &Members<'_>) -> Result<String, Error> {
    let forced = text(members, "force_model")?;
    Ok(forced.map_or_else(|| "\"auto\"".to_owned(), str::to_owned))
}

fn messages(members: &Members<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    match (text(members, "prompt")?, members.find("messages")) {
        (Some(prompt), None) => {
            out.extend_from_slice(b"[{\"role\":\"user\",\"content\":");
            out.extend_from_slice(prompt.as_bytes());
            out.extend_from_slice(b"}]");
        }
        (None, Some(messages)) => out.extend_from_slice(messages.get().as_bytes()),
        (Some(_), Some(_)) => {
            let message = "Send 'prompt' or 'messages', not both.";
            return Err(Error::value("prompt", message));
        }
        (None, None) => {
            let message = "There is no 'prompt' and there are no 'messages'. Send one of them.";
            return Err(Error::value("prompt", message));
        }
    }
    Ok(())
}

/// Members of the chat request, passed on as they are.
fn params(members: &Members<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
    let Some(raw) = members.find("params") else {
        return Ok(());
    };
    let shape = |_| Error::value("params", "'params' must be an object of chat parameters.");
    for (name, value) in &Members::parse(raw.get()).map_err(shape)?.0 {
        if GOVERNED.contains(&&**name) {
            let message = format!("'{name}' has no place in params.");
            return Err(unknown(&format!("params.{name}"), message));
        }
        json::member(name, value.get(), out);
    }
    Ok(())
}

/// Dollars, as a number or as a decimal in a string; what they may be is checked with the hint that they become.
fn dollars(raw: &RawValue) -> Result<Cow<'_, str>, Error> {
    let number = raw
        .get()
        .starts_with(|c: char| c == '-' || c.is_ascii_digit());
    if number && raw.get().contains(['e', 'E']) {
        // Languages write small numbers so; the nearest float's shortest decimal is what was meant.
        return Ok(raw
            .get()
            .parse::<f64>()
            .map_or(raw.get().into(), |usd| usd.to_string().into()));
    }
    if number || Escaped::token(raw).is_some() {
        return Ok(raw.get().into());
    }
    let message = "'max_cost' must be dollars, as 0.02.";
    Err(Error::value("max_cost", message))
}

/// Words that other errors have for the members of a body.
const WORDS: [(&str, &str); 4] = [
    ("waypost.strategy", "strategy"),
    ("x-waypost-strategy", "strategy"),
    ("waypost.max_cost_usd", "max_cost"),
    ("x-waypost-max-cost-usd", "max_cost"),
];

/// An error in the words of the plain API; `said` tells which headers the caller sent, as those keep their names.
#[must_use]
pub fn in_own_words(mut error: Error, said: impl Fn(&str) -> bool) -> Error {
    for (theirs, ours) in WORDS {
        if said(theirs) {
            continue;
        }
        error.message = error.message.replace(theirs, ours);
        if error.param.as_deref() == Some(theirs) {
            error.param = Some(ours.to_owned());
        }
    }
    error
}

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
#[derive(Debug)]
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
            .map_or("null".into(), |finish| json::quoted(finish.as_str()));
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
            | Event::Last(_)
            | Event::Turn { .. } => {}
        }
    }
}

#[cfg(test)]
#[path = "plain_tests.rs"]
mod tests;
