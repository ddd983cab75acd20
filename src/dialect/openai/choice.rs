//! One choice of an answer: deltas in, events out, and what must wait for its end.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::chat::json::{Members, elements};
use crate::chat::{Escaped, Event, Finish, Sink};

use super::super::fences::Fences;
use super::calls::{Calls, Place};
use super::pieces::{Delta, said, words};
use super::tags::{Said, Tags};

/// The state of one choice.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Which one.
    pub(super) index: u32,
    /// Whether anything was said, so that the role is out.
    pub(super) opened: bool,
    /// The calls so far.
    pub(super) calls: Calls,
    /// Why it ended, and the provider's own word where it says more.
    pub(super) finish: Option<(Finish, Option<String>)>,
    /// Whether the reasoning is kept for a later turn.
    pub(super) keeps: bool,
    /// The reasoning so far, escaped, if it is kept.
    pub(super) reasoning: String,
    /// Reasoning tags in the text.
    pub(super) tags: Option<Tags>,
    /// Fences round the text.
    pub(super) fences: Option<Fences>,
    /// Text said so far by a provider that repeats all of it.
    pub(super) told: String,
    /// Whether a deprecated function call was made.
    pub(super) legacy_call: bool,
}

impl Choice {
    /// Whether its chunks may be handed on as they are.
    pub(super) fn is_plain(&self) -> bool {
        let no_tags = self.tags.as_ref().is_none_or(Tags::is_over);
        self.opened && self.finish.is_none() && no_tags && self.fences.is_none()
    }

    /// Takes what is added.
    pub(super) fn delta(&mut self, delta: &Delta<'_>, place: Place<'_>, sink: &mut dyn Sink) {
        if let Some(text) = thought(delta) {
            self.thought(Escaped::trusted(&text), sink);
        }
        for item in said(delta.details).and_then(elements).unwrap_or_default() {
            let choice = self.index;
            let json = item.get();
            self.say(Event::Detail { choice, json }, sink);
        }
        self.content(delta.content, sink);
        if let Some(text) = words(delta.refusal) {
            let choice = self.index;
            self.say(Event::Refusal { choice, text }, sink);
        }
        for piece in delta.calls.iter().flat_map(super::pieces::Few::iter) {
            self.calls.take(piece, place, sink);
            self.opened = true;
        }
        self.function_call(delta.function_call, sink);
        for (name, value) in &delta.rest {
            self.field(name, value, sink);
        }
    }

    /// The part of an ever growing message that is new.
    pub(super) fn growth(&mut self, message: &Delta<'_>, sink: &mut dyn Sink) {
        let Some(text) = words(message.content) else {
            return;
        };
        let told = std::mem::take(&mut self.told);
        if let Some(fresh) = text.as_str().strip_prefix(told.as_str()) {
            self.text(Escaped::trusted(fresh), sink);
        }
        text.as_str().clone_into(&mut self.told);
    }

    fn say(&mut self, event: Event<'_>, sink: &mut dyn Sink) {
        self.opened = true;
        sink.event(event);
    }

    fn field(&mut self, name: &str, value: &RawValue, sink: &mut dyn Sink) {
        if value.get() != "null" {
            let (choice, json) = (self.index, value.get());
            self.say(Event::Field { choice, name, json }, sink);
        }
    }

    /// The deprecated form of a call. Zero values of servers written in Go are none.
    fn function_call(&mut self, raw: Option<&RawValue>, sink: &mut dyn Sink) {
        let Some(raw) = said(raw) else {
            return;
        };
        let call = Members::parse(raw.get()).unwrap_or_default();
        if words(call.find("name")).is_some() || words(call.find("arguments")).is_some() {
            self.legacy_call = true;
            self.field("function_call", raw, sink);
        }
    }

    fn content(&mut self, raw: Option<&RawValue>, sink: &mut dyn Sink) {
        let Some(raw) = said(raw) else {
            return;
        };
        if let Some(text) = Escaped::token(raw) {
            return self.text(text, sink);
        }
        for part in elements(raw).unwrap_or_default() {
            match part_of(part) {
                PartOf::Text(text) => self.text(text, sink),
                PartOf::Thought(text) => self.thought(Escaped::trusted(&text), sink),
                PartOf::Other => {
                    let json = format!("[{}]", part.get());
                    let choice = self.index;
                    let name = "content_parts";
                    self.say(
                        Event::Field {
                            choice,
                            name,
                            json: &json,
                        },
                        sink,
                    );
                }
            }
        }
    }

    fn text(&mut self, text: Escaped<'_>, sink: &mut dyn Sink) {
        if text.is_empty() {
            return;
        }
        let Some(mut tags) = self.tags.take() else {
            return self.answer(text, sink);
        };
        tags.push(text, &mut |part| self.tagged(part, sink));
        self.tags = Some(tags);
    }

    fn tagged(&mut self, part: Said<'_>, sink: &mut dyn Sink) {
        match part {
            Said::Thought(text) => self.thought(text, sink),
            Said::Text(text) => self.answer(text, sink),
        }
    }

    fn answer(&mut self, text: Escaped<'_>, sink: &mut dyn Sink) {
        let choice = self.index;
        let Some(mut fences) = self.fences.take() else {
            return self.say(Event::Text { choice, text }, sink);
        };
        fences.push(text, |text| {
            self.say(Event::Text { choice, text }, sink);
        });
        self.fences = Some(fences);
    }

    fn thought(&mut self, text: Escaped<'_>, sink: &mut dyn Sink) {
        self.keep(text);
        let choice = self.index;
        self.say(Event::Reasoning { choice, text }, sink);
    }

    /// Keeps reasoning for a later turn, if it is wanted there.
    pub(super) fn keep(&mut self, text: Escaped<'_>) {
        if self.keeps {
            self.reasoning.push_str(text.as_str());
        }
    }

    /// The reason it ended, mended: calls make `stop` into `tool_calls`, and no call makes the opposite.
    pub(super) fn reason(&self) -> Finish {
        let said = self
            .finish
            .as_ref()
            .map_or(Finish::Stop, |(reason, _)| *reason);
        match said {
            Finish::Stop if !self.calls.is_empty() => Finish::ToolCalls,
            Finish::Stop if self.legacy_call => Finish::FunctionCall,
            Finish::ToolCalls if self.calls.is_empty() => Finish::Stop,
            Finish::Stop
            | Finish::Length
            | Finish::ToolCalls
            | Finish::ContentFilter
            | Finish::FunctionCall => said,
        }
    }

    /// Takes the end of the answer.
    pub(super) fn close(&mut self, answers: Option<&str>, sink: &mut dyn Sink) {
        if let Some(mut tags) = self.tags.take() {
            tags.finish(&mut |part| self.tagged(part, sink));
        }
        let choice = self.index;
        if let Some(mut fences) = self.fences.take() {
            fences.finish(|text| self.say(Event::Text { choice, text }, sink));
        }
        let reason = self.reason();
        self.calls.finish(choice, reason == Finish::Length, sink);
        let native = self
            .finish
            .as_ref()
            .and_then(|(_, native)| native.as_deref());
        sink.event(Event::Finish {
            choice,
            reason,
            native,
        });
        let has_key = !self.calls.is_empty() || answers.is_some();
        if choice == 0 && has_key && !self.reasoning.is_empty() {
            let calls = self.calls.ids();
            let state = format!("{{\"reasoning_content\":\"{}\"}}", self.reasoning);
            sink.event(Event::Turn {
                calls: &calls,
                state: &state,
            });
        }
    }
}

/// The reasoning text of a delta or message, escaped, once: providers say it under up to three names.
pub(super) fn thought<'a>(delta: &Delta<'a>) -> Option<Cow<'a, str>> {
    for raw in [delta.reasoning_content, delta.reasoning]
        .into_iter()
        .flatten()
    {
        if let Some(text) = words(Some(raw)) {
            return Some(Cow::Borrowed(text.as_str()));
        }
        let object = Members::parse(raw.get()).unwrap_or_default();
        if let Some(text) = words(object.find("text")) {
            return Some(Cow::Borrowed(text.as_str()));
        }
    }
    let mut joined = String::new();
    for item in said(delta.details).and_then(elements)? {
        let item = Members::parse(item.get()).unwrap_or_default();
        let text = words(item.find("text")).or_else(|| words(item.find("summary")));
        joined.push_str(text.map_or("", Escaped::as_str));
    }
    (!joined.is_empty()).then_some(Cow::Owned(joined))
}

/// A part of a content that is an array (Mistral).
#[derive(Debug)]
pub(super) enum PartOf<'a> {
    /// Text.
    Text(Escaped<'a>),
    /// Reasoning, escaped.
    Thought(Cow<'a, str>),
    /// Anything else.
    Other,
}

/// Reads a part of a content that is an array.
pub(super) fn part_of(raw: &RawValue) -> PartOf<'_> {
    let part = Members::parse(raw.get()).unwrap_or_default();
    match part.text("type").as_deref() {
        Some("text" | "output_text") => {
            PartOf::Text(words(part.find("text")).unwrap_or(Escaped::EMPTY))
        }
        Some("thinking") => {
            let Some(inner) = part.find("thinking") else {
                return PartOf::Thought(Cow::Borrowed(""));
            };
            if let Some(text) = Escaped::token(inner) {
                return PartOf::Thought(Cow::Borrowed(text.as_str()));
            }
            let mut joined = String::new();
            for item in elements(inner).unwrap_or_default() {
                let item = Members::parse(item.get()).unwrap_or_default();
                joined.push_str(words(item.find("text")).map_or("", Escaped::as_str));
            }
            PartOf::Thought(Cow::Owned(joined))
        }
        _ => PartOf::Other,
    }
}
