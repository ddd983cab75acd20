//! The breaker of one site: closed, open for a while, then one call at a time until one succeeds, then more and more.

use serde::{Deserialize, Serialize};

use crate::route::moment::Moment;
use crate::route::number::{self, count};

use super::ramp::Ramp;

/// Whether a site may be called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gate {
    /// Yes.
    #[default]
    Closed,
    /// Not for so many milliseconds.
    Open(u64),
    /// By one call at a time, to see whether it is back.
    Trial,
    /// By more and more calls, as it is back: see [`Ramp`].
    Returning,
}

/// Opens after failures in a row or a bad share of late, for 5 s, then 10, then 20, up to a quarter less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Breaker {
    /// Failures in a row.
    streak: u32,
    /// How many of them are no surprise.
    usual: u32,
    /// When the last of them was.
    pub failed: u64,
    /// When the first of them had begun: who began before it and is answered late tells nothing new.
    sent: u64,
    /// Calls and failures of the last seconds, decayed.
    calls: f32,
    bad: f32,
    /// How often it opened in a row; 0 is closed.
    opened: u32,
    /// When a trial may be made.
    until: u64,
    /// When the trial under way began; 0 where there is none.
    trial: u64,
    /// Its way back.
    #[serde(default)]
    ramp: Ramp,
    /// What is known of the breakers of other nodes.
    #[serde(skip)]
    pub(super) among: Among,
}

/// What a breaker knows of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Among {
    /// Whether there are others, who share their trials.
    pub(super) others: bool,
    /// Until when this node may try.
    pub(super) leave: u64,
    /// When a call of this node's own was last answered.
    pub(super) answered: u64,
}

impl Among {
    /// Whether others have the trial.
    pub(super) const fn keeps_back(&self, now: Moment) -> bool {
        self.others && self.leave <= now.as_millis()
    }
}

/// Failures in a row that open it.
const STREAK: u32 = 5;

/// The same of one that has just come back.
const STREAK_BACK: u32 = 3;

/// Calls without which a share says nothing.
const ENOUGH: f32 = 10.0;

/// The first time it stays open, in milliseconds, and the longest.
pub(super) const FIRST: u64 = 5_000;
const LONGEST: u64 = 20_000;

/// After so long without an end of a trial another is made.
const TRIAL: u64 = 8_000;

/// Milliseconds after which it is worth asking again whether other nodes have made theirs.
const ASKED: u64 = 250;

impl Breaker {
    /// What it lets through.
    #[must_use]
    pub const fn gate(&self, now: Moment) -> Gate {
        if self.opened == 0 {
            return if self.ramp.lasts(now) {
                Gate::Returning
            } else {
                Gate::Closed
            };
        }
        match self.rests(now) {
            0 if self.among.keeps_back(now) => Gate::Open(ASKED),
            0 => Gate::Trial,
            left => Gate::Open(left),
        }
    }

    /// Milliseconds until a trial is due, whoever makes it.
    pub(super) const fn rests(&self, now: Moment) -> u64 {
        // A trial that says nothing does not keep others from trying for ever.
        let silent = if self.trial == 0 {
            0
        } else {
            self.trial.saturating_add(TRIAL)
        };
        let until = if silent > self.until {
            silent
        } else {
            self.until
        };
        Moment::millis(until).since(now)
    }

    /// How often it opened in a row; 0 is closed.
    pub(super) const fn opened(&self) -> u32 {
        self.opened
    }

    /// Whether a trial is under way.
    pub(super) const fn tries(&self) -> bool {
        self.trial != 0
    }

    /// Opens it, for the so manieth time in a row: others have seen why.
    pub(super) const fn open(&mut self, until: Moment, opened: u32) {
        (self.opened, self.until, self.trial) = (opened, until.as_millis(), 0);
        (self.ramp, self.streak) = (Ramp::NONE, 0);
    }

    /// Closes it, as others have seen that it is back: calls return to it in steps from here, too.
    pub(super) const fn close(&mut self, now: Moment) {
        if self.opened > 0 {
            (self.calls, self.bad) = (0.0, 0.0);
            self.ramp = Ramp::begin(now, self.opened);
        }
        (self.streak, self.opened, self.trial) = (0, 0, 0);
    }

    /// A call begins: if a trial is due, this is it. Says whether it is.
    pub fn began(&mut self, now: Moment) -> bool {
        let trial = self.gate(now) == Gate::Trial;
        if trial {
            self.trial = now.as_millis();
        }
        trial
    }

    /// Whether one more call may come while it returns. What may be is counted.
    pub const fn returns(&mut self) -> bool {
        self.ramp.enters()
    }

    /// Forgets of the last seconds what is over.
    pub fn fade(&mut self, remains: f64) {
        self.calls *= number::small(remains);
        self.bad *= number::small(remains);
    }

    /// A call succeeded that had begun at a moment.
    pub const fn succeeded(&mut self, now: Moment, began: Moment) {
        self.among.answered = now.as_millis();
        if self.streak > 0 && began.as_millis() < self.sent {
            self.calls += 1.0;
            return;
        }
        if self.opened > 0 {
            (self.calls, self.bad) = (0.0, 0.0);
            self.ramp = Ramp::begin(now, self.opened);
        } else {
            self.ramp.answered(began);
        }
        self.calls += 1.0;
        self.streak = 0;
        self.opened = 0;
        self.trial = 0;
    }

    /// Failures in a row, less those that are no surprise.
    #[must_use]
    pub const fn streak(&self) -> u32 {
        self.streak.saturating_sub(self.usual)
    }

    /// Whether one more failure is a matter of its nature: the first few are, and those that are no surprise.
    #[must_use]
    pub const fn by_nature(&self) -> bool {
        self.streak < 2 || self.streak() == 0
    }

    /// A call failed that had begun at a moment. So many failures in a row are `usual` where many calls are under way
    /// and failures come sooner than answers do. `salt` tells sites apart, so that they are not all tried again at once.
    pub fn failed(&mut self, now: Moment, (began, usual): (Moment, u32), salt: u64) {
        self.calls += 1.0;
        self.bad += 1.0;
        self.streak = self.streak.saturating_add(1);
        self.failed = now.as_millis();
        self.usual = usual;
        if self.streak == 1 {
            self.sent = began.as_millis();
        }
        let bad = self.calls >= ENOUGH && self.bad * 2.0 > self.calls;
        let back = self.ramp.lasts(now);
        let streak = if back { STREAK_BACK } else { STREAK };
        // What fails while it is open, and is no trial, was sent before and tells nothing new.
        let due = if self.opened == 0 {
            self.streak() >= streak || bad
        } else {
            self.trial != 0 && began.as_millis() >= self.trial
        };
        if !due {
            return;
        }
        self.trial = 0;
        if back {
            // It was not back: this goes on where it was.
            self.opened = self.ramp.opened();
        }
        self.ramp = Ramp::default();
        let longer = FIRST << self.opened.min(2);
        self.opened = self.opened.saturating_add(1);
        let draw = number::uniform(number::mix(salt, now.as_millis()));
        let jitter = draw * 0.25 + 0.75;
        let open = count(number::float(longer.min(LONGEST)) * jitter);
        self.until = now.after(open).as_millis();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_tries_and_closes() {
        let mut breaker = Breaker::default();
        let at = |seconds: u64| Moment::millis(seconds * 1000 + 1);
        for call in 0..4 {
            breaker.failed(at(call), (at(call), 0), 1);
        }
        assert_eq!(breaker.gate(at(4)), Gate::Closed);
        breaker.failed(at(4), (at(4), 0), 1);
        let Gate::Open(first) = breaker.gate(at(4)) else {
            panic!("it is open")
        };
        assert!((3_750..=5_000).contains(&first), "{first}");
        breaker.failed(at(5), (at(1), 0), 1);
        assert_eq!(
            breaker.gate(at(4).after(first)),
            Gate::Trial,
            "late failures prolong nothing"
        );
        let mut now = at(4).after(first);
        for _ in 0..6 {
            breaker.failed(now, (now, 0), 1);
            assert_eq!(breaker.gate(now), Gate::Trial, "no trial was made yet");
            assert!(breaker.began(now));
            assert_eq!(breaker.gate(now), Gate::Open(8_000), "one at a time");
            assert_eq!(breaker.gate(now.after(8_000)), Gate::Trial);
            breaker.failed(now, (now, 0), 1);
            let Gate::Open(left) = breaker.gate(now) else {
                panic!("it is open")
            };
            assert!(left <= 20_000);
            now = now.after(left);
        }
        assert_eq!(breaker.gate(now), Gate::Trial);
        breaker.succeeded(now, Moment::default());
        let late = "it began before all that";
        assert_eq!(breaker.gate(now), Gate::Trial, "{late}");
        breaker.succeeded(now, now);
        assert_eq!((breaker.gate(now), breaker.streak()), (Gate::Returning, 0));
        assert_eq!(breaker.gate(now.after(10_000)), Gate::Closed);
    }

    /// Opens it, and lets a trial succeed.
    fn back() -> (Breaker, Moment) {
        let (mut breaker, now) = (Breaker::default(), Moment::millis(1));
        for _ in 0..5 {
            breaker.failed(now, (now, 0), 1);
        }
        let later = now.after(5_000);
        assert!(breaker.began(later));
        breaker.succeeded(later, later);
        (breaker, later)
    }

    #[test]
    fn calls_come_back_in_steps() {
        let (mut breaker, now) = back();
        let crowd = |breaker: &mut Breaker| (0..100).filter(|_| breaker.returns()).count();
        assert_eq!(crowd(&mut breaker), 2);
        breaker.succeeded(now.after(9), now);
        assert_eq!(crowd(&mut breaker), 2, "one of both is under way");
        breaker.failed(now.after(9), (now, 0), 1);
        assert_eq!(crowd(&mut breaker), 0, "a failure makes no room");
        assert_eq!(breaker.gate(now.after(9)), Gate::Returning, "nor an outage");
        for _ in 0..63 {
            breaker.succeeded(now.after(9), now);
        }
        assert_eq!(breaker.gate(now.after(9)), Gate::Closed);
    }

    #[test]
    fn what_breaks_under_its_returning_calls_rests_for_longer() {
        let (mut breaker, now) = back();
        breaker.failed(now, (now, 0), 1);
        breaker.failed(now, (now, 0), 1);
        assert_eq!(breaker.gate(now), Gate::Returning);
        breaker.failed(now, (now, 0), 1);
        let Gate::Open(left) = breaker.gate(now) else {
            panic!("it is open")
        };
        assert!((7_500..=10_000).contains(&left), "the second time: {left}");
    }

    #[test]
    fn a_bad_share_opens_it_too() {
        let mut breaker = Breaker::default();
        let now = Moment::millis(1);
        for call in 0..12 {
            if call % 3 == 0 {
                breaker.succeeded(now, now);
            } else {
                breaker.failed(now, (now, 0), 1);
            }
        }
        assert!(matches!(breaker.gate(now), Gate::Open(_)));
    }
}
