//! Budgets: how much may be spent in which time, and the purse that keeps to it.
//!
//! A purse is a pure state machine: it is told the time, and whoever holds several of them asks all before taking of any.

use serde::{Deserialize, Serialize};

use super::money::Money;

/// Seconds in a day.
const DAY: u64 = 86_400;

/// A slice takes at most one of so many parts of what is left.
const PARTS: u64 = 64;

/// Unless that is less than so many times what is needed next: whoever asks too often pays for it in time.
const FEW: u64 = 8;

/// The time that a budget is for; days and months are those of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// A month of the calendar.
    Month,
    /// For good.
    Total,
}

impl Period {
    /// When the period that holds at these Unix seconds began and when it ends.
    #[must_use]
    pub fn span(self, now: u64) -> (u64, u64) {
        match self {
            Self::Day => {
                let began = now.saturating_sub(now % DAY);
                (began, began.saturating_add(DAY))
            }
            Self::Month => month(now),
            Self::Total => (0, u64::MAX),
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Total => "total",
        }
    }
}

/// The month that holds at these Unix seconds. Months are walked, which is asked for once in each of them.
fn month(now: u64) -> (u64, u64) {
    let (mut began, mut year) = (0_u64, 1970_u64);
    loop {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let february = if leap { 29 } else { 28 };
        for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
            let ends = began.saturating_add(DAY.saturating_mul(days));
            if now < ends || ends == u64::MAX {
                return (began, ends);
            }
            began = ends;
        }
        year = year.saturating_add(1);
    }
}

/// How much may be spent in which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The sum.
    #[serde(rename = "usd")]
    pub most: Money,
    /// The time.
    pub period: Period,
}

/// A sum that a purse does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    /// What is left.
    pub left: Money,
    /// Whether it would be there if all that others have reserved came back.
    pub hope: bool,
}

/// What was spent of a budget in its period, and what is reserved for calls that are under way.
///
/// What a call that runs over the end of a period costs belongs to the period that it is settled in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purse {
    until: u64,
    spent: Money,
    reserved: Money,
}

impl Purse {
    /// A purse of which so much was spent in the period that holds now.
    #[must_use]
    pub fn after(spent: Money, period: Period, now: u64) -> Self {
        Self {
            until: period.span(now).1,
            spent,
            reserved: Money::ZERO,
        }
    }

    /// What was spent in the period.
    #[must_use]
    pub const fn spent(&self) -> Money {
        self.spent
    }

    /// What is reserved.
    #[must_use]
    pub const fn reserved(&self) -> Money {
        self.reserved
    }

    /// Begins a new period where the last one is over.
    pub fn roll(&mut self, period: Period, now: u64) {
        if now >= self.until {
            self.until = period.span(now).1;
            self.spent = Money::ZERO;
        }
    }

    /// What is left.
    #[must_use]
    pub fn left(&self, budget: Budget) -> Money {
        budget.most.minus(self.spent).minus(self.reserved)
    }

    /// Whether a sum is there for somebody who has reserved `mine` before.
    ///
    /// # Errors
    /// What is there, where that is less.
    pub fn has(
        &mut self,
        budget: Budget,
        (sum, mine): (Money, Money),
        now: u64,
    ) -> Result<(), Short> {
        self.roll(budget.period, now);
        let left = self.left(budget);
        if sum <= left {
            return Ok(());
        }
        let hope = sum.plus(mine) <= budget.most.minus(self.spent);
        Err(Short { left, hope })
    }

    /// What one slice of a stream may take: what it wants, but a small part of what is left where that is scarce, so
    /// that others find theirs; never less than it needs next, which is there.
    #[must_use]
    pub fn share(&self, budget: Budget, (least, wanted): (Money, Money)) -> Money {
        let left = self.left(budget);
        let few = Money::nano(least.as_nano().saturating_mul(FEW));
        let part = Money::nano(left.as_nano() / PARTS);
        wanted.min(part.max(few)).min(left).max(least)
    }

    /// Reserves a sum that [`Purse::has`] has found.
    pub fn reserve(&mut self, sum: Money) {
        self.reserved = self.reserved.plus(sum);
    }

    /// Gives back what was reserved and notes what it cost: nothing, as a rule no more than was reserved.
    pub fn settle(&mut self, period: Period, (reserved, cost): (Money, Money), now: u64) {
        self.roll(period, now);
        self.reserved = self.reserved.minus(reserved);
        self.spent = self.spent.plus(cost);
    }
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a test's own sums are small"
)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

    use super::*;

    #[test]
    fn periods_are_those_of_the_calendar() {
        let noon = 1_795_608_000;
        assert_eq!(Period::Day.span(noon), (1_795_564_800, 1_795_651_200));
        // 2026-11-01 and 2026-12-01.
        assert_eq!(Period::Month.span(noon), (1_793_491_200, 1_796_083_200));
        // 2028-02-29 is a day of February, and the next second one of March.
        assert_eq!(Period::Month.span(1_835_481_599).0, 1_832_976_000);
        assert_eq!(Period::Month.span(1_835_481_600).0, 1_835_481_600);
        assert_eq!(Period::Total.span(noon), (0, u64::MAX));
    }

    #[test]
    fn what_can_never_be_there_gives_no_hope() {
        let budget = Budget {
            most: Money::nano(100),
            period: Period::Day,
        };
        let mut purse = Purse::after(Money::nano(30), Period::Day, 0);
        purse.reserve(Money::nano(60));
        let short = |hope| {
            Err(Short {
                left: Money::nano(10),
                hope,
            })
        };
        assert_eq!(purse.has(budget, (Money::nano(10), Money::ZERO), 0), Ok(()));
        assert_eq!(
            purse.has(budget, (Money::nano(70), Money::ZERO), 0),
            short(true)
        );
        assert_eq!(
            purse.has(budget, (Money::nano(71), Money::ZERO), 0),
            short(false)
        );
        // What is one's own does not come back from others.
        let own = (Money::nano(11), Money::nano(60));
        assert_eq!(purse.has(budget, own, 0), short(false));
        // The next day what is reserved still is, and what was spent no longer counts.
        assert_eq!(
            purse.has(budget, (Money::nano(40), Money::ZERO), DAY),
            Ok(())
        );
        let lowered = Budget {
            most: Money::nano(5),
            ..budget
        };
        assert_eq!(purse.left(lowered), Money::ZERO);
    }

    #[test]
    fn slices_are_small_where_little_is_left() {
        let budget = Budget {
            most: Money::nano(64_000),
            period: Period::Day,
        };
        let mut purse = Purse::after(Money::ZERO, Period::Day, 0);
        let share = |purse: &Purse, least, wanted| {
            let sums = (Money::nano(least), Money::nano(wanted));
            purse.share(budget, sums).as_nano()
        };
        assert_eq!(share(&purse, 1, 500), 500);
        assert_eq!(share(&purse, 1, 5_000), 1_000);
        assert_eq!(share(&purse, 2_000, 5_000), 5_000);
        purse.reserve(Money::nano(63_900));
        assert_eq!(share(&purse, 1, 500), 8);
        assert_eq!(share(&purse, 90, 500), 100);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Reserve(u64),
        Settle(usize, u64),
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..60_u64).prop_map(Step::Reserve),
            (any::<usize>(), 0..=100_u64).prop_map(|(at, share)| Step::Settle(at, share)),
            prop_oneof![Just(1), Just(DAY / 2), Just(40 * DAY)].prop_map(Step::Wait),
        ]
    }

    proptest! {
        /// Whatever happens in whatever order: what is spent and reserved stays within the budget, what is reserved is
        /// what is open, and what was spent is what was settled since the period began.
        #[test]
        fn no_order_of_things_breaks_a_budget(steps in vec(step(), 0..200), month in any::<bool>()) {
            let period = if month { Period::Month } else { Period::Day };
            let budget = Budget { most: Money::nano(100), period };
            let (mut purse, mut now) = (Purse::default(), 1_795_608_000);
            let (mut open, mut settled): (Vec<u64>, Vec<(u64, u64)>) = (Vec::new(), Vec::new());
            for step in steps {
                match step {
                    Step::Reserve(sum) => {
                        if purse.has(budget, (Money::nano(sum), Money::ZERO), now).is_ok() {
                            purse.reserve(Money::nano(sum));
                            open.push(sum);
                        }
                    }
                    Step::Settle(at, share) if !open.is_empty() => {
                        let sum = open.swap_remove(at % open.len());
                        let cost = sum * share / 100;
                        purse.settle(period, (Money::nano(sum), Money::nano(cost)), now);
                        settled.push((now, cost));
                    }
                    Step::Settle(..) => {}
                    Step::Wait(seconds) => now += seconds,
                }
                purse.roll(period, now);
                let began = period.span(now).0;
                let spent: u64 = settled.iter().filter(|(at, _)| *at >= began).map(|(_, cost)| cost).sum();
                assert_eq!(purse.spent(), Money::nano(spent));
                assert_eq!(purse.reserved(), Money::nano(open.iter().sum()));
                assert!(purse.spent().plus(purse.reserved()) <= budget.most);
            }
        }
    }
}
