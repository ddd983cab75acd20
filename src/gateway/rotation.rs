//! The keys of one provider: they take turns, and one that was refused is passed over for a while.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};

use crate::chat::Code;
use crate::dialect::Failure;
use crate::dialect::codec::Again;
use crate::route::health::Left;
use crate::route::health::headroom::Headroom;
use crate::route::moment::Moment;

/// How long a key rests that was refused: whoever mends it need not restart anything.
const REFUSED: Duration = Duration::from_mins(1);

/// How long a key rests that is limited where nobody says how long.
const LIMITED: Duration = Duration::from_secs(5);

/// The longest that a provider can make a key rest.
const LONGEST: Duration = Duration::from_hours(1);

/// The keys of one provider.
#[derive(Debug, Default)]
pub struct Rotation {
    keys: Vec<Key>,
    turn: AtomicUsize,
}

#[derive(Debug)]
struct Key {
    name: HeaderName,
    value: HeaderValue,
    /// Until when it is passed over, in Unix milliseconds.
    rests: AtomicU64,
}

/// A key as it is sent.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its place on the rotation; `None` where it is a caller's own.
    pub place: Option<usize>,
    /// The header.
    pub name: HeaderName,
    /// Its value.
    pub value: HeaderValue,
}

impl Rotation {
    /// A rotation of credentials, all of them fresh.
    #[must_use]
    pub fn new(credentials: Vec<(HeaderName, HeaderValue)>) -> Self {
        let fresh = |(name, value)| Key {
            name,
            value,
            rests: AtomicU64::new(0),
        };
        Self {
            keys: credentials.into_iter().map(fresh).collect(),
            turn: AtomicUsize::new(0),
        }
    }

    /// The key whose turn it is, of those that do not rest; where all do, the one that rests the shortest.
    #[must_use]
    pub fn next(&self, now: Moment) -> Option<Shown> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let from = turn.checked_rem(self.keys.len())?;
        let (after, before) = (
            self.keys.iter().enumerate().skip(from),
            self.keys.iter().enumerate().take(from),
        );
        let (place, key) = after.chain(before).min_by_key(|(_, key)| key.rests(now))?;
        Some(Shown {
            place: Some(place),
            name: key.name.clone(),
            value: key.value.clone(),
        })
    }

    /// Notes what a provider said of a key; a failure that is not the key's says nothing.
    pub fn note(&self, place: Option<usize>, failure: &Failure, now: Moment) {
        let key = place.and_then(|place| self.keys.get(place));
        let (Some(key), true) = (key, is_of_key(failure)) else {
            return;
        };
        let usual = if failure.code == Code::RateLimitExceeded {
            LIMITED
        } else {
            REFUSED
        };
        let rest = match failure.again {
            Again::After(wait) => wait.min(LONGEST),
            Again::Soon | Again::No => usual,
        };
        let until = now.after(u64::try_from(rest.as_millis()).unwrap_or(0));
        key.rests.fetch_max(until.as_millis(), Ordering::Relaxed);
    }

    /// Whether there are several keys.
    #[must_use]
    pub const fn is_several(&self) -> bool {
        self.keys.len() > 1
    }

    /// Notes what a provider says is left of a key's limits: one of several with nothing left rests until there is.
    pub fn head(&self, place: Option<usize>, left: Left, now: Moment) {
        let key = place.and_then(|place| self.keys.get(place));
        let (Some(key), true) = (key, self.is_several()) else {
            return;
        };
        let mut headroom = Headroom::default();
        headroom.told(now, left);
        let until = now.after(headroom.wait(now)).as_millis();
        key.rests.fetch_max(until, Ordering::Relaxed);
    }

    /// Whether a failure is one key's, and another may do.
    #[must_use]
    pub fn has_another(&self, failure: &Failure, now: Moment) -> bool {
        let fresh = || self.keys.iter().any(|key| key.rests(now) == 0);
        is_of_key(failure) && self.keys.len() > 1 && fresh()
    }
}

impl Key {
    /// For how long it still rests.
    fn rests(&self, now: Moment) -> u64 {
        Moment::millis(self.rests.load(Ordering::Relaxed)).since(now)
    }
}

/// Whether a failure is a matter of the key: it is refused, limited or without credit.
const fn is_of_key(failure: &Failure) -> bool {
    matches!(
        failure.code,
        Code::UpstreamAuthError | Code::RateLimitExceeded | Code::InsufficientQuota
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::health::Share;

    const NOW: Moment = Moment::millis(1_795_500_000_000);

    fn ring(keys: usize) -> Rotation {
        let key = |at: usize| {
            let value = HeaderValue::from_str(&format!("Bearer {at}")).unwrap();
            (http::header::AUTHORIZATION, value)
        };
        Rotation::new((0..keys).map(key).collect())
    }

    fn places(ring: &Rotation, now: Moment) -> Vec<usize> {
        (0..4).filter_map(|_| ring.next(now)?.place).collect()
    }

    fn failure(code: Code, again: Again) -> Failure {
        Failure {
            again,
            ..Failure::provider(code, "x")
        }
    }

    #[test]
    fn a_key_that_was_refused_is_passed_over_for_a_while() {
        let ring = ring(3);
        assert_eq!(places(&ring, NOW), [0, 1, 2, 0]);
        let refused = failure(Code::UpstreamAuthError, Again::No);
        ring.note(Some(1), &refused, NOW);
        assert!(ring.has_another(&refused, NOW));
        assert!(!places(&ring, NOW).contains(&1));
        assert!(!places(&ring, NOW.after(59_000)).contains(&1));
        assert!(places(&ring, NOW.after(60_000)).contains(&1));
    }

    #[test]
    fn a_limited_key_rests_as_long_as_it_is_told() {
        let ring = ring(2);
        let limited = failure(
            Code::RateLimitExceeded,
            Again::After(Duration::from_secs(20)),
        );
        ring.note(Some(0), &limited, NOW);
        assert_eq!(places(&ring, NOW.after(19_000)), [1, 1, 1, 1]);
        ring.note(Some(1), &failure(Code::RateLimitExceeded, Again::Soon), NOW);
        assert!(!ring.has_another(&limited, NOW));
        assert_eq!(places(&ring, NOW), [1, 1, 1, 1], "it rests the shortest");
    }

    #[test]
    fn a_key_with_nothing_left_is_passed_over_until_it_has() {
        let ring = ring(2);
        let share = |left| Left {
            tokens: None,
            calls: Some(Share {
                left,
                of: None,
                reset_in: 3_000,
            }),
        };
        ring.head(Some(0), share(1), NOW);
        assert_eq!(places(&ring, NOW), [0, 1, 0, 1], "one is left");
        ring.head(Some(0), share(0), NOW);
        assert_eq!(places(&ring, NOW), [1, 1, 1, 1]);
        assert!(places(&ring, NOW.after(3_000)).contains(&0));
    }

    #[test]
    fn what_is_not_the_keys_fault_is_not_held_against_it() {
        let ring = ring(2);
        let down = failure(Code::Overloaded, Again::Soon);
        ring.note(Some(0), &down, NOW);
        ring.note(None, &failure(Code::UpstreamAuthError, Again::No), NOW);
        assert!(!ring.has_another(&down, NOW));
        assert_eq!(places(&ring, NOW), [0, 1, 0, 1]);
        let alone = self::ring(1);
        assert!(!alone.has_another(&failure(Code::UpstreamAuthError, Again::No), NOW));
    }
}
