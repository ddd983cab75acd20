//! The only source of the present.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

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

    /// A point in time for measuring spans.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(self) -> Instant {
        Instant::now()
    }
}
