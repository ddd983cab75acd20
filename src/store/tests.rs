//! The ledger as a whole: what is left is kept, once, whatever happens.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::desk::{Away, Sync};
use super::ledger::{Ledger, Options};
use super::slot::Slot;
use super::sqlite::open::OpenError;
use super::sqlite::sums::{By, Span};
use crate::account::entry::Tokens;
use crate::account::entry::{End, Paid, Party};
use crate::account::{CallId, CallRow, Intent, Money};

const NOW: u64 = 1_795_600_000_000;
const ALL: Span = Span {
    since: 0,
    until: u64::MAX,
};

fn file() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("waypost-ledger-{}", fastrand::u64(..)));
    folder.join("waypost.db")
}

fn options(file: Option<&PathBuf>) -> Options {
    Options {
        file: file.cloned(),
        sync: Sync::Balanced,
        retention: Duration::from_hours(24),
        places: 64,
        now: Arc::new(|| NOW),
        postgres: None,
    }
}

fn open(file: Option<&PathBuf>) -> Ledger {
    Ledger::open(options(file)).expect("a ledger")
}

fn slot(ledger: &Ledger) -> Slot {
    ledger.slot().expect("a place").expect("a ledger")
}

fn intent(call: CallId, attempt: u32) -> Intent {
    Intent {
        call,
        attempt,
        at: NOW,
        party: Party {
            tenant: Some("acme".into()),
            owner: Some(u64::MAX - 1),
            ..Party::default()
        },
        provider: "openai".into(),
        model: "gpt".into(),
        strategy: Some("balanced".into()),
        reason: "strategy".into(),
        estimate: Some(Money::nano(3)),
        bound: Some(Money::nano(1_000)),
    }
}

fn end(cost: u64) -> End {
    End {
        outcome: "answered".into(),
        paid: Paid {
            tokens: Some(Tokens {
                prompt: 10,
                completion: 5,
                cached: Some(4),
                ..Tokens::default()
            }),
            cost: Some(Money::nano(cost)),
            inexact: None,
            price: Some("2026-11-01".into()),
        },
        first: Some(Duration::from_millis(7)),
        latency: Duration::from_millis(70),
    }
}

fn row(call: CallId, cost: u64) -> CallRow {
    let intent = intent(call, 1);
    CallRow {
        call,
        at: NOW,
        party: intent.party,
        provider: intent.provider,
        model: intent.model,
        strategy: intent.strategy,
        reason: intent.reason,
        attempts: 1,
        end: end(cost),
        estimate: intent.estimate,
        most: intent.bound,
        params: Some("dropped:top_k".into()),
        trial: Some(("e".into(), "b".into())),
        copy_of: Some(CallId::new(1, 2)),
    }
}

fn call(number: u64) -> CallId {
    CallId::new(NOW, u128::from(number))
}

#[tokio::test]
async fn a_writer_that_dies_takes_no_row_with_it() {
    let file = file();
    let ledger = open(Some(&file));
    let mut first = slot(&ledger);
    first
        .intent(intent(call(1), 1))
        .await
        .expect("written")
        .settle(end(5));
    first.close(row(call(1), 5));
    let mut second = slot(&ledger);
    let out = second.intent(intent(call(2), 1)).await.expect("written");
    let died = ledger.work(|_| -> rusqlite::Result<()> { panic!("a job that dies") });
    assert_eq!(died.await, Err(Away::Closed));
    // Who waits hears of it while the writer still falls.
    let closed = async {
        while ledger.slot().map(drop) != Err(Away::Closed) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let closed = tokio::time::timeout(Duration::from_secs(5), closed).await;
    closed.expect("nobody writes any more");
    // What ends now has nobody to write it, and is found by the next who opens it.
    out.settle(end(7));
    second.close(row(call(2), 7));
    drop(ledger);
    let again = open(Some(&file));
    let found = async |number| again.find(call(number)).await.expect("read").expect("kept");
    assert_eq!(found(1).await.attempts[0].end, end(5));
    let unknown = found(2).await;
    assert_eq!(unknown.attempts[0].end.outcome, "unknown");
    assert_eq!(unknown.attempts[0].end.paid.cost, Some(Money::nano(1_000)));
}

#[tokio::test]
async fn a_call_is_read_back_as_it_was_left() {
    for file in [None, Some(file())] {
        let ledger = open(file.as_ref());
        let mut slot = slot(&ledger);
        let entry = slot.intent(intent(call(1), 1)).await.expect("written");
        assert_eq!(ledger.find(call(1)).await, Ok(None), "it has not ended");
        entry.settle(end(42));
        slot.close(row(call(1), 42));
        let kept = ledger.find(call(1)).await.expect("read").expect("kept");
        assert_eq!(kept.call, Some(row(call(1), 42)));
        assert_eq!(kept.attempts.len(), 1);
        assert_eq!(kept.attempts[0].intent, intent(call(1), 1));
        assert_eq!(kept.attempts[0].end, end(42));
        assert_eq!(ledger.open_places(), 0);
        ledger.close().await;
        assert_eq!(ledger.slot().err(), Some(Away::Closed));
    }
}

#[tokio::test]
async fn what_is_dropped_is_lost_and_held_at_its_bound() {
    let ledger = open(None);
    let mut slot = slot(&ledger);
    drop(slot.intent(intent(call(1), 1)).await.expect("written"));
    slot.intent(intent(call(1), 2))
        .await
        .expect("written")
        .settle(end(7));
    drop(slot);
    let sums = ledger.spent(ALL, By::Whole).await.expect("sums");
    assert_eq!(sums[0].attempts, 2);
    assert_eq!(sums[0].cost, Money::nano(1_007));
    assert_eq!(sums[0].inexact, Money::nano(1_000));
    assert_eq!(ledger.open_places(), 0);
}

#[tokio::test]
async fn more_than_the_places_is_refused_and_no_place_is_lost() {
    let ledger = open(None);
    let mut slots: Vec<Slot> = (0..64).map(|_| slot(&ledger)).collect();
    assert_eq!(ledger.slot().err(), Some(Away::Crowded));
    let entry = slots[0]
        .intent(intent(call(1), 1))
        .await
        .expect("its own place");
    let second = slots[0].intent(intent(call(1), 2)).await;
    assert_eq!(
        second.err(),
        Some(Away::Crowded),
        "a second attempt needs one more"
    );
    drop(slots);
    assert_eq!(ledger.open_places(), 1);
    entry.settle(end(1));
    assert!(ledger.find(call(1)).await.expect("read").is_some());
    assert_eq!(ledger.open_places(), 0);
}

/// Leaves a ledger as a killed process does: the file of open calls as it is, the lock given back.
async fn killed(file: &PathBuf) {
    let ledger = open(Some(file));
    let mut slot = slot(&ledger);
    slot.intent(intent(call(1), 1))
        .await
        .expect("written")
        .settle(end(5));
    let mut other = self::slot(&ledger);
    let open = other.intent(intent(call(2), 1)).await.expect("written");
    assert!(
        ledger.find(call(1)).await.expect("read").is_some(),
        "committed"
    );
    let spool = PathBuf::from(format!("{}-open-0", file.display()));
    let bytes = std::fs::read(&spool).expect("spool");
    drop((open, other, slot));
    ledger
        .work(|connection| connection.execute("DELETE FROM attempts WHERE outcome = 'lost'", []))
        .await
        .expect("undone");
    ledger.close().await;
    std::fs::write(&spool, bytes).expect("as it was");
}

#[tokio::test]
async fn what_a_crash_left_open_is_unknown_once_and_costs_its_bound() {
    let file = file();
    killed(&file).await;
    for _ in 0..2 {
        let ledger = open(Some(&file));
        let kept = ledger.find(call(2)).await.expect("read").expect("kept");
        assert_eq!(kept.attempts.len(), 1);
        assert_eq!(
            kept.attempts[0].end,
            End::unheard("unknown", Some(Money::nano(1_000)))
        );
        assert_eq!(
            kept.call.map(|call| call.end.outcome),
            Some("unknown".into())
        );
        let sums = ledger.spent(ALL, By::Tenant).await.expect("sums");
        assert_eq!(sums[0].name.as_deref(), Some("acme"));
        assert_eq!((sums[0].attempts, sums[0].cost), (2, Money::nano(1_005)));
        ledger.close().await;
    }
}

#[tokio::test]
async fn a_ledger_that_is_gone_is_not_begun_anew_while_calls_are_open_in_it() {
    let file = file();
    killed(&file).await;
    std::fs::remove_file(&file).expect("removed");
    let refused = Ledger::open(options(Some(&file)));
    assert!(matches!(refused, Err(OpenError::Gone(_))), "{refused:?}");
}

#[tokio::test]
async fn two_processes_share_a_ledger() {
    let file = file();
    let (one, two) = (open(Some(&file)), open(Some(&file)));
    for (ledger, number) in [(&one, 1), (&two, 2), (&one, 3), (&two, 4)] {
        let mut slot = slot(ledger);
        slot.intent(intent(call(number), 1))
            .await
            .expect("written")
            .settle(end(1));
        slot.close(row(call(number), 1));
    }
    for number in 1..=4 {
        let (here, there) = (one.find(call(number)).await, two.find(call(number)).await);
        assert!(
            here.expect("read").is_some() || there.expect("read").is_some(),
            "{number}"
        );
    }
    assert_eq!(two.spent(ALL, By::Day).await.expect("sums")[0].attempts, 4);
    assert_eq!(
        two.spent(ALL, By::Day).await.expect("sums")[0]
            .name
            .as_deref(),
        Some("2026-11-25")
    );
}

#[tokio::test]
async fn a_full_disk_loses_nothing_refuses_clearly_and_heals() {
    let file = file();
    let ledger = open(Some(&file));
    let limit = |pages: u32| {
        ledger.work(move |connection| {
            connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| {
                row.get::<_, u32>(0)
            })
        })
    };
    limit(1).await.expect("no page more");
    let mut left = 0_u64;
    let refused = loop {
        match ledger.slot() {
            Ok(slot) => {
                let mut slot = slot.expect("a ledger");
                slot.intent(intent(call(left), 1))
                    .await
                    .expect("written")
                    .settle(end(1));
                slot.close(row(call(left), 1));
                left += 1;
                assert!(left < 10_000, "a full disk must be noticed");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(away) => break away,
        }
    };
    assert_eq!(refused, Away::Crowded);
    assert!(ledger.is_away());
    limit(100_000).await.expect("room again");
    let kept = ledger.find(call(left - 1)).await;
    assert!(kept.expect("read").is_some());
    assert!(!ledger.is_away());
    let sums = ledger.spent(ALL, By::Whole).await.expect("sums");
    assert_eq!(sums[0].attempts, left, "every row, and none twice");
    assert_eq!(ledger.open_places(), 0);
}

#[tokio::test]
async fn old_rows_go_and_young_ones_stay() {
    let file = file();
    let ledger = open(Some(&file));
    let day = 24 * 3_600 * 1_000;
    for (at, number) in [(NOW - 2 * day, 1), (NOW - day / 2, 2)] {
        let call = CallId::new(at, number);
        let mut slot = slot(&ledger);
        slot.intent(intent(call, 1))
            .await
            .expect("written")
            .settle(end(1));
        slot.close(row(call, 1));
    }
    ledger.close().await;
    let ledger = open(Some(&file));
    for _ in 0..100 {
        if ledger.find(CallId::new(NOW - 2 * day, 1)).await == Ok(None) {
            assert!(
                ledger
                    .find(CallId::new(NOW - day / 2, 2))
                    .await
                    .expect("read")
                    .is_some()
            );
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the old row stayed");
}

#[tokio::test]
async fn full_waits_for_the_disk_and_whoever_leaves_meanwhile_has_sent_nothing() {
    let file = file();
    let ledger = Ledger::open(Options {
        sync: Sync::Full,
        ..options(Some(&file))
    })
    .expect("a ledger");
    let mut slot = slot(&ledger);
    let entry = slot.intent(intent(call(1), 1)).await.expect("durable");
    {
        let waiting = slot.intent(intent(call(1), 2));
        let mut waiting = std::pin::pin!(waiting);
        let polled = futures_poll(waiting.as_mut());
        assert!(polled.is_pending(), "the disk takes longer than a poll");
    }
    drop(slot);
    entry.settle(end(1));
    let kept = ledger.find(call(1)).await.expect("read").expect("kept");
    assert_eq!(kept.attempts.len(), 1, "the second was never sent");
    assert_eq!(ledger.open_places(), 0);
}

fn futures_poll<F: Future>(future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
    future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
}
