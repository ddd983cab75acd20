//! An answer as it is read: items in, events out. Streams feed it piece by piece, whole answers item by item.

use serde_json::value::RawValue;

use crate::chat::json::{elements, whole_number};
use crate::chat::{Escaped, Event, Finish, Sink, Usage};

use super::super::codec::{Reply, Stop};
use super::super::ids;
use super::super::points::code_points;
use super::super::tiers::tier;
use super::call::{Call, Form, Legacy};
use super::citations::{self, Citations};
use super::ending::Ending;
use super::items::{Kind, Lead, Message, Open, Piece, Reasoning, Voice};
use super::kept::Kept;
use super::state;
use super::usage;
use super::wire::{Item, Part, Response, inside, parts, token};

/// What has been read so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    reply: Reply,
    /// The model that was asked, in the provider's name for it.
    model: String,
    id: String,
    stage: Stage,
    open: Vec<Open>,
    /// The items that are complete.
    finished: Vec<u64>,
    told: Told,
    call_ids: Vec<String>,
    legacy: Option<Legacy>,
    kept: Kept,
    citations: Citations,
    hidden: Vec<String>,
    images: Vec<String>,
    /// Log probabilities of words that did not come piece by piece.
    logprobs: String,
}

/// How far an answer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Before,
    Within,
    Done,
}

/// What went out.
#[derive(Debug, Default)]
struct Told {
    /// How many calls.
    calls: u32,
    /// How many code points of text.
    points: u64,
    text: bool,
    reasoning: bool,
}

impl Answer {
    /// Nothing read yet. `model` is what was asked for.
    pub(super) fn new(model: &str, reply: Reply) -> Self {
        Self {
            reply,
            model: model.to_owned(),
            ..Self::default()
        }
    }

    /// Whether the answer is complete.
    pub(super) fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }

    /// Takes who answers; only the first time counts.
    pub(super) fn begin(&mut self, response: &Response<'_>, sink: &mut dyn Sink) {
        if self.stage != Stage::Before {
            return;
        }
        self.stage = Stage::Within;
        let id = token(response.id);
        if !id.is_empty() {
            self.id = format!("chatcmpl-{}", id.as_str());
        }
        let created = response.created_at.and_then(|raw| whole_number(raw.get()));
        sink.event(Event::Start {
            id: Escaped::trusted(&self.id),
            model: token(response.model),
            created: created.filter(|created| *created > 0),
        });
    }

    /// Takes the end: the answer as a whole, which heals what a stream left out, and everything that waited for it.
    /// `text` is its own JSON.
    pub(super) fn end(
        &mut self,
        response: &Response<'_>,
        text: &str,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        self.begin(response, sink);
        let output = response.output.and_then(elements).unwrap_or_default();
        if let Some(raw) = response.usage
            && let Some(usage) = usage::read(raw)
        {
            let tokens = usage::searched(usage, &output);
            let priced = usage::with_cost(&tokens, raw);
            sink.event(Event::Usage(Usage {
                tokens,
                raw: priced.as_deref(),
            }));
        }
        let ending = Ending::read(response, text)?;
        let lacks = self.open.len().saturating_add(self.finished.len()) < output.len();
        for (raw, index) in output.into_iter().zip(0_u64..) {
            let is_open = self.open.iter().any(|open| open.index == index);
            if is_open || (lacks && !self.finished.contains(&index)) {
                self.finish_item(index, raw, sink);
            }
        }
        self.close(&ending, response, sink);
        Ok(())
    }
}

impl Answer {
    /// Takes the start of an item.
    pub(super) fn begin_item(&mut self, index: u64, raw: &RawValue, sink: &mut dyn Sink) {
        if self.position(index).is_some() || self.finished.contains(&index) {
            return;
        }
        let item: Item<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
        let kind = match item.kind.as_ref() {
            "message" => {
                self.shown(sink);
                Kind::Message(Message::default())
            }
            "reasoning" => Kind::Reasoning(Reasoning::default()),
            "function_call" => Kind::Call(self.begin_call(&item, Form::Plain, sink)),
            "custom_tool_call" => Kind::Call(self.begin_call(&item, Form::Custom, sink)),
            // Tools that the provider runs itself are not the client's to answer (E-10, E-91).
            _ => {
                self.kept.hidden();
                Kind::Hidden
            }
        };
        self.open.push(Open { index, kind });
    }

    /// Something follows that the client sees: the reasoning before it belongs to it.
    fn shown(&mut self, sink: &mut dyn Sink) {
        let place = u64::from(self.told.text).saturating_add(u64::from(self.told.calls));
        for json in self.kept.shown(place) {
            sink.event(Event::Detail {
                choice: 0,
                json: &json,
            });
        }
    }

    fn begin_call(&mut self, item: &Item<'_>, form: Form, sink: &mut dyn Sink) -> Call {
        self.shown(sink);
        let index = self.told.calls;
        self.told.calls = index.saturating_add(1);
        let id = token(item.call_id);
        let id = if id.is_empty() {
            ids::made_call_id(&self.id, 0, index)
        } else {
            id.as_str().to_owned()
        };
        let name = token(item.name);
        let form = if self.reply.legacy_functions {
            self.legacy.get_or_insert_with(|| Legacy {
                name: name.as_str().to_owned(),
                arguments: String::new(),
            });
            Form::Legacy
        } else {
            sink.event(Event::ToolStart {
                choice: 0,
                index,
                id: Escaped::trusted(&id),
                name,
                custom: form == Form::Custom,
                extra: None,
            });
            form
        };
        self.call_ids
            .push(Escaped::trusted(&id).decode().into_owned());
        Call::new(index, form)
    }

    /// Takes what is new in an item. Words of items that did not begin are nobody's, but for text.
    pub(super) fn add(&mut self, piece: &Piece<'_>, sink: &mut dyn Sink) {
        let at = self
            .position(piece.item)
            .or_else(|| self.unannounced(piece, sink));
        let points = self.told.points;
        match at
            .and_then(|at| self.open.get_mut(at))
            .map(|open| &mut open.kind)
        {
            Some(Kind::Message(message)) => {
                message.tell(piece.part, points);
                self.say(piece.voice, piece.words, sink);
            }
            Some(Kind::Reasoning(reasoning)) => {
                let lead = reasoning.lead(piece.voice, piece.part, !self.told.reasoning);
                self.think(lead, piece.words, sink);
            }
            Some(Kind::Call(call)) => call.push(piece.words, &mut self.legacy, sink),
            Some(Kind::Hidden) | None => {}
        }
    }

    /// Begins a message that only its words tell of.
    fn unannounced(&mut self, piece: &Piece<'_>, sink: &mut dyn Sink) -> Option<usize> {
        let is_text = matches!(piece.voice, Voice::Text | Voice::Refusal);
        if !is_text || self.finished.contains(&piece.item) {
            return None;
        }
        self.shown(sink);
        self.open.push(Open {
            index: piece.item,
            kind: Kind::Message(Message::default()),
        });
        Some(self.open.len().saturating_sub(1))
    }

    /// Takes a citation that comes on its own.
    pub(super) fn cite(&mut self, item: u64, part: u64, raw: &RawValue) {
        let at = self.position(item);
        if let Some(Open {
            kind: Kind::Message(message),
            ..
        }) = at.and_then(|at| self.open.get_mut(at))
        {
            message.citations.push((part, raw.get().to_owned()));
        }
    }

    /// Takes an item that is complete, and tells what of it was not told yet.
    pub(super) fn finish_item(&mut self, index: u64, raw: &RawValue, sink: &mut dyn Sink) {
        self.begin_item(index, raw, sink);
        let Some(at) = self.position(index) else {
            return;
        };
        let item: Item<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
        self.finished.push(index);
        match self.open.remove(at).kind {
            Kind::Message(message) => {
                let list = parts(item.content);
                for (part, number) in list.iter().zip(0_u64..) {
                    self.finish_part(&message, number, part, sink);
                }
                self.kept.in_phase(token(item.phase).as_str());
            }
            Kind::Reasoning(reasoning) => {
                if !reasoning.has_told() {
                    self.think_all(&item, sink);
                }
                self.kept.reasoned(reasoning_of(&item));
            }
            Kind::Call(mut call) => {
                let words = token(item.arguments.or(item.input));
                call.whole(words, &mut self.legacy, sink);
            }
            Kind::Hidden => self.hide(index, &item, raw),
        }
    }

    /// Tells what of a part was not told yet, and takes its citations.
    fn finish_part(
        &mut self,
        message: &Message,
        number: u64,
        part: &Part<'_>,
        sink: &mut dyn Sink,
    ) {
        let mut start = message.start(number);
        if !message.has_told(number) {
            start = self.told.points;
            let list = inside(part.logprobs);
            if !list.is_empty() {
                if !self.logprobs.is_empty() {
                    self.logprobs.push(',');
                }
                self.logprobs.push_str(list);
            }
            self.say(Voice::Text, token(part.text), sink);
            self.say(Voice::Refusal, token(part.refusal), sink);
        }
        let own = part.annotations.and_then(elements).unwrap_or_default();
        for raw in &own {
            self.citations.take(raw.get(), start);
        }
        if own.is_empty() {
            let came = message.citations.iter();
            for (_, raw) in came.filter(|(known, _)| *known == number) {
                self.citations.take(raw, start);
            }
        }
    }

    fn say(&mut self, voice: Voice, text: Escaped<'_>, sink: &mut dyn Sink) {
        if text.is_empty() {
            return;
        }
        // A refusal comes back as the turn's text, too.
        self.told.text = true;
        let choice = 0;
        if voice == Voice::Refusal {
            return sink.event(Event::Refusal { choice, text });
        }
        self.told.points = self.told.points.saturating_add(code_points(text));
        sink.event(Event::Text { choice, text });
    }

    fn think(&mut self, lead: Lead, text: Escaped<'_>, sink: &mut dyn Sink) {
        if lead == Lead::Silent || text.is_empty() {
            return;
        }
        let choice = 0;
        if lead == Lead::Gap {
            let text = Escaped::trusted("\\n\\n");
            sink.event(Event::Reasoning { choice, text });
        }
        self.told.reasoning = true;
        sink.event(Event::Reasoning { choice, text });
    }

    /// Tells reasoning that no piece came of: itself, else its summary.
    fn think_all(&mut self, item: &Item<'_>, sink: &mut dyn Sink) {
        let (content, summary) = (parts(item.content), parts(item.summary));
        let (voice, list) = if content.iter().any(|part| !token(part.text).is_empty()) {
            (Voice::Thought, content)
        } else {
            (Voice::Summary, summary)
        };
        let mut reasoning = Reasoning::default();
        for (part, number) in list.iter().zip(0_u64..) {
            let lead = reasoning.lead(voice, number, !self.told.reasoning);
            self.think(lead, token(part.text), sink);
        }
    }

    /// Keeps an item that is no text and no call: images have a place of their own.
    fn hide(&mut self, index: u64, item: &Item<'_>, raw: &RawValue) {
        let image = token(item.result);
        if item.kind != "image_generation_call" || image.is_empty() {
            self.hidden.push(citations::hidden(index, raw));
            return;
        }
        let format = token(item.output_format);
        let format = if format.is_empty() {
            "png"
        } else {
            format.as_str()
        };
        let url = format!("data:image/{format};base64,{}", image.as_str());
        let image = format!("{{\"type\":\"image_url\",\"image_url\":{{\"url\":\"{url}\"}}}}");
        self.images.push(image);
    }

    fn position(&self, index: u64) -> Option<usize> {
        self.open.iter().rposition(|open| open.index == index)
    }
}

impl Answer {
    /// Tells everything that waited for the end.
    fn close(&mut self, ending: &Ending, response: &Response<'_>, sink: &mut dyn Sink) {
        self.stage = Stage::Done;
        for open in std::mem::take(&mut self.open) {
            match open.kind {
                Kind::Call(mut call) if !ending.is_cut() => {
                    call.whole(Escaped::EMPTY, &mut self.legacy, sink);
                }
                Kind::Message(message) => {
                    for (part, raw) in &message.citations {
                        self.citations.take(raw, message.start(*part));
                    }
                }
                Kind::Call(_) | Kind::Reasoning(_) | Kind::Hidden => {}
            }
        }
        if !self.logprobs.is_empty() {
            sink.event(Event::Logprobs {
                choice: 0,
                json: &logprobs(&self.logprobs),
            });
        }
        list("annotations", &self.citations.urls, sink);
        list("provider_annotations", &self.citations.others, sink);
        list("images", &self.images, sink);
        list("provider_blocks", &self.hidden, sink);
        if let Some(phase) = self.kept.phase() {
            field("phase", &format!("\"{phase}\""), sink);
        }
        if let Some(legacy) = &self.legacy {
            field("function_call", &legacy.json(), sink);
        }
        tops(response, sink);
        self.keep_turn(sink);
        sink.event(Event::Finish {
            choice: 0,
            reason: match ending.finish(self.told.calls > 0) {
                Finish::ToolCalls if self.reply.legacy_functions => Finish::FunctionCall,
                reason => reason,
            },
            native: ending.native(),
        });
    }

    /// Hands over what the provider wants back of this turn, so that it can be put back where the client does not.
    fn keep_turn(&self, sink: &mut dyn Sink) {
        let has_key = !self.call_ids.is_empty() || self.reply.answers.is_some();
        if let Some(state) = self.kept.state(&self.model).filter(|_| has_key) {
            sink.event(Event::Turn {
                calls: &self.call_ids,
                state: &state,
            });
        }
    }
}

/// Tells log probabilities of the words that follow.
pub(super) fn probable(list: Option<&RawValue>, sink: &mut dyn Sink) {
    let list = inside(list);
    if !list.is_empty() {
        sink.event(Event::Logprobs {
            choice: 0,
            json: &logprobs(list),
        });
    }
}

/// The reasoning of an item, to be put back.
fn reasoning_of(item: &Item<'_>) -> state::Item {
    let summary = parts(item.summary);
    let texts = summary.iter().map(|part| token(part.text));
    state::Item {
        id: token(item.id).as_str().to_owned(),
        data: token(item.encrypted_content).as_str().to_owned(),
        summary: texts.map(|text| text.as_str().to_owned()).collect(),
    }
}

/// Top-level members of the answer that chat completions have too.
fn tops(response: &Response<'_>, sink: &mut dyn Sink) {
    if let Some(json) = tier(token(response.service_tier).as_str()) {
        let name = "service_tier";
        sink.event(Event::Top { name, json });
    }
    let others = [
        ("moderation", response.moderation),
        ("content_filters", response.content_filters),
    ];
    for (name, raw) in others {
        if let Some(json) = raw.map(RawValue::get) {
            sink.event(Event::Top { name, json });
        }
    }
}

fn logprobs(list: &str) -> String {
    format!("{{\"content\":[{list}],\"refusal\":null}}")
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
