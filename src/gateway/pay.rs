//! What the caller of a call pays.

use crate::account::Money;
use crate::chat::Tokens;

use super::settle::Trip;

impl Trip {
    /// What the call came to, answers that were given up in their midst with it.
    #[must_use]
    pub fn cost(&self) -> Option<Money> {
        let charge = self.charge.as_ref()?;
        Some(charge.money.plus(self.relief.paid))
    }

    /// A guess is never above what is held for the attempt: that is what it can cost at most.
    pub(super) fn temper(&mut self) {
        let most = self.hold.as_ref().and_then(|hold| hold.most());
        if let (Some(charge), Some(most)) = (&mut self.charge, most)
            && !charge.exact
        {
            charge.money = charge.money.min(most);
        }
    }

    /// Has the caller pay what the call came to.
    pub(super) fn pay(&mut self) {
        let charge = self.charge.as_ref();
        let told = self.tokens.filter(|told| *told != Tokens::UNREADABLE);
        let tokens = charge.map(|charge| charge.tokens).or(told);
        if let (Some(pass), Some(tokens)) = (&mut self.pass, tokens) {
            pass.used(tokens.prompt.saturating_add(tokens.completion));
        }
        if let Some(hold) = &mut self.hold {
            hold.settle(charge.map(|charge| charge.money));
        }
    }
}
