//! An answer as it is read: content blocks in, events out. Streams feed it piece by piece, whole answers block by block.

use serde_json::value::RawValue;

use crate::chat::json::{elements, member, quoted};
use crate::chat::{Escaped, Event, Finish, Sink};

use super::super::call::{Call, Form};
use super::super::codec::{Reply, Stop};
use super::super::fences::Fences;
use super::super::ids;
use super::super::points::code_points;
use super::citations;
use super::counts::Counts;
use super::ending::Ending;
use super::state;
use super::wire::{Block, Head, Piece, token};

/// What has been read so far.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    reply: Reply,
    /// Whose reasoning it tells.
    format: state::Format,
    /// The model that was asked, in the provider's name for it.
    model: String,
    id: String,
    stage: Stage,
    seen: Seen,
    open: Vec<Open>,
    calls: u32,
    call_ids: Vec<String>,
    legacy: Option<(String, String)>,
    thoughts: Vec<String>,
    points: u64,
    annotations: Vec<String>,
    hidden: Vec<String>,
    fences: Option<Fences>,
    counts: Counts,
    ending: Option<Ending>,
    /// Whether a guardrail stood in.
    intervened: bool,
}

/// How far an answer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Before,
    Within,
    Done,
}

/// What of an answer went out.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// Anything of the content.
    any: bool,
    /// Text.
    text: bool,
    /// A call, and nothing after it.
    call_last: bool,
}

/// A block that was started and not yet stopped.
#[derive(Debug)]
struct Open {
    index: u64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Text {
        start: u64,
        citations: Vec<String>,
    },
    Thinking {
        text: String,
        signature: String,
    },
    Call(Call),
    /// The tool that stands in for a JSON response format: its arguments are the answer's text.
    Json {
        any: bool,
        start: String,
    },
    Hidden {
        raw: String,
        input: String,
    },
}

impl Answer {
    /// Nothing read yet. `model` is what was asked for.
    pub(crate) fn new(model: &str, reply: Reply) -> Self {
        Self {
            fences: reply.strip_fences.then(Fences::default),
            reply,
            model: model.to_owned(),
            ..Self::default()
        }
    }

    /// The same, of reasoning in this format.
    pub(crate) fn of(self, format: state::Format) -> Self {
        Self { format, ..self }
    }

    /// Whether the answer is complete.
    pub(crate) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// Whether a reason for the end was told.
    pub(crate) const fn has_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// Takes the head of an answer with whatever it already holds.
    ///
    /// A second head splices two generations into one answer. Before anything went out the first is forgotten;
    /// afterwards the answer cannot be trusted (E-17).
    pub(crate) fn begin(&mut self, head: &Head<'_>, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.seen.any {
            return Err(Stop::Malformed(
                "a second message began within the answer".to_owned(),
            ));
        }
        if self.stage == Stage::Within {
            let reply = std::mem::take(&mut self.reply);
            *self = Self::new(&self.model, reply).of(self.format);
        }
        self.stage = Stage::Within;
        let id = token(head.id);
        if !id.is_empty() {
            self.id = format!("chatcmpl-{}", id.as_str());
        }
        sink.event(Event::Start {
            id: Escaped::trusted(&self.id),
            model: token(head.model),
            created: None,
        });
        self.usage(head.usage, sink);
        self.whole_blocks(head.content, sink);
        self.end(head.stop_reason, head.stop_sequence, head.stop_details);
        self.guarded(head.guardrail);
        Ok(())
    }
}

impl Answer {
    /// Takes blocks that are there as a whole.
    fn whole_blocks(&mut self, content: Option<&RawValue>, sink: &mut dyn Sink) {
        let blocks = content.and_then(elements).unwrap_or_default();
        for (raw, index) in blocks.into_iter().zip(0_u64..) {
            self.start_block(index, raw, sink);
            self.stop_block(index, sink);
        }
    }

    /// Takes the start of a block, and whatever of it is there already.
    pub(crate) fn start_block(&mut self, index: u64, raw: &RawValue, sink: &mut dyn Sink) {
        let block: Block<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
        self.stop_block(index, sink);
        let text = |raw: Option<&RawValue>| token(raw).as_str().to_owned();
        let kind = match block.kind.as_ref() {
            "text" => self.start_text(&block, sink),
            "thinking" => {
                let (text, signature) = (text(block.thinking), text(block.signature));
                self.think(Escaped::trusted(&text), sink);
                Kind::Thinking { text, signature }
            }
            "redacted_thinking" => return self.redacted(token(block.data), sink),
            "tool_use" => {
                let named = (token(block.id), token(block.name));
                return self.open_call(index, named, block.input.map(RawValue::get), sink);
            }
            // Server tools are the provider's own to run; unknown blocks are not for the client either (E-10, E-91).
            _ => return self.open_hidden(index, raw.get()),
        };
        self.open.push(Open { index, kind });
    }

    /// Whether a block was started and not yet stopped.
    pub(crate) fn is_open(&self, index: u64) -> bool {
        self.open.iter().any(|open| open.index == index)
    }

    /// Whether anything of the content went out.
    pub(crate) const fn has_said(&self) -> bool {
        self.seen.any
    }

    /// Starts a block of text.
    pub(crate) fn open_text(&mut self, index: u64) {
        let (start, citations) = (self.points, Vec::new());
        let kind = Kind::Text { start, citations };
        self.open.push(Open { index, kind });
    }

    /// Starts a block of reasoning.
    pub(crate) fn open_thinking(&mut self, index: u64) {
        let (text, signature) = (String::new(), String::new());
        let kind = Kind::Thinking { text, signature };
        self.open.push(Open { index, kind });
    }

    /// Starts a block that is not for the client.
    pub(crate) fn open_hidden(&mut self, index: u64, raw: &str) {
        let (raw, input) = (raw.to_owned(), String::new());
        let kind = Kind::Hidden { raw, input };
        self.open.push(Open { index, kind });
    }

    /// Takes a further member of a block that is not for the client.
    pub(crate) fn add_hidden(&mut self, index: u64, name: &str, json: &str) {
        let mut blocks = self.open.iter_mut();
        let block = blocks.find(|open| open.index == index);
        if let Some(Kind::Hidden { raw, .. }) = block.map(|open| &mut open.kind)
            && raw.ends_with('}')
        {
            raw.pop();
            let mut bytes = std::mem::take(raw).into_bytes();
            member(name, json, &mut bytes);
            bytes.push(b'}');
            *raw = String::from_utf8(bytes).unwrap_or_default();
        }
    }

    /// Takes reasoning that only the provider can read.
    pub(crate) fn redacted(&mut self, data: Escaped<'_>, sink: &mut dyn Sink) {
        let item = state::encrypted(data, (self.format, self.place()));
        self.keep_thought(item, sink);
    }

    fn start_text(&mut self, block: &Block<'_>, sink: &mut dyn Sink) -> Kind {
        let start = self.points;
        if let Some(text) = block.text.and_then(Escaped::token) {
            self.say(text, sink);
        }
        let citations = block.citations.and_then(elements).unwrap_or_default();
        Kind::Text {
            start,
            citations: citations
                .into_iter()
                .map(|raw| raw.get().to_owned())
                .collect(),
        }
    }

    /// Starts a call by its id and name; `input` is what is there of it already, as raw JSON.
    pub(crate) fn open_call(
        &mut self,
        index: u64,
        named: (Escaped<'_>, Escaped<'_>),
        input: Option<&str>,
        sink: &mut dyn Sink,
    ) {
        let kind = self.start_call(named, input, sink);
        self.open.push(Open { index, kind });
    }

    fn start_call(
        &mut self,
        (id, name): (Escaped<'_>, Escaped<'_>),
        input: Option<&str>,
        sink: &mut dyn Sink,
    ) -> Kind {
        let decoded = name.decode();
        if self.reply.json_tool.as_deref() == Some(decoded.as_ref()) {
            let start = super::super::call::escaped(input.unwrap_or("{}"));
            return Kind::Json { any: false, start };
        }
        let ours = self.reply.client_name(&decoded).to_owned();
        let form = self.form(&ours);
        let index = self.calls;
        self.calls = index.saturating_add(1);
        self.seen.any = true;
        self.seen.call_last = true;
        let id = if id.is_empty() {
            ids::made_call_id(&self.id, 0, index)
        } else {
            id.as_str().to_owned()
        };
        if form == Form::Legacy {
            self.legacy.get_or_insert((ours, String::new()));
        } else {
            let quoted = quoted(&ours);
            sink.event(Event::ToolStart {
                choice: 0,
                index,
                id: Escaped::trusted(&id),
                name: Escaped::quoted(&quoted).unwrap_or(name),
                custom: form == Form::Custom,
                extra: None,
            });
        }
        self.call_ids.push(id);
        Kind::Call(Call::new(index, form, input))
    }

    fn form(&self, name: &str) -> Form {
        let among = |list: &[String]| list.iter().any(|known| known == name);
        if self.reply.legacy_functions {
            Form::Legacy
        } else if among(&self.reply.custom_tools) {
            Form::Custom
        } else if among(&self.reply.wrapped_tools) {
            Form::Wrapped
        } else {
            Form::Plain
        }
    }

    /// Takes what is new in a block. Pieces of blocks that are not open are nobody's.
    pub(crate) fn add(&mut self, index: u64, piece: Piece<'_>, sink: &mut dyn Sink) {
        let Some(at) = self.open.iter().position(|open| open.index == index) else {
            return;
        };
        let (thinking, json) = (piece.thinking, piece.json);
        match self.open.get_mut(at).map(|open| &mut open.kind) {
            Some(Kind::Text { citations, .. }) => {
                citations.extend(piece.citation.map(str::to_owned));
                self.say(piece.text, sink);
            }
            Some(Kind::Thinking { text, signature }) => {
                text.push_str(thinking.as_str());
                signature.push_str(piece.signature.as_str());
                self.think(thinking, sink);
            }
            Some(Kind::Call(call)) => {
                call.push(json, sink);
            }
            Some(Kind::Json { any, .. }) => {
                *any |= !json.is_empty();
                self.say(json, sink);
            }
            Some(Kind::Hidden { input, .. }) => {
                input.push_str(json.as_str());
            }
            None => {}
        }
    }

    /// Takes the end of a block.
    pub(crate) fn stop_block(&mut self, index: u64, sink: &mut dyn Sink) {
        let Some(at) = self.open.iter().position(|open| open.index == index) else {
            return;
        };
        match self.open.remove(at).kind {
            Kind::Text { start, citations } => self.annotate(start, &citations),
            Kind::Thinking { text, signature } => {
                // Unsigned reasoning is refused in later requests (E-77): its text was told, it is not kept.
                if !signature.is_empty() {
                    let (text, signature) = (Escaped::trusted(&text), Escaped::trusted(&signature));
                    self.keep_thought(
                        state::signed(text, signature, (self.format, self.place())),
                        sink,
                    );
                }
            }
            Kind::Call(call) => {
                if let (Some(arguments), Some((_, kept))) = (call.finish(sink), &mut self.legacy)
                    && kept.is_empty()
                {
                    *kept = arguments;
                }
            }
            Kind::Json { any: false, start } => self.say(Escaped::trusted(&start), sink),
            Kind::Json { .. } => {}
            Kind::Hidden { raw, input } => {
                self.hidden
                    .push(citations::hidden_block(index, &raw, &input));
            }
        }
    }

    fn annotate(&mut self, start: u64, citations: &[String]) {
        let end = self.points;
        let parsed = citations
            .iter()
            .filter_map(|raw| serde_json::from_str::<&RawValue>(raw).ok());
        let found = parsed.filter_map(|raw| citations::annotation(raw, start, end));
        self.annotations.extend(found);
    }

    fn say(&mut self, text: Escaped<'_>, sink: &mut dyn Sink) {
        if text.is_empty() {
            return;
        }
        self.seen.any = true;
        self.seen.text = true;
        self.seen.call_last = false;
        self.points = self.points.saturating_add(code_points(text));
        match &mut self.fences {
            Some(fences) => fences.push(text, |text| tell(text, sink)),
            None => tell(text, sink),
        }
    }

    fn think(&mut self, text: Escaped<'_>, sink: &mut dyn Sink) {
        if !text.is_empty() {
            self.seen.any = true;
            sink.event(Event::Reasoning { choice: 0, text });
        }
    }

    fn keep_thought(&mut self, item: String, sink: &mut dyn Sink) {
        self.seen.any = true;
        sink.event(Event::Detail {
            choice: 0,
            json: &item,
        });
        self.thoughts.push(item);
    }

    /// How many things of the answer that come back from a client precede what comes next: its thoughts, its text
    /// (which clients keep as one), its calls.
    fn place(&self) -> u64 {
        let thoughts = u64::try_from(self.thoughts.len()).unwrap_or_default();
        thoughts
            .saturating_add(u64::from(self.seen.text))
            .saturating_add(u64::from(self.calls))
    }

    /// Takes token counts; each tells the sums so far.
    pub(crate) fn usage(&mut self, raw: Option<&RawValue>, sink: &mut dyn Sink) {
        if let Some(raw) = raw {
            self.counts.merge(raw, sink);
        }
    }

    /// Takes the reason for the end, if it is there.
    pub(crate) fn end(
        &mut self,
        reason: Option<&RawValue>,
        sequence: Option<&RawValue>,
        details: Option<&RawValue>,
    ) {
        if let Some(ending) = Ending::read(reason, sequence, details) {
            self.ending = Some(ending);
        }
    }

    /// Takes what a cloud's guardrail did: its words stand in the place of the model's.
    pub(crate) fn guarded(&mut self, action: Option<&RawValue>) {
        self.intervened |= token(action).as_str() == "INTERVENED";
    }

    /// Takes the word for the end.
    pub(crate) fn end_as(&mut self, reason: &str) {
        self.ending = Some(Ending::of(reason));
    }

    /// Tells everything that waited for the end.
    pub(crate) fn close(&mut self, sink: &mut dyn Sink) {
        if std::mem::replace(&mut self.stage, Stage::Done) == Stage::Done {
            return;
        }
        while let Some(index) = self.open.first().map(|open| open.index) {
            self.stop_block(index, sink);
        }
        if let Some(fences) = &mut self.fences {
            fences.finish(|text| tell(text, sink));
        }
        list("annotations", &self.annotations, sink);
        list("provider_blocks", &self.hidden, sink);
        if let Some((name, arguments)) = &self.legacy {
            let mut json = Vec::new();
            json.push(b'{');
            member("name", &quoted(name), &mut json);
            member("arguments", &format!("\"{arguments}\""), &mut json);
            json.push(b'}');
            field(
                "function_call",
                &String::from_utf8(json).unwrap_or_default(),
                sink,
            );
        }
        let ending = self.ending.take().unwrap_or_default();
        let ending = if self.intervened {
            Ending::of("guardrail_intervened")
        } else {
            ending
        };
        ending.tell(sink);
        self.keep_turn(sink);
        sink.event(Event::Finish {
            choice: 0,
            reason: self.finish(&ending),
            native: ending.native(),
        });
    }

    fn finish(&self, ending: &Ending) -> Finish {
        let reason = ending.finish(self.calls > 0, self.seen.call_last);
        match reason {
            Finish::ToolCalls if self.reply.legacy_functions => Finish::FunctionCall,
            reason => reason,
        }
    }

    /// Hands over the turn's reasoning, so that it can be put back where the client does not.
    fn keep_turn(&self, sink: &mut dyn Sink) {
        let has_key = !self.call_ids.is_empty() || self.reply.answers.is_some();
        if has_key && !self.thoughts.is_empty() {
            sink.event(Event::Turn {
                calls: &self.call_ids,
                state: &state::write(&self.model, &self.thoughts),
            });
        }
    }
}

fn tell(text: Escaped<'_>, sink: &mut dyn Sink) {
    sink.event(Event::Text { choice: 0, text });
}

fn list(name: &str, items: &[String], sink: &mut dyn Sink) {
    if !items.is_empty() {
        field(name, &format!("[{}]", items.join(",")), sink);
    }
}

fn field(name: &str, json: &str, sink: &mut dyn Sink) {
    sink.event(Event::Field {
        choice: 0,
        name,
        json,
    });
}
