//! The way back of a site that was down: calls return to it in steps, as its answers show that it bears them.

use serde::{Deserialize, Serialize};

use crate::route::moment::Moment;

/// How far a site is on its way back. Each answer makes room for two calls more, so that it takes twice as many each
/// time it has answered all it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ramp {
    /// When it came back; 0 where it was not away.
    began: u64,
    /// How many more calls it takes now.
    room: u32,
    /// How many of those it took it has answered.
    answers: u32,
    /// How often its breaker had opened in a row.
    opened: u32,
}

/// Calls that the first answer makes room for, and each that follows.
const ROOM: u32 = 2;

/// After so many answers it is as if it had never been away.
const ENOUGH: u32 = 64;

/// After so many milliseconds too: where few calls come there is no rush to be held back, and calls that end without
/// a word of it hold nobody up.
const LONGEST: u64 = 10_000;

impl Ramp {
    /// Of a site that was not away.
    pub const NONE: Self = Self {
        began: 0,
        room: 0,
        answers: 0,
        opened: 0,
    };

    /// It is back, after so many times.
    #[must_use]
    pub const fn begin(now: Moment, opened: u32) -> Self {
        Self {
            began: now.as_millis(),
            room: ROOM,
            answers: 0,
            opened,
        }
    }

    /// Whether it is still on its way.
    #[must_use]
    pub const fn lasts(&self, now: Moment) -> bool {
        let since = now.since(Moment::millis(self.began));
        self.began != 0 && self.answers < ENOUGH && since < LONGEST
    }

    /// Whether one more call may come. What may be is counted.
    pub const fn enters(&mut self) -> bool {
        let enters = self.room > 0;
        self.room = self.room.saturating_sub(1);
        enters
    }

    /// A call that had begun at a moment was answered.
    pub const fn answered(&mut self, began: Moment) {
        if self.began != 0 && began.as_millis() >= self.began {
            self.answers = self.answers.saturating_add(1);
            self.room = self.room.saturating_add(ROOM);
        }
    }

    /// How often its breaker had opened in a row.
    #[must_use]
    pub const fn opened(&self) -> u32 {
        self.opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::millis(1_795_500_000_000);

    /// How many of a crowd may come.
    fn crowd(ramp: &mut Ramp) -> u32 {
        (0..1_000).map(|_| u32::from(ramp.enters())).sum()
    }

    #[test]
    fn each_step_takes_twice_as_many_until_it_is_over() {
        let mut ramp = Ramp::begin(NOW, 1);
        let mut steps = Vec::new();
        while ramp.lasts(NOW) {
            let came = crowd(&mut ramp);
            steps.push(came);
            for _ in 0..came {
                ramp.answered(NOW);
            }
        }
        assert_eq!(steps, [2, 4, 8, 16, 32, 64]);
    }

    #[test]
    fn those_who_say_nothing_hold_nobody_up_for_ever() {
        let mut ramp = Ramp::begin(NOW, 3);
        assert_eq!((crowd(&mut ramp), crowd(&mut ramp)), (2, 0));
        ramp.answered(Moment::millis(5));
        assert_eq!(crowd(&mut ramp), 0, "it had begun before the outage");
        assert!(ramp.lasts(NOW.after(9_999)) && !ramp.lasts(NOW.after(10_000)));
        assert!(!Ramp::default().lasts(NOW), "it was not away");
    }
}
