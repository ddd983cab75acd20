//! Events to one `chat.completion` object.
//!
//! Text pieces are joined as they stand between their quotes, so that nothing is decoded on the way.

use serde_json::value::RawValue;

use super::event::{Event, Finish, Sink, Tokens, Usage};
use super::frame::{Extras, Identity, write_finish, write_identity, write_priced};
use super::json::{self, Escaped};

/// Gathers one whole answer.
#[derive(Debug)]
pub struct WholeWriter {
    identity: Identity,
    extras: Extras,
    head: Vec<u8>,
    top: Vec<(String, String)>,
    choices: Vec<Message>,
    usage: Option<(Tokens, Option<String>)>,
    /// The object that needs no building, without its closing brace.
    raw: Option<Vec<u8>>,
    cost: Option<String>,
}

#[derive(Debug, Default)]
struct Message {
    index: u32,
    content: Option<String>,
    refusal: Option<String>,
    reasoning: String,
    details: Vec<String>,
    calls: Vec<Call>,
    fields: Vec<(String, String)>,
    logprobs: Option<String>,
    finish: Option<(Finish, Option<String>)>,
}

#[derive(Debug, Default)]
struct Call {
    index: u32,
    id: String,
    name: String,
    custom: bool,
    text: String,
    extra: Option<String>,
}

/// Room for what is written beside texts.
const ROOM: usize = 512;

impl WholeWriter {
    /// A writer for one answer.
    #[must_use]
    pub const fn new(identity: Identity, extras: Extras) -> Self {
        Self {
            identity,
            extras,
            head: Vec::new(),
            top: Vec::new(),
            choices: Vec::new(),
            usage: None,
            raw: None,
            cost: None,
        }
    }

    /// Says what the call cost, a number of dollars: the usage tells it unless it does so itself.
    pub fn price(&mut self, dollars: String) {
        self.cost = Some(dollars);
    }

    /// The usage seen so far.
    #[must_use]
    pub fn tokens(&self) -> Option<Tokens> {
        self.usage.as_ref().map(|(tokens, _)| *tokens)
    }

    /// The whole answer, with the `waypost` object if there is one.
    #[must_use]
    pub fn close(mut self, metadata: Option<&str>) -> Vec<u8> {
        let mut out = match self.raw.take() {
            Some(raw) => self.priced(raw),
            None => self.build(),
        };
        if let Some(metadata) = metadata {
            json::member("waypost", metadata, &mut out);
        }
        out.push(b'}');
        out
    }

    /// An object that needs no building, with the cost put into its usage: the last place where that stands.
    fn priced(&self, mut object: Vec<u8>) -> Vec<u8> {
        let Some(cost) = self.cost.as_deref() else {
            return object;
        };
        let untold = || Some((Tokens::default(), Some(last_usage(&object)?)));
        let Some((tokens, Some(raw))) = &self.usage.clone().or_else(untold) else {
            return object;
        };
        let Some(at) = usage_at(&object, raw.as_bytes()) else {
            return object;
        };
        let (tokens, raw) = (*tokens, Some(raw.as_str()));
        let mut priced = Vec::with_capacity(ROOM);
        write_priced(&Usage { tokens, raw }, Some(cost), self.extras, &mut priced);
        let end = at.saturating_add(raw.map_or(0, str::len));
        object.splice(at..end, priced);
        object
    }

    /// The object without its closing brace.
    fn build(&mut self) -> Vec<u8> {
        if self.head.is_empty() {
            self.begin(Escaped::EMPTY, Escaped::EMPTY, None);
        }
        let mut out = std::mem::take(&mut self.head);
        out.reserve(self.choices.iter().map(Message::size).sum());
        out.extend_from_slice(b",\"choices\":[");
        self.choices.sort_by_key(|choice| choice.index);
        for choice in &self.choices {
            json::comma(&mut out);
            choice.write(self.extras, &mut out);
        }
        out.push(b']');
        if let Some((tokens, raw)) = &self.usage {
            out.extend_from_slice(b",\"usage\":");
            let usage = Usage {
                tokens: *tokens,
                raw: raw.as_deref(),
            };
            write_priced(&usage, self.cost.as_deref(), self.extras, &mut out);
        }
        let shown = |(name, _): &&(String, String)| self.extras.at_top(name);
        for (name, value) in self.top.iter().filter(shown) {
            json::member(name, value, &mut out);
        }
        out
    }

    fn begin(&mut self, id: Escaped<'_>, model: Escaped<'_>, created: Option<u64>) {
        self.head.push(b'{');
        write_identity(
            &self.identity,
            id,
            model,
            created,
            b"chat.completion",
            &mut self.head,
        );
    }

    fn choice(&mut self, index: u32) -> &mut Message {
        let found = self.choices.iter().position(|choice| choice.index == index);
        let at = found.unwrap_or(self.choices.len());
        if found.is_none() {
            self.choices.push(Message {
                index,
                ..Message::default()
            });
        }
        #[expect(
            clippy::indexing_slicing,
            reason = "the element was found or pushed just above"
        )]
        &mut self.choices[at]
    }
}

impl Message {
    fn write(&self, extras: Extras, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"index\":");
        json::number(u64::from(self.index), out);
        out.extend_from_slice(b",\"message\":{\"role\":\"assistant\",\"content\":");
        match &self.content {
            Some(text) => Escaped::trusted(text).write_quoted(out),
            None if self.calls.is_empty() && self.refusal.is_none() => {
                out.extend_from_slice(b"\"\"");
            }
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"refusal\":");
        match &self.refusal {
            Some(text) => Escaped::trusted(text).write_quoted(out),
            None => out.extend_from_slice(b"null"),
        }
        if !self.reasoning.is_empty() && extras == Extras::Shown {
            out.extend_from_slice(b",\"reasoning_content\":");
            Escaped::trusted(&self.reasoning).write_quoted(out);
        }
        if !self.details.is_empty() && extras == Extras::Shown {
            json::member(
                "reasoning_details",
                &format!("[{}]", self.details.join(",")),
                out,
            );
        }
        let shown = |(name, _): &&(String, String)| extras.in_message(name);
        for (name, value) in self.fields.iter().filter(shown) {
            json::member(name, value, out);
        }
        self.write_calls(extras, out);
        out.extend_from_slice(b"},\"logprobs\":");
        out.extend_from_slice(self.logprobs.as_deref().unwrap_or("null").as_bytes());
        let (reason, native) = self
            .finish
            .as_ref()
            .map_or((Finish::Stop, None), |(r, n)| (*r, n.as_deref()));
        out.push(b',');
        write_finish((reason, native), extras, out);
        out.push(b'}');
    }

    /// About how long it is when written.
    fn size(&self) -> usize {
        let texts = [&self.content, &self.refusal];
        let texts = texts.into_iter().flatten().map(String::len).sum::<usize>();
        let calls = self.calls.iter().map(|call| call.text.len());
        [texts, self.reasoning.len(), calls.sum(), ROOM]
            .into_iter()
            .fold(0, usize::saturating_add)
    }

    fn write_calls(&self, extras: Extras, out: &mut Vec<u8>) {
        if self.calls.is_empty() {
            return;
        }
        out.extend_from_slice(b",\"tool_calls\":[");
        for call in &self.calls {
            json::comma(out);
            call.write(extras, out);
        }
        out.push(b']');
    }

    fn call(&mut self, index: u32) -> Option<&mut Call> {
        self.calls.iter_mut().find(|call| call.index == index)
    }
}

impl Call {
    fn write(&self, extras: Extras, out: &mut Vec<u8>) {
        let (kind, text): (&[u8], &[u8]) = if self.custom {
            (
                b",\"type\":\"custom\",\"custom\":{\"name\":",
                b",\"input\":",
            )
        } else {
            (
                b",\"type\":\"function\",\"function\":{\"name\":",
                b",\"arguments\":",
            )
        };
        out.extend_from_slice(b"{\"id\":");
        Escaped::trusted(&self.id).write_quoted(out);
        out.extend_from_slice(kind);
        Escaped::trusted(&self.name).write_quoted(out);
        out.extend_from_slice(text);
        Escaped::trusted(&self.text).write_quoted(out);
        out.push(b'}');
        if let (Some(extra), Extras::Shown) = (&self.extra, extras) {
            json::member("extra_content", extra, out);
        }
        out.push(b'}');
    }
}

impl WholeWriter {
    fn raw_is(&mut self, json: &str) {
        self.raw = Some(open_object(json));
    }
}

impl Sink for WholeWriter {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start { id, model, created } => {
                if self.head.is_empty() {
                    self.begin(id, model, created);
                }
            }
            Event::Text { choice, text } => add(&mut self.choice(choice).content, text),
            Event::Reasoning { choice, text } => {
                self.choice(choice).reasoning.push_str(text.as_str());
            }
            Event::Refusal { choice, text } => add(&mut self.choice(choice).refusal, text),
            Event::Detail { choice, json } => self.choice(choice).details.push(json.to_owned()),
            Event::ToolStart {
                choice,
                index,
                id,
                name,
                custom,
                extra,
            } => self.choice(choice).calls.push(Call {
                index,
                id: id.as_str().to_owned(),
                name: name.as_str().to_owned(),
                custom,
                text: String::new(),
                extra: extra.map(str::to_owned),
            }),
            Event::ToolArgs {
                choice,
                index,
                json: text,
            }
            | Event::ToolInput {
                choice,
                index,
                text,
            } => {
                if let Some(call) = self.choice(choice).call(index) {
                    call.text.push_str(text.as_str());
                }
            }
            Event::Field { choice, name, json } => put(&mut self.choice(choice).fields, name, json),
            Event::Logprobs { choice, json } => {
                self.choice(choice).logprobs = Some(json.to_owned());
            }
            Event::Top { name, json } => put(&mut self.top, name, json),
            Event::Finish {
                choice,
                reason,
                native,
            } => {
                self.choice(choice).finish = Some((reason, native.map(str::to_owned)));
            }
            Event::Usage(usage) => self.usage = Some((usage.tokens, usage.raw.map(str::to_owned))),
            Event::Turn { .. } => {}
            Event::Raw(json) | Event::Chunk { json, .. } | Event::Last(json) => self.raw_is(json),
        }
    }
}

/// Joins a piece to what there is of a text.
fn add(text: &mut Option<String>, piece: Escaped<'_>) {
    text.get_or_insert_default().push_str(piece.as_str());
}

/// Sets a member; the last value holds.
fn put(members: &mut Vec<(String, String)>, name: &str, json: &str) {
    members.retain(|(known, _)| known != name);
    members.push((name.to_owned(), json.to_owned()));
}

/// A raw object without its closing brace, with room for a member more.
fn open_object(raw: &str) -> Vec<u8> {
    let inside = raw.trim_end().strip_suffix('}').unwrap_or("{").trim_end();
    let mut out = Vec::with_capacity(inside.len().saturating_add(ROOM));
    out.extend_from_slice(inside.as_bytes());
    out
}

/// Where an object's usage stands: behind the last key of that name, as no text holds an unescaped quote. Looking for
/// the key is cheaper by far than looking for the usage itself.
fn usage_at(object: &[u8], usage: &[u8]) -> Option<usize> {
    const KEY: &[u8] = b"\"usage\"";
    let mut before = object;
    loop {
        let at = memchr::memmem::rfind(before, KEY)?;
        let behind = object.get(at.saturating_add(KEY.len())..)?;
        let value = behind.trim_ascii_start().strip_prefix(b":");
        let value = value.map(<[u8]>::trim_ascii_start);
        if let Some(value) = value.filter(|value| value.starts_with(usage)) {
            return object.len().checked_sub(value.len());
        }
        before = object.get(..at)?;
    }
}

/// The last usage object of an object, where nobody told it: one of our own making that counts nothing.
fn last_usage(object: &[u8]) -> Option<String> {
    let at = usage_at(object, b"{")?;
    let mut values = serde_json::Deserializer::from_slice(object.get(at..)?).into_iter();
    let usage: Box<RawValue> = values.next()?.ok()?;
    Some(usage.get().to_owned())
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod writer_tests;
