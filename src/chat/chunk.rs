//! Events to a stream of `chat.completion.chunk`s, exactly as OpenAI sends them.
//!
//! Comes in: events, then [`ChunkWriter::close`] or [`ChunkWriter::error`]. Goes out: bytes in a buffer that the
//! relay empties as it likes. The role comes first in each choice, `finish_reason` once, after everything else of
//! the choice; the usage chunk comes last and only if asked for. Finish chunks wait for the end of the answer, as
//! a provider may still fail, upgrade the reason or tell the usage after it.

use bytes::Bytes;

use super::call::{Call, Kind};
use super::error::Error;
use super::event::{Event, Finish, Sink, Tokens, Usage};
use super::frame::{
    ChoiceState, STICKY, keep, one_line, write_finish, write_identity, write_priced,
};
use super::json::{self, Escaped};

pub use super::frame::{Extras, Identity, UsageChunk};

/// Writes one streamed answer.
#[derive(Clone, Debug)]
pub struct ChunkWriter {
    out: Vec<u8>,
    head: Vec<u8>,
    /// All of the last chunk before the members of its `delta`, and of which choice.
    opening: Vec<u8>,
    opened: Option<u32>,
    identity: Identity,
    started: bool,
    usage_chunk: UsageChunk,
    extras: Extras,
    choices: Vec<ChoiceState>,
    top: Vec<u8>,
    sticky: Vec<(&'static str, String)>,
    usage: Option<(Tokens, Option<String>)>,
    /// A chunk that is OpenAI's already and waits for the end.
    last: Option<String>,
    cost: Option<String>,
}

impl ChunkWriter {
    /// A writer for one answer.
    #[must_use]
    pub fn new(identity: Identity, usage_chunk: UsageChunk, extras: Extras) -> Self {
        Self {
            out: Vec::new(),
            head: Vec::new(),
            opening: Vec::new(),
            opened: None,
            identity,
            started: false,
            usage_chunk,
            extras,
            choices: Vec::new(),
            top: Vec::new(),
            sticky: Vec::new(),
            usage: None,
            last: None,
            cost: None,
        }
    }

    /// Says what the call cost, a number of dollars: the usage tells it unless it does so itself.
    pub fn price(&mut self, dollars: String) {
        self.cost = Some(dollars);
    }

    /// Ends every choice where it is, as at a limit.
    pub fn cut(&mut self) {
        if self.choices.is_empty() {
            self.choice(0);
        }
        for choice in &mut self.choices {
            choice.finish.get_or_insert((Finish::Length, None));
        }
    }

    /// What is ready to be sent; empties the buffer, whose memory serves what comes next.
    pub fn take(&mut self) -> Bytes {
        let ready = Bytes::copy_from_slice(&self.out);
        self.out.clear();
        ready
    }

    /// Whether anything is ready to be sent.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.out.is_empty()
    }

    /// How many bytes wait to be sent.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.out.len()
    }

    /// A comment that keeps the connection warm.
    pub fn ping(&mut self) {
        self.out.extend_from_slice(b": ping\n\n");
    }

    /// Ends a good answer: finish chunks, the usage chunk if asked for, `[DONE]`.
    ///
    /// `metadata` is the `waypost` object; it rides on the usage chunk, else on the last finish chunk.
    pub fn close(&mut self, metadata: Option<&str>) {
        let choices = std::mem::take(&mut self.choices);
        let last = choices.len().saturating_sub(1);
        for (at, choice) in choices.into_iter().enumerate() {
            let on_it = metadata.filter(|_| at == last && self.usage_chunk == UsageChunk::Unasked);
            self.finish_chunk(&choice, on_it);
        }
        if let Some(last) = self.last.take() {
            self.last_chunk(&last, metadata);
        } else if self.usage_chunk == UsageChunk::Asked {
            self.usage_chunk(metadata);
        }
        self.out.extend_from_slice(b"data: [DONE]\n\n");
    }

    /// Ends a failed answer: one error event and no `[DONE]`.
    pub fn error(&mut self, error: &Error) {
        self.out.extend_from_slice(b"data: ");
        error.write(&mut self.out);
        self.out.extend_from_slice(b"\n\n");
    }

    fn finish_chunk(&mut self, choice: &ChoiceState, metadata: Option<&str>) {
        let Some((reason, native)) = &choice.finish else {
            return;
        };
        if !choice.role_sent {
            self.role(choice.index, b"\"\"");
        }
        self.open(choice.index);
        self.out.extend_from_slice(b"},\"logprobs\":null,");
        write_finish((*reason, native.as_deref()), self.extras, &mut self.out);
        self.out.extend_from_slice(b"}]");
        self.end(metadata);
    }

    fn usage_chunk(&mut self, metadata: Option<&str>) {
        self.start();
        self.out.extend_from_slice(b"[],\"usage\":");
        let (tokens, raw) = self.usage.take().unwrap_or_default();
        let raw = raw.as_deref();
        write_priced(
            &Usage { tokens, raw },
            self.cost.as_deref(),
            self.extras,
            &mut self.out,
        );
        self.usage = Some((tokens, None));
        self.metadata(metadata);
        self.out.extend_from_slice(b"}\n\n");
    }

    /// Everything of a chunk up to the value of `choices`.
    fn start(&mut self) {
        if !self.started {
            self.begin(Escaped::EMPTY, Escaped::EMPTY, None);
        }
        self.out.extend_from_slice(&self.head);
        for (name, json) in &self.sticky {
            json::quote(name, &mut self.out);
            self.out.push(b':');
            self.out.extend_from_slice(json.as_bytes());
            self.out.push(b',');
        }
        self.out.append(&mut self.top);
        self.out.extend_from_slice(b"\"choices\":");
    }

    /// Everything of a chunk up to the members of `delta`.
    fn open(&mut self, choice: u32) {
        if self.opened == Some(choice) && self.top.is_empty() {
            return self.out.extend_from_slice(&self.opening);
        }
        self.opened = self.top.is_empty().then_some(choice);
        let before = self.out.len();
        self.start();
        self.out.extend_from_slice(b"[{\"index\":");
        json::number(u64::from(choice), &mut self.out);
        self.out.extend_from_slice(b",\"delta\":{");
        if self.opened.is_some() {
            self.opening.clear();
            let opening = self.out.get(before..).unwrap_or_default();
            self.opening.extend_from_slice(opening);
        }
    }

    /// The rest of a delta chunk.
    fn shut(&mut self, choice: u32) {
        let Some(logprobs) = self.choice(choice).logprobs.take() else {
            return self.shut_plainly();
        };
        self.out.extend_from_slice(b"},\"logprobs\":");
        self.out.extend_from_slice(logprobs.as_bytes());
        self.out.extend_from_slice(b",\"finish_reason\":null}]");
        self.end(None);
    }

    fn shut_plainly(&mut self) {
        self.out.extend_from_slice(match self.usage_chunk {
            UsageChunk::Asked => {
                b"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n"
            }
            UsageChunk::Unasked => b"},\"logprobs\":null,\"finish_reason\":null}]}\n\n",
        });
    }

    fn end(&mut self, metadata: Option<&str>) {
        if self.usage_chunk == UsageChunk::Asked {
            self.out.extend_from_slice(b",\"usage\":null");
        }
        self.metadata(metadata);
        self.out.extend_from_slice(b"}\n\n");
    }

    fn metadata(&mut self, metadata: Option<&str>) {
        if let Some(metadata) = metadata {
            self.out.extend_from_slice(b",\"waypost\":");
            self.out.extend_from_slice(metadata.as_bytes());
        }
    }

    fn begin(&mut self, id: Escaped<'_>, model: Escaped<'_>, created: Option<u64>) {
        self.started = true;
        self.opened = None;
        self.head.extend_from_slice(b"data: {");
        write_identity(
            &self.identity,
            id,
            model,
            created,
            b"chat.completion.chunk",
            &mut self.head,
        );
        self.head.push(b',');
    }

    fn choice(&mut self, index: u32) -> &mut ChoiceState {
        let found = self.choices.iter().position(|choice| choice.index == index);
        let at = found.unwrap_or(self.choices.len());
        if found.is_none() {
            self.choices.push(ChoiceState::of(index));
        }
        #[expect(clippy::indexing_slicing, reason = "it was found or pushed above")]
        &mut self.choices[at]
    }

    fn role(&mut self, choice: u32, content: &[u8]) {
        self.choice(choice).role_sent = true;
        self.open(choice);
        self.out
            .extend_from_slice(b"\"role\":\"assistant\",\"content\":");
        self.out.extend_from_slice(content);
        self.shut_plainly();
    }

    fn need_role(&mut self, choice: u32, content: &[u8]) {
        if !self.choice(choice).role_sent {
            self.role(choice, content);
        }
    }

    /// One delta with one string member.
    fn text(&mut self, choice: u32, key: &[u8], text: Escaped<'_>) {
        if text.is_empty() {
            return;
        }
        self.need_role(choice, b"\"\"");
        self.open(choice);
        self.out.extend_from_slice(key);
        text.write_quoted(&mut self.out);
        self.shut(choice);
    }

    fn reasoning(&mut self, choice: u32, text: Escaped<'_>) {
        if self.extras == Extras::Shown {
            self.text(choice, b"\"reasoning_content\":", text);
        }
    }

    fn tool_start(&mut self, choice: u32, index: u32, call: Call<'_>) {
        self.need_role(choice, b"null");
        self.open(choice);
        call.begin(index, self.extras, &mut self.out);
        self.shut(choice);
    }

    fn tool_text(&mut self, choice: u32, index: u32, kind: Kind, text: Escaped<'_>) {
        if text.is_empty() {
            return;
        }
        self.open(choice);
        kind.more(index, text, &mut self.out);
        self.shut(choice);
    }

    fn field(&mut self, choice: u32, name: &str, json: &str) {
        if !self.extras.in_delta(name) {
            return;
        }
        self.need_role(choice, b"\"\"");
        self.open(choice);
        json::key(name, &mut self.out);
        json::one_line(json, &mut self.out);
        self.shut(choice);
    }

    /// A top-level member: for every chunk from now on if OpenAI repeats it, else for the next chunk only.
    fn top(&mut self, name: &str, json: &str) {
        if let Some(name) = STICKY.into_iter().find(|sticky| *sticky == name) {
            self.sticky.retain(|(known, _)| *known != name);
            self.sticky.push((name, one_line(json)));
            self.opened = None;
        } else if self.extras.at_top(name) {
            json::quote(name, &mut self.top);
            self.top.push(b':');
            json::one_line(json, &mut self.top);
            self.top.push(b',');
        }
    }

    fn last_chunk(&mut self, json: &str, metadata: Option<&str>) {
        self.out.extend_from_slice(b"data: ");
        self.out.extend_from_slice(json.as_bytes());
        if let (Some(metadata), Some(b'}')) = (metadata, self.out.pop()) {
            json::member("waypost", metadata, &mut self.out);
        }
        self.out.extend_from_slice(b"}\n\n");
    }

    fn raw(&mut self, json: &str) {
        self.out.extend_from_slice(b"data: ");
        self.out.extend_from_slice(json.as_bytes());
        self.out.extend_from_slice(b"\n\n");
    }
}

impl Sink for ChunkWriter {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start { id, model, created } => {
                if !self.started {
                    self.begin(id, model, created);
                }
            }
            Event::Text { choice, text } => self.text(choice, b"\"content\":", text),
            Event::Reasoning { choice, text } => self.reasoning(choice, text),
            Event::Refusal { choice, text } => self.text(choice, b"\"refusal\":", text),
            Event::Detail { choice, json } => {
                self.field(choice, "reasoning_details", &format!("[{json}]"));
            }
            Event::ToolStart {
                choice,
                index,
                id,
                name,
                custom,
                extra,
            } => self.tool_start(
                choice,
                index,
                Call {
                    id,
                    name,
                    kind: Kind::of(custom),
                    extra,
                },
            ),
            Event::ToolArgs {
                choice,
                index,
                json,
            } => self.tool_text(choice, index, Kind::Function, json),
            Event::ToolInput {
                choice,
                index,
                text,
            } => self.tool_text(choice, index, Kind::Custom, text),
            Event::Field { choice, name, json } => self.field(choice, name, json),
            Event::Logprobs { choice, json } => {
                self.choice(choice).logprobs = Some(one_line(json));
            }
            Event::Top { name, json } => self.top(name, json),
            Event::Finish {
                choice,
                reason,
                native,
            } => self.choice(choice).finish = Some((reason, native.map(str::to_owned))),
            Event::Usage(usage) => keep(&mut self.usage, usage),
            Event::Raw(json) | Event::Chunk { json, .. } => self.raw(json),
            Event::Last(json) => self.last = Some(json.trim_end().to_owned()),
            Event::Turn { .. } => {}
        }
    }
}
