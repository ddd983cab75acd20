//! Where a policy loses against the oracle: each attempt's true expected loss, put down to one cause.

use std::fmt::Write as _;

use crate::desk;
use crate::router::Router;
use crate::rule::{View, risk, time};
use crate::run::watched;
use crate::scenario::Scenario;
use crate::world::Host;

/// Why the chosen host is not the oracle's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its limit is reached, and the router did not see it coming.
    Limit,
    /// It is down, or was made slower by an event: not seen yet.
    Delay,
    /// The call explored, or tried whether a host is back.
    Explored,
    /// By lot: the router holds another for better.
    Drawn,
    /// The router holds it for the best, and is wrong.
    Estimate,
}

/// Every cause, with its word.
const CAUSES: [(Cause, &str); 5] = [
    (Cause::Limit, "limits"),
    (Cause::Delay, "detection"),
    (Cause::Explored, "exploring"),
    (Cause::Drawn, "the draw"),
    (Cause::Estimate, "estimates"),
];

/// How a choice came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// The best by its own account.
    Best,
    /// By lot, another being held for better.
    Lot,
    /// To learn.
    Learn,
}

/// Sums of expected losses, by cause: milliseconds, and chances of failure.
#[derive(Clone, Debug, Default)]
pub(crate) struct Regret {
    sums: [(f64, f64); CAUSES.len()],
}

/// Milliseconds that a refusal for its limit takes.
const REFUSED: f64 = 120.0;

impl Regret {
    /// Takes an attempt.
    pub(crate) fn add(&mut self, view: &View<'_>, host: usize, manner: Manner) {
        let best = |by: &dyn Fn(usize) -> f64| view.there().map(by).fold(f64::INFINITY, f64::min);
        let full = view.buckets.left(view.hosts, host, view.now) < 1.0;
        let cause = cause(&view.hosts[host], view.now, full, manner);
        let lost = if full {
            (REFUSED, 0.0)
        } else {
            let least = best(&|host| time(view, host));
            let surest = best(&|host| risk(view, host));
            (
                failing(view, host) - least,
                view.hosts[host].risk(view.now) - surest,
            )
        };
        let at = CAUSES.iter().position(|(known, _)| *known == cause);
        let sum = &mut self.sums[at.expect("every cause is listed")];
        *sum = (sum.0 + lost.0, sum.1 + lost.1);
    }

    /// Its cells: milliseconds, or failures in 1,000, per call.
    fn cells(&self, calls: u64, of: impl Fn(&(f64, f64)) -> f64) -> String {
        let mut out = String::new();
        for sum in &self.sums {
            let _ = write!(out, " {:.2} |", of(sum) / calls.max(1) as f64);
        }
        out
    }
}

/// The expected time of a call, where a host that is down costs a failure.
fn failing(view: &View<'_>, host: usize) -> f64 {
    if view.hosts[host].risk(view.now) >= 1.0 {
        let least = view
            .there()
            .map(|host| time(view, host))
            .fold(f64::INFINITY, f64::min);
        2_300.0 + least
    } else {
        time(view, host)
    }
}

fn cause(host: &Host, now: f64, full: bool, manner: Manner) -> Cause {
    let struck = host
        .events
        .iter()
        .any(|event| (event.from..event.to).contains(&now));
    match manner {
        _ if full => Cause::Limit,
        Manner::Learn => Cause::Explored,
        _ if struck => Cause::Delay,
        Manner::Lot => Cause::Drawn,
        Manner::Best => Cause::Estimate,
    }
}

/// Prints where `fastest` loses time and `max-reliability` calls.
pub(crate) fn print(scenarios: &[Scenario]) {
    let words: Vec<&str> = CAUSES.iter().map(|(_, word)| *word).collect();
    for (strategy, unit) in [
        ("fastest", "milliseconds"),
        ("max-reliability", "failures in 1,000"),
    ] {
        println!("\n## Where `{strategy}` loses: {unit} per call, after the warm-up\n");
        println!(
            "| scenario | {} |\n|---|{}",
            words.join(" | "),
            "--:|".repeat(words.len())
        );
        let all = desk::all(scenarios.len(), |at| {
            watched(&scenarios[at], Router::of(strategy))
        });
        for (scenario, tally) in scenarios.iter().zip(all) {
            let cells = if strategy == "fastest" {
                tally.regret.cells(tally.calls, |sum| sum.0)
            } else {
                tally.regret.cells(tally.calls, |sum| sum.1 * 1e3)
            };
            println!("| {} |{cells}", scenario.name);
        }
    }
}
