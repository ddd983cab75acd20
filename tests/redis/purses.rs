//! Budgets over nodes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use waypost::account::Money;
use waypost::store::Counters;
use waypost::store::counters::{Due, Want};

use crate::server::{Disk, NOON, Server, due, settled, state};

const fn nano(sum: u64) -> Money {
    Money::nano(sum)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_calls_over_two_nodes_as_many_are_let_through_as_all_purses_hold() {
    let Some(server) = Server::start(Disk::Nothing).await else {
        return;
    };
    let nodes = [server.node().await, server.node().await];
    let one: Arc<[Due]> = Arc::new([
        due("key:a", 5_000),
        due("tenant:t", 1_000),
        due("all", 9_000),
    ]);
    let other: Arc<[Due]> =
        Arc::new([due("all", 9_000), due("tenant:t", 1_000), due("all", 9_000)]);
    let calls = (0..1_000).map(|n| {
        let (node, dues) = (
            Arc::clone(&nodes[n % 2]),
            Arc::clone([&one, &other][n / 2 % 2]),
        );
        tokio::spawn(async move {
            let reserved = node.reserve(&dues, nano(10), NOON, Duration::ZERO).await;
            reserved.map(|()| (node, dues))
        })
    });
    let mut open = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Ok(held) => open.push(held),
            Err(lacking) => assert_eq!((&*lacking.due.purse, lacking.away), ("tenant:t", false)),
        }
    }
    assert_eq!(open.len(), 100);
    let of_key = open
        .iter()
        .filter(|(_, dues)| &*dues[0].purse == "key:a")
        .count() as u64;
    assert_eq!(state(&nodes[1], "key:a").await, (0, of_key * 10));
    for (node, dues) in open {
        node.settle(&dues, (nano(10), nano(7)), NOON);
    }
    for (purse, spent) in [("key:a", of_key * 7), ("tenant:t", 700), ("all", 700)] {
        assert_eq!(state(&nodes[0], purse).await, (spent, 0), "{purse}");
    }
}

#[tokio::test]
async fn what_another_node_gives_back_is_waited_for() {
    let Some(server) = Server::start(Disk::Nothing).await else {
        return;
    };
    let (node, other) = (server.node().await, server.node().await);
    let dues = [due("all", 100)];
    let patience = Duration::from_secs(1);
    other
        .reserve(&dues, nano(80), NOON, patience)
        .await
        .unwrap();
    let waiting = tokio::spawn({
        let (node, dues) = (Arc::clone(&node), dues.clone());
        async move { node.reserve(&dues, nano(50), NOON, patience).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    other.settle(&dues, (nano(80), nano(20)), NOON);
    assert_eq!(waiting.await.unwrap(), Ok(()));
    let began = Instant::now();
    let never = node
        .reserve(&dues, nano(81), NOON, patience)
        .await
        .unwrap_err();
    assert!(!never.short.hope && began.elapsed() < patience / 2);
    // A slice is a small part of what is left, or all that is needed.
    let take = |least, wanted| {
        let want = Want {
            least: nano(least),
            wanted: nano(wanted),
            mine: Money::ZERO,
        };
        node.take(&dues, want, NOON, Duration::ZERO)
    };
    assert_eq!(take(1, 60).await, Ok(nano(8)));
    assert_eq!(take(20, 60).await, Ok(nano(22)));
    let none = take(1, 60).await.unwrap_err();
    assert_eq!((none.short.left, none.short.hope), (Money::ZERO, true));
    // Nobody hopes for what is his own.
    let mine = Want {
        mine: nano(80),
        ..Want::whole(nano(1))
    };
    let alone = node.take(&dues, mine, NOON, patience).await.unwrap_err();
    assert!(!alone.short.hope && began.elapsed() < patience / 2);
    // The next day what is reserved still is, and what was spent no longer counts.
    let tomorrow = NOON + 86_400;
    let short = node
        .reserve(&dues, nano(21), tomorrow, Duration::ZERO)
        .await;
    assert_eq!(short.unwrap_err().short.left, nano(20));
}

#[tokio::test]
async fn a_purse_begins_with_what_was_spent_unless_others_have_counted() {
    let Some(server) = Server::start(Disk::Nothing).await else {
        return;
    };
    let (node, other) = (server.node().await, server.node().await);
    let purse = due("tenant:t", 50);
    node.seed(&purse, nano(45), NOON).await;
    other.seed(&purse, nano(0), NOON).await;
    let dues = [purse];
    let more = other.reserve(&dues, nano(6), NOON, Duration::ZERO).await;
    assert_eq!(more.unwrap_err().short.left, nano(5));
}

#[tokio::test]
async fn what_nobody_waits_for_any_longer_is_not_taken() {
    let Some(server) = Server::start(Disk::Nothing).await else {
        return;
    };
    let node = server.node().await;
    let dues = [due("all", 100)];
    for _ in 0..50 {
        let asking = node.reserve(&dues, nano(2), NOON, Duration::ZERO);
        let _ = tokio::time::timeout(Duration::from_micros(fastrand::u64(..400)), asking).await;
    }
    // Whatever was answered before its time is held; nobody gives it back here.
    let (_, held) = state(&node, "all").await;
    let answered = node
        .reserve(&dues, nano(100 - held), NOON, Duration::ZERO)
        .await;
    assert_eq!(answered, Ok(()));
    node.settle(&dues, (nano(100), nano(0)), NOON);
    assert_eq!(state(&node, "all").await, (0, 0));
}

/// What a killed node had reserved may have been billed: it counts as spent once nobody has heard of it for a while.
#[tokio::test]
async fn what_a_dead_node_had_reserved_is_spent_and_its_places_are_free() {
    let Some(server) = Server::start(Disk::Nothing).await else {
        return;
    };
    let (node, dying) = (server.node().await, server.node().await);
    let dues = [due("all", 100)];
    dying
        .reserve(&dues, nano(30), NOON, Duration::ZERO)
        .await
        .unwrap();
    node.reserve(&dues, nano(20), NOON, Duration::ZERO)
        .await
        .unwrap();
    let gates = [crate::gates::gated("key:a", 100, 100, 1)];
    dying.enter(&gates, NOON * 1_000).await.unwrap();
    drop(dying);
    assert_eq!(state(&node, "all").await, (0, 50));
    assert!(node.enter(&gates, NOON * 1_000).await.is_err());
    let began = Instant::now();
    while state(&node, "all").await != (30, 20) {
        assert!(
            began.elapsed() < Duration::from_secs(25),
            "it is never given up"
        );
    }
    assert!(
        began.elapsed() > Duration::from_secs(5),
        "a short silence is no death"
    );
    assert!(node.enter(&gates, NOON * 1_000).await.is_ok());
}

/// A node that was silent for too long and lives after all gets back what was counted as spent meanwhile.
#[tokio::test]
async fn what_was_given_up_too_early_comes_back() {
    let Some(server) = Server::start(Disk::Nothing).await else {
        return;
    };
    let (node, silent) = (server.node().await, server.node().await);
    let dues = [due("all", 100)];
    silent
        .reserve(&dues, nano(30), NOON, Duration::ZERO)
        .await
        .unwrap();
    silent.settle(&dues, (nano(10), nano(4)), NOON);
    assert_eq!(state(&node, "all").await, (4, 20));
    // Whoever gives a sign of life first gives the others up.
    let began = Instant::now();
    let mut given_up = false;
    while !given_up {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "nobody is given up"
        );
        server.forget_leases().await;
        for _ in 0..500 {
            let purse = node.purse("all").await;
            given_up |= purse.is_some_and(|purse| purse.spent() == nano(24));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    settled(&silent).await;
    assert_eq!(state(&silent, "all").await, (4, 20));
    silent.settle(&dues, (nano(20), nano(7)), NOON);
    assert_eq!(state(&silent, "all").await, (11, 0));
}

#[tokio::test]
async fn a_node_that_ends_well_leaves_nothing_reserved() {
    let Some(server) = Server::start(Disk::Nothing).await else {
        return;
    };
    let (node, ending): (_, Arc<Counters>) = (server.node().await, server.node().await);
    let dues = [due("all", 100)];
    ending
        .reserve(&dues, nano(30), NOON, Duration::ZERO)
        .await
        .unwrap();
    ending
        .reserve(&dues, nano(30), NOON, Duration::ZERO)
        .await
        .unwrap();
    ending.settle(&dues, (nano(30), nano(11)), NOON);
    ending.close().await;
    drop(ending);
    assert_eq!(state(&node, "all").await, (11, 0));
}
