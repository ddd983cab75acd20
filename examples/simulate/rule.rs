//! Those who choose beside the router: the oracles, and the usual rules.

use waypost::route::health::Flight;

use crate::regret::Manner;
use crate::scenario::MEAN_ANSWER;
use crate::world::{Buckets, Call, End, Host, hash, uniform};

/// What one who chooses may see. Only oracles look at `hosts` beyond names, prices and who exists.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) hosts: &'a [Host],
    pub(crate) buckets: &'a Buckets,
    pub(crate) busy: &'a [u32],
    pub(crate) now: f64,
    pub(crate) call: &'a Call,
    pub(crate) tried: &'a [usize],
}

impl View<'_> {
    pub(crate) fn there(&self) -> impl Iterator<Item = usize> + '_ {
        let there = |host: &usize| self.hosts[*host].born <= self.now && !self.tried.contains(host);
        (0..self.hosts.len()).filter(there)
    }

    fn limited(&self, host: usize) -> bool {
        self.buckets.left(self.hosts, host, self.now) < 1.0
    }

    fn least(&self, by: impl Fn(usize) -> f64) -> Option<usize> {
        self.there().min_by(|a, b| by(*a).total_cmp(&by(*b)))
    }
}

pub(crate) trait Chooser {
    fn choose(&mut self, view: &View<'_>) -> Option<usize>;
    fn began(&mut self, _host: usize, _now: f64) -> Option<Flight> {
        None
    }
    fn ended(&mut self, _host: usize, _now: f64, _call: &Call, _end: &End, _began: Option<Flight>) {
    }
    /// How its last choice came about.
    fn manner(&self) -> Manner {
        Manner::Best
    }
}

/// The true mean time of a call made now, failures and a call elsewhere included; no time where it cannot be made. How
/// long this answer will be is a draw.
pub(crate) fn time(view: &View<'_>, host: usize) -> f64 {
    let call = Call {
        answer: MEAN_ANSWER,
        ..*view.call
    };
    let of = &view.hosts[host];
    let (mean, risk) = (
        of.mean(&call, view.now, f64::from(view.busy[host])),
        of.risk(view.now),
    );
    // A failure costs its own time and a call elsewhere.
    let failed = 2_300.0 + mean;
    if view.limited(host) || risk >= 1.0 {
        1e12
    } else {
        (1.0 - risk) * mean + risk * failed
    }
}

/// The true chance of failure of a call made now.
pub(crate) fn risk(view: &View<'_>, host: usize) -> f64 {
    if view.limited(host) {
        1.0
    } else {
        view.hosts[host].risk(view.now)
    }
}

/// Knows every true mean and chance, but no draw.
pub(crate) enum Oracle {
    Time,
    Risk,
    Cost(f64),
}

impl Chooser for Oracle {
    fn choose(&mut self, view: &View<'_>) -> Option<usize> {
        let call = &Call {
            answer: MEAN_ANSWER,
            ..*view.call
        };
        match self {
            Self::Time => view.least(|host| time(view, host)),
            Self::Risk => view.least(|host| {
                if view.limited(host) {
                    1e12
                } else {
                    view.hosts[host].risk(view.now) * 1e9 + time(view, host) / 1e6
                }
            }),
            Self::Cost(floor) => view.least(|host| {
                let of = &view.hosts[host];
                if of.quality < *floor {
                    1e12
                } else {
                    of.cost(call, view.now)
                }
            }),
        }
    }
}

/// The usual rules, as they are commonly written.
pub(crate) enum Rule {
    /// The lowest sum of list prices.
    ListPrice,
    /// The lowest mean of the last ten seconds-per-token; who has none counts as 0; a timeout counts 1,000 s.
    LastTen(Vec<Vec<f64>>),
    /// One after the other.
    RoundRobin(usize),
    /// Any.
    Random(u64),
}

impl Chooser for Rule {
    fn choose(&mut self, view: &View<'_>) -> Option<usize> {
        match self {
            Self::ListPrice => {
                view.least(|host| view.hosts[host].price.0 + view.hosts[host].price.1)
            }
            Self::LastTen(seen) => {
                seen.resize(view.hosts.len(), Vec::new());
                let mean =
                    |host: usize| seen[host].iter().sum::<f64>() / seen[host].len().max(1) as f64;
                view.least(mean)
            }
            Self::RoundRobin(next) => {
                let there: Vec<usize> = view.there().collect();
                *next += 1;
                there.get(*next % there.len().max(1)).copied()
            }
            Self::Random(seed) => {
                *seed += 1;
                let there: Vec<usize> = view.there().collect();
                let at = (uniform(hash(&[*seed, 99])) * there.len() as f64) as usize;
                there.get(at).copied()
            }
        }
    }

    fn ended(&mut self, host: usize, _now: f64, _call: &Call, end: &End, _began: Option<Flight>) {
        let Self::LastTen(seen) = self else { return };
        let sample = match end {
            End::Answered { whole, output, .. } => whole / 1e3 / output.max(1.0),
            End::Failed { after } if *after > 5_000.0 => 1_000.0,
            End::Failed { .. } | End::Limited { .. } => return,
        };
        seen[host].push(sample);
        if seen[host].len() > 10 {
            seen[host].remove(0);
        }
    }
}
