//! A stream that another answer carries on where its own provider dies or falls silent.
//!
//! The body of every stream that may be helped. While all goes well it is its relay and nothing else. Where the relay
//! can go on only with help, the targets that are left are tried inside this body: their answer is kept back while it
//! repeats what was shown, and takes the stream over with what follows. A silent one is heard on beside that: whoever
//! speaks first goes on, and the others are given up and billed for what they said.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use tokio::time::{Instant, Sleep};

use crate::chat::splice::Said;
use crate::chat::{Code, Error};
use crate::net::Aborted;

use super::aid::Aid;
use super::broken::Break;
use super::given_up::tried;
use super::mending::{Case, Mending, Turn, Waits};
use super::patience::{HELPS, may_help, relay};
use super::silent::Silent;
use crate::gateway::answer;
use crate::gateway::attempt::Begun;
use crate::gateway::drain::{self, Drained};
use crate::gateway::ending::{How, Outcome};
use crate::gateway::feed::Feed;
use crate::gateway::figures::rescues::Ended;
use crate::gateway::settle::Trip;
use crate::gateway::tries::{AllFailed, NobodyLeft};
use crate::gateway::voice::Voice;

/// How long an error event is given to leave before the connection is cut.
const PARTING: Duration = Duration::from_millis(20);

/// Longer than any stream.
const NEVER: Duration = Duration::from_hours(24);

/// A call that came to nothing before anything was shown.
pub type Lossy = Box<(Box<Trip>, AllFailed)>;

/// The body.
pub struct RescueBody {
    state: State,
    aid: Option<Box<Aid>>,
    tick: Pin<Box<Sleep>>,
    /// How often help was called for silence.
    helps: u32,
    /// When the next comment is due.
    beat: Instant,
    /// Whether nothing has left yet: then a failure has a status.
    opening: bool,
    /// What the client gets of the head of whoever answers.
    carried: HeaderMap,
}

enum State {
    Relaying(Drained),
    Mending(Box<Mending>),
    /// Nobody could answer, and nothing was shown.
    Lost(Lossy),
    Parting,
    Over,
}

impl fmt::Debug for RescueBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RescueBody").finish_non_exhaustive()
    }
}

impl RescueBody {
    /// The body of an answer that has something to show.
    #[must_use]
    pub fn new(
        (feed, carried): (Box<Feed<Voice>>, HeaderMap),
        trip: Box<Trip>,
        aid: Option<Box<Aid>>,
    ) -> Self {
        let relay = Drained::new(relay(feed, trip, 0));
        let mut body = Self::at(State::Relaying(relay), aid);
        body.carried = carried;
        body
    }

    /// The body of an answer whose first word is late.
    #[must_use]
    pub fn silent(silent: Silent, trip: Box<Trip>, aid: Box<Aid>) -> Self {
        let mut body = Self::at(State::Over, Some(aid));
        body.opening = true;
        body.falls_silent(silent, trip, Box::default());
        body
    }

    fn at(state: State, aid: Option<Box<Aid>>) -> Self {
        Self {
            state,
            aid,
            tick: Box::pin(tokio::time::sleep(Duration::ZERO)),
            helps: 0,
            beat: Instant::now(),
            opening: false,
            carried: HeaderMap::new(),
        }
    }

    /// Waits until there is something to show, so that until then a failure keeps its status.
    ///
    /// # Errors
    /// Nobody could answer.
    pub async fn opens(&mut self) -> Result<(), Lossy> {
        let opened = std::future::poll_fn(|cx| self.poll_open(cx)).await;
        self.opening = false;
        opened
    }

    /// What the head of the response says, once there is something to show.
    #[must_use]
    pub fn headers(&mut self) -> HeaderMap {
        let carried = std::mem::take(&mut self.carried);
        let State::Relaying(relay) = &self.state else {
            return answer::stream_head();
        };
        let told = |trip| answer::stream(trip, carried);
        relay.trip().map_or_else(answer::stream_head, told)
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lossy>> {
        while matches!(self.state, State::Mending(_)) {
            // Nothing is said yet, so that no comment is needed.
            std::task::ready!(self.mend(cx));
        }
        match std::mem::replace(&mut self.state, State::Over) {
            State::Lost(lost) => Poll::Ready(Err(lost)),
            state => {
                self.state = state;
                Poll::Ready(Ok(()))
            }
        }
    }

    fn arm(&mut self, at: Instant) {
        let soonest = Instant::now() + Duration::from_millis(1);
        self.tick.as_mut().reset(at.max(soonest));
    }

    /// Begins to help a stream that died or fell silent.
    fn begin(&mut self, parts: (Box<Feed<Voice>>, Box<Trip>, Break)) -> Option<Bytes> {
        let (mut feed, mut trip, why) = parts;
        if feed.ear.has_spoken() {
            trip.relief.until = None;
        }
        let said = feed.ear.said();
        let error = why.error();
        let said = said.filter(|said| said.can_be_repeated());
        let (Some(said), true) = (said, self.aid.is_some()) else {
            trip.broke(feed.heard(), error.code);
            return Some(self.end(feed.ear.writer, trip, &error));
        };
        match why {
            Break::Died(_) => {
                let code = error.code;
                let voice = feed.ear.writer.clone();
                let case = Case::of(&trip, voice, said, error);
                trip.failed.push(tried(&trip, code.row().code));
                trip.abandoned(feed.heard(), Some(code));
                if let Some(aid) = self.aid.take() {
                    let mut mending = Mending::new(case, (trip, aid));
                    mending.asks();
                    self.mends(mending);
                }
            }
            Break::Silent(since) => {
                feed.ear.keep(said.clone());
                self.falls_silent(Silent::unheard(feed, since), trip, said);
            }
        }
        None
    }

    /// Others are asked beside one that is silent, where that may be.
    fn falls_silent(&mut self, silent: Silent, trip: Box<Trip>, said: Box<Said>) {
        let (Some(voice), Some(aid)) = (silent.voice().cloned(), self.aid.take()) else {
            return;
        };
        let error = Error::new(Code::StreamIdle, "The provider fell silent.");
        let may = may_help(&trip);
        let mut mending = Mending::new(Case::of(&trip, voice, said, error), (trip, aid));
        mending.waits_for(silent, false);
        if may {
            self.helps += 1;
            mending.asks();
        } else {
            self.helps = HELPS;
        }
        self.mends(mending);
    }

    fn mends(&mut self, mending: Mending) {
        self.state = State::Mending(Box::new(mending));
        self.beat = Instant::now() + self.heartbeat();
        self.rests();
    }

    /// How often a comment keeps the connection warm.
    fn heartbeat(&self) -> Duration {
        let State::Mending(mending) = &self.state else {
            return NEVER;
        };
        let beat = mending.settings().heartbeat;
        if beat.is_zero() { NEVER } else { beat }
    }

    /// Waits for the next comment, or for what ends the waiting.
    fn rests(&mut self) {
        if let State::Mending(mending) = &self.state {
            let limit = mending.next_limit();
            self.arm(self.beat.min(limit.into()));
        }
    }

    /// Ends a stream that nobody can carry on.
    fn end(&mut self, mut voice: Voice, mut trip: Box<Trip>, error: &Error) -> Bytes {
        trip.outcome = Outcome::Failed(error.code.row().code);
        drop(trip);
        voice.error(error);
        self.state = State::Parting;
        self.arm(Instant::now() + PARTING);
        voice.take()
    }

    /// Looks at those who are waited for.
    fn mend(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let State::Mending(mending) = &mut self.state else {
            return Poll::Ready(None);
        };
        match mending.poll(cx) {
            Poll::Ready(Turn::Speaks(trip, aid, waits)) => self.speaks(trip, aid, waits),
            Poll::Ready(Turn::Helped(trip, aid, begun)) => self.helped(trip, aid, begun),
            Poll::Ready(Turn::Stuck) if mending.has_others() => {
                mending.asks();
                self.rests();
            }
            Poll::Ready(Turn::Stuck) if mending.asks_to_go_on() => self.rests(),
            Poll::Ready(Turn::Stuck) => return Poll::Ready(self.wrecked(None)),
            Poll::Ready(Turn::Over(error)) => return Poll::Ready(self.wrecked(Some(error))),
            Poll::Pending => {
                std::task::ready!(self.tick.as_mut().poll(cx));
                let beats = Instant::now() >= self.beat;
                if beats {
                    self.beat = Instant::now() + self.heartbeat();
                }
                self.rests();
                let ping = Bytes::from_static(b": ping\n\n");
                return Poll::Ready(beats.then_some(ping));
            }
        }
        Poll::Ready(None)
    }

    /// One that was silent has spoken first: the others are given up.
    fn speaks(&mut self, mut trip: Box<Trip>, aid: Box<Aid>, waits: Box<Waits>) {
        let State::Mending(mending) = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        let (case, others) = mending.others(waits.ended());
        Mending::lets_go(others, &mut trip);
        trip.take_up(waits.attempted);
        if waits.helps {
            trip.relief.done = Some(case.done);
        }
        if let Some((feed, carried)) = waits.silent.feed() {
            if trip.relief.until.is_some() {
                trip.first = Some(trip.elapsed());
            }
            self.goes_on(feed, carried, trip, aid);
        }
    }

    /// Help has come, or there is none.
    fn helped(&mut self, mut trip: Box<Trip>, aid: Box<Aid>, begun: Result<Begun, NobodyLeft>) {
        let State::Mending(mut mending) = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        trip.relief.carried = None;
        match begun {
            Ok(Begun::Stream(feed, carried)) => {
                let (case, others) = mending.others(Ended::CarriedOn);
                Mending::lets_go(others, &mut trip);
                // What the client waited for its first word is not what this one took.
                trip.first = trip.first.filter(|_| case.done.how == How::Restart);
                trip.relief.done = Some(case.done);
                self.goes_on(feed, carried, trip, aid);
                return;
            }
            Ok(Begun::Silent(silent)) => {
                let may = self.helps < HELPS && may_help(&trip);
                mending.returns(trip, aid);
                mending.waits_for(*silent, true);
                if may && mending.has_others() {
                    self.helps += 1;
                    mending.asks();
                }
            }
            Ok(Begun::Whole(..)) => mending.returns(trip, aid),
            Err(nobody) => {
                mending.returns(trip, aid);
                mending.despairs(nobody.last);
            }
        }
        self.mends(*mending);
    }

    fn goes_on(
        &mut self,
        feed: Box<Feed<Voice>>,
        carried: HeaderMap,
        trip: Box<Trip>,
        aid: Box<Aid>,
    ) {
        self.carried = carried;
        self.aid = Some(aid);
        let relay = relay(feed, trip, self.helps);
        self.state = State::Relaying(Drained::new(relay));
    }

    /// Nobody could mend it: told by the status where nothing was shown, else by an error event.
    fn wrecked(&mut self, over: Option<Error>) -> Option<Bytes> {
        let State::Mending(mending) = std::mem::replace(&mut self.state, State::Over) else {
            return None;
        };
        let (case, mut trip, failed) = mending.wreck(over)?;
        if self.opening {
            trip.outcome = Outcome::Failed(failed.error.code.row().code);
            self.state = State::Lost(Box::new((trip, failed)));
            return None;
        }
        Some(self.end(case.voice, trip, &case.error))
    }
}

/// The client left while others were asked: they are given up, and the silent one is settled, or heard to its end, as if
/// nobody had been asked.
impl Drop for RescueBody {
    fn drop(&mut self) {
        let State::Mending(mending) = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        if let Some((trip, Some(feed))) = mending.deserted() {
            drain::left(feed, trip);
        }
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
                State::Lost(_) | State::Over => return Poll::Ready(None),
            }
        }
    }
}
