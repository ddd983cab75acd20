//! The server is stopped and started under load, with and without what it had.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use waypost::account::Money;
use waypost::store::Counters;
use waypost::store::counters::{Kind, WhenAway};

use crate::gates::gated;
use crate::server::{Disk, NOON, Server, due, settled, state};

/// Calls of ten that cost seven, until told otherwise or nothing is left. What they cost is summed up.
async fn load(node: Arc<Counters>, most: u64, over: Arc<AtomicBool>, spent: Arc<AtomicU64>) {
    let dues = [due("key:a", most), due("all", most)];
    let (ten, seven) = (Money::nano(10), Money::nano(7));
    while !over.load(Ordering::Relaxed) {
        let reserved = node.reserve(&dues, ten, NOON, Duration::ZERO).await;
        if reserved.is_ok() {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(..3))).await;
            spent.fetch_add(7, Ordering::Relaxed);
            node.settle(&dues, (ten, seven), NOON);
        }
    }
}

async fn crashes(disk: Disk, most: u64, rounds: u32) -> Option<(u64, u64)> {
    let mut server = Server::start(disk).await?;
    let nodes = [server.node().await, server.node().await];
    let (over, spent) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let calls: Vec<_> = (0..16)
        .map(|n| {
            let (over, spent) = (Arc::clone(&over), Arc::clone(&spent));
            tokio::spawn(load(Arc::clone(&nodes[n % 2]), most, over, spent))
        })
        .collect();
    for _ in 0..rounds {
        tokio::time::sleep(Duration::from_millis(fastrand::u64(300..900))).await;
        server.crash();
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..500))).await;
        server.go().await;
        for node in &nodes {
            settled(node).await;
        }
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    over.store(true, Ordering::Relaxed);
    for call in calls {
        call.await.unwrap();
    }
    let told = state(&nodes[0], "all").await;
    assert_eq!(told, state(&nodes[1], "key:a").await);
    assert_eq!(told.1, 0, "nothing stays reserved");
    Some((spent.load(Ordering::Relaxed), told.0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_keeps_what_it_had_counts_every_call_once() {
    let Some((spent, told)) = crashes(Disk::All, u64::MAX / 4, 3).await else {
        return;
    };
    assert!(spent > 7_000, "hardly anything was done: {spent}");
    assert_eq!(told, spent);
    println!("three crashes, {} calls", spent / 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_lost_everything_learns_it_from_the_nodes() {
    let Some((spent, told)) = crashes(Disk::Nothing, u64::MAX / 4, 3).await else {
        return;
    };
    assert!(spent > 7_000, "hardly anything was done: {spent}");
    assert_eq!(told, spent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_crash_lets_a_budget_be_overspent() {
    for disk in [Disk::All, Disk::Nothing] {
        let Some((spent, told)) = crashes(disk, 7_003, 2).await else {
            return;
        };
        assert!(spent <= 7_003, "{spent}");
        assert!(spent > 7_003 - 10, "what fits is spent: {spent}");
        assert_eq!(told, spent);
    }
}

#[tokio::test]
async fn calls_with_a_budget_are_refused_while_nobody_knows_and_others_go_on() {
    let Some(mut server) = Server::start(Disk::Nothing).await else {
        return;
    };
    let node = server.node().await;
    let other = server.node_that(WhenAway::Serve, WhenAway::Refuse);
    settled(&other).await;
    let (dues, gates) = ([due("all", 100)], [gated("key:a", 3, 100, 9)]);
    let ten = Money::nano(10);
    node.reserve(&dues, ten, NOON, Duration::ZERO)
        .await
        .unwrap();
    node.enter(&gates, NOON * 1_000).await.unwrap();
    server.crash();
    let began = Instant::now();
    let lacking = node.reserve(&dues, ten, NOON, Duration::from_secs(1)).await;
    assert!(lacking.unwrap_err().away);
    assert!(
        began.elapsed() < Duration::from_millis(450),
        "{:?}",
        began.elapsed()
    );
    // Limits go on, of this node alone.
    for _ in 0..3 {
        node.enter(&gates, NOON * 1_000).await.unwrap();
    }
    assert_eq!(
        node.enter(&gates, NOON * 1_000).await.unwrap_err().kind,
        Kind::Requests
    );
    node.settle(&dues, (ten, Money::nano(4)), NOON);
    // The other way round.
    other
        .reserve(&dues, ten, NOON, Duration::ZERO)
        .await
        .unwrap();
    other.settle(&dues, (ten, Money::nano(3)), NOON);
    assert_eq!(
        other.enter(&gates, NOON * 1_000).await.unwrap_err().kind,
        Kind::Away
    );

    server.go().await;
    settled(&node).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(state(&node, "all").await, (7, 0), "all is caught up");
    assert_eq!(node.inside("key:a").await, 4);
}
