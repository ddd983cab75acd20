//! Gates of one process: requests and tokens a minute, and calls at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dashmap::DashMap;

use crate::account::Rate;
use crate::account::limit::{Denied, Gate, Standing};

/// A gate that a call has to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gated {
    /// Its id, the same at every node: `key:ci`, `tenant:acme`.
    pub gate: Arc<str>,
    /// Requests a minute.
    pub requests: Option<Rate>,
    /// Tokens a minute.
    pub tokens: Option<Rate>,
    /// Calls at once.
    pub at_once: Option<u32>,
}

/// What a gate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Requests a minute.
    Requests,
    /// Tokens a minute.
    Tokens,
    /// Calls at once.
    AtOnce,
    /// Nobody knows: the store that many nodes share is away.
    Away,
}

/// A gate that is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub gate: Arc<str>,
    /// What it counts.
    pub kind: Kind,
    /// The limit.
    pub limit: u64,
    /// When it opens; `None` where nobody knows, or it never does for so much.
    pub after: Option<Duration>,
    /// How it stands, where it counts by the minute.
    pub standing: Option<Standing>,
}

/// How the tightest gates stand once a call is inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entered {
    /// Requests.
    pub requests: Option<Standing>,
    /// Tokens.
    pub tokens: Option<Standing>,
}

/// The state of one gate.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    requests: Gate,
    tokens: Gate,
    inside: u32,
}

/// All gates.
#[derive(Debug, Default)]
pub(super) struct Gates {
    cells: DashMap<Arc<str>, Arc<Mutex<Cell>>>,
}

/// The gates of a call, held.
type Held<'a, 'b> = [(&'a Gated, MutexGuard<'b, Cell>)];

impl Gates {
    fn cell(&self, id: &Arc<str>) -> Arc<Mutex<Cell>> {
        if let Some(cell) = self.cells.get(id) {
            return Arc::clone(&cell);
        }
        Arc::clone(&self.cells.entry(Arc::clone(id)).or_default())
    }

    /// Does something with all gates at once, locked in the order that everybody keeps.
    fn at_once<T>(&self, gates: &[Gated], run: impl FnOnce(&mut Held<'_, '_>) -> T) -> T {
        let mut all: Vec<_> = gates
            .iter()
            .map(|gated| (gated, self.cell(&gated.gate)))
            .collect();
        all.sort_by(|(one, _), (other, _)| one.gate.cmp(&other.gate));
        all.dedup_by(|(one, _), (other, _)| one.gate == other.gate);
        let each = all.iter();
        let held =
            each.map(|(gated, cell)| (*gated, cell.lock().unwrap_or_else(PoisonError::into_inner)));
        run(&mut held.collect::<Vec<_>>())
    }

    pub(super) fn enter(&self, gates: &[Gated], now: u64) -> Result<Entered, Refused> {
        self.at_once(gates, |held| {
            for (gated, cell) in held.iter() {
                if let Some(limit) = gated.at_once.filter(|limit| cell.inside >= *limit) {
                    return Err(crowded(gated, limit));
                }
                if let Some(rate) = gated.requests {
                    let denied = |denied| refused(gated, Kind::Requests, denied);
                    cell.requests.has(rate, 1, now).map_err(denied)?;
                }
            }
            let mut entered = Entered::default();
            for (gated, cell) in held {
                cell.inside = cell.inside.saturating_add(1);
                if let Some(rate) = gated.requests {
                    cell.requests.take(rate, 1, now);
                    let standing = cell.requests.standing(rate, now);
                    entered.requests = Some(tighter(entered.requests, standing));
                }
                if let Some(rate) = gated.tokens {
                    let standing = cell.tokens.standing(rate, now);
                    entered.tokens = Some(tighter(entered.tokens, standing));
                }
            }
            Ok(entered)
        })
    }

    /// Notes a call that was let in elsewhere.
    pub(super) fn let_in(&self, gates: &[Gated]) {
        self.at_once(gates, |held| {
            for (_, cell) in held {
                cell.inside = cell.inside.saturating_add(1);
            }
        });
    }

    /// How many calls hold a place in each gate.
    pub(super) fn places(&self) -> Vec<(Arc<str>, u32)> {
        let inside =
            |cell: &Mutex<Cell>| cell.lock().unwrap_or_else(PoisonError::into_inner).inside;
        let all = self.cells.iter();
        all.map(|cell| (Arc::clone(cell.key()), inside(cell.value())))
            .collect()
    }

    pub(super) fn leave(&self, gates: &[Gated]) {
        self.at_once(gates, |held| {
            for (_, cell) in held {
                cell.inside = cell.inside.saturating_sub(1);
            }
        });
    }

    pub(super) fn take_tokens(
        &self,
        gates: &[Gated],
        count: u64,
        now: u64,
    ) -> Result<Option<Standing>, Refused> {
        self.at_once(gates, |held| {
            for (gated, cell) in held.iter() {
                if let Some(rate) = gated.tokens {
                    let denied = |denied| refused(gated, Kind::Tokens, denied);
                    cell.tokens.has(rate, count, now).map_err(denied)?;
                }
            }
            let mut tightest = None;
            for (gated, cell) in held {
                if let Some(rate) = gated.tokens {
                    cell.tokens.take(rate, count, now);
                    tightest = Some(tighter(tightest, cell.tokens.standing(rate, now)));
                }
            }
            Ok(tightest)
        })
    }

    pub(super) fn correct(&self, gates: &[Gated], (taken, used): (u64, u64), now: u64) {
        self.at_once(gates, |held| {
            for (gated, cell) in held {
                if let Some(rate) = gated.tokens {
                    match used.checked_sub(taken) {
                        Some(more) => cell.tokens.take(rate, more, now),
                        None => cell.tokens.give_back(rate, taken.saturating_sub(used)),
                    }
                }
            }
        });
    }

    pub(super) fn inside(&self, id: &str) -> u32 {
        let found = self.cells.get(id);
        found.map_or(0, |cell| {
            cell.lock().unwrap_or_else(PoisonError::into_inner).inside
        })
    }
}

fn refused(gated: &Gated, kind: Kind, denied: Denied) -> Refused {
    Refused {
        gate: Arc::clone(&gated.gate),
        kind,
        limit: denied.standing.limit,
        after: denied.after,
        standing: Some(denied.standing),
    }
}

fn crowded(gated: &Gated, limit: u32) -> Refused {
    Refused {
        gate: Arc::clone(&gated.gate),
        kind: Kind::AtOnce,
        limit: u64::from(limit),
        after: None,
        standing: None,
    }
}

/// The one of two that has less.
pub(super) fn tighter(one: Option<Standing>, other: Standing) -> Standing {
    one.filter(|one| one.remaining <= other.remaining)
        .unwrap_or(other)
}
