//! Failures: `max-reliability` beside an oracle that knows every true chance.

use crate::goals::Goals;
use crate::router::Router;
use crate::rule::{Oracle, Rule};
use crate::run::{Tally, tally};
use crate::scenario::Scenario;

/// How many times the oracle's failures it may have.
const TIMES: f64 = 1.2;

/// Those that are looked at.
const SHOWN: [&str; 5] = [
    "steady",
    "rate limits",
    "outage",
    "unreliable",
    "all at once",
];

/// One scenario's failures.
pub(crate) struct Risks {
    name: &'static str,
    oracle: Tally,
    ours: Tally,
    random: Tally,
    ten: Tally,
}

/// Failures per 1,000 first attempts, by their true chance.
fn chance(tally: &Tally) -> f64 {
    tally.risk * 1e3 / tally.taken.iter().sum::<u64>().max(1) as f64
}

impl Risks {
    pub(crate) fn of(scenario: &Scenario) -> Option<Self> {
        SHOWN.contains(&scenario.name).then(|| Self {
            name: scenario.name,
            oracle: tally(scenario, Oracle::Risk),
            ours: tally(scenario, Router::of("max-reliability")),
            random: tally(scenario, Rule::Random(1)),
            ten: tally(scenario, Rule::LastTen(Vec::new())),
        })
    }

    pub(crate) fn times(&self) -> f64 {
        chance(&self.ours) / chance(&self.oracle)
    }

    pub(crate) fn judge(&self, goals: &mut Goals) {
        let (name, times) = (self.name, self.times());
        goals.hold(times <= TIMES, || {
            format!("`max-reliability` fails {times:.2} times as often as the oracle in '{name}'")
        });
        let lost = |tally: &Tally| tally.share(tally.failed);
        goals.hold(
            lost(&self.ours) <= TIMES * lost(&self.oracle) + 1e-4,
            || format!("`max-reliability` loses more calls than the oracle in '{name}'"),
        );
    }
}

pub(crate) fn print(all: &[Risks]) {
    println!(
        "\n## Failures per 1,000 calls\n\nOf the first attempt: the true chance, and in brackets as drawn. Goals: at most 1.2 times the oracle's,\nalso where even the best fail so seldom that telling 1 in 1,000 from 2 takes more calls than there are; calls lost after\nfallbacks at most 1.2 times the oracle's and one in 10,000.\n"
    );
    println!(
        "| scenario | oracle | `max-reliability` | times oracle | lost: oracle | lost: `max-reliability` | random | last ten |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    for risks in all {
        let both = |tally: &Tally| {
            let drawn = tally.share(tally.failed_first) * 1e3;
            format!("{:.2} ({drawn:.2})", chance(tally))
        };
        let lost = |tally: &Tally| format!("{:.2}", tally.share(tally.failed) * 1e3);
        println!(
            "| {} | {} | {} | {:.2} | {} | {} | {} | {} |",
            risks.name,
            both(&risks.oracle),
            both(&risks.ours),
            risks.times(),
            lost(&risks.oracle),
            lost(&risks.ours),
            both(&risks.random),
            both(&risks.ten)
        );
    }
}
