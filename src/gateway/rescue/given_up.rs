//! Attempts that are given up while their call goes on with another, or comes to nothing.

use crate::chat::Code;

use super::aside::Attempted;
use super::silent::{Dead, Silent};
use crate::gateway::ending::Tried;
use crate::gateway::failed::Lost;
use crate::gateway::settle::Trip;

impl Trip {
    /// An attempt that was set aside is given up: it died, or another has spoken first.
    pub(super) fn gives_up(&mut self, (silent, dead): (Silent, Option<Dead>), aside: Attempted) {
        let (at, now) = (aside.failed, self.set_aside());
        self.take_up(aside);
        let cause = match &dead {
            Some(dead) => dead.error().code,
            None if silent.has_spoken() => Code::StreamIdle,
            None => Code::UpstreamTimeout,
        };
        // They are told in the order in which they began.
        let at = at.min(self.failed.len());
        self.failed.insert(at, tried(self, cause.row().code));
        match dead {
            Some(Dead::Lost(lost)) => self.lost(&lost),
            Some(Dead::Broke(..)) => {
                let heard = silent.heard().unwrap_or_else(|| self.unheard());
                self.abandoned(heard, Some(cause));
            }
            None => {
                if let Some(silent) = self.lets_go(silent, cause) {
                    let heard = silent.heard().unwrap_or_else(|| self.unheard());
                    self.abandoned(heard, Some(cause));
                }
            }
            Some(Dead::Differs) => {
                let heard = silent.heard().unwrap_or_else(|| self.unheard());
                self.abandoned(heard, None);
            }
        }
        self.take_up(now);
    }

    /// An attempt that was set aside died, and nobody else is left: it is what the call came to.
    pub(super) fn dies(
        &mut self,
        (silent, aside): (&Silent, Attempted),
        dead: Dead,
    ) -> Option<Lost> {
        self.take_up(aside);
        self.failed.push(tried(self, dead.error().code.row().code));
        match dead {
            Dead::Lost(lost) => {
                self.lost(&lost);
                Some(lost)
            }
            Dead::Broke(..) | Dead::Differs => {
                let heard = silent.heard().unwrap_or_else(|| self.unheard());
                self.abandoned(heard, None);
                None
            }
        }
    }

    /// The attempt that is out, if any is, is not needed after all: nothing of it was heard.
    pub(super) fn recalled(&mut self) {
        if self.watch.is_none() {
            return;
        }
        self.failed.push(tried(self, "not_needed"));
        let heard = self.unheard();
        self.abandoned(heard, None);
    }
}

/// The attempt that is out, as one that failed.
pub(super) fn tried(trip: &Trip, cause: &'static str) -> Tried {
    Tried {
        provider: trip.provider.clone(),
        model: trip.model.clone(),
        cause,
        message: "Its stream did not come to its end.".to_owned(),
    }
}
