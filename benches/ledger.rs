//! What the ledger costs each call: an intent, a settlement and the call's row, with the commits of the writer.
//!
//! `cargo bench --bench ledger`. The CPU of the whole process per call is printed first, at 5,000 calls a second; it is
//! what the machine pays, the writer's thread with it.
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

/// 2026-11-25 12:00, in milliseconds.
const NOON: u64 = 1_795_608_000_000;
/// Calls a second.
const RATE: u64 = 5_000;
/// For how many seconds.
const SECONDS: u64 = 4;

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

/// Runs calls at a steady rate for some seconds and prints what each took of the CPU.
fn paced() {
    let runtime = runtime();
    let idle = pace(&runtime, None);
    let ledger = ledger();
    let busy = pace(&runtime, Some(&ledger));
    runtime.block_on(ledger.close());
    if let Some((idle, busy)) = idle.zip(busy) {
        let calls = u32::try_from(RATE * SECONDS).expect("a few");
        println!(
            "CPU per call at {RATE}/s: {:?}",
            busy.saturating_sub(idle) / calls
        );
    }
}

fn pace(runtime: &tokio::runtime::Runtime, ledger: Option<&Ledger>) -> Option<Duration> {
    let before = cpu()?;
    let began = Instant::now();
    let mut done = 0;
    while done < RATE * SECONDS {
        std::thread::sleep(Duration::from_millis(1));
        let millis = u64::try_from(began.elapsed().as_millis()).ok()?;
        let due = (millis * RATE / 1_000).min(RATE * SECONDS);
        while done < due {
            if let Some(ledger) = ledger {
                let slot = ledger.slot().expect("a place").expect("a ledger");
                runtime.block_on(one(slot, number(done)));
            }
            done += 1;
        }
    }
    Some(cpu()?.saturating_sub(before))
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
