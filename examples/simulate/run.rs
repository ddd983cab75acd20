//! One policy through one scenario: arrivals, attempts, fallbacks and what came of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::regret::Regret;
use crate::rule::{Chooser, View};
use crate::scenario::Scenario;
use crate::world::{Buckets, Call, End, Host};

/// Attempts in all per call.
const ATTEMPTS: usize = 6;

/// What a policy made of a scenario, after the warm-up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    /// Milliseconds from call to answer, fallbacks included; what failed in the end counts 30 s more.
    pub(crate) time: f64,
    /// Calls whose first attempt met a failure (limits not counted).
    pub(crate) failed_first: u64,
    pub(crate) limited_first: u64,
    /// Calls that failed in the end.
    pub(crate) failed: u64,
    pub(crate) cost: f64,
    /// First attempts by host.
    pub(crate) taken: Vec<u64>,
    /// The true chance of failure of the first choice, summed.
    pub(crate) risk: f64,
    /// Every choice of a first attempt: when, where.
    pub(crate) choices: Vec<(f64, usize)>,
    /// What every attempt lost against the oracle, where that is looked at.
    pub(crate) regret: Regret,
}

impl Tally {
    pub(crate) fn mean(&self) -> f64 {
        self.time / self.calls.max(1) as f64
    }

    pub(crate) fn share(&self, count: u64) -> f64 {
        count as f64 / self.calls.max(1) as f64
    }

    pub(crate) fn top(&self) -> f64 {
        self.share(self.taken.iter().copied().max().unwrap_or(0))
    }
}

/// A call under way.
struct Flight {
    call: Call,
    host: usize,
    tried: Vec<usize>,
    end: End,
    /// What the chooser said as it began.
    began: Option<waypost::route::health::Flight>,
}

/// Something that happens at a time, in micro-milliseconds so that it sorts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct At(u64, u64);

/// One policy through one scenario.
pub(crate) fn tally(scenario: &Scenario, mut chooser: impl Chooser) -> Tally {
    run(scenario, false, &mut chooser)
}

/// The same, with what each attempt lost against the oracle.
pub(crate) fn watched(scenario: &Scenario, mut chooser: impl Chooser) -> Tally {
    run(scenario, true, &mut chooser)
}

fn run(scenario: &Scenario, watched: bool, chooser: &mut dyn Chooser) -> Tally {
    let hosts = &scenario.hosts;
    let mut stage = Stage {
        hosts,
        warm: scenario.warm,
        watched,
        buckets: Buckets::of(hosts),
        busy: vec![0; hosts.len()],
        flights: Vec::new(),
        due: BinaryHeap::new(),
        tally: Tally {
            taken: vec![0; hosts.len()],
            ..Tally::default()
        },
    };
    for call in &scenario.calls {
        stage.until(call.at, chooser);
        stage.attempt(*call, call.at, Vec::new(), chooser);
    }
    stage.until(f64::MAX, chooser);
    stage.tally
}

struct Stage<'a> {
    hosts: &'a [Host],
    warm: f64,
    watched: bool,
    buckets: Buckets,
    busy: Vec<u32>,
    flights: Vec<Option<Flight>>,
    due: BinaryHeap<Reverse<At>>,
    tally: Tally,
}

impl Stage<'_> {
    /// Lets everything end that is due.
    fn until(&mut self, now: f64, chooser: &mut dyn Chooser) {
        while let Some(Reverse(At(micro, place))) = self.due.peek() {
            let (at, place) = (*micro as f64 / 1e3, *place as usize);
            if at > now {
                return;
            }
            self.due.pop();
            if let Some(flight) = self.flights[place].take() {
                self.land(flight, at, chooser);
            }
        }
    }

    fn attempt(&mut self, call: Call, now: f64, tried: Vec<usize>, chooser: &mut dyn Chooser) {
        let view = View {
            hosts: self.hosts,
            buckets: &self.buckets,
            busy: &self.busy,
            now,
            call: &call,
            tried: &tried,
        };
        let Some(host) = chooser.choose(&view).filter(|_| tried.len() < ATTEMPTS) else {
            if call.at >= self.warm {
                self.tally.calls += 1;
                self.tally.failed += 1;
                self.tally.time += now - call.at + 30_000.0;
            }
            return;
        };
        if self.watched && call.at >= self.warm {
            self.tally.regret.add(&view, host, chooser.manner());
        }
        let began = chooser.began(host, now);
        let end = match self.buckets.take(self.hosts, host, now) {
            Ok(()) => {
                self.hosts[host].answer(&call, now, f64::from(self.busy[host]), tried.len() as u64)
            }
            Err(again) => End::Limited {
                after: 120.0,
                again: (again * 1e3).max(1_000.0),
            },
        };
        self.busy[host] += 1;
        if tried.is_empty() && call.at >= self.warm {
            self.first(&call, host, &end);
        }
        let after = match end {
            End::Answered { whole, .. } => whole,
            End::Failed { after } | End::Limited { after, .. } => after,
        };
        let place = self.flights.len();
        self.due
            .push(Reverse(At(((now + after) * 1e3) as u64, place as u64)));
        self.flights.push(Some(Flight {
            call,
            host,
            tried,
            end,
            began,
        }));
    }

    fn first(&mut self, call: &Call, host: usize, end: &End) {
        self.tally.taken[host] += 1;
        self.tally.choices.push((call.at, host));
        self.tally.risk += self.hosts[host].risk(call.at);
        self.tally.failed_first += u64::from(matches!(end, End::Failed { .. }));
        self.tally.limited_first += u64::from(matches!(end, End::Limited { .. }));
    }

    fn land(&mut self, flight: Flight, now: f64, chooser: &mut dyn Chooser) {
        let Flight {
            call,
            host,
            mut tried,
            end,
            began,
        } = flight;
        self.busy[host] -= 1;
        chooser.ended(host, now, &call, &end, began);
        if let End::Answered { .. } = end {
            if call.at >= self.warm {
                self.tally.calls += 1;
                self.tally.time += now - call.at;
                self.tally.cost += self.hosts[host].cost(&call, call.at);
            }
        } else {
            tried.push(host);
            self.attempt(call, now, tried, chooser);
        }
    }
}
