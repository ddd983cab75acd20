//! One site under calls: its statistics behind a small lock, and what a call asks of it before it is made.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::route::board::Prior;
use crate::route::moment::Moment;
use crate::route::number;

use super::cell::{Around, Cell};
use super::headroom::Left;
use super::outcome::Outcome;
use super::window::Window;

/// The statistics of one site, and its calls under way.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    cell: Mutex<Cell>,
    in_flight: AtomicU32,
    /// The sum of the moments at which these began.
    begun: AtomicU64,
    /// Whether anything was heard since its reading was worked out.
    news: AtomicBool,
    /// Its calls and repeats of late.
    window: Window,
    /// Its calls, and the help for its silence, of late.
    helps: Window,
}

impl Pulse {
    pub(super) fn of(cell: &Cell) -> Self {
        Self {
            cell: Mutex::new(*cell),
            ..Self::default()
        }
    }

    /// Its statistics as they stand.
    pub(super) fn cell(&self) -> Cell {
        *held(&self.cell)
    }

    /// Changes them from outside of any call.
    pub(super) fn change(&self, change: impl FnOnce(&mut Cell)) {
        change(&mut held(&self.cell));
        self.news.store(true, Ordering::Release);
    }

    pub(super) const fn news(&self) -> &AtomicBool {
        &self.news
    }

    /// A call begins; gives back how many are under way with it.
    pub(super) fn begin(&self, now: Moment) -> u32 {
        if held(&self.cell).began(now) {
            self.news.store(true, Ordering::Release);
        }
        self.begun.fetch_add(now.as_millis(), Ordering::Relaxed);
        self.in_flight.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The head of an answer speaks of limits.
    pub(super) fn head(&self, now: Moment, left: Left) {
        held(&self.cell).head(now, left);
        self.news.store(true, Ordering::Release);
    }

    /// A call ends that began at a moment, among so many.
    pub(super) fn end(
        &self,
        now: Moment,
        (prior, salt): (&Prior, u64),
        outcome: &Outcome,
        (began, in_flight): (Moment, u32),
    ) {
        let less = |count: u32| count.checked_sub(1);
        let _ = self
            .in_flight
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        self.begun.fetch_sub(began.as_millis(), Ordering::Relaxed);
        let around = Around {
            began,
            in_flight,
            salt,
        };
        held(&self.cell).observe(now, prior, outcome, around);
        self.news.store(true, Ordering::Release);
    }

    /// How many calls are under way, and the mean of the moments at which they began; `None` where none is.
    pub(super) fn under_way(&self) -> Option<(u32, u64)> {
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        // Both are read one after the other; a call in between moves the age of a few for the length of one plan.
        let begun = self.begun.load(Ordering::Relaxed);
        (in_flight > 0).then(|| (in_flight, begun / u64::from(in_flight)))
    }
}

/// A site that a call is about to ask.
#[derive(Clone, Debug)]
pub struct Seat {
    pulse: Arc<Pulse>,
    salt: u64,
    prior: Prior,
}

impl Seat {
    pub(super) const fn of(pulse: Arc<Pulse>, salt: u64, prior: Prior) -> Self {
        Self { pulse, salt, prior }
    }

    pub(super) fn window(&self) -> &Window {
        &self.pulse.window
    }

    pub(super) fn helps(&self) -> &Window {
        &self.pulse.helps
    }

    /// Half of the waits for a first word are below; nothing where none was measured.
    #[must_use]
    pub fn usual_wait(&self, now: Moment) -> Duration {
        let reading = held(&self.pulse.cell).reading(now);
        let seconds = f64::from(reading.wait_p50) / 1e3;
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    /// Whether it takes a call now: not while it rests from failures or its provider asked to stay away. Where it is
    /// to be seen whether it is back, the one who asks first is the one who tries.
    #[must_use]
    pub fn admits(&self, now: Moment) -> bool {
        let (admits, tries) = held(&self.pulse.cell).admits(now);
        if tries {
            self.pulse.news.store(true, Ordering::Release);
        }
        admits
    }

    /// Whether nothing speaks against it.
    #[must_use]
    pub fn is_closed(&self, now: Moment) -> bool {
        held(&self.pulse.cell).is_closed(now)
    }

    /// A call begins; gives back how many are under way with it.
    #[must_use]
    pub fn begin(&self, now: Moment) -> u32 {
        self.pulse.begin(now)
    }

    /// The head of an answer speaks of limits.
    pub fn head(&self, now: Moment, left: Left) {
        self.pulse.head(now, left);
    }

    /// It ends. Once for every [`Seat::begin`], with the moment and the number of that.
    pub fn end(&self, now: Moment, outcome: &Outcome, began: (Moment, u32)) {
        self.pulse
            .end(now, (&self.prior, self.salt), outcome, began);
    }
}

/// How many models that no list has are remembered: callers name them as they like.
const KNOWN: usize = 1_024;

/// Models that no list has, by name. Where there are too many, those that have been quiet are forgotten.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    known: Mutex<HashMap<Box<str>, Arc<Pulse>>>,
}

impl Strangers {
    pub(super) fn seat(&self, name: &str) -> Seat {
        let mut known = held(&self.known);
        let pulse = if let Some(pulse) = known.get(name) {
            Arc::clone(pulse)
        } else {
            if known.len() >= KNOWN {
                // Whoever holds a seat is under way.
                known.retain(|_, pulse| Arc::strong_count(pulse) > 1);
            }
            let pulse = Arc::<Pulse>::default();
            if known.len() < KNOWN {
                known.insert(name.into(), Arc::clone(&pulse));
            }
            pulse
        };
        Seat::of(pulse, number::name(name), Prior::of(None))
    }
}

/// The guarded thing. A panic elsewhere leaves numbers, never a broken shape.
pub(super) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::board::Board;
    use crate::route::health::{Failing, Vitals};

    const NOW: Moment = Moment::millis(1_795_500_000_000);

    fn fail(seat: &Seat, times: usize) {
        for _ in 0..times {
            let began = (NOW, seat.begin(NOW));
            let what = Failing::Server;
            seat.end(NOW, &Outcome::Failed { what, after: 1 }, began);
        }
    }

    #[test]
    fn a_model_that_no_list_has_is_known_by_its_name() {
        let (vitals, board) = (Vitals::default(), Board::default());
        let seat = |name| vitals.seat(&board, None, name);
        fail(&seat("lab/a"), 5);
        assert!(!seat("lab/a").admits(NOW));
        assert!(seat("lab/b").admits(NOW));
        assert!(!vitals.may_repeat(&seat("lab/a"), NOW), "it rests");
        assert!(vitals.may_repeat(&seat("lab/b"), NOW));
    }

    #[test]
    fn one_at_a_time_tries_whether_it_is_back() {
        let (vitals, board) = (Vitals::default(), Board::default());
        let seat = vitals.seat(&board, None, "lab/a");
        fail(&seat, 5);
        let later = NOW.after(5_000);
        assert!(seat.admits(later), "the first");
        assert!(!seat.admits(later), "and no second");
        assert!(!vitals.may_repeat(&seat, later), "a trial is not repeated");
        let began = (later, seat.begin(later));
        let answer = crate::route::health::Answer::default();
        seat.end(later.after(9), &Outcome::Answered(answer), began);
        assert!(seat.admits(later.after(9)) && seat.admits(later.after(9)));
    }

    #[test]
    fn names_are_not_remembered_without_end() {
        let strangers = Strangers::default();
        let first = strangers.seat("lab/first");
        fail(&first, 5);
        for at in 0..3 * KNOWN {
            let _ = strangers.seat(&format!("lab/{at}"));
        }
        assert!(held(&strangers.known).len() <= KNOWN);
        assert!(!strangers.seat("lab/first").admits(NOW), "it is in use");
    }
}
