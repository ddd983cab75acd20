//! Completions of a text, the older form: passed to providers that have it, with nothing but the model's name changed.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::json::{key, member, one_line, quoted};
use crate::chat::request::OWN_MEMBERS;
use crate::chat::{Error, Event, Request, Sink, event};

use super::super::codec::{
    Context, Decode, Dialect, Encoded, Failure, Headers, Reply, Report, Shape, Stop, Target,
};
use super::super::params::{Fate, Row};
use super::super::sse::{Frame, Framer, TooLong};
use super::super::{complaint, vectors};
use super::usage;

/// Completions of a text in OpenAI's format.
#[derive(Clone, Copy, Debug)]
pub struct Completions;

static PARAMS: [Row; 1] = [Row {
    member: "model",
    fate: Fate::Translated,
    note: "the provider's own name",
}];

impl Dialect for Completions {
    fn name(&self) -> &'static str {
        "openai"
    }

    fn params(&self) -> &'static [Row] {
        &PARAMS
    }

    fn unnamed(&self) -> Fate {
        Fate::Sent
    }

    fn encode(
        &self,
        request: &Request,
        target: &Target<'_>,
        _: &Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, Error> {
        out.push(b'{');
        for (name, value) in request.members() {
            if name == "model" {
                member("model", &quoted(target.model), out);
            } else if !OWN_MEMBERS.contains(&name) {
                key(name, out);
                out.extend_from_slice(value.as_bytes());
            }
        }
        out.push(b'}');
        let quirks = target.quirks;
        Ok(Encoded {
            path: quirks.of_model(&quirks.completions_path, target.model),
            headers: Vec::new(),
            shape: if request.stream {
                Shape::Stream
            } else {
                Shape::Whole
            },
            report: Report::default(),
            reply: Reply {
                stream: request.stream,
                ..Reply::default()
            },
        })
    }

    fn decoder(&self, _: &Target<'_>, shape: Shape, reply: Reply) -> Box<dyn Decode> {
        match shape {
            Shape::Stream => Box::new(Events::default()),
            Shape::Whole => Box::new(Document {
                body: Vec::new(),
                streamed: reply.stream,
                done: false,
            }),
        }
    }

    fn failure(&self, status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
        complaint::read(status, headers, body)
    }
}

/// What of a completion, or of a piece of one, is looked at.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow, default)]
    choices: Option<&'a RawValue>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    finish_reason: Option<&'a RawValue>,
}

impl Told<'_> {
    fn tell_usage(&self, sink: &mut dyn Sink) {
        if let Some(counted) = self.usage.and_then(usage::read) {
            let raw = self.usage.map(RawValue::get);
            let tokens = counted.tokens;
            sink.event(Event::Usage(event::Usage { tokens, raw }));
        }
    }

    /// Whether a choice ends here, and whether there is any.
    fn ending(&self) -> Option<Ending> {
        let list: Vec<Choice<'_>> = serde_json::from_str(self.choices?.get()).ok()?;
        if list.is_empty() {
            return Some(Ending::Empty);
        }
        let said = |raw: &RawValue| !matches!(raw.get(), "null" | "\"\"");
        let ends = list.iter().any(|one| one.finish_reason.is_some_and(said));
        Some(if ends { Ending::Ends } else { Ending::Goes })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// No choice: the usage, or a notice.
    Empty,
    /// A choice goes on.
    Goes,
    /// A choice ends.
    Ends,
}

/// A streamed completion: each event handed on. Those from the first end on wait one event, as the last tells more.
#[derive(Debug, Default)]
struct Events {
    framer: Framer,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    held: Option<String>,
    /// Whether anything was said.
    said: bool,
    /// Whether a choice ended.
    ended: bool,
    done: bool,
    skipped: u32,
    stop: Option<Stop>,
}

impl Decode for Events {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        let state = &mut self.state;
        let pushed = self.framer.push(bytes, |frame| state.frame(frame, sink));
        if let Err(TooLong) = pushed {
            return Err(Stop::Malformed("an event is too long".to_owned()));
        }
        state.stop.take().map_or(Ok(()), Err)
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        let state = &mut self.state;
        if !state.done {
            self.framer.finish(|frame| state.frame(frame, sink));
        }
        if let Some(stop) = state.stop.take() {
            return Err(stop);
        }
        if state.done {
            return Ok(());
        }
        // Without `[DONE]` the answer is whole only if it said why it ended.
        if !state.ended {
            return Err(Stop::Truncated);
        }
        state.close(sink);
        Ok(())
    }

    fn done(&self) -> bool {
        self.state.done
    }

    fn skipped(&self) -> u32 {
        self.state.skipped
    }
}

impl State {
    /// Takes a frame; gives back whether to go on.
    fn frame(&mut self, frame: Frame<'_>, sink: &mut dyn Sink) -> bool {
        let data = frame.data.trim_ascii();
        if data.is_empty() || frame.event == b"ping" {
            return true;
        }
        if data == b"[DONE]" {
            let is_whole = self.ended || (self.said && self.skipped == 0);
            if is_whole {
                self.close(sink);
            } else {
                self.stop = Some(Stop::Truncated);
            }
            return false;
        }
        let text = std::str::from_utf8(data).ok();
        let told = text.and_then(|text| Some((text, serde_json::from_str(text).ok()?)));
        match told {
            Some((text, told)) => self.stop = self.piece(text, &told, sink).err(),
            None => self.skipped = self.skipped.saturating_add(1),
        }
        self.stop.is_none()
    }

    fn piece(&mut self, text: &str, told: &Told<'_>, sink: &mut dyn Sink) -> Result<(), Stop> {
        if told.error.is_some() {
            let failure = complaint::within(text);
            return Err(Stop::Failed(
                failure.unwrap_or_else(|| complaint::from_text("an error without words")),
            ));
        }
        told.tell_usage(sink);
        // Several `data` lines make one event; ours have one.
        let mut line = Vec::new();
        let text = if text.contains('\n') {
            one_line(text, &mut line);
            std::str::from_utf8(&line).unwrap_or(text)
        } else {
            text
        };
        if let Some(held) = self.held.take() {
            sink.event(Event::Raw(&held));
        }
        let ending = told.ending();
        self.said |= ending == Some(Ending::Goes);
        self.ended |= ending == Some(Ending::Ends);
        if self.ended {
            self.held = Some(text.to_owned());
        } else {
            sink.event(Event::Raw(text));
        }
        Ok(())
    }

    fn close(&mut self, sink: &mut dyn Sink) {
        if let Some(held) = self.held.take() {
            sink.event(Event::Last(&held));
        }
        self.done = true;
    }
}

/// A completion that comes at once.
#[derive(Debug)]
struct Document {
    body: Vec<u8>,
    /// Whether the client waits for a stream.
    streamed: bool,
    done: bool,
}

impl Decode for Document {
    fn push(&mut self, bytes: &[u8], _: &mut dyn Sink) -> Result<(), Stop> {
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        let text = vectors::whole(&self.body)?;
        let told = serde_json::from_str::<Told<'_>>(text).ok();
        let told = told.filter(|told| told.choices.is_some() && told.error.is_none());
        let Some(told) = told else {
            let failed = complaint::within(text).map(Stop::Failed);
            let odd = || Stop::Malformed("the answer is no completion".to_owned());
            return Err(failed.unwrap_or_else(odd));
        };
        told.tell_usage(sink);
        if self.streamed {
            let mut line = Vec::with_capacity(text.len());
            one_line(text, &mut line);
            sink.event(Event::Last(&String::from_utf8(line).unwrap_or_default()));
        } else {
            sink.event(Event::Raw(text));
        }
        self.done = true;
        Ok(())
    }

    fn done(&self) -> bool {
        self.done
    }

    fn skipped(&self) -> u32 {
        0
    }
}
