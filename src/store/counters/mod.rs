//! What must be counted exactly while calls are under way: what purses hold, how fast keys and tenants call.
//!
//! Every operation asks all purses or gates of a call and then takes of all or of none, so that it can also be one
//! atomic script over their ids. What is asked is waited for; what is given back never waits and never fails, as calls
//! end in places where nobody can wait. An operation that is dropped before it has answered has taken nothing.

mod gates;
mod purses;
mod shared;

use std::time::Duration;

use crate::account::limit::Standing;
use crate::account::{Money, Purse};

pub use gates::{Entered, Gated, Kind, Refused};
pub use purses::{Due, Lacking, Want};
pub use shared::{BadState, Opened, Shared, State, WhenAway, Word};

use gates::Gates;
use purses::Purses;

/// The counters of a house.
#[derive(Debug)]
pub enum Counters {
    /// In this process.
    Local(Local),
    /// In a Redis or Valkey that many nodes share.
    Shared(Shared),
}

/// Counters of one process.
#[derive(Debug, Default)]
pub struct Local {
    purses: Purses,
    gates: Gates,
}

impl Default for Counters {
    fn default() -> Self {
        Self::Local(Local::default())
    }
}

impl Counters {
    /// Says what was spent of a purse in the period that holds now. Where anybody has asked for it before, what it has
    /// counted since holds.
    pub async fn seed(&self, due: &Due, spent: Money, now: u64) {
        match self {
            Self::Local(local) => local.purses.seed(due, spent, now),
            Self::Shared(shared) => shared.seed(due, spent, now).await,
        }
    }

    /// Reserves a sum in all purses. Where what others have reserved may come back, that is waited for, but not longer
    /// than `patience`.
    ///
    /// # Errors
    /// The purse that has not so much; nothing is reserved then.
    pub async fn reserve(
        &self,
        dues: &[Due],
        sum: Money,
        now: u64,
        patience: Duration,
    ) -> Result<(), Lacking> {
        let taken = self.take(dues, Want::whole(sum), now, patience).await;
        taken.map(drop)
    }

    /// Reserves in all purses what is wanted, less where there is little left. Where not even the least is there, what
    /// others have reserved is waited for, but not longer than `patience`. Gives back how much was reserved.
    ///
    /// # Errors
    /// The purse that has not even the least; nothing is reserved then.
    pub async fn take(
        &self,
        dues: &[Due],
        want: Want,
        now: u64,
        patience: Duration,
    ) -> Result<Money, Lacking> {
        match self {
            Self::Local(local) => local.purses.take(dues, want, now, patience).await,
            Self::Shared(shared) => shared.take(dues, want, now, patience).await,
        }
    }

    /// Gives back what was reserved in all purses, and notes what it came to. Never waits, never fails.
    pub fn settle(&self, dues: &[Due], (reserved, cost): (Money, Money), now: u64) {
        match self {
            Self::Local(local) => local.purses.settle(dues, (reserved, cost), now),
            Self::Shared(shared) => shared.settle(dues, (reserved, cost), now),
        }
    }

    /// A purse, if anything was ever asked of it.
    pub async fn purse(&self, id: &str) -> Option<Purse> {
        match self {
            Self::Local(local) => local.purses.purse(id),
            Self::Shared(shared) => shared.purse(id).await,
        }
    }

    /// Takes one request and a place in all gates. The place is given back by [`Counters::leave`].
    ///
    /// # Errors
    /// The gate that is closed; nothing is taken then.
    pub async fn enter(&self, gates: &[Gated], now: u64) -> Result<Entered, Refused> {
        match self {
            Self::Local(local) => local.gates.enter(gates, now),
            Self::Shared(shared) => shared.enter(gates, now).await,
        }
    }

    /// Gives the place in all gates back. Never waits, never fails.
    pub fn leave(&self, gates: &[Gated]) {
        match self {
            Self::Local(local) => local.gates.leave(gates),
            Self::Shared(shared) => shared.leave(gates),
        }
    }

    /// Takes tokens in all gates; says how the tightest of them stands.
    ///
    /// # Errors
    /// The gate that is closed; nothing is taken then.
    pub async fn take_tokens(
        &self,
        gates: &[Gated],
        count: u64,
        now: u64,
    ) -> Result<Option<Standing>, Refused> {
        match self {
            Self::Local(local) => local.gates.take_tokens(gates, count, now),
            Self::Shared(shared) => shared.take_tokens(gates, count, now).await,
        }
    }

    /// Says how many tokens were used of those that were taken: the rest comes back, more is a debt.
    /// Never waits, never fails.
    pub fn correct_tokens(&self, gates: &[Gated], (taken, used): (u64, u64), now: u64) {
        match self {
            Self::Local(local) => local.gates.correct(gates, (taken, used), now),
            Self::Shared(shared) => shared.correct(gates, (taken, used), now),
        }
    }

    /// Tells other nodes what the breakers of sites have to tell, each with the how manieth time in a row it is open;
    /// gives back all that are open. `None` where there are no others, or nobody can be asked.
    pub async fn breakers(&self, words: &[(String, Word, u32)]) -> Option<Vec<Opened>> {
        match self {
            Self::Local(_) => None,
            Self::Shared(shared) => shared.breakers(words).await,
        }
    }

    /// Whether other nodes share them.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        match self {
            Self::Local(_) => false,
            Self::Shared(_) => true,
        }
    }

    /// Tells the last of it to those who share, for a clean end.
    pub async fn close(&self) {
        match self {
            Self::Local(_) => {}
            Self::Shared(shared) => shared.close().await,
        }
    }

    /// How many calls hold a place in a gate.
    pub async fn inside(&self, id: &str) -> u32 {
        match self {
            Self::Local(local) => local.gates.inside(id),
            Self::Shared(shared) => shared.inside(id).await,
        }
    }
}

#[cfg(test)]
mod tests;
