//! A provider's answer on its way through the decoder into a writer.
//!
//! It polls the provider's body, pushes bytes into the decoder and listens in on the events: what a turn's state
//! is, what the usage was, when something was first said.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::account::{Meter, Money};
use crate::catalog::cost::{billed, said_cost};
use crate::chat::splice::{Said, Splice};
use crate::chat::{Escaped, Event, Sink, Tokens};
use crate::dialect::codec::turn_key;
use crate::dialect::{Decode, Shape, Stop};
use crate::net::Upstream;

use super::ending::{Heard, Oddness, Seen};
use super::memory::Scope;
use super::shared::Shared;

/// How long the end of a provider's body is waited for after the end of its answer.
pub const LINGER: Duration = Duration::from_millis(100);

/// Tokens are counted as those of `o200k`, in ten-thousandths: it is a guess.
const COUNTED_AS: u32 = 10_000;

/// A decoder between a provider's body and a writer.
#[derive(Debug)]
pub struct Feed<W> {
    upstream: Upstream,
    decoder: Box<dyn Decode>,
    /// The writer and what was heard on the way to it.
    pub ear: Ear<W>,
    ended: bool,
    /// Whether the answer is one document.
    shape: Shape,
    /// It stopped, and stays so.
    stopped: bool,
    read: usize,
}

/// A step of a feed.
#[derive(Debug)]
pub enum Step {
    /// Bytes were taken.
    Fed,
    /// The answer is complete.
    End,
    /// It cannot go on.
    Stop(Stop),
}

impl<W: Sink> Feed<W> {
    /// A feed at the beginning of a body.
    pub fn new(
        upstream: Upstream,
        (decoder, shape): (Box<dyn Decode>, Shape),
        ear: Ear<W>,
    ) -> Self {
        Self {
            upstream,
            decoder,
            ear,
            ended: false,
            shape,
            stopped: false,
            read: 0,
        }
    }

    /// Takes bytes that were read before the feed began.
    ///
    /// # Errors
    /// Why the answer cannot go on.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.read = self.read.saturating_add(bytes.len());
        let pushed = self.decoder.push(bytes, &mut self.ear);
        self.ear.keep_turns();
        self.ear.meter.batched();
        pushed
    }

    /// Polls for the next step.
    pub fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if self.stopped {
            return Poll::Ready(Step::Stop(Stop::Truncated));
        }
        if self.decoder.done() {
            return Poll::Ready(self.finish());
        }
        let step = match std::task::ready!(self.upstream.poll_bytes(cx)) {
            Some(Ok(bytes)) => match self.push(&bytes) {
                Ok(()) => Step::Fed,
                Err(stop) => Step::Stop(stop),
            },
            Some(Err(_)) => self.cut(),
            None => self.finish(),
        };
        self.stopped = matches!(step, Step::Stop(_));
        Poll::Ready(step)
    }

    /// The next step.
    pub async fn step(&mut self) -> Step {
        std::future::poll_fn(|cx| self.poll_step(cx)).await
    }

    /// Polls for the end of the provider's body, so that its connection can be used again.
    pub fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(Ok(_)) = std::task::ready!(self.upstream.poll_bytes(cx)) {}
        Poll::Ready(())
    }

    /// Waits a moment for the end of the provider's body.
    pub async fn rest(&mut self) {
        let rest = std::future::poll_fn(|cx| self.poll_rest(cx));
        let _ = tokio::time::timeout(LINGER, rest).await;
    }

    /// Whether the answer is complete but for its end: nothing more of it can cost anything.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.decoder.done()
    }

    /// How many bytes were taken.
    #[must_use]
    pub const fn read(&self) -> usize {
        self.read
    }

    /// What was heard so far.
    #[must_use]
    pub fn heard(&self) -> Heard {
        Heard {
            skipped: self.decoder.skipped(),
            ..self.ear.heard()
        }
    }

    fn finish(&mut self) -> Step {
        if self.ended {
            return Step::End;
        }
        self.ended = true;
        let finished = self.decoder.finish(&mut self.ear);
        self.ear.keep_turns();
        match finished {
            Ok(()) => {
                self.upstream.complete();
                Step::End
            }
            Err(stop) => Step::Stop(stop),
        }
    }

    /// The connection broke: a complete stream is still one, whatever became of its framing, as it says itself where it
    /// ends; a document that is not what was announced is none. What cannot be read is a half.
    fn cut(&mut self) -> Step {
        if self.shape == Shape::Whole {
            return Step::Stop(Stop::Truncated);
        }
        match self.finish() {
            Step::End if self.decoder.done() => Step::End,
            Step::Fed | Step::End | Step::Stop(Stop::Malformed(_)) => Step::Stop(Stop::Truncated),
            Step::Stop(stop) => Step::Stop(stop),
        }
    }
}

/// A writer, and what is heard on the way to it.
#[derive(Debug)]
pub struct Ear<W> {
    /// Where events go on to.
    pub writer: W,
    /// How many events came: bytes that say nothing do not count.
    pub events: u64,
    /// How many of them are a part of the answer itself.
    pub words: u64,
    /// The usage so far.
    pub tokens: Option<Tokens>,
    /// What the provider itself says it cost.
    said_cost: Option<Money>,
    /// What it bills in the place of those tokens, where that differs.
    billed: Option<Tokens>,
    /// The service tier that it says it served.
    tier: Option<String>,
    /// Whether its reasoning was seen.
    thought_aloud: bool,
    meter: Meter,
    /// What was shown, where another answer may have to carry it on.
    said: Option<Box<Said>>,
    /// What keeps back that which was shown of an earlier answer.
    splice: Option<Box<Splice>>,
    turns: Vec<(Option<String>, String)>,
    shared: Arc<Shared>,
    scope: Scope,
    answers: Option<String>,
}

impl<W> Ear<W> {
    /// An ear that keeps turns in the memory of the caller's scope. `answers` is the call id that the request ends
    /// with, if it ends with one.
    pub fn new(writer: W, shared: Arc<Shared>, scope: Scope, answers: Option<String>) -> Self {
        Self {
            writer,
            events: 0,
            words: 0,
            tokens: None,
            said_cost: None,
            billed: None,
            tier: None,
            thought_aloud: false,
            meter: Meter::counting(COUNTED_AS),
            said: None,
            splice: None,
            turns: Vec::new(),
            shared,
            scope,
            answers,
        }
    }

    /// Has a meter count what passes.
    #[must_use]
    pub fn metered(mut self, meter: Option<Meter>) -> Self {
        self.meter = meter.unwrap_or(self.meter);
        self
    }

    /// Keeps what is shown, after what was shown before: another answer may have to carry this one on.
    #[must_use]
    pub fn keeping(mut self, said: Option<Box<Said>>) -> Self {
        self.said = said;
        self
    }

    /// Holds the answer against what was shown of an earlier one, and shows only what follows.
    #[must_use]
    pub fn carrying_on(mut self, said: &Said) -> Self {
        self.splice = Some(Box::new(Splice::onto(said)));
        self
    }

    /// Goes on keeping what is shown.
    pub fn keep(&mut self, said: Box<Said>) {
        self.said = Some(said);
    }

    /// What was shown, where that is kept.
    pub fn said(&mut self) -> Option<Box<Said>> {
        self.said.take()
    }

    /// Whether the answer has turned out to be another than the one it should carry on.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.splice.as_ref().is_some_and(|splice| splice.differs())
    }

    /// Whether anything of the answer itself came.
    #[must_use]
    pub const fn has_spoken(&self) -> bool {
        self.words > 0
    }

    /// What counts what passes.
    #[must_use]
    pub const fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Lets what comes cost more.
    pub fn raise(&mut self, ceiling: Money) {
        self.meter.raise(ceiling);
    }

    /// Whether what came may have reached its ceiling.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.meter.over()
    }

    /// What was heard.
    #[must_use]
    pub fn heard(&self) -> Heard {
        Heard {
            tokens: self.tokens,
            said_cost: self.said_cost,
            tier: self.tier.clone(),
            thought_aloud: self.thought_aloud,
            billed: self.billed,
            seen: Seen::of(&self.meter),
            odd: Oddness::None,
            skipped: 0,
        }
    }

    fn keep_turns(&mut self) {
        for (first, state) in self.turns.drain(..) {
            if let Some(key) = turn_key(first.as_deref(), self.answers.as_deref()) {
                self.shared.memory.keep(self.scope, &key, &state);
            }
        }
    }
}

impl<W: Sink> Sink for Ear<W> {
    fn event(&mut self, event: Event<'_>) {
        self.events = self.events.saturating_add(1);
        self.words = self.words.saturating_add(is_content(&event).into());
        match event {
            Event::Turn { calls, state } => {
                let first = calls.first().map(String::as_str);
                let first = match &self.splice {
                    Some(splice) => first.map(|id| splice.call_id(id)),
                    None => first,
                };
                self.turns
                    .push((first.map(str::to_owned), state.to_owned()));
                return;
            }
            Event::Usage(usage) => {
                self.tokens = Some(usage.tokens);
                if usage.tokens == Tokens::UNREADABLE {
                    // Whoever asked is told nothing rather than this.
                    return;
                }
                self.said_cost = usage.raw.and_then(said_cost).or(self.said_cost);
                let billed = usage.raw.and_then(|raw| billed(raw, &usage.tokens));
                self.billed = billed.or(self.billed);
            }
            Event::Reasoning { .. } => self.thought_aloud = true,
            Event::Top {
                name: "service_tier",
                json,
            } => self.tier = Escaped::quoted(json).map(|tier| tier.decode().into_owned()),
            _ => {}
        }
        self.meter.event(event);
        let shown = &mut Shown {
            said: &mut self.said,
            writer: &mut self.writer,
        };
        match &mut self.splice {
            Some(splice) => splice.event(event, shown),
            None => shown.event(event),
        }
    }
}

/// Whether an event is a part of the answer itself.
const fn is_content(event: &Event<'_>) -> bool {
    match event {
        Event::Text { .. }
        | Event::Reasoning { .. }
        | Event::Refusal { .. }
        | Event::ToolStart { .. }
        | Event::ToolArgs { .. }
        | Event::ToolInput { .. }
        | Event::Detail { .. }
        | Event::Field { .. }
        | Event::Chunk { .. }
        | Event::Raw(_)
        | Event::Last(_)
        | Event::Finish { .. } => true,
        Event::Start { .. }
        | Event::Top { .. }
        | Event::Logprobs { .. }
        | Event::Usage(_)
        | Event::Turn { .. } => false,
    }
}

/// What a client is shown, kept where another answer may have to carry it on.
struct Shown<'a, W> {
    said: &'a mut Option<Box<Said>>,
    writer: &'a mut W,
}

impl<W: Sink> Sink for Shown<'_, W> {
    fn event(&mut self, event: Event<'_>) {
        if let Some(said) = self.said {
            said.event(event);
        }
        self.writer.event(event);
    }
}

/// Whether a body that should be events is one JSON document after all, by its first bytes.
#[must_use]
pub fn is_document(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['))
}
