//! Limits over nodes.

use std::sync::Arc;
use std::time::Duration;

use waypost::account::Rate;
use waypost::store::counters::{Gated, Kind};

use crate::server::{Disk, NOON, Server};

pub(crate) fn gated(gate: &str, requests: u64, tokens: u64, at_once: u32) -> Gated {
    Gated {
        gate: gate.into(),
        requests: Rate::per_minute(requests),
        tokens: Rate::per_minute(tokens),
        at_once: Some(at_once),
    }
}

#[tokio::test]
async fn two_nodes_keep_to_one_limit() {
    let Some(server) = Server::start(Disk::Nothing).await else {
        return;
    };
    let (node, other) = (server.node().await, server.node().await);
    let now = NOON * 1_000;
    let gates = [gated("key:a", 100, 1_000, 9), gated("tenant:t", 3, 500, 2)];
    let first = node.enter(&gates, now).await.unwrap();
    assert_eq!(first.requests.unwrap().remaining, 2);
    assert_eq!(first.tokens.unwrap().limit, 500);
    other.enter(&gates, now).await.unwrap();
    let crowded = node.enter(&gates, now).await.unwrap_err();
    assert_eq!(
        (&*crowded.gate, crowded.kind, crowded.limit),
        ("tenant:t", Kind::AtOnce, 2)
    );
    node.leave(&gates);
    tokio::time::sleep(Duration::from_millis(100)).await;
    other.enter(&gates, now).await.unwrap();
    other.leave(&gates);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let denied = node.enter(&gates, now).await.unwrap_err();
    assert_eq!(
        (denied.kind, denied.after),
        (Kind::Requests, Some(Duration::from_secs(20)))
    );
    assert_eq!(denied.standing.unwrap().reset, Duration::from_mins(1));
    assert_eq!(node.inside("key:a").await, 1);

    let standing = node.take_tokens(&gates, 400, now).await.unwrap().unwrap();
    assert_eq!((standing.limit, standing.remaining), (500, 100));
    let denied = other.take_tokens(&gates, 101, now).await.unwrap_err();
    assert_eq!((&*denied.gate, denied.kind), ("tenant:t", Kind::Tokens));
    assert_eq!(denied.after, Some(Duration::from_millis(120)));
    let never = other.take_tokens(&gates, 501, now).await.unwrap_err();
    assert_eq!(never.after, None);
    node.correct_tokens(&gates, (400, 50), now);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let standing = other.take_tokens(&gates, 0, now).await.unwrap().unwrap();
    assert_eq!(standing.remaining, 450);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_requests_over_two_nodes_a_minutes_worth_is_let_in() {
    let Some(server) = Server::start(Disk::Nothing).await else {
        return;
    };
    let nodes = [server.node().await, server.node().await];
    // A rate whose nanoseconds are no whole number.
    let gates = [Gated {
        at_once: None,
        ..gated("key:a", 97, 7, 0)
    }];
    let calls = (0..1_000).map(|n| {
        let (node, gates) = (Arc::clone(&nodes[n % 2]), gates.clone());
        tokio::spawn(async move { node.enter(&gates, NOON * 1_000).await.is_ok() })
    });
    let mut inside = 0;
    for call in calls.collect::<Vec<_>>() {
        inside += u32::from(call.await.unwrap());
    }
    assert_eq!(inside, 97);
    assert_eq!(nodes[0].inside("key:a").await, 97);
}
