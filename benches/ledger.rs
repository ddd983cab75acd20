//! What the ledger costs each call: an intent, a settlement and the call's row, with the commits of the writer.
//!
//! `cargo bench --bench ledger`. What it costs at 5,000 calls a second is printed first, several times over, each beside
//! the same pace without a ledger: the CPU of the whole process per call, which is what the machine pays, the writer's
//! thread with it; and how long calls wait for it, at the 99th percentile.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark stops where its own input is wrong, says what it found and measures real time"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use divan::{Bencher, black_box};
use waypost::account::entry::{End, Paid, Party, Tokens};
use waypost::account::{CallId, CallRow, Intent, Money};
use waypost::store::{Ledger, Options, Slot, Sync};

/// The proxy's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 2026-11-25 12:00, in milliseconds.
const NOON: u64 = 1_795_608_000_000;
/// Calls a second.
const RATE: u64 = 5_000;
/// For how many seconds.
const SECONDS: u64 = 4;
/// How often.
const RUNS: usize = 5;

fn main() {
    paced();
    divan::main();
}

fn file() -> PathBuf {
    std::env::temp_dir().join(format!("waypost-bench-{}/waypost.db", fastrand::u64(..)))
}

fn ledger() -> Ledger {
    Ledger::open(Options {
        file: Some(file()),
        sync: Sync::Balanced,
        retention: Duration::from_hours(24),
        places: 65_536,
        now: Arc::new(|| NOON),
        postgres: None,
    })
    .expect("a ledger")
}

fn intent(call: CallId) -> Intent {
    Intent {
        call,
        attempt: 1,
        at: NOON,
        party: Party {
            owner: Some(7),
            ..Party::default()
        },
        provider: "openai".into(),
        model: "gpt-5.6-terra".into(),
        strategy: Some("balanced".into()),
        reason: "strategy".into(),
        estimate: Some(Money::nano(120_000)),
        bound: Some(Money::nano(9_000_000)),
    }
}

fn end() -> End {
    End {
        outcome: "answered".into(),
        paid: Paid {
            tokens: Some(Tokens {
                prompt: 900,
                completion: 120,
                ..Tokens::default()
            }),
            cost: Some(Money::nano(118_500)),
            inexact: None,
            price: Some("2026-11-22/1a2b3c4d".into()),
        },
        first: Some(Duration::from_millis(420)),
        latency: Duration::from_millis(1_900),
    }
}

fn row(call: CallId) -> CallRow {
    let intent = intent(call);
    CallRow {
        call,
        at: NOON,
        party: intent.party,
        provider: intent.provider,
        model: intent.model,
        strategy: intent.strategy,
        reason: intent.reason,
        attempts: 1,
        end: end(),
        estimate: intent.estimate,
        most: intent.bound,
        params: None,
        trial: None,
        copy_of: None,
    }
}

async fn one(mut slot: Slot, call: CallId) {
    let entry = slot.intent(intent(call)).await.expect("written");
    entry.settle(end());
    slot.close(row(call));
}

fn number(at: u64) -> CallId {
    CallId::new(NOON + at / 5, fastrand::u128(..))
}

/// CPU that this process has used, from `/proc/self/stat`; `None` where there is none.
fn cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = text.rsplit(')').next()?.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    // The kernel counts in hundredths of a second for everybody.
    Some(Duration::from_millis((user + system) * 10))
}

/// What a pace has come to.
struct Paced {
    /// CPU per call.
    cpu: Duration,
    /// How long each call took, the shortest first.
    waits: Vec<Duration>,
}

impl Paced {
    fn percentile(&self, hundredths: usize) -> Duration {
        let at = self.waits.len().saturating_sub(1) * hundredths / 100;
        self.waits.get(at).copied().unwrap_or_default()
    }
}

/// Runs calls at a steady rate for some seconds and prints what each took of the CPU and of time.
fn paced() {
    let runtime = runtime();
    let (mut costs, mut waits) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let ledger = ledger();
        let (off, on) = (pace(&runtime, None), pace(&runtime, Some(&ledger)));
        runtime.block_on(ledger.close());
        let Some((off, on)) = off.zip(on) else {
            println!("SKIPPED: this system does not tell the CPU of a process");
            return;
        };
        let cost = on.cpu.saturating_sub(off.cpu);
        let wait = on.percentile(99).saturating_sub(off.percentile(99));
        println!(
            "at {RATE}/s: {cost:?} of CPU a call; waits {:?} at the median, {wait:?} more at p99, {:?} at most",
            on.percentile(50),
            on.percentile(100),
        );
        costs.push(cost);
        waits.push(wait);
    }
    println!(
        "median of {RUNS} runs at {RATE}/s: {:?} of CPU a call, {:?} more at p99",
        median(costs),
        median(waits)
    );
}

fn median(mut figures: Vec<Duration>) -> Duration {
    figures.sort_unstable();
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn pace(runtime: &tokio::runtime::Runtime, ledger: Option<&Ledger>) -> Option<Paced> {
    let calls = RATE * SECONDS;
    let mut waits = Vec::with_capacity(usize::try_from(calls).ok()?);
    let (before, began) = (cpu()?, Instant::now());
    let mut done = 0;
    while done < calls {
        std::thread::sleep(Duration::from_millis(1));
        let millis = u64::try_from(began.elapsed().as_millis()).ok()?;
        let due = (millis * RATE / 1_000).min(calls);
        while done < due {
            let begins = Instant::now();
            if let Some(ledger) = ledger {
                let slot = ledger.slot().expect("a place").expect("a ledger");
                runtime.block_on(one(slot, number(done)));
            }
            waits.push(begins.elapsed());
            done += 1;
        }
    }
    let cpu = cpu()?.saturating_sub(before) / u32::try_from(calls).ok()?;
    waits.sort_unstable();
    Some(Paced { cpu, waits })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
}

/// What the call itself waits: place, intent, both rows left.
#[divan::bench(sample_count = 50, sample_size = 200)]
fn intent_and_settle(bencher: Bencher<'_, '_>) {
    let (runtime, ledger) = (runtime(), ledger());
    let mut at = 0;
    bencher.bench_local(|| {
        at += 1;
        let slot = ledger.slot().expect("a place").expect("a ledger");
        runtime.block_on(one(slot, black_box(number(at))));
    });
    runtime.block_on(ledger.close());
}
