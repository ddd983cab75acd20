//! The router against oracles and the usual rules, in a world that does not know it: `cargo run --release --example
//! simulate`. Prints tables, and ends with 1 where a goal is missed. Every run is the same, to the last digit.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::suboptimal_flops,
    reason = "a simulation prints, works in floats and stops where its own input is wrong"
)]

mod frugal;
mod rule;
mod run;
mod scenario;
mod world;

use std::process::ExitCode;

use rule::{Chooser, Oracle, Router, Rule};
use run::{Tally, run};
use scenario::Scenario;

const SEED: u64 = 20_261_125;

/// Goals, and whether they are met.
#[derive(Default)]
struct Goals {
    missed: Vec<String>,
}

impl Goals {
    fn hold(&mut self, met: bool, what: String) {
        if !met {
            self.missed.push(what);
        }
    }
}

fn main() -> ExitCode {
    let seed = std::env::args()
        .nth(1)
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(SEED);
    let only = std::env::args().nth(2);
    let mut goals = Goals::default();
    let mut scenarios = scenario::all(seed);
    scenarios.retain(|scenario| {
        only.as_deref()
            .is_none_or(|only| scenario.name.contains(only))
    });
    fastest(&scenarios, &mut goals);
    if only.is_some() {
        taken(&scenarios);
    }
    if only.is_some() {
        return ExitCode::SUCCESS;
    }
    reliable(&scenarios, &mut goals);
    frugal::cases(seed, &mut goals);
    frugal::spending(&scenarios);
    spread(seed, &mut goals);
    recovery(seed, &mut goals);
    if goals.missed.is_empty() {
        println!("\nAll goals are met.");
        return ExitCode::SUCCESS;
    }
    println!("\nMissed:");
    for missed in &goals.missed {
        println!("- {missed}");
    }
    ExitCode::FAILURE
}

fn tally(scenario: &Scenario, mut chooser: impl Chooser) -> Tally {
    run(
        &scenario.hosts,
        &scenario.calls,
        scenario.warm,
        &mut chooser,
    )
}

/// Mean completion time in every scenario.
fn fastest(scenarios: &[Scenario], goals: &mut Goals) {
    println!("Mean seconds from call to answer after warm-up, fallbacks included (200 hosts)\n");
    println!(
        "| scenario | what happens | calls | oracle | `fastest` | over oracle | lowest list price | last ten | round robin | random |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|");
    for scenario in scenarios {
        let oracle = tally(scenario, Oracle::Time);
        let ours = tally(scenario, Router::of("fastest"));
        let rules = [
            Rule::ListPrice,
            Rule::LastTen(Vec::new()),
            Rule::RoundRobin(0),
            Rule::Random(1),
        ];
        let rules = rules.map(|rule| tally(scenario, rule));
        let over = ours.mean() / oracle.mean() - 1.0;
        let seconds = |tally: &Tally| format!("{:.2}", tally.mean() / 1e3);
        let others: Vec<String> = rules.iter().map(seconds).collect();
        println!(
            "| {} | {} | {} | {} | {} | {:+.1} % | {} |",
            scenario.name,
            scenario.says,
            ours.calls,
            seconds(&oracle),
            seconds(&ours),
            over * 100.0,
            others.join(" | ")
        );
        goals.hold(
            over <= 0.10,
            format!(
                "fastest is {:.1} % over the oracle in '{}'",
                over * 100.0,
                scenario.name
            ),
        );
        let beaten = rules.iter().all(|rule| ours.mean() < rule.mean());
        goals.hold(
            beaten,
            format!(
                "fastest is not better than every rule in '{}'",
                scenario.name
            ),
        );
    }
}

/// Where calls went, for those who look at one scenario.
fn taken(scenarios: &[Scenario]) {
    for scenario in scenarios {
        for (name, tally) in [
            ("oracle", tally(scenario, Oracle::Time)),
            ("fastest", tally(scenario, Router::of("fastest"))),
        ] {
            let risk = tally.failed_first as f64 / tally.calls as f64;
            let limited = tally.limited_first as f64 / tally.calls as f64;
            println!(
                "\n{}: {name}, failed first {risk:.4}, limited first {limited:.4}",
                scenario.name
            );
            let mut hosts: Vec<usize> = (0..scenario.hosts.len()).collect();
            hosts.sort_by_key(|host| std::cmp::Reverse(tally.taken[*host]));
            let call = world::Call {
                id: 0,
                at: 0.0,
                prompt: 2_500.0,
                answer: 400.0,
            };
            for host in hosts.into_iter().take(12) {
                let of = &scenario.hosts[host];
                println!(
                    "  {} share {:.3} mean {:.0} ms risk {:.4} tail {:?} spread {:.2}",
                    of.name,
                    tally.share(tally.taken[host]),
                    of.mean(&call, 0.0, 0.0),
                    of.fails,
                    of.tail,
                    of.spread
                );
            }
        }
    }
}

/// First attempts that failed, and calls that did.
fn reliable(scenarios: &[Scenario], goals: &mut Goals) {
    println!(
        "\nFailures per 1,000 calls after warm-up: of the first attempt, true chance (and as drawn); calls lost in the end\n"
    );
    println!("| scenario | oracle | `max-reliability` | times oracle | lost | random | last ten |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for scenario in scenarios {
        let oracle = tally(scenario, Oracle::Risk);
        let ours = tally(scenario, Router::of("max-reliability"));
        let random = tally(scenario, Rule::Random(1));
        let ten = tally(scenario, Rule::LastTen(Vec::new()));
        let risk = |tally: &Tally| tally.risk / tally.taken.iter().sum::<u64>() as f64;
        let both = |tally: &Tally| {
            format!(
                "{:.2} ({:.2})",
                risk(tally) * 1e3,
                tally.share(tally.failed_first) * 1e3
            )
        };
        let times = risk(&ours) / risk(&oracle);
        println!(
            "| {} | {} | {} | {times:.2} | {:.2} | {} | {} |",
            scenario.name,
            both(&oracle),
            both(&ours),
            ours.share(ours.failed) * 1e3,
            both(&random),
            both(&ten)
        );
        if scenario.name == "unreliable" {
            goals.hold(
                times <= 1.2,
                format!(
                    "max-reliability fails {times:.2} times as often as the oracle in '{}'",
                    scenario.name
                ),
            );
        }
    }
}

/// How calls spread over hosts that do not differ.
fn spread(seed: u64, goals: &mut Goals) {
    println!("\nLargest share of one host among equals (an even share in brackets)\n");
    println!("| strategy | 2 equals | 3 equals | 8 equals |");
    println!("|---|--:|--:|--:|");
    for strategy in ["lowest-cost", "balanced", "fastest", "max-reliability"] {
        let mut cells = Vec::new();
        for count in [2, 3, 8] {
            let top = tally(&scenario::equals(seed, count), Router::of(strategy)).top();
            cells.push(format!(
                "{:.1} % ({:.1} %)",
                top * 100.0,
                100.0 / count as f64
            ));
            goals.hold(
                top <= 0.6,
                format!(
                    "{strategy} sends {:.0} % to one of {count} equals",
                    top * 100.0
                ),
            );
        }
        println!("| `{strategy}` | {} |", cells.join(" | "));
    }
}

/// How long the best host waits for calls after it is back.
fn recovery(seed: u64, goals: &mut Goals) {
    println!(
        "\nSeconds until the best host is used again after an outage (first call; first minute's share, the minute's before)\n"
    );
    println!("| strategy | down 30 s | down 2 min | down 8 min |");
    println!("|---|--:|--:|--:|");
    for strategy in ["balanced", "fastest", "max-reliability"] {
        let mut cells = Vec::new();
        for down in [30_000.0, 120_000.0, 480_000.0] {
            let scenario = scenario::recovery(seed, down);
            let host = scenario
                .hosts
                .iter()
                .position(|host| !host.events.is_empty())
                .expect("one goes down");
            let event = scenario.hosts[host].events[0];
            let tally = tally(&scenario, Router::of(strategy));
            let share = |from: f64| {
                let within = |at: f64| (from..from + scenario::MINUTE).contains(&at);
                let all = tally.choices.iter().filter(|(at, _)| within(*at)).count();
                tally
                    .choices
                    .iter()
                    .filter(|(at, to)| within(*at) && *to == host)
                    .count() as f64
                    / all.max(1) as f64
            };
            let before = share(event.from - scenario::MINUTE);
            let again = tally
                .choices
                .iter()
                .find(|(at, to)| *at >= event.to && *to == host);
            let gap = again.map_or(f64::INFINITY, |(at, _)| (at - event.to) / 1e3);
            cells.push(format!(
                "{gap:.1} ({:.0} %, {:.0} %)",
                share(event.to) * 100.0,
                before * 100.0
            ));
            let counts = before > 0.02;
            goals.hold(
                !counts || gap <= 30.0,
                format!("{strategy} uses a recovered host again after {gap:.0} s only"),
            );
        }
        println!("| `{strategy}` | {} |", cells.join(" | "));
    }
}
