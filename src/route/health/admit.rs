//! Whether a site takes a call now: whether it rests from failures, or nothing is left of its limits.

use crate::route::moment::Moment;

use super::breaker::Gate;
use super::cell::Cell;
use super::headroom::Left;

impl Cell {
    /// Whether a call may be made now, and whether it is the one that tries whether the site is back.
    pub fn admits(&mut self, now: Moment) -> (bool, bool) {
        let cooling = self.cooling(now) > 0;
        match self.breaker.gate(now) {
            Gate::Open(_) => (false, false),
            Gate::Closed | Gate::Trial | Gate::Returning if cooling => (false, false),
            Gate::Closed => (true, false),
            Gate::Trial => (true, self.breaker.began(now)),
            Gate::Returning => (self.breaker.returns(), false),
        }
    }

    /// Milliseconds until its key has calls again: it was refused, or says itself that none are left.
    #[must_use]
    pub fn cooling(&self, now: Moment) -> u64 {
        let limited = Moment::millis(self.limited_until).since(now);
        limited.max(self.headroom.wait(now))
    }

    /// Takes what a head says of its limits.
    pub fn head(&mut self, now: Moment, left: Left) {
        self.headroom.told(now, left);
    }

    /// Whether the breaker is closed, if only just.
    #[must_use]
    pub fn is_closed(&self, now: Moment) -> bool {
        matches!(self.breaker.gate(now), Gate::Closed | Gate::Returning)
    }
}
