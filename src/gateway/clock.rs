//! The only source of the present.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::route::moment::Moment;

/// A clock; tests stop it at a fixed second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    fixed: Option<u64>,
}

impl Clock {
    /// A clock whose wall time stands still at these Unix seconds.
    #[must_use]
    pub const fn fixed(seconds: u64) -> Self {
        Self {
            fixed: Some(seconds),
        }
    }

    /// Unix seconds.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn unix(self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        self.fixed
            .unwrap_or_else(|| since.map_or(0, |since| since.as_secs()))
    }

    /// The present as thinking is told it.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn moment(self) -> Moment {
        if let Some(seconds) = self.fixed {
            return Moment::millis(seconds.saturating_mul(1_000));
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let millis = since.map_or(0, |since| since.as_millis());
        Moment::millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }

    /// A point in time for measuring spans.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(self) -> Instant {
        Instant::now()
    }
}
