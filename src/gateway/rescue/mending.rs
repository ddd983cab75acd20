//! A stream that cannot go on by itself: those who are silent, and those who are asked beside them, all waited for at
//! once.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::chat::splice::Said;
use crate::chat::{Code, Error};
use crate::route::{self, Next};

use super::aid::{Aid, Lent, Work, work};
use super::aside::Attempted;
use super::relief::Carried;
use super::silent::{Dead, Silent};
use crate::gateway::attempt::Begun;
use crate::gateway::ending::{Done, How, shutting_down};
use crate::gateway::failed::{Lost, no_time};
use crate::gateway::feed::Feed;
use crate::gateway::figures::rescues::Ended;
use crate::gateway::settle::Trip;
use crate::gateway::shared::{Settings, Shared};
use crate::gateway::tries::{AllFailed, NobodyLeft};
use crate::gateway::voice::Voice;

/// What is known of a stream that is to be mended.
#[derive(Debug)]
pub(super) struct Case {
    /// How the client is told.
    pub voice: Voice,
    /// What it was shown.
    pub said: Box<Said>,
    /// What of that is to be repeated, where it is not all.
    pub due: Option<Box<Said>>,
    /// What it is told where nobody can help.
    pub error: Error,
    /// What is told of it where somebody can.
    pub done: Done,
}

impl Case {
    /// That of the attempt that is out.
    pub(super) fn of(trip: &Trip, voice: Voice, said: Box<Said>, error: Error) -> Self {
        let how = if said.is_answer() {
            How::Verified
        } else {
            How::Restart
        };
        let done = Done {
            from: format!("{}/{}", trip.provider, trip.model),
            at: said.characters(),
            how,
        };
        Self {
            voice,
            said,
            due: None,
            error,
            done,
        }
    }
}

/// A stream that is being mended.
pub(super) struct Mending {
    /// What is known of it.
    pub case: Case,
    /// Those who are silent, in the order in which they began.
    waits: Vec<Waits>,
    work: Option<Work>,
    /// The call, where the work is given up.
    lent: Lent,
    /// The call, while nobody is asked.
    idle: Option<(Box<Trip>, Box<Aid>)>,
    /// Why nobody who was asked could help.
    last: Option<Lost>,
    /// Whether anybody was asked at all.
    asked: bool,
    /// Whether those who were silent had died before that.
    deaf: bool,
    /// Until when the caller waits for its first event.
    until: Option<Instant>,
    started: Instant,
    shared: Arc<Shared>,
}

/// One that is silent.
#[derive(Debug)]
pub(super) struct Waits {
    pub silent: Silent,
    pub attempted: Attempted,
    /// Whether it was asked to help another.
    pub helps: bool,
    pub dead: Option<Dead>,
}

/// A call whose client has left, and the one that is still to be heard.
type Deserted = (Box<Trip>, Option<Box<Feed<Voice>>>);

/// What has come of it.
pub(super) enum Turn {
    /// One that was silent has spoken.
    Speaks(Box<Trip>, Box<Aid>, Box<Waits>),
    /// The work is done.
    Helped(Box<Trip>, Box<Aid>, Result<Begun, NobodyLeft>),
    /// Nobody is asked, and those who were silent are dead.
    Stuck,
    /// It may not take any longer.
    Over(Error),
}

impl Mending {
    pub(super) fn new(case: Case, (trip, aid): (Box<Trip>, Box<Aid>)) -> Self {
        Self {
            case,
            waits: Vec::new(),
            work: None,
            lent: Lent::default(),
            last: None,
            asked: false,
            deaf: true,
            until: trip.relief.until,
            started: trip.started,
            shared: Arc::clone(trip.shared()),
            idle: Some((trip, aid)),
        }
    }

    /// Waits on for the attempt that is out, which is silent.
    pub(super) fn waits_for(&mut self, silent: Silent, helps: bool) {
        if let Some((trip, _)) = &mut self.idle {
            self.waits.push(Waits {
                silent,
                attempted: trip.set_aside(),
                helps,
                dead: None,
            });
        }
    }

    /// Asks those who are left, while nobody is asked.
    pub(super) fn asks(&mut self) {
        if let Some((trip, mut aid)) = self.idle.take() {
            if self.case.due.is_none() {
                aid.asks_as_before();
            }
            let carried = Carried {
                voice: self.case.voice.clone(),
                said: self.case.said.clone(),
                due: self.case.due.clone(),
            };
            self.asked = true;
            self.work = Some(work(trip, aid, carried, &self.lent));
        }
    }

    /// Asks those that can to go on from what was shown, where nobody repeats it. Says whether there is anybody.
    pub(super) fn asks_to_go_on(&mut self) -> bool {
        let (case, shared) = (&self.case, &self.shared);
        let ways: &[How] = match case.done.how {
            How::Restart | How::Verified => &[How::Prefill, How::Continue],
            How::Prefill => &[How::Continue],
            How::Continue => &[],
        };
        let leads_on = self.leads_on();
        let Some((trip, aid)) = self.idle.as_mut().filter(|_| leads_on) else {
            return false;
        };
        let shown = (&*case.said, &*case.done.from);
        let mut found = ways
            .iter()
            .filter_map(|how| Some((aid.goes_on(shared, shown, *how)?, *how)));
        let Some((due, how)) = found.next() else {
            return false;
        };
        trip.relief.next = 0;
        self.counts(Ended::Failed);
        (self.case.due, self.case.done.how) = (Some(due), how);
        self.asks();
        true
    }

    /// The call comes back, after an attempt to help.
    pub(super) fn returns(&mut self, trip: Box<Trip>, aid: Box<Aid>) {
        self.idle = Some((trip, aid));
    }

    /// Nobody who was asked could help.
    pub(super) fn despairs(&mut self, last: Option<Lost>) {
        self.last = last;
        self.deaf = self.waits.iter().all(|waits| waits.dead.is_some());
        if let Some((_, aid)) = &mut self.idle {
            aid.passes_over();
        }
    }

    /// Whether anybody is left to be asked after those who were silent have died: not where one of them gave a verdict.
    pub(super) fn has_others(&self) -> bool {
        let left = |(trip, aid): &(Box<Trip>, Box<Aid>)| aid.course.legs.len() > trip.relief.next;
        self.idle.as_ref().is_some_and(left) && self.leads_on()
    }

    /// Whether nobody gave a verdict on the request itself.
    fn leads_on(&self) -> bool {
        let verdict = match &self.last {
            Some(Lost::Failed(failure, _)) => route::next(failure) == Next::Stop,
            Some(Lost::Refused(_)) | None => false,
        };
        let led_on = |waits: &Waits| waits.dead.as_ref().is_none_or(Dead::leads_on);
        !verdict && self.waits.iter().all(led_on)
    }

    /// Waits for whatever comes first.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        if let Some(at) = self.speaks(cx)
            && let Some((trip, aid)) = self.recall()
        {
            let waits = Box::new(self.waits.remove(at));
            return Poll::Ready(Turn::Speaks(trip, aid, waits));
        }
        if let Some(work) = &mut self.work
            && let Poll::Ready((trip, aid, begun)) = work.as_mut().poll(cx)
        {
            self.work = None;
            return Poll::Ready(Turn::Helped(trip, aid, begun));
        }
        if let Some(error) = self.over() {
            return Poll::Ready(Turn::Over(error));
        }
        if self.work.is_none() && self.waits.iter().all(|waits| waits.dead.is_some()) {
            return Poll::Ready(Turn::Stuck);
        }
        Poll::Pending
    }

    /// The first of the silent that has spoken.
    fn speaks(&mut self, cx: &mut Context<'_>) -> Option<usize> {
        let (shared, now) = (&self.shared, self.shared.clock.now());
        for (at, waits) in self.waits.iter_mut().enumerate() {
            if waits.dead.is_some() {
                continue;
            }
            match waits.silent.poll(cx, (&mut waits.attempted, shared)) {
                Poll::Ready(Ok(())) => return Some(at),
                Poll::Ready(Err(dead)) => waits.dead = Some(dead),
                // Help that failed does not make the silence any shorter.
                Poll::Pending
                    if now.saturating_duration_since(waits.silent.since)
                        >= shared.settings.idle =>
                {
                    waits.dead = Some(waits.fell_silent());
                }
                Poll::Pending => {}
            }
        }
        None
    }

    /// Why it may not take any longer, if so.
    fn over(&self) -> Option<Error> {
        let now = self.shared.clock.now();
        if self.shared.load.is_cut() {
            return Some(shutting_down());
        }
        if now.saturating_duration_since(self.started) >= self.shared.settings.total {
            let message = "The stream took longer than allowed.";
            return Some(Error::new(Code::StreamTotal, message));
        }
        // Those who are asked know the deadline themselves.
        let late = self.until.is_some_and(|until| now >= until) && self.work.is_none();
        let silent = self.waits.first().filter(|_| late)?;
        Some(no_time(silent.attempted.provider()).error())
    }

    /// When it is to be looked at again.
    pub(super) fn next_limit(&self) -> Instant {
        let settings = self.shared.settings;
        let alive = self.waits.iter().filter(|waits| waits.dead.is_none());
        let limits = alive.map(|waits| waits.silent.since + settings.idle);
        let limits = limits.chain(self.until.filter(|_| self.work.is_none()));
        limits.fold(self.started + settings.total, Instant::min)
    }

    /// Takes the call back from whoever has it.
    fn recall(&mut self) -> Option<(Box<Trip>, Box<Aid>)> {
        if let Some(work) = self.work.take() {
            drop(work);
            if let Some((mut trip, aid)) = self.lent.back() {
                trip.recalled();
                self.idle = Some((trip, aid));
            }
        }
        let mut held = self.idle.take()?;
        held.0.relief.carried = None;
        Some(held)
    }

    /// Another has spoken first, so that nobody waits for these any more.
    pub(super) fn lets_go(waits: Vec<Waits>, trip: &mut Trip) {
        for waits in waits.into_iter().rev() {
            trip.gives_up((waits.silent, waits.dead), waits.attempted);
        }
    }

    /// Those who were silent beside the one that has spoken.
    pub(super) fn others(self, ended: Ended) -> (Case, Vec<Waits>) {
        self.counts(ended);
        (self.case, self.waits)
    }

    /// Notes how it has ended, where anybody was asked.
    fn counts(&self, ended: Ended) {
        if self.asked {
            let figures = &self.shared.tallies.figures;
            figures.rescue(self.case.done.how, ended);
        }
    }

    /// How all of it is told where nobody could mend it; `over` says why it may not take any longer, if that is why.
    /// `None` where even the call is lost.
    pub(super) fn wreck(mut self, over: Option<Error>) -> Option<(Case, Box<Trip>, AllFailed)> {
        let (mut trip, _) = self.recall()?;
        self.counts(Ended::Failed);
        let mut others = self.waits;
        let first = (!others.is_empty()).then(|| others.remove(0));
        Self::lets_go(others, &mut trip);
        let mut case = self.case;
        let Some(first) = first else {
            let failed = AllFailed::of(&mut trip, self.last);
            case.error = over.unwrap_or(case.error);
            return Some((case, trip, failed));
        };
        let dead = first.dead.unwrap_or_else(|| {
            let error = over.clone().unwrap_or_else(|| case.error.clone());
            Dead::Broke(error, Next::Stop)
        });
        let error = over.unwrap_or_else(|| dead.error());
        case.error.clone_from(&error);
        if let Dead::Broke(..) = dead {
            trip.take_up(first.attempted);
            let heard = first.silent.heard().unwrap_or_else(|| trip.unheard());
            trip.broke(heard, error.code);
            return Some((case, trip, AllFailed::by(error)));
        }
        // Whoever failed last is the answer.
        let last = if self.deaf && self.last.is_some() {
            trip.gives_up((first.silent, Some(dead)), first.attempted);
            self.last
        } else {
            trip.dies((&first.silent, first.attempted), dead)
        };
        let failed = AllFailed::of(&mut trip, last);
        Some((case, trip, failed))
    }

    /// The client has left: what remains of the call, and the one that is still to be heard where it may be.
    pub(super) fn deserted(mut self) -> Option<Deserted> {
        let (mut trip, _) = self.recall()?;
        self.counts(Ended::ClientGone);
        let mut others = self.waits;
        if others.is_empty() {
            return Some((trip, None));
        }
        let first = others.remove(0);
        Self::lets_go(others, &mut trip);
        if let Some(dead) = first.dead {
            trip.gives_up((first.silent, Some(dead)), first.attempted);
            return Some((trip, None));
        }
        trip.take_up(first.attempted);
        Some((trip, first.silent.feed().map(|(feed, _)| feed)))
    }

    /// What the house says.
    pub(super) fn settings(&self) -> &Settings {
        &self.shared.settings
    }
}

impl Waits {
    /// What its first word means for those who were asked beside it.
    pub(super) const fn ended(&self) -> Ended {
        if self.helps {
            Ended::CarriedOn
        } else {
            Ended::NotNeeded
        }
    }

    /// It took longer than any silence may.
    fn fell_silent(&self) -> Dead {
        let provider = self.attempted.provider();
        if self.silent.has_spoken() {
            let error = Error::new(Code::StreamIdle, format!("'{provider}' fell silent."));
            return Dead::Broke(error, Next::Try);
        }
        Dead::Lost(no_time(provider).into())
    }
}
