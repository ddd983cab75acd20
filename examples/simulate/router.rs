//! The router itself, shown only what it would see in production.

use std::borrow::Cow;
use std::sync::Arc;

use waypost::catalog::family::Points;
use waypost::catalog::{Price, Quality, Rate, Rates, Speed, Trust};
use waypost::dialect::Caps;
use waypost::route::affinity::Warmth;
use waypost::route::board::{Board, Prior, Site};
use waypost::route::draw::How;
use waypost::route::filter::Scene;
use waypost::route::health::{Answer, Failing, Flight, Outcome, Reading, Snapshot, Vitals};
use waypost::route::moment::Moment;
use waypost::route::need::{Need, Prompt};
use waypost::route::plan::{Plan, plan};
use waypost::route::policy::{Policy, Strategy};
use waypost::route::quotes::Quotes;

use crate::regret::Manner;
use crate::rule::{Chooser, View};
use crate::world::{Call, End, Host, hash, normal};

/// The router itself: the code that runs in production, shown only what it would see there.
pub(crate) struct Router {
    strategy: Cow<'static, Strategy>,
    board: Board,
    places: Vec<usize>,
    quotes: (u64, Quotes),
    vitals: Vitals,
    readings: Vec<Reading>,
    /// Calls under way, as hosts and flights.
    flights: Vec<(usize, Flight)>,
    seed: u64,
    manner: Manner,
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
            flights: Vec::new(),
            seed: 0,
            manner: Manner::Best,
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
        for (host, flight) in &mut self.flights {
            let place = self.places.iter().position(|place| place == host);
            let place = place.expect("hosts never go");
            *flight = self.vitals.begin(&self.board, place, flight.began);
        }
    }
}

/// Tokens of a typical answer, as the router assumes them.
const TYPICAL: u64 = 350;

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

fn manner(plan: &Plan) -> Option<Manner> {
    let first = plan.first()?.utility;
    Some(match plan.how {
        How::Explored | How::Trial => Manner::Learn,
        How::Best | How::Drawn if plan.candidates.iter().any(|other| other.utility > first) => {
            Manner::Lot
        }
        How::Best | How::Drawn => Manner::Best,
    })
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
                error: 0,
                counted: None,
                estimate: prompt,
                most: prompt * 2,
                audio: 0,
            },
            answer: TYPICAL,
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
        self.manner = manner(&plan)?;
        Some(self.places[plan.first()?.site])
    }

    fn manner(&self) -> Manner {
        self.manner
    }

    fn began(&mut self, host: usize, now: f64) -> Option<Flight> {
        let place = self.places.iter().position(|place| *place == host)?;
        let flight = self.vitals.begin(&self.board, place, moment(now));
        self.flights.push((host, flight));
        Some(flight)
    }

    fn ended(&mut self, host: usize, now: f64, call: &Call, end: &End, began: Option<Flight>) {
        let its = |(of, flight): &(usize, Flight)| {
            *of == host && began.is_some_and(|began| began.began == flight.began)
        };
        let Some(at) = self.flights.iter().position(its) else {
            return;
        };
        // Its place as of now: the board may have been made anew since.
        let (_, flight) = self.flights.swap_remove(at);
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
                typical: TYPICAL,
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
        self.vitals
            .observe(&self.board, flight, moment(now), &outcome);
    }
}
