//! What a call adds to the figures: each request that leaves for a provider, and what it came to in the end.

use crate::gateway::ending::Outcome;
use crate::gateway::settle::Trip;

use super::tallies::Named;
use super::tally::Times;

impl Trip {
    /// A request leaves for the target that is tried now.
    pub fn tally_attempt(&mut self) {
        let shared = self.shared();
        let (tallies, pilot) = (&shared.tallies, &shared.pilot);
        tallies.target(pilot, self.named()).attempt();
        if let Some((endpoint, provider, model)) = &self.tallied {
            let before = Named {
                endpoint: *endpoint,
                provider,
                model,
            };
            let tally = tallies.target(pilot, before);
            if before == self.named() {
                tally.retry();
            } else {
                tally.fallback();
            }
        }
        let now = self.named();
        self.tallied = Some((now.endpoint, now.provider.into(), now.model.into()));
    }

    /// The call has ended. A shadow copy is no call of anybody's, but costs as one.
    pub fn tally(&self) {
        let shared = self.shared();
        let tally = shared.tallies.target(&shared.pilot, self.named());
        if let Some(charge) = &self.charge {
            tally.billed(&charge.tokens, Some(charge.money));
        } else if let Some(tokens) = &self.tokens {
            tally.billed(tokens, None);
        }
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
