//! Rate limits: so many in a minute, all at once or spread, as the generic cell rate algorithm has it.
//!
//! The state is one number: the time at which everything that was taken would have come in at its even pace.

use std::time::Duration;

/// Nanoseconds in a minute.
const MINUTE: u64 = 60_000_000_000;

/// Nanoseconds in a millisecond.
const MILLI: u64 = 1_000_000;

/// So many in a minute, never none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    count: u64,
    /// Nanoseconds from one to the next, upwards.
    each: u64,
}

/// How a limit stands after it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The limit.
    pub limit: u64,
    /// How many could be taken now.
    pub remaining: u64,
    /// When all of it could be.
    pub reset: Duration,
}

/// Why nothing was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// When it could be; `None` where it is more than ever fits.
    pub after: Option<Duration>,
    /// How the limit stands.
    pub standing: Standing,
}

/// A limit's state. It is told the time in Unix milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gate(u64);

impl Rate {
    /// So many in a minute; `None` for none, or more than one in each nanosecond.
    #[must_use]
    pub const fn per_minute(count: u64) -> Option<Self> {
        if count == 0 || count > MINUTE {
            return None;
        }
        let each = MINUTE.div_ceil(count);
        Some(Self { count, each })
    }

    /// The limit.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.count
    }

    /// How long so many take at the even pace.
    const fn span(self, count: u64) -> u64 {
        self.each.saturating_mul(count)
    }
}

impl Gate {
    /// How the limit stands.
    #[must_use]
    pub fn standing(self, rate: Rate, now: u64) -> Standing {
        let ahead = self.0.saturating_sub(nanos(now));
        let room = rate.span(rate.count).saturating_sub(ahead);
        Standing {
            limit: rate.count,
            remaining: room.checked_div(rate.each).unwrap_or(0),
            reset: Duration::from_nanos(ahead),
        }
    }

    /// Whether so many could be taken now.
    ///
    /// # Errors
    /// When they could.
    pub fn has(self, rate: Rate, count: u64, now: u64) -> Result<(), Denied> {
        let whole = rate.span(rate.count);
        let ahead = self.0.saturating_sub(nanos(now));
        let wanted = ahead.saturating_add(rate.span(count));
        if wanted <= whole {
            return Ok(());
        }
        let over = Duration::from_nanos(wanted.saturating_sub(whole));
        Err(Denied {
            after: (count <= rate.count).then_some(over),
            standing: self.standing(rate, now),
        })
    }

    /// Takes so many, whether they are there or not: what was used is used, and is waited for later.
    pub fn take(&mut self, rate: Rate, count: u64, now: u64) {
        let from = self.0.max(nanos(now));
        self.0 = from.saturating_add(rate.span(count));
    }

    /// Gives so many back.
    pub const fn give_back(&mut self, rate: Rate, count: u64) {
        self.0 = self.0.saturating_sub(rate.span(count));
    }
}

const fn nanos(millis: u64) -> u64 {
    millis.saturating_mul(MILLI)
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a test's own sums are small"
)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::proptest;

    use super::*;

    const NOW: u64 = 1_795_608_000_000;

    #[test]
    fn a_minutes_worth_comes_at_once_and_then_each_in_its_time() {
        let rate = Rate::per_minute(60).unwrap();
        let mut gate = Gate::default();
        for left in (0..60).rev() {
            gate.has(rate, 1, NOW).unwrap();
            gate.take(rate, 1, NOW);
            assert_eq!(gate.standing(rate, NOW).remaining, left);
        }
        let denied = gate.has(rate, 1, NOW).unwrap_err();
        assert_eq!(denied.after, Some(Duration::from_secs(1)));
        assert_eq!(denied.standing.reset, Duration::from_mins(1));
        assert_eq!(
            gate.has(rate, 1, NOW + 999).unwrap_err().after,
            Some(Duration::from_millis(1))
        );
        assert_eq!(gate.has(rate, 1, NOW + 1_000), Ok(()));
        gate.give_back(rate, 5);
        assert_eq!(gate.standing(rate, NOW).remaining, 5);
    }

    #[test]
    fn what_never_fits_is_not_waited_for_and_debts_are() {
        let rate = Rate::per_minute(1_000).unwrap();
        let mut gate = Gate::default();
        assert_eq!(gate.has(rate, 1_001, NOW).unwrap_err().after, None);
        gate.take(rate, 2_000, NOW);
        let denied = gate.has(rate, 1, NOW).unwrap_err();
        assert_eq!(denied.after, Some(Duration::from_millis(60_060)));
        assert_eq!(Rate::per_minute(0), None);
    }

    proptest! {
        /// However calls come, no stretch of time lets more through than a minute's worth and its own share.
        #[test]
        fn no_stretch_lets_more_through(
            count in 1..500_u64,
            calls in vec((0..3_000_u64, 1..20_u64), 1..200),
        ) {
            let rate = Rate::per_minute(count).unwrap();
            let (mut gate, mut now, mut taken) = (Gate::default(), NOW, Vec::new());
            for (pause, wanted) in calls {
                now += pause;
                match gate.has(rate, wanted, now) {
                    Ok(()) => {
                        let before = gate.standing(rate, now).remaining;
                        gate.take(rate, wanted, now);
                        assert_eq!(gate.standing(rate, now).remaining, before - wanted);
                        taken.push((now, wanted));
                    }
                    Err(denied) => {
                        assert!(denied.standing.remaining < wanted);
                        // Whoever waits that long, and a millisecond of rounding, is let through.
                        if let Some(after) = denied.after {
                            let then = now + u64::try_from(after.as_millis()).unwrap() + 1;
                            assert_eq!(gate.has(rate, wanted, then), Ok(()));
                        }
                    }
                }
            }
            for (at, (from, _)) in taken.iter().enumerate() {
                let mut sum = 0;
                for (to, wanted) in &taken[at..] {
                    sum += wanted;
                    assert!(sum <= count + (to - from) * count / 60_000 + 1);
                }
            }
        }
    }
}
