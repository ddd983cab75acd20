//! A whole answer's state: chunks in, events out.

use serde_json::value::RawValue;

use crate::chat::json::{Members, whole_number};
use crate::chat::{Code, Escaped, Event, Finish, Sink};

use super::super::codec::{Failure, Reply, Stop};
use super::super::fences::Fences;
use super::super::quirks::Quirks;
use super::super::{complaint, tiers::tier};
use super::again::Again;
use super::calls::Place;
use super::choice::Choice;
use super::edits::Edits;
use super::pieces::{Choice as Piece, Chunk, said, words};
use super::tags::Tags;
use super::usage;

/// The state of one answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// What was asked.
    pub(super) reply: Reply,
    /// The identity of the first chunk, as it stands on the wire.
    pub(super) first: Option<First>,
    /// The choices so far.
    pub(super) choices: Vec<Choice>,
    /// Changes to a chunk that is handed on; kept for its memory.
    pub(super) edits: Edits,
    /// The chunk that was handed on last.
    pub(super) again: Again,
    /// A changed chunk; kept for its memory.
    pub(super) scratch: String,
    tops: Vec<(String, String)>,
    keeps: bool,
    think_tags: bool,
}

/// Who an answer is from.
#[derive(Debug)]
pub(super) struct First {
    /// The id token.
    pub(super) id: String,
    /// The model token.
    pub(super) model: String,
    /// The time.
    pub(super) created: String,
}

impl Answer {
    /// The state at the start.
    pub(super) fn new(quirks: &Quirks, reply: Reply) -> Self {
        Self {
            reply,
            first: None,
            choices: Vec::new(),
            edits: Edits::default(),
            again: Again::default(),
            scratch: String::new(),
            tops: Vec::new(),
            keeps: !quirks.reasoning_history.is_empty(),
            think_tags: quirks.think_tags,
        }
    }

    /// Forgets what was read; the same answer is read again.
    pub(super) fn restart(&mut self) {
        self.first = None;
        self.choices.clear();
        self.tops.clear();
    }

    /// Whether reasoning is looked for in the text.
    pub(super) const fn reads_tags(&self) -> bool {
        self.think_tags
    }

    /// Whether some choice said why it ended.
    pub(super) fn has_finish(&self) -> bool {
        self.choices.iter().any(|choice| choice.finish.is_some())
    }

    /// Whether some choice said anything.
    pub(super) fn has_output(&self) -> bool {
        self.choices.iter().any(|choice| choice.opened)
    }

    /// Takes a chunk apart into events. `whole`: it is the whole answer.
    pub(super) fn take(
        &mut self,
        chunk: &Chunk<'_>,
        whole: bool,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        if let Some(counted) = Self::usage_of(chunk) {
            sink.event(Event::Usage(counted.usage()));
        }
        self.take_said(chunk, whole, sink)
    }

    /// Takes a chunk apart but for its usage, which the caller has read.
    pub(super) fn take_said(
        &mut self,
        chunk: &Chunk<'_>,
        whole: bool,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        self.again.forget();
        self.start(chunk, sink);
        self.members(chunk, sink);
        for piece in chunk.choices.iter().flat_map(super::pieces::Few::iter) {
            self.choice(piece, whole, sink)?;
        }
        Ok(())
    }

    /// Takes the end of the answer.
    pub(super) fn close(&mut self, sink: &mut dyn Sink) {
        let answers = self.reply.answers.as_deref();
        for choice in &mut self.choices {
            choice.close(answers, sink);
        }
    }

    /// The usage of a chunk: its own, else Groq's.
    pub(super) fn usage_of<'a>(chunk: &Chunk<'a>) -> Option<usage::Counted<'a>> {
        let own = said(chunk.usage);
        let groq = || {
            let groq = Members::parse(said(chunk.groq)?.get()).ok()?;
            groq.find("usage")
        };
        own.or_else(groq).and_then(usage::read)
    }

    fn start(&mut self, chunk: &Chunk<'_>, sink: &mut dyn Sink) {
        let has_choices = chunk
            .choices
            .as_ref()
            .is_some_and(|choices| !choices.is_empty());
        // Azure's first chunk is empty but for filter results; who answers stands in the next.
        if self.first.is_some() || (words(chunk.id).is_none() && !has_choices) {
            return;
        }
        let created = chunk.created.and_then(|raw| whole_number(raw.get()));
        let token = |raw: Option<&RawValue>| raw.map(RawValue::get).unwrap_or_default().to_owned();
        sink.event(Event::Start {
            id: words(chunk.id).unwrap_or(Escaped::EMPTY),
            model: words(chunk.model).unwrap_or(Escaped::EMPTY),
            created: created.filter(|created| *created > 0),
        });
        self.first = Some(First {
            id: token(chunk.id),
            model: token(chunk.model),
            created: token(chunk.created),
        });
    }

    fn members(&mut self, chunk: &Chunk<'_>, sink: &mut dyn Sink) {
        if let Some(raw) = said(chunk.fingerprint).filter(|raw| raw.get() != "\"\"") {
            self.top("system_fingerprint", raw.get(), sink);
        }
        if let Some(tier) = words(chunk.tier).and_then(|word| tier(word.as_str())) {
            self.top("service_tier", tier, sink);
        }
        for (name, value) in chunk.rest.iter().filter(|(_, value)| value.get() != "null") {
            self.top(name, value.get(), sink);
        }
    }

    /// A top-level member, once per value.
    fn top(&mut self, name: &str, json: &str, sink: &mut dyn Sink) {
        let known = self.tops.iter().position(|(known, _)| known == name);
        match known.and_then(|at| self.tops.get_mut(at)) {
            Some((_, value)) if value == json => return,
            Some((_, value)) => json.clone_into(value),
            None => self.tops.push((name.to_owned(), json.to_owned())),
        }
        sink.event(Event::Top { name, json });
    }

    fn choice(&mut self, piece: &Piece<'_>, whole: bool, sink: &mut dyn Sink) -> Result<(), Stop> {
        let index = piece
            .index
            .and_then(|raw| whole_number(raw.get()))
            .unwrap_or_default();
        let at = self.place(u32::try_from(index).unwrap_or(u32::MAX));
        let Some(choice) = self.choices.get_mut(at) else {
            return Ok(());
        };
        if choice.finish.is_some() {
            return Ok(());
        }
        if let Some(json) = said(piece.logprobs)
            .map(RawValue::get)
            .filter(|json| json.contains('['))
        {
            let choice = choice.index;
            sink.event(Event::Logprobs { choice, json });
        }
        let place = Place {
            choice: choice.index,
            answer: self.first.as_ref().map_or("", |first| first.id.as_str()),
            reply: &self.reply,
            whole,
        };
        match (&piece.delta, &piece.message) {
            (Some(delta), _) => choice.delta(delta, place, sink),
            (None, Some(message)) if whole => choice.delta(message, place, sink),
            (None, Some(message)) => choice.growth(message, sink),
            (None, None) => {}
        }
        choice.finish = finish(piece, choice.opened)?;
        Ok(())
    }

    /// Where a choice's state stands; made where it is new.
    fn place(&mut self, index: u32) -> usize {
        if let Some(at) = self.choices.iter().position(|choice| choice.index == index) {
            return at;
        }
        self.choices.push(Choice {
            index,
            keeps: self.keeps,
            tags: self.think_tags.then(Tags::default),
            fences: self.reply.strip_fences.then(Fences::default),
            ..Choice::default()
        });
        self.choices.len().saturating_sub(1)
    }
}

/// Why a choice ended, if it did.
fn finish(piece: &Piece<'_>, has_output: bool) -> Result<Option<(Finish, Option<String>)>, Stop> {
    let Some(word) = words(piece.finish)
        .map(Escaped::decode)
        .filter(|word| word != "null")
    else {
        return Ok(None);
    };
    let failed = |code: Code| {
        let message = format!("the provider ended the answer with '{word}'");
        Err(Stop::Failed(Failure::provider(code, message)))
    };
    let (reason, says_all) = match word.as_ref() {
        "stop" => (Finish::Stop, true),
        "length" => (Finish::Length, true),
        "tool_calls" => (Finish::ToolCalls, true),
        "content_filter" => (Finish::ContentFilter, true),
        "function_call" => (Finish::FunctionCall, true),
        "tool_use" => (Finish::ToolCalls, false),
        "sensitive" | "safety" => (Finish::ContentFilter, false),
        "error" | "abort" | "network_error" => return failed(Code::UpstreamError),
        "insufficient_system_resource" if !has_output => return failed(Code::Overloaded),
        "max_tokens" | "model_length" | "insufficient_system_resource" => (Finish::Length, false),
        _ => (Finish::Stop, false),
    };
    let native = words(piece.native).map(Escaped::decode);
    let native = native.or_else(|| (!says_all).then(|| word.clone()));
    Ok(Some((reason, native.map(std::borrow::Cow::into_owned))))
}

/// What an answer's own error means, if it holds one.
pub(super) fn error_of(text: &str, chunk: &Chunk<'_>) -> Option<Failure> {
    if let Some(groq) = said(chunk.groq).and_then(|raw| Members::parse(raw.get()).ok())
        && let Some(message) = groq.text("error")
    {
        return Some(complaint::from_text(&message));
    }
    let is_answer = chunk.choices.is_some() || said(chunk.usage).is_some();
    if said(chunk.error).is_none() && is_answer {
        return None;
    }
    complaint::within(text)
}
