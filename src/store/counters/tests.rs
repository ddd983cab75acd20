//! Counters asked by many threads at once: nothing is given twice, nothing is lost, nobody locks anybody out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::account::{Budget, Period, Rate};

const NOW: u64 = 1_795_608_000;

fn due(purse: &str, most: u64) -> Due {
    Due {
        purse: purse.into(),
        budget: Budget {
            most: Money::nano(most),
            period: Period::Day,
        },
    }
}

fn gated(gate: &str, requests: u64, tokens: u64, at_once: u32) -> Gated {
    Gated {
        gate: gate.into(),
        requests: Rate::per_minute(requests),
        tokens: Rate::per_minute(tokens),
        at_once: Some(at_once),
    }
}

const fn nano(sum: u64) -> Money {
    Money::nano(sum)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_at_once_as_many_are_let_through_as_all_purses_hold() {
    let counters = Arc::new(Counters::default());
    // Two orders of naming, so that locks in the order of naming would meet.
    let one: Arc<[Due]> = Arc::new([
        due("key:a", 5_000),
        due("tenant:t", 1_000),
        due("all", 9_000),
    ]);
    let other: Arc<[Due]> = Arc::new([due("all", 9_000), due("tenant:t", 1_000)]);
    let calls = (0..1_000).map(|n| {
        let (counters, dues) = (Arc::clone(&counters), Arc::clone([&one, &other][n % 2]));
        tokio::spawn(async move {
            counters
                .reserve(&dues, nano(10), NOW, Duration::ZERO)
                .await
                .map(|()| dues)
        })
    });
    let mut open = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Ok(dues) => open.push(dues),
            Err(lacking) => assert_eq!(&*lacking.due.purse, "tenant:t"),
        }
    }
    assert_eq!(open.len(), 100);
    let through = open.iter().filter(|dues| dues.len() == 3).count() as u64;
    assert_eq!(
        counters.purse("key:a").await.unwrap().reserved(),
        nano(through * 10)
    );
    for dues in open {
        counters.settle(&dues, (nano(10), nano(7)), NOW);
    }
    for (id, spent) in [("key:a", through * 7), ("tenant:t", 700), ("all", 700)] {
        let purse = counters.purse(id).await.unwrap();
        assert_eq!(
            (purse.reserved(), purse.spent()),
            (Money::ZERO, nano(spent)),
            "{id}"
        );
    }
}

#[tokio::test]
async fn what_comes_back_in_time_is_waited_for_and_what_never_does_is_not() {
    let counters = Arc::new(Counters::default());
    let dues = [due("all", 100)];
    let patience = Duration::from_secs(1);
    counters
        .reserve(&dues, nano(80), NOW, patience)
        .await
        .unwrap();
    let waiting = tokio::spawn({
        let (counters, dues) = (Arc::clone(&counters), dues.clone());
        async move { counters.reserve(&dues, nano(50), NOW, patience).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    counters.settle(&dues, (nano(80), nano(20)), NOW);
    assert_eq!(waiting.await.unwrap(), Ok(()));
    #[expect(clippy::disallowed_methods, reason = "a test measures real time")]
    let began = Instant::now();
    let never = counters.reserve(&dues, nano(81), NOW, patience).await;
    assert!(!never.unwrap_err().short.hope);
    assert!(began.elapsed() < Duration::from_millis(500));
    let late = counters.reserve(&dues, nano(80), NOW, patience / 10).await;
    assert_eq!(late.unwrap_err().short.left, nano(30));
}

#[tokio::test]
async fn a_slice_is_what_the_tightest_purse_has_and_never_less_than_the_least() {
    let counters = Counters::default();
    let dues = [due("key:a", 6_400), due("all", 64_000)];
    let take = |least, wanted| {
        let want = Want {
            least: nano(least),
            wanted: nano(wanted),
            mine: Money::ZERO,
        };
        counters.take(&dues, want, NOW, Duration::ZERO)
    };
    assert_eq!(take(1, 60).await, Ok(nano(60)));
    assert_eq!(take(1, 600).await, Ok(nano(99)), "a part of what is left");
    assert_eq!(take(6_200, 6_200).await, Ok(nano(6_200)));
    assert_eq!(take(1, 60).await, Ok(nano(8)), "and never but a crumb");
    assert_eq!(take(30, 60).await, Ok(nano(33)));
    assert_eq!(&*take(1, 1).await.unwrap_err().due.purse, "key:a");
    assert_eq!(counters.purse("all").await.unwrap().reserved(), nano(6_400));
    let seeded = [due("tenant:t", 50)];
    counters.seed(&seeded[0], nano(45), NOW).await;
    // What is counted holds over what is read later.
    counters.seed(&seeded[0], nano(0), NOW).await;
    let more = counters.reserve(&seeded, nano(6), NOW, Duration::ZERO);
    assert_eq!(more.await.unwrap_err().short.left, nano(5));
}

#[tokio::test]
async fn nobody_waits_for_what_is_his_own() {
    let counters = Counters::default();
    let dues = [due("all", 100)];
    let want = |mine| Want {
        least: nano(1),
        wanted: nano(10),
        mine: nano(mine),
    };
    let whole = counters.reserve(&dues, nano(60), NOW, Duration::ZERO);
    whole.await.unwrap();
    counters
        .reserve(&dues, nano(40), NOW, Duration::ZERO)
        .await
        .unwrap();
    let patience = Duration::from_millis(300);
    #[expect(clippy::disallowed_methods, reason = "a test measures real time")]
    let began = Instant::now();
    let alone = counters.take(&dues, want(100), NOW, patience).await;
    assert!(!alone.unwrap_err().short.hope && began.elapsed() < patience / 2);
    let (waited, ()) = tokio::join!(counters.take(&dues, want(60), NOW, patience), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        counters.settle(&dues, (nano(40), nano(20)), NOW);
    });
    assert_eq!(waited, Ok(nano(8)));
}

#[tokio::test]
async fn a_gate_that_is_closed_takes_nothing_from_the_others() {
    let (counters, now) = (Counters::default(), NOW * 1_000);
    let gates = [gated("key:a", 100, 1_000, 9), gated("tenant:t", 3, 500, 2)];
    let first = counters.enter(&gates, now).await.unwrap();
    assert_eq!(first.requests.unwrap().remaining, 2);
    assert_eq!(first.tokens.unwrap().limit, 500);
    counters.enter(&gates, now).await.unwrap();
    let crowded = counters.enter(&gates, now).await.unwrap_err();
    assert_eq!((&*crowded.gate, crowded.kind), ("tenant:t", Kind::AtOnce));
    counters.leave(&gates);
    counters.enter(&gates, now).await.unwrap();
    counters.leave(&gates);
    let denied = counters.enter(&gates, now).await.unwrap_err();
    assert_eq!(
        (denied.kind, denied.after),
        (Kind::Requests, Some(Duration::from_secs(20)))
    );
    assert_eq!(counters.inside("key:a").await, 1);

    let standing = counters
        .take_tokens(&gates, 400, now)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((standing.limit, standing.remaining), (500, 100));
    let denied = counters.take_tokens(&gates, 101, now).await.unwrap_err();
    assert_eq!((&*denied.gate, denied.kind), ("tenant:t", Kind::Tokens));
    let never = counters.take_tokens(&gates, 501, now).await.unwrap_err();
    assert_eq!(never.after, None);
    counters.correct_tokens(&gates, (400, 50), now);
    let standing = counters.take_tokens(&gates, 0, now).await.unwrap().unwrap();
    assert_eq!(standing.remaining, 450);
}
