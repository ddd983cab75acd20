//! What a plan costs: time and allocations over 200 endpoints, with and without the reading of their statistics.
//!
//! `cargo bench --bench plan`. Allocations must not grow with the number of endpoints that fall out.
#![expect(
    clippy::expect_used,
    reason = "a benchmark stops where its own input is wrong"
)]

use std::sync::Arc;

use divan::{AllocProfiler, Bencher, black_box};
use waypost::account::Money;
use waypost::catalog::family::Points;
use waypost::catalog::{Price, Quality, Rate, Rates, Trust};
use waypost::dialect::Caps;
use waypost::route::ability::{Abilities, Ability};
use waypost::route::affinity::Warmth;
use waypost::route::board::{Board, Site};
use waypost::route::filter::Scene;
use waypost::route::health::{Answer, Outcome, Reading, Snapshot, Vitals};
use waypost::route::moment::Moment;
use waypost::route::need::{Need, Prompt};
use waypost::route::plan::plan;
use waypost::route::policy::{Cap, CapMode, Policy, Strategy};
use waypost::route::quotes::Quotes;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const ENDPOINTS: u64 = 200;
const NOW: Moment = Moment::millis(1_790_000_000_000);

fn main() {
    divan::main();
}

/// A board of 200 endpoints, some of which cannot see, with statistics of a few calls each.
fn stage() -> (Board, Quotes, Vitals) {
    let mut board = Board::default();
    for number in 0..ENDPOINTS {
        let caps = Caps {
            context: Some(128_000),
            max_output: Some(16_000),
            vision: Some(number % 20 == 0),
            ..Caps::default()
        };
        let mut site = Site::new(
            "bench",
            &format!("model-{number}"),
            "bench",
            &Arc::new(caps),
        );
        let rates = Rates {
            input: Rate::pico(100_000 + number * 7_919),
            output: Rate::pico(500_000 + number * 52_361),
            ..Rates::default()
        };
        site.price = Some(Arc::new(Price::flat(rates, Trust::High, "made up")));
        let tenths = u16::try_from(400 + number * 3).expect("a quality");
        site.grade(Some(&Quality::own(Points::tenths(tenths))));
        board.push(site);
    }
    let vitals = Vitals::of(&board, &Snapshot::default());
    for call in 0..ENDPOINTS * 20 {
        let endpoint = usize::try_from(call % ENDPOINTS).expect("a place");
        let flight = vitals.begin(&board, endpoint, NOW);
        let answer = Answer {
            wait: 300 + call % 700,
            whole: 2_000 + call * 37 % 5_000,
            fresh: 1_000,
            output: 300,
            typical: 350,
            ..Answer::default()
        };
        vitals.observe(&board, flight, NOW, &Outcome::Answered(answer));
    }
    let quotes = Quotes::of(&board, NOW, None, None);
    (board, quotes, vitals)
}

fn need(abilities: Abilities) -> Need {
    Need {
        abilities,
        prompt: Prompt {
            error: 0,
            counted: None,
            estimate: 2_000,
            most: 6_000,
            audio: 0,
        },
        answer: 350,
        choices: 1,
        ..Need::default()
    }
}

fn run(bencher: Bencher<'_, '_>, strategy: &str, need: &Need, cap: Option<Cap>) {
    let (board, quotes, vitals) = stage();
    let mut readings: Vec<Reading> = Vec::new();
    vitals.read(&board, NOW, &mut readings);
    let policy = Policy {
        cap,
        ..Policy::of(Strategy::named(strategy).expect("a strategy"))
    };
    let scene = Scene {
        board: &board,
        quotes: &quotes,
        readings: &readings,
        need,
        policy: &policy,
        warmth: Warmth::default(),
        now: NOW,
    };
    let mut seed = 0;
    bencher.bench_local(|| {
        seed += 1;
        plan(black_box(&scene), seed).expect("a plan")
    });
}

/// All 200 are candidates.
#[divan::bench(args = ["lowest-cost", "balanced", "fastest", "max-reliability"])]
fn plan_200(bencher: Bencher<'_, '_>, strategy: &str) {
    run(bencher, strategy, &need(Abilities::NONE), None);
}

/// All 200 are candidates, and each is clamped to a cap.
#[divan::bench]
fn plan_200_capped(bencher: Bencher<'_, '_>) {
    let cap = Cap {
        most: Money::nano(50_000_000),
        mode: CapMode::Clamp,
    };
    run(bencher, "balanced", &need(Abilities::NONE), Some(cap));
}

/// 190 of 200 fall out.
#[divan::bench]
fn plan_200_of_which_10_fit(bencher: Bencher<'_, '_>) {
    let sees = Abilities::NONE.with(Ability::Vision);
    run(bencher, "balanced", &need(sees), None);
}

/// The statistics of all 200, copied out under their locks.
#[divan::bench]
fn read_200(bencher: Bencher<'_, '_>) {
    let (board, _, vitals) = stage();
    let mut readings: Vec<Reading> = Vec::with_capacity(200);
    bencher.bench_local(|| vitals.read(black_box(&board), NOW.after(500), &mut readings));
}
