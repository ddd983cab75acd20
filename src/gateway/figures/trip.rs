//! What a call adds to the figures: each request that leaves for a provider, and what it came to in the end.

use std::sync::Arc;

use crate::gateway::ending::Outcome;
use crate::gateway::settle::Trip;

use super::tallies::Named;
use super::tally::{Tally, Times};

impl Trip {
    /// A request leaves for the target that is tried now.
    pub fn tally_attempt(&mut self) {
        let shared = self.shared();
        let tally = Arc::clone(shared.tallies.target(&shared.pilot, self.named()));
        tally.attempt();
        match &self.tallied {
            Some(before) if Arc::ptr_eq(before, &tally) => tally.retry(),
            Some(before) => before.fallback(),
            None => {}
        }
        self.tallied = Some(tally);
    }

    /// An answer is given up, and billed where it was asked.
    pub fn tally_given_up(&self) {
        let shared = self.shared();
        let tally = shared.tallies.target(&shared.pilot, self.named());
        self.tally_bill(tally);
    }

    fn tally_bill(&self, tally: &Tally) {
        if let Some(charge) = &self.charge {
            tally.billed(&charge.tokens, Some(charge.money));
        } else if let Some(tokens) = &self.tokens {
            tally.billed(tokens, None);
        }
    }

    /// The call has ended. A shadow copy is no call of anybody's, but costs as one.
    pub fn tally(&self) {
        let shared = self.shared();
        let tally = shared.tallies.target(&shared.pilot, self.named());
        self.tally_bill(tally);
        if self.labels.copy_of.is_some() {
            return;
        }
        tally.ended(self.outcome.as_str());
        if self.sent > 0 {
            shared.tallies.figures.overhead(self.before);
        }
        if self.outcome == Outcome::Answered && self.sent > 0 {
            tally.took(Times {
                whole: self.elapsed(),
                first: self.first.filter(|_| self.streams),
                output: self.tokens.map_or(0, |tokens| tokens.completion),
            });
        }
    }

    fn named(&self) -> Named<'_> {
        Named {
            endpoint: self.route.endpoint,
            provider: &self.provider,
            model: &self.model,
        }
    }
}
