//! Purses of one process: each has a lock of its own, which is held for a few instructions and never while waiting.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::account::budget::Short;
use crate::account::{Budget, Money, Purse};

/// A purse that a call has to be paid from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its id, the same at every node: `key:ci`, `tenant:acme`, `all`.
    pub purse: Arc<str>,
    /// How much it may give in which time.
    pub budget: Budget,
}

/// A purse that has not what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// Which.
    pub due: Due,
    /// What it has.
    pub short: Short,
    /// Whether nobody can say what it has: the store that many nodes share is away.
    pub away: bool,
}

/// What is asked of purses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// So much is needed.
    pub least: Money,
    /// So much is taken where there is plenty.
    pub wanted: Money,
    /// What whoever asks has reserved before: nobody waits for what is his own.
    pub mine: Money,
}

impl Want {
    /// A sum, all of it or nothing.
    #[must_use]
    pub const fn whole(sum: Money) -> Self {
        Self {
            least: sum,
            wanted: sum,
            mine: Money::ZERO,
        }
    }
}

/// One purse.
#[derive(Debug, Default)]
struct Cell {
    purse: Mutex<Purse>,
    freed: Notify,
}

impl Cell {
    fn held(&self) -> MutexGuard<'_, Purse> {
        self.purse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All purses.
#[derive(Debug, Default)]
pub(super) struct Purses {
    cells: DashMap<Arc<str>, Arc<Cell>>,
}

/// The purses of a call, in the one order in which everybody locks them.
struct Several<'a>(Vec<(&'a Due, Arc<Cell>)>);

impl Several<'_> {
    /// Does something with all of them at once.
    fn at_once<T>(&self, run: impl FnOnce(&mut [(&Due, MutexGuard<'_, Purse>)]) -> T) -> T {
        let each = self.0.iter();
        let mut held: Vec<_> = each.map(|(due, cell)| (*due, cell.held())).collect();
        run(&mut held)
    }

    fn freed(&self, purse: &str) -> Option<&Notify> {
        let mut each = self.0.iter();
        let found = each.find(|(due, _)| &*due.purse == purse);
        found.map(|(_, cell)| &cell.freed)
    }

    fn try_take(&self, want: Want, now: u64) -> Result<Money, Lacking> {
        self.at_once(|held| {
            let mut given = want.wanted;
            for (due, purse) in &mut *held {
                let lacking = |short| Lacking {
                    due: due.clone(),
                    short,
                    away: false,
                };
                let sums = (want.least, want.mine);
                purse.has(due.budget, sums, now).map_err(lacking)?;
                given = given.min(purse.share(due.budget, (want.least, want.wanted)));
            }
            for (_, purse) in held {
                purse.reserve(given);
            }
            Ok(given)
        })
    }
}

impl Purses {
    fn cell(&self, id: &Arc<str>) -> Arc<Cell> {
        if let Some(cell) = self.cells.get(id) {
            return Arc::clone(&cell);
        }
        Arc::clone(&self.cells.entry(Arc::clone(id)).or_default())
    }

    fn several<'a>(&self, dues: &'a [Due]) -> Several<'a> {
        let mut all: Vec<_> = dues
            .iter()
            .map(|due| (due, self.cell(&due.purse)))
            .collect();
        // Two calls that share purses lock them in the same order; a purse that is named twice would lock itself out.
        all.sort_by(|(one, _), (other, _)| one.purse.cmp(&other.purse));
        all.dedup_by(|(one, _), (other, _)| one.purse == other.purse);
        Several(all)
    }

    pub(super) fn seed(&self, due: &Due, spent: Money, now: u64) {
        self.cells.entry(Arc::clone(&due.purse)).or_insert_with(|| {
            let purse = Purse::after(spent, due.budget.period, now);
            Arc::new(Cell {
                purse: Mutex::new(purse),
                freed: Notify::new(),
            })
        });
    }

    pub(super) async fn take(
        &self,
        dues: &[Due],
        want: Want,
        now: u64,
        patience: Duration,
    ) -> Result<Money, Lacking> {
        let several = self.several(dues);
        let until = Instant::now() + patience;
        loop {
            let lacking = match several.try_take(want, now) {
                Ok(given) => return Ok(given),
                Err(lacking) => lacking,
            };
            let Some(freed) = several
                .freed(&lacking.due.purse)
                .filter(|_| lacking.short.hope && !patience.is_zero())
            else {
                return Err(lacking);
            };
            let mut freed = std::pin::pin!(freed.notified());
            freed.as_mut().enable();
            // What came back between the try and this moment was told to nobody.
            if let Ok(given) = several.try_take(want, now) {
                return Ok(given);
            }
            if timeout_at(until, freed).await.is_err() {
                return several.try_take(want, now);
            }
        }
    }

    pub(super) fn settle(&self, dues: &[Due], (reserved, cost): (Money, Money), now: u64) {
        let several = self.several(dues);
        several.at_once(|held| {
            for (due, purse) in held {
                purse.settle(due.budget.period, (reserved, cost), now);
            }
        });
        // Also where nothing came back: whoever hoped for it need not hope any longer.
        several
            .0
            .iter()
            .for_each(|(_, cell)| cell.freed.notify_waiters());
    }

    pub(super) fn purse(&self, id: &str) -> Option<Purse> {
        let cell = self.cells.get(id)?;
        let purse = *cell.held();
        Some(purse)
    }
}
