//! After a failure: whether the same target is asked once more, and after how long.
//!
//! Only what is plainly transient is repeated: a refusal that says so, or a connection that broke before a byte of an
//! answer. Who was silent is never asked again, as that would only double the wait.

use std::time::Duration;

use crate::chat::Code;
use crate::dialect::codec::Again;
use crate::dialect::{Failure, Fault};

use super::number;

/// How many attempts one call makes at most, all targets together.
pub const MOST_ATTEMPTS: u32 = 6;

/// The longest wait that a provider may ask for and get; a longer one leads on at once.
const LONGEST_ASKED: Duration = Duration::from_secs(3);

/// The shortest pause, and what is added to it by chance so that many calls do not come back at once.
const SHORTEST: Duration = Duration::from_millis(250);

/// The longest pause that nobody asked for.
const LONGEST: Duration = Duration::from_secs(2);

/// How long to wait before the same target is asked again; `None` where it is not asked. It was asked again `so_far`
/// times before; `draw` is a random word.
#[must_use]
pub fn pause(failure: &Failure, so_far: u32, draw: u64) -> Option<Duration> {
    if failure.fault != Fault::Provider || !is_transient(failure.code) {
        return None;
    }
    let chance = number::uniform(draw);
    match failure.again {
        Again::No => None,
        Again::Soon => {
            let longest = SHORTEST.saturating_mul(2 << so_far.min(4)).min(LONGEST);
            Some(longest.mul_f64(0.5 + chance / 2.0))
        }
        Again::After(wait) if wait > LONGEST_ASKED => None,
        Again::After(wait) => Some(wait.max(SHORTEST) + SHORTEST.mul_f64(chance)),
    }
}

/// Whether a failure is a refusal, or a connection, that may be better in a moment.
const fn is_transient(code: Code) -> bool {
    matches!(
        code,
        Code::RateLimitExceeded
            | Code::Overloaded
            | Code::UpstreamError
            | Code::UpstreamClosed
            | Code::UpstreamConnectError
    )
}

/// The attempts of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    left: u32,
    retries: u32,
}

impl Attempts {
    /// Those of a call that may ask each target again so many times.
    #[must_use]
    pub const fn new(retries: u32) -> Self {
        Self {
            left: MOST_ATTEMPTS,
            retries,
        }
    }

    /// The same for a call that has made some already.
    #[must_use]
    pub const fn after(self, made: u32) -> Self {
        Self {
            left: self.left.saturating_sub(made),
            ..self
        }
    }

    /// One more is made.
    pub const fn made(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// Whether any is left.
    #[must_use]
    pub const fn is_left(&self) -> bool {
        self.left > 0
    }

    /// Whether one more may be made at a target where `following` others wait: each of them keeps its own.
    #[must_use]
    pub const fn may_stay(&self, following: u32) -> bool {
        self.left > following
    }

    /// The same for a target that was asked again `so_far` times.
    #[must_use]
    pub const fn may_repeat(&self, so_far: u32, following: u32) -> bool {
        so_far < self.retries && self.may_stay(following)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: Code, again: Again) -> Failure {
        Failure {
            again,
            ..Failure::provider(code, "x")
        }
    }

    #[test]
    fn pauses_double_within_their_bounds() {
        let down = failure(Code::Overloaded, Again::Soon);
        for (so_far, least, most) in [
            (0, 250, 500),
            (1, 500, 1_000),
            (2, 1_000, 2_000),
            (9, 1_000, 2_000),
        ] {
            let draws = (0..200).map(|word| {
                pause(&down, so_far, number::mix(word, 7))
                    .unwrap()
                    .as_millis()
            });
            let draws: Vec<u128> = draws.collect();
            let (low, high) = (draws.iter().min().unwrap(), draws.iter().max().unwrap());
            assert!(*low >= least && *high <= most, "{so_far}: {low}..{high}");
            assert!(high - low > (most - least) / 2, "no jitter: {low}..{high}");
        }
    }

    #[test]
    fn a_short_wait_is_waited_out_and_a_long_one_leads_on() {
        let limited = |ms| {
            failure(
                Code::RateLimitExceeded,
                Again::After(Duration::from_millis(ms)),
            )
        };
        let waits = |ms| pause(&limited(ms), 0, 5).map(|pause| pause.as_millis());
        assert!((2_000..=2_250).contains(&waits(2_000).unwrap()));
        assert!((3_000..=3_250).contains(&waits(3_000).unwrap()));
        assert!((250..=500).contains(&waits(0).unwrap()));
        assert_eq!(waits(3_001), None);
    }

    #[test]
    fn only_what_is_transient_is_repeated() {
        let rows = [
            (failure(Code::UpstreamError, Again::Soon), true),
            (failure(Code::UpstreamClosed, Again::Soon), true),
            (failure(Code::UpstreamConnectError, Again::Soon), true),
            (failure(Code::UpstreamError, Again::No), false),
            (failure(Code::UpstreamTimeout, Again::Soon), false),
            (failure(Code::UpstreamConnectTimeout, Again::Soon), false),
            (failure(Code::UpstreamTruncated, Again::Soon), false),
            (failure(Code::UpstreamInvalidResponse, Again::Soon), false),
            (failure(Code::InsufficientQuota, Again::Soon), false),
        ];
        for (failure, wanted) in rows {
            assert_eq!(pause(&failure, 0, 1).is_some(), wanted, "{failure:?}");
        }
        for fault in [Fault::Client, Fault::Gateway, Fault::Context, Fault::Policy] {
            let failure = Failure {
                fault,
                ..failure(Code::Overloaded, Again::Soon)
            };
            assert_eq!(pause(&failure, 0, 1), None, "{fault:?}");
        }
    }

    #[test]
    fn no_call_makes_more_than_six_and_the_next_ones_are_not_forgotten() {
        let spread = |retries: u32, targets: u32| {
            let mut attempts = Attempts::new(retries);
            let mut each = Vec::new();
            for following in (0..targets).rev() {
                let mut here = 0;
                while attempts.is_left() && (here == 0 || attempts.may_repeat(here - 1, following))
                {
                    attempts.made();
                    here += 1;
                }
                each.push(here);
            }
            each
        };
        assert_eq!(spread(2, 1), [3]);
        assert_eq!(spread(10, 1), [6]);
        assert_eq!(spread(2, 2), [3, 3]);
        assert_eq!(spread(10, 2), [5, 1]);
        assert_eq!(spread(2, 3), [3, 2, 1]);
        assert_eq!(spread(0, 6), [1, 1, 1, 1, 1, 1]);
        assert_eq!(spread(2, 4), [3, 1, 1, 1]);
        assert_eq!(spread(2, 6), [1, 1, 1, 1, 1, 1]);
    }
}
