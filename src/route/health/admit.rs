//! Whether a site takes a call now.

use crate::route::moment::Moment;

use super::breaker::Gate;
use super::cell::Cell;

impl Cell {
    /// Whether a call may be made now, and whether it is the one that tries whether the site is back.
    pub fn admits(&mut self, now: Moment) -> (bool, bool) {
        let cooling = Moment::millis(self.limited_until).since(now) > 0;
        match self.breaker.gate(now) {
            Gate::Open(_) => (false, false),
            Gate::Closed | Gate::Trial if cooling => (false, false),
            Gate::Closed => (true, false),
            Gate::Trial => (true, self.breaker.began(now)),
        }
    }

    /// Whether the breaker is closed.
    #[must_use]
    pub fn is_closed(&self, now: Moment) -> bool {
        self.breaker.gate(now) == Gate::Closed
    }
}
