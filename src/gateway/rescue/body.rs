//! A stream that another answer carries on where its own provider dies or falls silent.
//!
//! The body of every stream that may be helped. While all goes well it is its relay and nothing else. Where the relay
//! can go on only with help, the targets that are left are tried inside this body: their answer is kept back while it
//! repeats what was shown, and takes the stream over with what follows. A silent one is heard on beside that: whoever
//! speaks first goes on, and the other is given up and billed for what it said.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use tokio::time::Sleep;

use crate::account::Money;
use crate::chat::{Code, Error};
use crate::net::Aborted;

use super::aid::{Aid, Lent, Work, work};
use super::aside::Attempted;
use super::broken::{Break, Help};
use crate::gateway::attempt::Begun;
use crate::gateway::drain::{self, Drained};
use crate::gateway::ending::{Done, How, Outcome, Tried};
use crate::gateway::feed::{Feed, Step};
use crate::gateway::relay::Relay;
use crate::gateway::settle::Trip;
use crate::gateway::tries::AllFailed;
use crate::gateway::voice::Voice;

/// How long an error event is given to leave before the connection is cut.
const PARTING: Duration = Duration::from_millis(20);

/// Longer than any stream.
const NEVER: Duration = Duration::from_hours(24);

/// How often silence may bring help in one call.
const HELPS: u32 = 2;

/// The body.
pub struct RescueBody {
    state: State,
    aid: Option<Box<Aid>>,
    tick: Pin<Box<Sleep>>,
    /// How often help was called for silence.
    helps: u32,
    /// How often a comment keeps the connection warm meanwhile; zero sends none.
    beat: Duration,
}

enum State {
    Relaying(Drained),
    Mending(Box<Mending>),
    Parting,
    Over,
}

/// Help that is under way.
struct Mending {
    work: Work,
    /// The trip, where the work was given up.
    lent: Lent,
    /// The one that fell silent, which may still speak.
    silent: Option<(Box<Feed<Voice>>, Attempted)>,
    /// It has died meanwhile.
    deaf: bool,
    /// How the client is told of a bad end, and of which.
    voice: Voice,
    error: Error,
    done: Done,
}

impl fmt::Debug for RescueBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RescueBody").finish_non_exhaustive()
    }
}

/// The relay of an answer that has begun, ready to be helped where that may be.
#[must_use]
pub fn relay(feed: Box<Feed<Voice>>, trip: Box<Trip>, helps: u32) -> Relay {
    let patience = trip.relief.patience.filter(|_| helps < HELPS);
    let help = if trip.relief.may_be_carried() {
        patience.map_or(Help::Death, Help::Silence)
    } else {
        Help::None
    };
    Relay::new(feed, trip).helped(help)
}

impl RescueBody {
    /// The body of a relay, with what it takes to help it where anybody can.
    #[must_use]
    pub fn new(relay: Relay, aid: Option<Box<Aid>>) -> Self {
        Self {
            state: State::Relaying(Drained::new(relay)),
            aid,
            tick: Box::pin(tokio::time::sleep(Duration::ZERO)),
            helps: 0,
            beat: Duration::ZERO,
        }
    }

    fn arm(&mut self, after: Duration) {
        let at = tokio::time::Instant::now() + after.max(Duration::from_millis(1));
        self.tick.as_mut().reset(at);
    }

    /// Begins to help a stream that died or fell silent.
    fn begin(&mut self, parts: (Box<Feed<Voice>>, Box<Trip>, Break)) -> Option<Bytes> {
        let (mut feed, mut trip, why) = parts;
        if feed.ear.spoken {
            trip.relief.until = None;
        }
        let said = feed.ear.said();
        let error = broken(&why);
        let said = said.filter(|said| said.can_be_repeated());
        let (Some(said), Some(aid)) = (said, self.aid.take()) else {
            trip.broke(feed.heard(), error.code);
            return Some(self.end(feed.ear.writer, trip, &error));
        };
        let done = Done {
            from: format!("{}/{}", trip.provider, trip.model),
            at: said.characters(),
            how: if said.is_answer() {
                How::Verified
            } else {
                How::Restart
            },
        };
        let voice = feed.ear.writer.clone();
        let silent = match why {
            Break::Died(_) => {
                let code = error.code;
                trip.failed.push(tried(&trip, code.row().code));
                trip.abandoned(feed.heard(), Some(code));
                None
            }
            Break::Silent => {
                feed.ear.keep(said.clone());
                if !may_help(&trip) {
                    self.aid = Some(aid);
                    return self.goes_on(feed, trip);
                }
                self.helps += 1;
                // Both may be billed.
                let bound = trip.route.bound.unwrap_or(Money::ZERO);
                trip.route.ventured = trip.route.ventured.plus(bound);
                Some((feed, trip.set_aside()))
            }
        };
        self.beat = trip.shared().settings.heartbeat;
        self.rests();
        let lent = Lent::default();
        let work = work(trip, aid, (voice.clone(), said), &lent);
        self.state = State::Mending(Box::new(Mending {
            work,
            lent,
            silent,
            deaf: false,
            voice,
            error,
            done,
        }));
        None
    }

    /// Waits on for a stream that nobody is asked to help.
    fn goes_on(&mut self, feed: Box<Feed<Voice>>, trip: Box<Trip>) -> Option<Bytes> {
        self.helps = HELPS;
        self.state = State::Relaying(Drained::new(relay(feed, trip, HELPS)));
        None
    }

    /// Waits for the next comment.
    fn rests(&mut self) {
        self.arm(if self.beat.is_zero() {
            NEVER
        } else {
            self.beat
        });
    }

    /// Ends a stream that nobody can carry on.
    fn end(&mut self, mut voice: Voice, mut trip: Box<Trip>, error: &Error) -> Bytes {
        trip.outcome = Outcome::Failed(error.code.row().code);
        drop(trip);
        voice.error(error);
        self.state = State::Parting;
        self.arm(PARTING);
        voice.take()
    }

    /// Looks at the help that is under way.
    fn mend(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let State::Mending(mending) = &mut self.state else {
            return Poll::Ready(None);
        };
        if mending.speaks(cx) {
            return self.silence_ends();
        }
        if let Poll::Ready((trip, aid, begun)) = mending.work.as_mut().poll(cx) {
            return Poll::Ready(self.helped(trip, aid, begun));
        }
        if self.tick.as_mut().poll(cx).is_ready() {
            self.rests();
            return Poll::Ready(Some(Bytes::from_static(b": ping\n\n")));
        }
        Poll::Pending
    }

    /// The silent one has spoken first: help is given up.
    fn silence_ends(&mut self) -> Poll<Option<Bytes>> {
        let State::Mending(mending) = std::mem::replace(&mut self.state, State::Over) else {
            return Poll::Ready(None);
        };
        let Mending {
            work, lent, silent, ..
        } = *mending;
        drop(work);
        if let (Some((mut trip, aid)), Some((feed, aside))) = (lent.back(), silent) {
            trip.recalled();
            trip.take_up(aside);
            trip.relief.carried = None;
            let relay = relay(feed, trip, self.helps);
            self.aid = Some(aid);
            self.state = State::Relaying(Drained::new(relay));
        }
        Poll::Ready(None)
    }

    /// Help has come, or there is none.
    fn helped(
        &mut self,
        mut trip: Box<Trip>,
        aid: Box<Aid>,
        begun: Result<Begun, AllFailed>,
    ) -> Option<Bytes> {
        let State::Mending(mending) = std::mem::replace(&mut self.state, State::Over) else {
            return None;
        };
        let Mending {
            silent,
            deaf,
            voice,
            error,
            done,
            ..
        } = *mending;
        trip.relief.carried = None;
        match (begun, silent) {
            (Ok(Begun::Stream(feed, _)), silent) => {
                if let Some((silent, aside)) = silent {
                    let now = trip.set_aside();
                    trip.take_up(aside);
                    trip.failed.push(tried(&trip, Code::StreamIdle.row().code));
                    trip.abandoned(silent.heard(), Some(Code::StreamIdle));
                    trip.take_up(now);
                }
                // What the client waited for its first word is not what this one took.
                trip.first = trip.first.filter(|_| done.how == How::Restart);
                trip.relief.done = Some(done);
                let relay = relay(feed, trip, self.helps);
                self.aid = Some(aid);
                self.state = State::Relaying(Drained::new(relay));
                None
            }
            // Nobody else can help: the silent one is waited for as if nobody had been asked.
            (_, Some((feed, aside))) => {
                trip.take_up(aside);
                if deaf {
                    trip.broke(feed.heard(), error.code);
                    return Some(self.end(voice, trip, &error));
                }
                self.aid = Some(aid);
                self.goes_on(feed, trip)
            }
            (_, None) => Some(self.end(voice, trip, &error)),
        }
    }
}

impl Trip {
    /// The attempt that is out, if any is, is not needed after all: nothing of it was heard.
    fn recalled(&mut self) {
        if self.watch.is_none() {
            return;
        }
        self.failed.push(tried(self, "not_needed"));
        let heard = self.unheard();
        self.abandoned(heard, None);
    }
}

/// The client left while help was under way: what was asked beside is given up, and the silent one is settled, or heard
/// to its end, as if nobody had been asked.
impl Drop for RescueBody {
    fn drop(&mut self) {
        let State::Mending(mending) = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        let Mending {
            work, lent, silent, ..
        } = *mending;
        drop(work);
        if let (Some((mut trip, _)), Some((feed, aside))) = (lent.back(), silent) {
            trip.recalled();
            trip.take_up(aside);
            drain::left(feed, trip);
        }
    }
}

impl Mending {
    /// Whether the silent one has spoken, or is at a good end.
    fn speaks(&mut self, cx: &mut Context<'_>) -> bool {
        let Some((feed, _)) = self.silent.as_mut().filter(|_| !self.deaf) else {
            return false;
        };
        let before = feed.ear.events;
        while !self.deaf {
            match feed.poll_step(cx) {
                Poll::Ready(Step::Fed) if feed.ear.events == before => {}
                Poll::Ready(Step::Fed | Step::End) => return true,
                // It is dead: only help is left. What it said is billed when that comes.
                Poll::Ready(Step::Stop(_)) => self.deaf = true,
                Poll::Pending => return false,
            }
        }
        false
    }
}

/// Whether a silent target may be helped: only as often as leaves room for first attempts.
fn may_help(trip: &Trip) -> bool {
    let (pilot, now) = (&trip.shared().pilot, trip.shared().clock.moment());
    let name = format!("{}/{}", trip.provider, trip.model);
    let seat = pilot.vitals.seat(&pilot.board, trip.route.endpoint, &name);
    pilot.vitals.may_repeat(&seat, now)
}

fn broken(why: &Break) -> Error {
    match why {
        Break::Died(error) => error.clone(),
        Break::Silent => Error::new(Code::StreamIdle, "The provider fell silent."),
    }
}

/// The attempt that is out, as one that failed.
fn tried(trip: &Trip, cause: &'static str) -> Tried {
    Tried {
        provider: trip.provider.clone(),
        model: trip.model.clone(),
        cause,
        message: "Its stream did not come to its end.".to_owned(),
    }
}

impl HttpBody for RescueBody {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        let body = self.get_mut();
        loop {
            match &mut body.state {
                State::Relaying(relay) => {
                    match std::task::ready!(Pin::new(&mut *relay).poll_frame(cx)) {
                        None => match relay.broken() {
                            Some(parts) => {
                                if let Some(bytes) = body.begin(parts) {
                                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                                }
                            }
                            None => body.state = State::Over,
                        },
                        frame => return Poll::Ready(frame),
                    }
                }
                State::Mending(_) => {
                    if let Some(bytes) = std::task::ready!(body.mend(cx)) {
                        return Poll::Ready(Some(Ok(Frame::data(bytes))));
                    }
                }
                State::Parting => {
                    std::task::ready!(body.tick.as_mut().poll(cx));
                    body.state = State::Over;
                    return Poll::Ready(Some(Err(Aborted)));
                }
                State::Over => return Poll::Ready(None),
            }
        }
    }
}
