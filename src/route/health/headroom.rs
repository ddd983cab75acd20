//! What a provider says is left of its limits, counted down by what was sent since and up by what comes back with time.

use serde::{Deserialize, Serialize};

use crate::route::moment::Moment;
use crate::route::number::{count, float};

/// What one answer says is left: `x-ratelimit-*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Of calls.
    pub calls: Option<Share>,
    /// Of tokens.
    pub tokens: Option<Share>,
}

/// So much of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// What is left.
    pub left: u64,
    /// Of how much, where that is said.
    pub of: Option<u64>,
    /// Milliseconds until all of it is back.
    pub reset_in: u64,
}

/// What is left of a site's limits, as far as it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Headroom {
    calls: Store,
    tokens: Store,
}

/// What is left of one limit. Before anything was told, and once all of it is back, there is no end of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Store {
    left: f64,
    /// How much comes back each millisecond; 0 where all comes back at once.
    rate: f64,
    at: u64,
    until: u64,
}

/// How long a provider may make us stay away, in milliseconds.
pub const LONGEST_COOLING: u64 = 3_600_000;

impl Headroom {
    /// Takes what a provider says. The last word counts: it knows of others that use the key.
    pub fn told(&mut self, now: Moment, left: Left) {
        let both = [
            (&mut self.calls, left.calls),
            (&mut self.tokens, left.tokens),
        ];
        for (store, share) in both {
            if let Some(share) = share {
                *store = Store::of(now, share);
            }
        }
    }

    /// A call begins.
    pub fn takes(&mut self, now: Moment) {
        self.calls.takes(now, 1.0);
    }

    /// Milliseconds until one more call may be made; 0 where it may be made now.
    #[must_use]
    pub fn wait(&self, now: Moment) -> u64 {
        self.calls.wait(now, 1).max(self.tokens.wait(now, 1))
    }

    /// What is left of tokens.
    #[must_use]
    pub const fn tokens(&self) -> Store {
        self.tokens
    }
}

impl Store {
    fn of(now: Moment, share: Share) -> Self {
        let reset = share.reset_in.min(LONGEST_COOLING);
        let used = share.of.unwrap_or(0).saturating_sub(share.left);
        let rate = if reset > 0 {
            float(used) / float(reset)
        } else {
            0.0
        };
        Self {
            left: float(share.left),
            rate,
            at: now.as_millis(),
            until: now.after(reset).as_millis(),
        }
    }

    /// What is left now; `None` where there is no end of it.
    fn left(&self, now: Moment) -> Option<f64> {
        let since = now.since(Moment::millis(self.at));
        let back = self.rate * float(since);
        (self.until > now.as_millis()).then_some(self.left + back)
    }

    fn takes(&mut self, now: Moment, much: f64) {
        if let Some(left) = self.left(now) {
            self.left = (left - much).max(0.0);
            self.at = now.as_millis();
        }
    }

    /// Milliseconds until there is so much; 0 where there is. What is more than the limit ever holds waits until all of
    /// it is back: whether it is too much is the provider's to say.
    #[must_use]
    pub fn wait(&self, now: Moment, need: u64) -> u64 {
        let Some(left) = self.left(now).filter(|left| *left < float(need)) else {
            return 0;
        };
        let all = Moment::millis(self.until).since(now);
        if self.rate <= 0.0 {
            return all;
        }
        count((float(need) - left) / self.rate).clamp(1, all.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::millis(1_795_500_000_000);

    fn calls(left: u64, of: Option<u64>, reset_in: u64) -> Headroom {
        let mut headroom = Headroom::default();
        let calls = Some(Share { left, of, reset_in });
        headroom.told(
            NOW,
            Left {
                calls,
                tokens: None,
            },
        );
        headroom
    }

    #[test]
    fn calls_are_counted_down_before_the_provider_has_to_refuse() {
        let mut headroom = calls(2, None, 6_000);
        for left in [2, 1] {
            assert_eq!(headroom.wait(NOW), 0, "{left} left");
            headroom.takes(NOW);
        }
        assert_eq!(headroom.wait(NOW), 6_000);
        assert_eq!(headroom.wait(NOW.after(5_999)), 1);
        assert_eq!(headroom.wait(NOW.after(6_000)), 0, "all are back");
        headroom.takes(NOW.after(6_000));
        assert_eq!(headroom.wait(NOW.after(6_000)), 0, "of nothing known");
    }

    #[test]
    fn what_comes_back_bit_by_bit_is_used_as_it_comes() {
        let mut headroom = calls(0, Some(60), 60_000);
        assert_eq!(headroom.wait(NOW), 1_000, "one a second");
        assert_eq!(headroom.wait(NOW.after(1_001)), 0);
        headroom.takes(NOW.after(1_001));
        assert!((990..=1_000).contains(&headroom.wait(NOW.after(1_001))));
    }

    #[test]
    fn tokens_are_weighed_by_what_a_call_needs() {
        let mut headroom = Headroom::default();
        let tokens = Some(Share {
            left: 1_000,
            of: Some(31_000),
            reset_in: 30_000,
        });
        headroom.told(
            NOW,
            Left {
                calls: None,
                tokens,
            },
        );
        assert_eq!(headroom.wait(NOW), 0);
        assert_eq!(headroom.tokens().wait(NOW, 900), 0);
        let wait = headroom.tokens().wait(NOW, 6_000);
        assert!(
            (4_990..=5_010).contains(&wait),
            "a token a millisecond: {wait}"
        );
        assert_eq!(headroom.tokens().wait(NOW, 900_000), 30_000, "never");
    }

    #[test]
    fn what_nobody_can_mean_keeps_nobody_away() {
        assert_eq!(calls(0, None, 0).wait(NOW), 0, "no word of when");
        assert_eq!(calls(0, Some(60), u64::MAX).wait(NOW), 60_000);
        assert_eq!(calls(0, None, u64::MAX).wait(NOW), LONGEST_COOLING);
    }
}
