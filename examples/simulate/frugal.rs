//! Lowest cost: where nothing is left to chance, is it truly the cheapest that can do the job? And what does it cost
//! where answers' lengths must be learned?
//!
//! The truth is worked out here in whole pico-dollars from the made-up price list, not by the router's code.

use std::sync::Arc;

use waypost::catalog::family::Points;
use waypost::catalog::price::{Band, Peak, Window};
use waypost::catalog::{Price, Quality, Rate, Rates, Trust};
use waypost::dialect::Caps;
use waypost::route::ability::{Abilities, Ability};
use waypost::route::affinity::Warmth;
use waypost::route::board::{Board, Site};
use waypost::route::filter::Scene;
use waypost::route::health::Reading;
use waypost::route::moment::Moment;
use waypost::route::need::{Need, Prompt};
use waypost::route::plan::plan;
use waypost::route::policy::{Cap, CapMode, Policy, Strategy};
use waypost::route::quotes::Quotes;

use crate::goals::Goals;
use crate::router::Router;
use crate::rule::{Oracle, Rule};
use crate::run::{Tally, tally};
use crate::scenario::Scenario;
use crate::world::{hash, uniform};

const CASES: u64 = 1_000;
const HOSTS: u64 = 200;

/// One line of a made-up price list, pico-dollars per token.
struct Line {
    input: u64,
    output: u64,
    read: u64,
    /// From so many prompt tokens on everything costs twice as much.
    band: Option<u64>,
    /// In the first four hours of a weekday everything costs twice as much.
    peak: bool,
    /// Thousandths of its tokens per token of the estimate.
    tokens: u64,
    context: u64,
    sees: bool,
    tenths: u16,
}

/// One request.
struct Ask {
    now: u64,
    prompt: u64,
    output: u64,
    limit: Option<u64>,
    sees: bool,
    /// Tokens that the host of this number has cached.
    cached: (u64, u64),
    cap: Option<u64>,
}

fn line(seed: u64, number: u64, flat: bool) -> Line {
    let draw = |what: u64| uniform(hash(&[seed, number, what]));
    let input = (50_000.0 * 200_f64.powf(draw(1))) as u64;
    Line {
        input,
        output: (input as f64 * (2.0 + 6.0 * draw(2))) as u64,
        read: (input as f64 * (0.05 + 0.45 * draw(3))) as u64,
        band: (!flat && draw(4) < 0.3).then_some(200_001),
        peak: !flat && draw(5) < 0.2,
        tokens: if flat {
            1_000
        } else {
            900 + (700.0 * draw(6)) as u64
        },
        context: [32_000, 128_000, 400_000, 1_000_000][(draw(7) * 4.0) as usize],
        sees: draw(8) < 0.6,
        tenths: 200 + (750.0 * draw(9)) as u16,
    }
}

fn ask(seed: u64, case: u64, flat: bool) -> Ask {
    let draw = |what: u64| uniform(hash(&[seed, case, what, 3]));
    let prompt = (100.0 * 4_000_f64.powf(draw(1))) as u64;
    Ask {
        now: 1_790_000_000 + (604_800.0 * draw(2)) as u64,
        prompt,
        output: (20.0 * 100_f64.powf(draw(3))) as u64,
        limit: (draw(4) < 0.3).then(|| 16 + (4_000.0 * draw(5)) as u64),
        sees: draw(6) < 0.2,
        cached: (
            hash(&[seed, case, 4]) % HOSTS,
            (prompt as f64 * draw(7)) as u64,
        ),
        cap: (flat && draw(8) < 0.5).then(|| (20_000.0 * 5_000_f64.powf(draw(9))) as u64),
    }
}

impl Line {
    /// What the request truly costs here, in nano-dollars; `None` where it cannot be done.
    fn truth(&self, number: u64, ask: &Ask) -> Option<u64> {
        let input = (ask.prompt * self.tokens + 500) / 1_000;
        let least = ask.limit.map_or(16, |limit| limit.min(16));
        // A prompt above the window is refused, not billed.
        let longest = (ask.prompt * 2).min(self.context);
        let bound = (longest * self.input + least * self.output).div_ceil(1_000);
        let able = (self.sees || !ask.sees) && self.tenths >= 400 && input + least <= self.context;
        if !able || ask.cap.is_some_and(|cap| bound > cap) {
            return None;
        }
        let within = ask.cap.map_or(u64::MAX, |cap| {
            (cap * 1_000 - longest * self.input) / self.output
        });
        // Only a cap that is reached says a limit where the caller said none; some of the window is left for what the
        // estimate misses.
        let window = self.context - input;
        let said = ask.limit.map_or(u64::MAX, |limit| limit.min(window));
        let spare = self.context.saturating_sub(input + input / 4 + 256).max(16);
        let reached = within < said.min(self.context);
        let output = ask
            .output
            .min(if reached { within.min(spare) } else { said });
        let (day, hour) = ((ask.now / 86_400 + 3) % 7, ask.now % 86_400 / 3_600);
        let dear =
            (self.peak && day < 5 && hour < 4) || self.band.is_some_and(|from| input >= from);
        let (host, known) = ask.cached;
        let cached = if host == number {
            ((known * self.tokens + 500) / 1_000).min(input)
        } else {
            0
        };
        let sum = (input - cached) * self.input + cached * self.read + output * self.output;
        Some((sum * if dear { 2 } else { 1 } + 500) / 1_000)
    }

    fn site(&self, number: u64) -> Site {
        let caps = Caps {
            context: Some(self.context),
            vision: Some(self.sees),
            ..Caps::default()
        };
        let mut site = Site::new("sim", &format!("m{number}"), "sim", &Arc::new(caps));
        let rates = |times: u64| Rates {
            input: Rate::pico(self.input * times),
            output: Rate::pico(self.output * times),
            cache_read: Some(Rate::pico(self.read * times)),
            ..Rates::default()
        };
        let mut price = Price::flat(rates(1), Trust::High, "made up");
        price.bands = self
            .band
            .iter()
            .map(|from| Band {
                from: *from,
                rates: rates(2),
            })
            .collect();
        price.peak = self.peak.then(|| Peak {
            windows: vec![Window { from: 0, to: 240 }],
            weekdays: vec![1, 2, 3, 4, 5],
            rates: rates(2),
        });
        site.price = Some(Arc::new(price));
        site.token_factor = self.tokens as f64 / 1_000.0;
        site.keeps = Some(300_000);
        site.grade(Some(&Quality {
            index: Points::tenths(self.tenths),
            at_default: None,
            plus_minus: 3,
            trust: Trust::High,
        }));
        site
    }
}

/// Static cases: the choice must be the true cheapest in every one.
#[derive(Default)]
pub(crate) struct Cases {
    pub(crate) right: u64,
    /// Of these, where rightly nothing fits.
    none: u64,
    wrong: Vec<String>,
}

impl Cases {
    pub(crate) const COUNT: u64 = CASES;

    pub(crate) fn run(seed: u64) -> Self {
        Self::some(seed, CASES)
    }

    /// So many of them.
    pub(crate) fn some(seed: u64, count: u64) -> Self {
        let mut cases = Self::default();
        for case in 0..count {
            let flat = case % 2 == 0;
            let lines: Vec<Line> = (0..HOSTS)
                .map(|number| line(hash(&[seed, case]), number, flat))
                .collect();
            let ask = ask(seed, case, flat);
            let truth = |number: usize| lines[number].truth(number as u64, &ask);
            let cheapest = (0..lines.len()).filter_map(truth).min();
            match (cheapest, choice(&lines, &ask).map(truth)) {
                (Some(cheapest), Some(Some(cost))) if cost == cheapest => cases.right += 1,
                (None, None) => (cases.right, cases.none) = (cases.right + 1, cases.none + 1),
                (cheapest, cost) => cases.wrong.push(format!(
                    "`lowest-cost` took {cost:?} where {cheapest:?} nano-dollars would do, case {case}"
                )),
            }
        }
        cases
    }

    pub(crate) fn judge(&self, goals: &mut Goals) {
        goals.missed.extend(self.wrong.iter().cloned());
    }

    pub(crate) fn print(&self) {
        let (right, none) = (self.right, self.none);
        println!(
            "\n## Lowest cost\n\n`lowest-cost` over {CASES} static cases of 200 endpoints (bands, peak hours, token factors, caches, windows, vision,\nfloors, caps): the true cheapest in {right}, of which in {none} rightly nothing fits. Goal: all.\n"
        );
    }
}

fn choice(lines: &[Line], ask: &Ask) -> Option<usize> {
    let mut board = Board::default();
    for (number, line) in lines.iter().enumerate() {
        board.push(line.site(number as u64));
    }
    let now = Moment::millis(ask.now * 1_000);
    let quotes = Quotes::of(&board, now, None, None);
    let need = Need {
        abilities: if ask.sees {
            Abilities::NONE.with(Ability::Vision)
        } else {
            Abilities::NONE
        },
        output: ask.limit,
        prompt: Prompt {
            error: 0,
            counted: None,
            estimate: ask.prompt,
            most: ask.prompt * 2,
            audio: 0,
        },
        answer: ask.output,
        choices: 1,
        ..Need::default()
    };
    // A cache that always gives what is expected of it.
    let reading = Reading {
        hits: 1.0,
        ..Reading::default()
    };
    let strategy = Strategy::named("lowest-cost")?;
    let cap = ask.cap.map(|cap| Cap {
        most: waypost::account::Money::nano(cap),
        mode: CapMode::Clamp,
    });
    let policy = Policy {
        cap,
        ..Policy::of(strategy)
    };
    let scene = Scene {
        board: &board,
        quotes: &quotes,
        readings: &vec![reading; lines.len()],
        need: &need,
        policy: &policy,
        warmth: Warmth::default().with(board.sites[ask.cached.0 as usize].key, ask.cached.1),
        now,
    };
    plan(&scene, ask.now).ok()?.first().map(|first| first.site)
}

/// Those that are looked at.
const SHOWN: [&str; 4] = ["steady", "drift", "price change", "all at once"];

/// What `lowest-cost` spends where lengths of answers must be learned, in dollars per 1,000 answers.
pub(crate) struct Spending {
    name: &'static str,
    oracle: f64,
    ours: f64,
    list: f64,
    random: f64,
}

impl Spending {
    pub(crate) fn of(scenario: &Scenario) -> Option<Self> {
        let spent = |tally: &Tally| tally.cost * 1e3 / (tally.calls - tally.failed).max(1) as f64;
        SHOWN.contains(&scenario.name).then(|| Self {
            name: scenario.name,
            oracle: spent(&tally(scenario, Oracle::Cost(40.0))),
            ours: spent(&tally(scenario, Router::of("lowest-cost"))),
            list: spent(&tally(scenario, Rule::ListPrice)),
            random: spent(&tally(scenario, Rule::Random(1))),
        })
    }

    pub(crate) fn print(all: &[Self]) {
        println!(
            "Dollars per 1,000 answers after the warm-up, where the lengths of answers differ by host and must be learned (told,\nnot gated):\n"
        );
        println!(
            "| scenario | oracle | `lowest-cost` | over oracle | lowest list price | random |"
        );
        println!("|---|--:|--:|--:|--:|--:|");
        for one in all {
            println!(
                "| {} | {:.3} | {:.3} | {:+.1} % | {:.3} | {:.3} |",
                one.name,
                one.oracle,
                one.ours,
                (one.ours / one.oracle - 1.0) * 100.0,
                one.list,
                one.random
            );
        }
    }
}
