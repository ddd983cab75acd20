//! Who gets the calls: equals share them, and who was down gets them back.

use crate::goals::Goals;
use crate::router::Router;
use crate::run::{Tally, tally};
use crate::scenario::{self, MINUTE, OUTAGES};

const STRATEGIES: [&str; 4] = ["lowest-cost", "balanced", "fastest", "max-reliability"];
const EQUALS: [u64; 3] = [2, 3, 8];

/// The most that one of equals may get, and the longest that one who is back may wait, in seconds.
const MOST: f64 = 0.6;
const LONGEST: f64 = 30.0;

/// The largest shares among equals, by strategy.
pub(crate) struct Equals(&'static str, [f64; 3]);

impl Equals {
    pub(crate) fn of(seed: u64, strategy: usize) -> Self {
        let strategy = STRATEGIES[strategy];
        let top = |count| tally(&scenario::equals(seed, count), Router::of(strategy)).top();
        Self(strategy, EQUALS.map(top))
    }

    pub(crate) fn most(&self) -> f64 {
        self.1.into_iter().fold(0.0, f64::max)
    }

    pub(crate) fn judge(&self, goals: &mut Goals) {
        let (strategy, most) = (self.0, self.most() * 100.0);
        goals.hold(self.most() <= MOST, || {
            format!("`{strategy}` sends {most:.0} % to one of equals")
        });
    }
}

pub(crate) fn print_equals(all: &[Equals]) {
    println!(
        "\n## Equals\n\nThe largest share of one host among hosts that do not differ (an even share in brackets). Goal: at most 60 %.\n"
    );
    println!("| strategy | 2 equals | 3 equals | 8 equals |\n|---|--:|--:|--:|");
    for Equals(strategy, shares) in all {
        let cell = |(share, count): (&f64, u64)| {
            format!("{:.1} % ({:.1} %)", share * 100.0, 100.0 / count as f64)
        };
        let cells: Vec<String> = shares.iter().zip(EQUALS).map(cell).collect();
        println!("| `{strategy}` | {} |", cells.join(" | "));
    }
}

/// Seconds until the best host is called again after each outage, with the share it had before, and after a minute.
pub(crate) struct Recovery(&'static str, [(f64, f64, f64); 3]);

impl Recovery {
    pub(crate) fn of(seed: u64, strategy: usize) -> Self {
        let strategy = STRATEGIES[strategy];
        let (scenario, host) = scenario::recovery(seed);
        let tally = tally(&scenario, Router::of(strategy));
        let back = OUTAGES.map(|(from, long)| {
            let up = (from + long) * MINUTE;
            let again = tally
                .choices
                .iter()
                .find(|(at, to)| *at >= up && *to == host);
            let gap = again.map_or(f64::INFINITY, |(at, _)| (at - up) / 1e3);
            let before = share(&tally, host, (from - 1.0) * MINUTE);
            (gap, before, share(&tally, host, up + 0.5 * MINUTE))
        });
        Self(strategy, back)
    }

    /// The longest wait.
    pub(crate) fn longest(&self) -> f64 {
        let waits = self.1.iter().map(|(gap, _, _)| *gap);
        waits.fold(0.0, f64::max)
    }

    pub(crate) fn judge(&self, goals: &mut Goals) {
        let (strategy, longest) = (self.0, self.longest());
        goals.hold(longest <= LONGEST, || {
            format!("`{strategy}` uses a recovered host again after {longest:.0} s only")
        });
    }
}

/// A host's share of the calls in the minute from a moment on.
fn share(tally: &Tally, host: usize, from: f64) -> f64 {
    let within = |at: f64| (from..from + MINUTE).contains(&at);
    let calls = tally.choices.iter().filter(|(at, _)| within(*at));
    let (mut all, mut its) = (0_u32, 0_u32);
    for (_, to) in calls {
        all += 1;
        its += u32::from(*to == host);
    }
    f64::from(its) / f64::from(all.max(1))
}

pub(crate) fn print_recovery(all: &[Recovery]) {
    println!(
        "\n## Recovery\n\nOne of 200 hosts is the best in every respect; it goes down three times. Seconds until it is called again once it is\nback (its share in the minute before; in the minute from 30 s after). Goal: at most 30 s, for every\nstrategy.\n"
    );
    println!("| strategy | down 30 s | down 2 min | down 8 min |\n|---|--:|--:|--:|");
    for Recovery(strategy, back) in all {
        let cells = back.map(|(gap, before, after)| {
            format!("{gap:.1} ({:.0} %, {:.0} %)", before * 100.0, after * 100.0)
        });
        println!("| `{strategy}` | {} |", cells.join(" | "));
    }
}
