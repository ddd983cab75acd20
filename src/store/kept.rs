//! What a ledger answers with.

use crate::account::{Attempt, CallRow};

/// What is kept of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its row, where it has ended.
    pub call: Option<CallRow>,
    /// Its attempts, in order.
    pub attempts: Vec<Attempt>,
}

impl Kept {
    /// Whether there is anything at all.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.call.is_none() && self.attempts.is_empty()
    }
}
