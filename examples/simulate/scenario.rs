//! Scenarios: two hundred hosts each, made from a seed, and what happens to them.

use crate::world::{Call, Event, Host, What, hash, normal, uniform};

/// Hosts, calls and how long the first look round lasts.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    pub(crate) hosts: Vec<Host>,
    pub(crate) calls: Vec<Call>,
    /// Milliseconds that do not count.
    pub(crate) warm: f64,
}

pub(crate) const MINUTE: f64 = 60_000.0;
const HOSTS: u64 = 200;

/// Tokens of an answer in the mean: 300 times a log-normal of spread 0.8, cut at 4,000.
pub(crate) const MEAN_ANSWER: f64 = 410.0;

/// A host by its number; speeds, prices and qualities as they are on the market, each by itself.
fn host(seed: u64, number: u64) -> Host {
    let draw = |what: u64| hash(&[seed, number, what]);
    let between = |what: u64, low: f64, high: f64| low * (high / low).powf(uniform(draw(what)));
    let input = between(5, 0.1, 5.0);
    Host {
        name: format!("host-{number}"),
        family: format!("model-{number}"),
        wait: between(1, 250.0, 2_500.0),
        read: between(2, 0.02, 0.2),
        rate: between(3, 25.0, 400.0),
        wordy: (0.25 * normal(draw(4))).exp(),
        spread: between(6, 0.2, 0.5),
        tail: (0.01, 4.0),
        fails: between(7, 0.001, 0.02),
        room: 400.0,
        limit: None,
        price: (input, input * between(8, 3.0, 6.0)),
        quality: 41.0 + 54.0 * uniform(draw(9)),
        swing: (0.0, 1.0, 0.0),
        events: Vec::new(),
        born: 0.0,
    }
}

/// Calls at a rate that may change with time.
fn calls(seed: u64, minutes: f64, rate: impl Fn(f64) -> f64) -> Vec<Call> {
    let (mut calls, mut at, mut id) = (Vec::new(), 0.0, 0);
    while at < minutes * MINUTE {
        id += 1;
        let draw = |what: u64| hash(&[seed, id, what, 77]);
        at += -(1.0 - uniform(draw(1))).ln() * 1e3 / rate(at);
        calls.push(Call {
            id,
            at,
            prompt: (1_500.0 * normal(draw(2)).exp()).clamp(50.0, 60_000.0),
            answer: (300.0 * (0.8 * normal(draw(3))).exp()).clamp(5.0, 4_000.0),
        });
    }
    calls
}

/// The hosts that are fastest for a common call, the fastest first.
fn fastest(hosts: &[Host]) -> Vec<usize> {
    let call = Call {
        id: 0,
        at: 0.0,
        prompt: 2_500.0,
        answer: 400.0,
    };
    let mut order: Vec<usize> = (0..hosts.len()).collect();
    let mean = |host: &usize| hosts[*host].mean(&call, 0.0, 0.0);
    order.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
    order
}

/// All of them.
pub(crate) fn all(seed: u64) -> Vec<Scenario> {
    let mut all = changes(seed);
    all.extend(hardships(seed));
    all
}

fn hosts(seed: u64) -> Vec<Host> {
    (0..HOSTS).map(|number| host(seed, number)).collect()
}

fn scenario(
    name: &'static str,
    says: &'static str,
    hosts: Vec<Host>,
    calls: Vec<Call>,
) -> Scenario {
    Scenario {
        name,
        says,
        hosts,
        calls,
        warm: 10.0 * MINUTE,
    }
}

/// Hosts come, go, swing and are limited.
fn changes(seed: u64) -> Vec<Scenario> {
    vec![
        scenario(
            "steady",
            "nothing changes",
            hosts(seed + 1),
            calls(seed, 30.0, |_| 20.0),
        ),
        scenario(
            "drift",
            "every host swings by up to 1.6x either way, in 20 to 60 minutes",
            drift(hosts(seed + 2), seed),
            calls(seed + 1, 30.0, |_| 20.0),
        ),
        scenario(
            "rate limits",
            "every host lets 0.5 to 3 calls per second through",
            limited(hosts(seed + 3), seed),
            calls(seed + 2, 30.0, |_| 20.0),
        ),
        scenario(
            "outage",
            "the 10 fastest go down for 1 to 5 minutes, 10 more turn 4x slower",
            outage(hosts(seed + 4)),
            calls(seed + 3, 35.0, |_| 20.0),
        ),
        scenario(
            "new model",
            "3 hosts faster than all appear after 15 minutes",
            newcomers(hosts(seed + 5)),
            calls(seed + 4, 30.0, |_| 20.0),
        ),
    ]
}

/// Crowds, prices, tails and failures.
fn hardships(seed: u64) -> Vec<Scenario> {
    vec![
        scenario(
            "burst",
            "10x the calls for a minute, every 5 minutes; hosts slow down from 12 to 48 calls at once on",
            crowded(hosts(seed + 6), seed),
            calls(seed + 5, 30.0, |at| {
                if (at / MINUTE) as u64 % 5 == 4 {
                    100.0
                } else {
                    10.0
                }
            }),
        ),
        scenario(
            "price change",
            "after 15 minutes a third of the hosts costs 2x, a third half",
            repriced(hosts(seed + 7)),
            calls(seed + 6, 30.0, |_| 20.0),
        ),
        scenario(
            "long tails",
            "the 10 hosts with the best medians hang 20x as long in 5 of 100 calls",
            tailed(hosts(seed + 8)),
            calls(seed + 7, 30.0, |_| 20.0),
        ),
        scenario(
            "unreliable",
            "160 hosts fail in 2 to 20 of 100 calls, 40 in 5 of 1,000; 14 of these go down in turn for 3 minutes",
            unreliable(hosts(seed + 9), seed),
            calls(seed + 8, 30.0, |_| 20.0),
        ),
        scenario(
            "all at once",
            "drift, limits of 1 to 6 calls per second, outages, 3 new models, and 4x the calls every fourth minute",
            everything(hosts(seed + 10), seed),
            calls(seed + 9, 35.0, |at| {
                if (at / MINUTE) as u64 % 4 == 3 {
                    32.0
                } else {
                    8.0
                }
            }),
        ),
    ]
}

fn drift(mut hosts: Vec<Host>, seed: u64) -> Vec<Host> {
    for (number, host) in hosts.iter_mut().enumerate() {
        let draw = |what: u64| uniform(hash(&[seed, number as u64, what, 5]));
        host.swing = (0.47 * draw(1), (20.0 + 40.0 * draw(2)) * MINUTE, draw(3));
    }
    hosts
}

fn limited(mut hosts: Vec<Host>, seed: u64) -> Vec<Host> {
    for (number, host) in hosts.iter_mut().enumerate() {
        host.limit = Some(0.5 + 2.5 * uniform(hash(&[seed, number as u64, 6])));
    }
    hosts
}

fn outage(mut hosts: Vec<Host>) -> Vec<Host> {
    for (rank, host) in fastest(&hosts).into_iter().take(20).enumerate() {
        let from = (12.0 + rank as f64) * MINUTE;
        let long = 1.0 + rank as f64 % 5.0;
        let what = if rank < 10 {
            What::Down
        } else {
            What::Slow(4.0)
        };
        hosts[host].events.push(Event {
            from,
            to: from + long * MINUTE,
            what,
        });
    }
    hosts
}

fn newcomers(mut hosts: Vec<Host>) -> Vec<Host> {
    let best = hosts[fastest(&hosts)[0]].clone();
    for number in 0..3 {
        hosts.push(Host {
            name: format!("new-{number}"),
            born: 15.0 * MINUTE,
            wait: best.wait * (0.7 + 0.05 * f64::from(number)),
            rate: best.rate * (1.5 - 0.05 * f64::from(number)),
            ..best.clone()
        });
    }
    hosts
}

fn crowded(mut hosts: Vec<Host>, seed: u64) -> Vec<Host> {
    for (number, host) in hosts.iter_mut().enumerate() {
        host.room = 12.0 * 4_f64.powf(uniform(hash(&[seed, number as u64, 8])));
    }
    hosts
}

fn repriced(mut hosts: Vec<Host>) -> Vec<Host> {
    for (number, host) in hosts.iter_mut().enumerate() {
        let what = match number % 3 {
            0 => What::Dearer(2.0),
            1 => What::Dearer(0.5),
            _ => continue,
        };
        host.events.push(Event {
            from: 15.0 * MINUTE,
            to: f64::MAX,
            what,
        });
    }
    hosts
}

fn tailed(mut hosts: Vec<Host>) -> Vec<Host> {
    for host in fastest(&hosts).into_iter().take(10) {
        hosts[host].tail = (0.05, 20.0);
    }
    hosts
}

fn unreliable(mut hosts: Vec<Host>, seed: u64) -> Vec<Host> {
    for (number, host) in hosts.iter_mut().enumerate() {
        let draw = uniform(hash(&[seed, number as u64, 9]));
        host.fails = if number % 5 == 0 {
            0.005
        } else {
            0.02 * 10_f64.powf(draw)
        };
        if number % 15 == 0 {
            let from = (12.0 + number as f64 / 10.0) * MINUTE;
            host.events.push(Event {
                from,
                to: from + 3.0 * MINUTE,
                what: What::Down,
            });
        }
    }
    hosts
}

fn everything(hosts: Vec<Host>, seed: u64) -> Vec<Host> {
    let mut hosts = newcomers(outage(drift(limited(hosts, seed), seed)));
    for host in &mut hosts {
        host.limit = host.limit.map(|limit| limit * 2.0);
    }
    hosts
}

/// Thirty hosts that swing, for some minutes: what a test has time for.
#[cfg(test)]
pub(crate) fn small(seed: u64) -> Scenario {
    let mut hosts = drift(hosts(seed + 1), seed);
    hosts.truncate(30);
    Scenario {
        warm: 2.0 * MINUTE,
        ..scenario("small", "for the test", hosts, calls(seed, 6.0, |_| 5.0))
    }
}

/// Equals: a few hosts that do not differ at all.
pub(crate) fn equals(seed: u64, count: u64) -> Scenario {
    let like = host(seed, 3);
    let hosts = (0..count).map(|number| Host {
        name: format!("twin-{number}"),
        ..like.clone()
    });
    Scenario {
        name: "equals",
        says: "hosts that do not differ",
        hosts: hosts.collect(),
        calls: calls(seed, 20.0, |_| 5.0),
        warm: MINUTE,
    }
}

/// One host that is the best in every respect goes down three times, ever longer, and comes back.
pub(crate) fn recovery(seed: u64) -> (Scenario, usize) {
    let mut hosts = hosts(seed);
    let first = fastest(&hosts)[0];
    let best = &mut hosts[first];
    (best.rate, best.fails, best.tail) = (best.rate * 1.5, 0.0005, (0.0, 1.0));
    (best.price, best.quality) = ((0.05, 0.2), 97.0);
    for (from, long) in OUTAGES {
        best.events.push(Event {
            from: from * MINUTE,
            to: (from + long) * MINUTE,
            what: What::Down,
        });
    }
    let scenario = Scenario {
        name: "recovery",
        says: "the best host goes down and comes back",
        hosts,
        calls: calls(seed, 29.0, |_| 10.0),
        warm: 0.0,
    };
    (scenario, first)
}

/// When the best host goes down, and for how many minutes.
pub(crate) const OUTAGES: [(f64, f64); 3] = [(8.0, 0.5), (11.0, 2.0), (16.0, 8.0)];
