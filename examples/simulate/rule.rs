//! Those who choose: the router by its strategies, the oracles, and the usual rules.

use std::borrow::Cow;
use std::sync::Arc;

use waypost::catalog::family::Points;
use waypost::catalog::{Price, Quality, Rate, Rates, Speed, Trust};
use waypost::dialect::Caps;
use waypost::route::affinity::Warmth;
use waypost::route::board::{Board, Prior, Site};
use waypost::route::filter::Scene;
use waypost::route::health::{Answer, Failing, Flight, Outcome, Reading, Snapshot, Vitals};
use waypost::route::moment::Moment;
use waypost::route::need::{Need, Prompt};
use waypost::route::plan::plan;
use waypost::route::policy::{Policy, Strategy};
use waypost::route::quotes::Quotes;

use crate::scenario::MEAN_ANSWER;
use crate::world::{Buckets, Call, End, Host, hash, normal, uniform};

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
    fn there(&self) -> impl Iterator<Item = usize> + '_ {
        let there = |host: &usize| self.hosts[*host].born <= self.now && !self.tried.contains(host);
        (0..self.hosts.len()).filter(there)
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
}

/// Knows every true mean and chance, but no draw.
pub(crate) enum Oracle {
    Time,
    Risk,
    Cost(f64),
}

impl Chooser for Oracle {
    fn choose(&mut self, view: &View<'_>) -> Option<usize> {
        // How long this answer will be is a draw.
        let call = &Call {
            answer: MEAN_ANSWER,
            ..*view.call
        };
        let limited = |host: usize| view.buckets.left(view.hosts, host, view.now) < 1.0;
        let time = |host: usize| {
            let of = &view.hosts[host];
            let (mean, risk) = (
                of.mean(call, view.now, f64::from(view.busy[host])),
                of.risk(view.now),
            );
            // A failure costs its own time and a call elsewhere.
            let failed = 2_300.0 + mean;
            let all = (1.0 - risk) * mean + risk * failed;
            if limited(host) || risk >= 1.0 {
                1e12
            } else {
                all
            }
        };
        match self {
            Self::Time => view.least(time),
            Self::Risk => view.least(|host| {
                let risk = view.hosts[host].risk(view.now);
                if limited(host) {
                    1e12
                } else {
                    risk * 1e9 + time(host) / 1e6
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

/// The router itself: the code that runs in production, shown only what it would see there.
pub(crate) struct Router {
    strategy: Cow<'static, Strategy>,
    board: Board,
    places: Vec<usize>,
    quotes: (u64, Quotes),
    vitals: Vitals,
    readings: Vec<Reading>,
    seed: u64,
    typical: u64,
}

impl Router {
    pub(crate) fn of(strategy: &'static str) -> Self {
        let strategy = Strategy::named(strategy).expect("a strategy of ours");
        Self {
            strategy: Cow::Borrowed(strategy),
            board: Board::default(),
            places: Vec::new(),
            quotes: (u64::MAX, Quotes::default()),
            vitals: Vitals::default(),
            readings: Vec::new(),
            seed: 0,
            typical: 0,
        }
    }

    /// The configuration as of now: who exists, at which price. Statistics are carried over by name.
    fn configure(&mut self, view: &View<'_>) {
        let before = self.vitals.snapshot(&self.board);
        self.board = Board::default();
        self.places = (0..view.hosts.len())
            .filter(|host| view.hosts[*host].born <= view.now)
            .collect();
        for host in &self.places {
            self.board.push(listed(&view.hosts[*host], view));
        }
        let before = if before.version == 0 {
            Snapshot::default()
        } else {
            before
        };
        self.vitals = Vitals::of(&self.board, &before);
    }
}

/// What a catalogue says of a host: its price, its quality, and a class of speed that is some way off.
fn listed(host: &Host, view: &View<'_>) -> Site {
    let mut site = Site::new("sim", &host.name, &host.family, &Arc::new(Caps::default()));
    let rumour =
        host.rate * (0.35 * normal(hash(&[host.name.len() as u64, host.rate.to_bits()]))).exp();
    site.prior = Prior::of(Some(match rumour {
        ..60.0 => Speed::Slow,
        60.0..120.0 => Speed::Medium,
        120.0..250.0 => Speed::Fast,
        _ => Speed::VeryFast,
    }));
    let points = Points::tenths((host.quality * 10.0) as u16);
    site.grade(Some(&Quality {
        index: points,
        at_default: None,
        plus_minus: 3,
        trust: Trust::High,
    }));
    let unit = Call {
        id: 0,
        at: 0.0,
        prompt: 1e6,
        answer: 0.0,
    };
    let factor = host.cost(&unit, view.now) / host.price.0;
    let rate = |dollars: f64| Rate::pico((dollars * factor * 1e6).round() as u64);
    let rates = Rates {
        input: rate(host.price.0),
        output: rate(host.price.1),
        ..Rates::default()
    };
    site.price = Some(Arc::new(Price::flat(rates, Trust::High, "simulated")));
    site
}

fn moment(now: f64) -> Moment {
    Moment::millis(1_790_000_000_000 + now as u64)
}

impl Chooser for Router {
    fn choose(&mut self, view: &View<'_>) -> Option<usize> {
        let minute = (view.now / 60_000.0) as u64;
        let exist = view
            .hosts
            .iter()
            .filter(|host| host.born <= view.now)
            .count();
        if minute != self.quotes.0 || exist != self.places.len() {
            // Lists change by the minute at most: a new model, a new price.
            if exist != self.places.len() {
                self.configure(view);
            }
            for (site, host) in self.board.sites.iter_mut().zip(&self.places) {
                site.price = listed(&view.hosts[*host], view).price;
            }
            self.quotes = (
                minute,
                Quotes::of(&self.board, moment(view.now), None, None),
            );
        }
        self.vitals
            .read(&self.board, moment(view.now), &mut self.readings);
        let prompt = view.call.prompt as u64;
        let need = Need {
            prompt: Prompt {
                counted: None,
                estimate: prompt,
                most: prompt * 2,
                audio: 0,
            },
            answer: if self.typical == 0 { 350 } else { self.typical },
            choices: 1,
            stream: true,
            ..Need::default()
        };
        let tried: Vec<usize> = view
            .tried
            .iter()
            .filter_map(|host| self.places.iter().position(|place| place == host))
            .collect();
        let policy = Policy {
            tried: &tried,
            ..Policy::of(&self.strategy)
        };
        let scene = Scene {
            board: &self.board,
            quotes: &self.quotes.1,
            readings: &self.readings,
            need: &need,
            policy: &policy,
            warmth: Warmth::default(),
            now: moment(view.now),
        };
        self.seed += 1;
        let plan = plan(&scene, hash(&[self.seed, 5])).ok()?;
        Some(self.places[plan.first()?.site])
    }

    fn began(&mut self, host: usize, now: f64) -> Option<Flight> {
        let place = self.places.iter().position(|place| *place == host)?;
        Some(self.vitals.begin(&self.board, place, moment(now)))
    }

    fn ended(&mut self, host: usize, now: f64, call: &Call, end: &End, began: Option<Flight>) {
        let (Some(place), Some(flight)) =
            (self.places.iter().position(|place| *place == host), began)
        else {
            return;
        };
        let outcome = match *end {
            End::Answered {
                wait,
                whole,
                output,
            } => Outcome::Answered(Answer {
                wait: wait as u64,
                whole: whole as u64,
                fresh: call.prompt as u64,
                output: output as u64,
                typical: 350,
                ..Answer::default()
            }),
            End::Failed { after } => Outcome::Failed {
                what: if after > 5_000.0 {
                    Failing::Silent
                } else {
                    Failing::Server
                },
                after: after as u64,
            },
            End::Limited { again, .. } => Outcome::Limited {
                again_in: Some(again as u64),
            },
        };
        let flight = Flight {
            endpoint: place,
            ..flight
        };
        self.vitals
            .observe(&self.board, flight, moment(now), &outcome);
    }
}
