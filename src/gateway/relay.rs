//! A stream on its way to the client: one body, no task, no channel.
//!
//! Polling it polls the provider; what the decoder makes of the bytes leaves in one piece per poll, so that a burst
//! costs one write. A client that reads slowly is not polled, and then the provider is not read. Dropped before its
//! end, it is settled or read on by [`drain`](super::drain).

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use tokio::time::Sleep;

use crate::chat::{Code, Error, Event, Sink, Usage};
use crate::dialect::Stop;
use crate::net::Aborted;
use crate::route::{self, Next};

use super::api;
use super::ending::{Outcome, shutting_down};
use super::failed::no_time;
use super::feed::{Feed, LINGER, Step};
use super::purse::Further;
use super::rescue::broken::{Break, Help, error_of, parted};
use super::secure::exhausted;
use super::settle::Trip;
use super::tell;
use super::voice::Voice;

/// Output that is handed out even though more could be gathered.
const ENOUGH: usize = 32 * 1024;
/// How often that is: the server may poll a body twice in one turn, so that one yield can pass unused.
const YIELDS: u8 = 2;
/// Output that follows the last within this time belongs to a burst.
const BURST: Duration = Duration::from_millis(1);
/// How long an error event is given to leave before the connection is cut.
const PARTING: Duration = Duration::from_millis(20);

/// A streamed answer.
#[derive(Debug)]
pub struct Relay {
    feed: Box<Feed<Voice>>,
    trip: Box<Trip>,
    state: State,
    /// When the provider was last heard.
    heard: Instant,
    /// When something was last sent.
    sent: Instant,
    tick: Pin<Box<Sleep>>,
    /// How often the provider's connection was let run since it was last heard.
    yields: u8,
    /// How long silence is borne, where another answer may carry this one on.
    help: Help,
    /// Why it can go on only with help.
    broken: Option<Break>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Events come.
    Flowing,
    /// The answer is complete and sent; the provider's body may still need its end.
    Lingering,
    /// An error event was sent; the connection will be cut.
    Parting,
    /// It goes on only with help.
    Broken,
    /// Nothing is left.
    Over,
}

impl Relay {
    /// A relay of an answer whose first event is there.
    #[must_use]
    pub fn new(feed: Box<Feed<Voice>>, trip: Box<Trip>) -> Self {
        let now = trip.shared().clock.now();
        let heartbeat = trip.shared().settings.heartbeat;
        let first = if heartbeat.is_zero() {
            trip.shared().settings.idle
        } else {
            heartbeat
        };
        // One that has not said a word has no longer than its caller waits for that.
        let left = trip.relief.left(now).filter(|_| !feed.ear.has_spoken());
        let first = left.map_or(first, |left| first.min(left));
        Self {
            feed,
            trip,
            state: State::Flowing,
            heard: now,
            sent: now,
            tick: Box::pin(tokio::time::sleep(first)),
            yields: 0,
            help: Help::None,
            broken: None,
        }
    }

    /// Has a stream that dies or falls silent say so, rather than end.
    #[must_use]
    pub fn helped(mut self, help: Help) -> Self {
        self.help = help;
        if let Help::Silence(patience) = help {
            let beat = self.trip.shared().settings.heartbeat;
            let beat = if beat.is_zero() {
                patience.between
            } else {
                beat
            };
            self.arm(patience.first.min(patience.between).min(beat));
        }
        self
    }

    /// The call.
    #[must_use]
    pub const fn trip(&self) -> &Trip {
        &self.trip
    }

    /// Whether it can go on only with help.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.state == State::Broken
    }

    /// Its parts, where it can go on only with help.
    #[must_use]
    pub fn broken(self) -> Option<(Box<Feed<Voice>>, Box<Trip>, Break)> {
        let why = self.broken?;
        Some((self.feed, self.trip, why))
    }

    fn breaks(&mut self, why: Break) {
        self.broken = Some(why);
        self.state = State::Broken;
    }

    /// The provider's stream is at a bad end: it is told, unless another answer may carry it on.
    fn dies(&mut self, stop: Stop) {
        let leads_on = match &stop {
            Stop::Failed(failure) => route::next(failure) == Next::Try,
            Stop::Truncated | Stop::Malformed(_) => true,
        };
        let error = error_of(stop, &self.trip.provider);
        if leads_on && self.help != Help::None {
            self.breaks(Break::Died(error));
        } else {
            self.fail(&error);
        }
    }

    /// What is left to hear where the client left in its midst; `None` where all was said and settled.
    #[must_use]
    pub fn left(self) -> Option<(Box<Feed<Voice>>, Box<Trip>)> {
        matches!(self.state, State::Flowing | State::Broken).then_some((self.feed, self.trip))
    }

    fn now(&self) -> Instant {
        self.trip.shared().clock.now()
    }

    fn take(&mut self) -> Option<Bytes> {
        let writer = &mut self.feed.ear.writer;
        writer.has_output().then(|| writer.take())
    }

    /// Gathers what is ready; `None` where the state has changed and there is nothing to hand out.
    fn flow(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let mut fed = false;
        let events = self.feed.ear.events;
        while self.feed.ear.writer.pending() < ENOUGH && self.state == State::Flowing {
            if self.feed.ear.is_over() && !self.feed.is_told() && !self.goes_on(cx) {
                break;
            }
            match self.feed.poll_step(cx) {
                Poll::Ready(Step::Fed | Step::End) if self.feed.ear.differs() => {
                    self.fail(&parted(&self.trip.provider));
                }
                Poll::Ready(Step::Fed) => fed = true,
                Poll::Ready(Step::End) => self.end(),
                Poll::Ready(Step::Stop(stop)) => self.dies(stop),
                Poll::Pending => break,
            }
        }
        let now = self.now();
        if fed {
            self.yields = 0;
        }
        if self.feed.ear.events != events {
            self.heard = now;
        }
        self.end_in_time();
        if self.yields < YIELDS && self.gathers(now) {
            self.yields += 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !self.feed.ear.writer.has_output() && self.state == State::Flowing && !self.wait(cx) {
            return Poll::Pending;
        }
        self.sent = now;
        Poll::Ready(self.take())
    }

    /// Whether to let the provider's connection run once more before writing: it hands over one frame at a time, and
    /// in a burst the next one is there already. At a model's own pace nothing is held back.
    fn gathers(&self, now: Instant) -> bool {
        let writer = &self.feed.ear.writer;
        let in_burst = now.saturating_duration_since(self.sent) < BURST;
        self.state == State::Flowing && in_burst && writer.has_output() && writer.pending() < ENOUGH
    }

    /// Ends a stream that has taken all the time it may, however busy it is.
    fn end_in_time(&mut self) {
        if self.state == State::Flowing && self.trip.shared().load.is_cut() {
            self.fail(&shutting_down());
        }
        let total = self.trip.shared().settings.total;
        if self.state == State::Flowing && self.trip.elapsed() >= total {
            self.fail(&Error::new(
                Code::StreamTotal,
                "The stream took longer than allowed.",
            ));
        }
    }

    /// Looks at the clock while the provider is silent; says whether there is something to send.
    fn wait(&mut self, cx: &mut Context<'_>) -> bool {
        while self.tick.as_mut().poll(cx).is_ready() {
            let settings = self.trip.shared().settings;
            let now = self.now();
            let silent = now.saturating_duration_since(self.heard);
            let quiet = now.saturating_duration_since(self.sent);
            let lasted = self.trip.elapsed();
            if silent >= settings.idle {
                self.fail(&Error::new(
                    Code::StreamIdle,
                    format!("'{}' fell silent.", self.trip.provider),
                ));
                return true;
            }
            let left = self.trip.relief.left(now);
            let left = left.filter(|_| !self.feed.ear.has_spoken());
            if left.is_some_and(|left| left.is_zero()) {
                self.fail(&no_time(&self.trip.provider).error());
                return true;
            }
            let borne = self.borne();
            if borne.is_some_and(|borne| silent >= borne) {
                self.help = Help::Death;
                self.breaks(Break::Silent(self.heard));
                return true;
            }
            let limit = settings
                .idle
                .min(borne.unwrap_or(settings.idle))
                .saturating_sub(silent)
                .min(left.unwrap_or(settings.idle))
                .min(settings.total.saturating_sub(lasted));
            let beats = !settings.heartbeat.is_zero();
            if beats && quiet >= settings.heartbeat {
                self.arm(settings.heartbeat.min(limit));
                self.feed.ear.writer.ping();
                return true;
            }
            let beat = if beats {
                settings.heartbeat.saturating_sub(quiet)
            } else {
                limit
            };
            self.arm(beat.min(limit));
        }
        false
    }

    /// How long its silence is borne before help is called.
    const fn borne(&self) -> Option<Duration> {
        match self.help {
            Help::Silence(patience) if self.feed.ear.has_spoken() => Some(patience.between),
            Help::Silence(patience) => Some(patience.first),
            Help::None | Help::Death => None,
        }
    }

    fn arm(&mut self, after: Duration) {
        let at = tokio::time::Instant::now() + after.max(Duration::from_millis(1));
        self.tick.as_mut().reset(at);
    }

    fn end(&mut self) {
        self.trip.answered(self.feed.heard());
        self.close();
        self.state = State::Lingering;
        self.arm(LINGER);
    }

    /// Ends the stream at the ceiling of its cost: complete for the client, and broken off for the provider.
    fn cut(&mut self) {
        let mut heard = self.feed.heard();
        let tokens = heard.cut_short(self.trip.route.input);
        heard.tokens = Some(tokens);
        self.trip.cut(heard);
        let usage = Usage { tokens, raw: None };
        let writer = &mut self.feed.ear.writer;
        writer.event(Event::Usage(usage));
        writer.cut();
        self.close();
        self.state = State::Over;
    }

    /// Has the next slice of the stream paid, or ends it where its cap or a budget is reached. Nothing more is read
    /// while the slice is asked for.
    fn goes_on(&mut self, cx: &mut Context<'_>) -> bool {
        let meter = self.feed.ear.meter();
        let further = match &mut self.trip.hold {
            Some(hold) => hold.poll_extend(meter, cx),
            None => Poll::Ready(Further::Capped),
        };
        match further {
            Poll::Ready(Further::To(ceiling)) => {
                self.feed.ear.raise(ceiling);
                return true;
            }
            Poll::Ready(Further::Capped) => self.cut(),
            Poll::Ready(Further::Spent(lacking)) => self.exhaust(&exhausted(&lacking)),
            Poll::Pending => {}
        }
        false
    }

    /// Ends the stream where a budget is spent: an error for the client, and broken off for the provider.
    fn exhaust(&mut self, error: &Error) {
        self.trip.cut(self.feed.heard());
        self.trip.outcome = Outcome::Failed(error.code.row().code);
        self.feed.ear.writer.error(error);
        self.state = State::Parting;
        self.arm(PARTING);
    }

    /// Ends a good answer with what is to be told of its call.
    fn close(&mut self) {
        let trip = &self.trip;
        match &mut self.feed.ear.writer {
            Voice::Chat(writer) => {
                if let Some(cost) = tell::cost_in_usage(trip) {
                    writer.price(cost);
                }
                writer.close(tell::describe(trip).as_deref());
            }
            Voice::Plain(writer) => writer.close(&api::end(trip)),
        }
    }

    fn fail(&mut self, error: &Error) {
        self.trip.broke(self.feed.heard(), error.code);
        self.feed.ear.writer.error(error);
        self.state = State::Parting;
        self.arm(PARTING);
    }
}

impl HttpBody for Relay {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        let relay = self.get_mut();
        loop {
            match relay.state {
                State::Flowing => {
                    if let Some(bytes) = std::task::ready!(relay.flow(cx)) {
                        return Poll::Ready(Some(Ok(Frame::data(bytes))));
                    }
                }
                State::Lingering => {
                    let rest = relay.feed.poll_rest(cx).is_ready()
                        || relay.tick.as_mut().poll(cx).is_ready();
                    if !rest {
                        return Poll::Pending;
                    }
                    relay.state = State::Over;
                }
                State::Parting => {
                    std::task::ready!(relay.tick.as_mut().poll(cx));
                    relay.state = State::Over;
                    return Poll::Ready(Some(Err(Aborted)));
                }
                State::Broken | State::Over => return Poll::Ready(None),
            }
        }
    }
}
