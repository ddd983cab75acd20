//! Completion times: `fastest` beside an oracle and the usual rules.

use crate::goals::Goals;
use crate::router::Router;
use crate::rule::{Oracle, Rule};
use crate::run::tally;
use crate::scenario::Scenario;

/// How far over the oracle's mean time it may be.
const OVER: f64 = 0.10;

/// One scenario's mean times, in milliseconds.
pub(crate) struct Times {
    name: &'static str,
    says: &'static str,
    calls: u64,
    oracle: f64,
    ours: f64,
    /// Lowest list price, last ten, round robin, random.
    rules: [f64; 4],
}

impl Times {
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let ours = tally(scenario, Router::of("fastest"));
        let rules = [
            Rule::ListPrice,
            Rule::LastTen(Vec::new()),
            Rule::RoundRobin(0),
            Rule::Random(1),
        ];
        Self {
            name: scenario.name,
            says: scenario.says,
            calls: ours.calls,
            oracle: tally(scenario, Oracle::Time).mean(),
            ours: ours.mean(),
            rules: rules.map(|rule| tally(scenario, rule).mean()),
        }
    }

    pub(crate) fn over(&self) -> f64 {
        self.ours / self.oracle - 1.0
    }

    pub(crate) fn beats(&self) -> bool {
        self.rules.iter().all(|rule| self.ours < *rule)
    }

    pub(crate) fn judge(&self, goals: &mut Goals) {
        let (name, over) = (self.name, self.over() * 100.0);
        goals.hold(self.over() <= OVER, || {
            format!("`fastest` is {over:.1} % over the oracle in '{name}'")
        });
        goals.hold(self.beats(), || {
            format!("`fastest` is not better than every rule in '{name}'")
        });
    }
}

pub(crate) fn print(all: &[Times]) {
    println!(
        "\n## Mean seconds from call to answer\n\n200 hosts; after a warm-up of 10 minutes, fallbacks included. Goals: `fastest` within 10 % of the oracle,\nand better than every rule, in every scenario.\n"
    );
    println!(
        "| scenario | what happens | calls | oracle | `fastest` | over oracle | lowest list price | last ten | round robin | random |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for times in all {
        let seconds = |millis: f64| format!("{:.2}", millis / 1e3);
        println!(
            "| {} | {} | {} | {} | {} | {:+.1} % | {} |",
            times.name,
            times.says,
            times.calls,
            seconds(times.oracle),
            seconds(times.ours),
            times.over() * 100.0,
            times.rules.map(seconds).join(" | ")
        );
    }
}
