//! What this node has of the counters that all share: enough to tell it again to a server that has lost it.

use std::collections::HashMap;
use std::sync::Arc;

use redis::aio::MultiplexedConnection;

use crate::account::{Money, Period};

use super::script::{Asking, purse};
use crate::store::counters::purses::Due;

/// No sum is greater: numbers of a script are exact up to 2^53. It is more than nine million dollars.
pub(super) const MOST: u64 = 9_000_000_000_000_000;

/// What this node has of a purse.
#[derive(Clone, Debug)]
pub(super) struct Own {
    period: Period,
    /// What is reserved by its calls.
    reserved: u64,
    /// What its calls have come to since it started.
    cost: u64,
    /// What the server said last.
    known: Option<Known>,
    /// What the purse begins with where the server does not know it, and until when that holds.
    seed: Option<(u64, u64)>,
}

/// A purse as the server said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    until: u64,
    spent: u64,
    /// What of it was told by this node.
    own: u64,
}

/// A connection, and the lease under which this node asks.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) connection: MultiplexedConnection,
    pub(super) lease: Arc<str>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Mine {
    /// The way to the server; none while it is away.
    pub(super) line: Option<Line>,
    /// The lease that the server may still know.
    pub(super) lease: Arc<str>,
    purses: HashMap<Arc<str>, Own>,
    /// Counts what changes, so that nothing changes unseen while it is being told.
    pub(super) changes: u64,
}

impl Mine {
    /// Whether this is the lease under which is asked now.
    pub(super) fn holds(&self, lease: &str) -> bool {
        self.line.as_ref().is_some_and(|line| &*line.lease == lease)
    }

    pub(super) fn own(&mut self, due: &Due) -> &mut Own {
        let fresh = || Own {
            period: due.budget.period,
            reserved: 0,
            cost: 0,
            known: None,
            seed: None,
        };
        self.changes = self.changes.wrapping_add(1);
        self.purses
            .entry(Arc::clone(&due.purse))
            .or_insert_with(fresh)
    }

    /// What is told of all purses, eight words for each.
    pub(super) fn tell(&self, mut asking: Asking, now: u64) -> Asking {
        for (id, own) in &self.purses {
            asking = own.tell(asking.word(purse(id)), now);
        }
        asking
    }

    pub(super) fn purses(&self) -> usize {
        self.purses.len()
    }
}

impl Own {
    pub(super) fn reserve(&mut self, sum: Money) {
        self.reserved = self.reserved.saturating_add(sum.as_nano());
    }

    pub(super) fn settle(&mut self, (reserved, cost): (Money, Money)) {
        self.reserved = self.reserved.saturating_sub(reserved.as_nano());
        self.cost = self.cost.saturating_add(cost.as_nano()).min(MOST);
    }

    pub(super) const fn cost(&self) -> u64 {
        self.cost
    }

    pub(super) fn begins_with(&mut self, spent: Money, until: u64) {
        self.seed
            .get_or_insert_with(|| (until, spent.as_nano().min(MOST)));
    }

    /// Takes in what the server said of it: the end of the period, the sum, and what of it is this node's.
    pub(super) fn heard(&mut self, said: &[String]) {
        let number = |at: usize| said.get(at).and_then(|text| text.parse().ok());
        if let (Some(until), Some(spent), Some(own)) = (number(0), number(1), number(2)) {
            let later = |known: &Known| (known.until, known.spent) > (until, spent);
            let known = self.known.filter(later);
            self.known = known.or(Some(Known { until, spent, own }));
        }
    }

    fn tell(&self, asking: Asking, now: u64) -> Asking {
        let seed = self.seed.filter(|(until, _)| *until > now);
        let asking = asking.word(ends(self.period, now));
        let asking = match self.known {
            Some(Known { until, spent, own }) => asking.word(until).word(spent).word(own),
            None => asking.word("").word(0).word(0),
        };
        asking
            .word(seed.map_or(0, |(_, spent)| spent))
            .word(self.reserved)
            .word(self.cost)
    }
}

/// The end of the period that holds now, as scripts can count it.
pub(super) fn ends(period: Period, now: u64) -> u64 {
    period.span(now).1.min(MOST)
}
