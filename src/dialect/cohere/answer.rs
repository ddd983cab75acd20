//! An answer as it is read: pieces in, events out. Streams feed it piece by piece, whole answers part by part.

use serde_json::value::RawValue;

use crate::chat::json::{elements, member, quoted};
use crate::chat::{Escaped, Event, Finish, Sink};

use super::super::call::{Call, Form};
use super::super::codec::Reply;
use super::super::fences::Fences;
use super::super::ids;
use super::super::points::code_points;
use super::citations::Citations;
use super::ending::Ending;
use super::repeat::{Kind, Piece};
use super::state::Thought;
use super::wire::{self, token, typed};

/// What has been read so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    reply: Reply,
    /// The model that was asked, in the provider's name for it.
    model: String,
    id: String,
    started: bool,
    done: bool,
    open: Vec<(u64, Call)>,
    calls: u32,
    call_ids: Vec<String>,
    legacy: Option<(String, String)>,
    thought: Thought,
    points: u64,
    citations: Citations,
    fences: Option<Fences>,
}

impl Answer {
    /// Nothing read yet. `model` is what was asked for.
    pub(super) fn new(model: &str, reply: Reply) -> Self {
        Self {
            fences: reply.strip_fences.then(Fences::default),
            reply,
            model: model.to_owned(),
            ..Self::default()
        }
    }

    /// Whether the answer is complete.
    pub(super) const fn is_done(&self) -> bool {
        self.done
    }

    /// Takes the answer's id. It is told once.
    pub(super) fn begin(&mut self, id: Option<&RawValue>, sink: &mut dyn Sink) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let id = token(id);
        if !id.is_empty() {
            self.id = format!("chatcmpl-{}", id.as_str());
        }
        sink.event(Event::Start {
            id: Escaped::trusted(&self.id),
            model: Escaped::EMPTY,
            created: None,
        });
    }

    /// Takes words.
    pub(super) fn add(&mut self, piece: Piece<'_>, sink: &mut dyn Sink) {
        match piece.kind {
            Kind::Text => self.say(piece.index, piece.words, sink),
            Kind::Thinking => {
                self.thought.thinking.push_str(piece.words.as_str());
                think(piece.words, sink);
            }
            Kind::Plan => {
                self.thought.plan.push_str(piece.words.as_str());
                think(piece.words, sink);
            }
            Kind::Arguments => {
                let index = piece.index;
                let call = self.open.iter_mut().find(|(known, _)| *known == index);
                if let Some((_, call)) = call {
                    call.push(piece.words, sink);
                }
            }
        }
    }

    fn say(&mut self, part: u64, text: Escaped<'_>, sink: &mut dyn Sink) {
        if text.is_empty() {
            return;
        }
        self.citations.part(part, self.points);
        self.points = self.points.saturating_add(code_points(text));
        match &mut self.fences {
            Some(fences) => fences.push(text, |text| tell(text, sink)),
            None => tell(text, sink),
        }
    }

    /// Takes the start of a call with whatever of its arguments is there already.
    pub(super) fn start_call(&mut self, at: u64, raw: Option<&RawValue>, sink: &mut dyn Sink) {
        self.end_call(at, sink);
        let told: wire::Call<'_> = typed(raw);
        let function = told.function.unwrap_or_default();
        let name = token(function.name).decode();
        let ours = self.reply.client_name(&name).to_owned();
        let form = self.form(&ours);
        let index = self.calls;
        self.calls = index.saturating_add(1);
        let id = token(told.id);
        let id = if id.is_empty() {
            ids::made_call_id(&self.id, 0, index)
        } else {
            id.as_str().to_owned()
        };
        if form == Form::Legacy {
            self.legacy.get_or_insert((ours, String::new()));
        } else {
            let name = quoted(&ours);
            sink.event(Event::ToolStart {
                choice: 0,
                index,
                id: Escaped::trusted(&id),
                name: Escaped::quoted(&name).unwrap_or(Escaped::EMPTY),
                custom: form == Form::Custom,
                extra: None,
            });
        }
        self.call_ids.push(id);
        let mut call = Call::new(index, form, None);
        call.push(token(function.arguments), sink);
        self.open.push((at, call));
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

    /// Takes the end of a call.
    pub(super) fn end_call(&mut self, at: u64, sink: &mut dyn Sink) {
        let Some(place) = self.open.iter().position(|(known, _)| *known == at) else {
            return;
        };
        let (_, call) = self.open.remove(place);
        if let (Some(arguments), Some((_, kept))) = (call.finish(sink), &mut self.legacy)
            && kept.is_empty()
        {
            *kept = arguments;
        }
    }

    /// Takes one citation, or a list of them.
    pub(super) fn cite(&mut self, raw: Option<&RawValue>) {
        self.citations.add(raw);
    }

    /// Takes a message that is there as a whole.
    pub(super) fn message(&mut self, raw: Option<&RawValue>, sink: &mut dyn Sink) {
        let message: wire::News<'_> = typed(raw);
        let plan = token(message.tool_plan);
        let parts = message.content.and_then(elements).unwrap_or_default();
        for (raw, index) in parts.into_iter().zip(0_u64..) {
            let part: wire::Part<'_> = typed(Some(raw));
            for (kind, words) in [
                (Kind::Thinking, token(part.thinking)),
                (Kind::Text, token(part.text)),
            ] {
                if !words.is_empty() {
                    self.add(Piece { kind, index, words }, sink);
                }
            }
        }
        self.say(0, token(message.content), sink);
        if !plan.is_empty() {
            let (kind, index) = (Kind::Plan, 0);
            self.add(
                Piece {
                    kind,
                    index,
                    words: plan,
                },
                sink,
            );
        }
        let calls = message.tool_calls.and_then(elements).unwrap_or_default();
        for (raw, at) in calls.into_iter().zip(0_u64..) {
            self.start_call(at, Some(raw), sink);
            self.end_call(at, sink);
        }
        self.cite(message.citations);
    }

    /// Tells everything that waited for the end.
    pub(super) fn close(&mut self, ending: &Ending, sink: &mut dyn Sink) {
        if std::mem::replace(&mut self.done, true) {
            return;
        }
        while let Some(at) = self.open.first().map(|(at, _)| *at) {
            self.end_call(at, sink);
        }
        if let Some(fences) = &mut self.fences {
            fences.finish(|text| tell(text, sink));
        }
        self.citations.tell(sink);
        self.tell_legacy(sink);
        self.keep_turn(sink);
        let reason = match ending.finish(self.calls > 0) {
            Finish::ToolCalls if self.reply.legacy_functions => Finish::FunctionCall,
            reason => reason,
        };
        sink.event(Event::Finish {
            choice: 0,
            reason,
            native: ending.native(),
        });
    }

    fn tell_legacy(&self, sink: &mut dyn Sink) {
        let Some((name, arguments)) = &self.legacy else {
            return;
        };
        let mut json = b"{".to_vec();
        member("name", &quoted(name), &mut json);
        member("arguments", &format!("\"{arguments}\""), &mut json);
        json.push(b'}');
        sink.event(Event::Field {
            choice: 0,
            name: "function_call",
            json: &String::from_utf8(json).unwrap_or_default(),
        });
    }

    /// Hands over the turn's reasoning, so that it can be put back where the client does not.
    fn keep_turn(&self, sink: &mut dyn Sink) {
        let has_key = !self.call_ids.is_empty() || self.reply.answers.is_some();
        if has_key && !self.thought.is_empty() {
            sink.event(Event::Turn {
                calls: &self.call_ids,
                state: &self.thought.write(&self.model),
            });
        }
    }
}

fn tell(text: Escaped<'_>, sink: &mut dyn Sink) {
    sink.event(Event::Text { choice: 0, text });
}

fn think(text: Escaped<'_>, sink: &mut dyn Sink) {
    sink.event(Event::Reasoning { choice: 0, text });
}
