//! Asking the same target again: how often, when not, and that an outage is not made worse by it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::house::{House, PAIRS};
use crate::support;

#[tokio::test(flavor = "multi_thread")]
async fn how_often_is_the_callers_choice() {
    let house = House::new(PAIRS[0], "[resilience]\nretries = 1\n").await;
    let list = ("x-waypost-fallback", "second/w-ok");
    for (headers, attempts) in [(&[list][..], 2), (&[list, ("x-waypost-retries", "0")], 1)] {
        let told = house.ask("first/w-503", headers, false).await;
        assert!(told.is_complete(), "{}", told.reply.text());
        assert_eq!(told.primary.len(), attempts);
    }
    let body = json!({"model": "first/w-429", "fallbacks": ["second/w-ok"], "waypost": {"retries": 0},
        "messages": [{"role": "user", "content": "Hello"}]});
    let reply = support::post(house.app.addr(), "/v1/chat/completions", &[], &body).await;
    assert_eq!(
        (reply.status, reply.header("x-waypost-attempts")),
        (200, Some("2"))
    );
}

/// Without anybody to turn to, the last refusal is the answer, and each try is told.
#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_else_is_named_the_refusal_is_the_answer() {
    let house = House::new(PAIRS[0], "").await;
    let told = house.ask("first/w-503", &[], true).await;
    assert_eq!(
        (told.reply.status, told.primary.len()),
        (503, 3),
        "{}",
        told.reply.text()
    );
    let error = told.reply.json()["error"].clone();
    assert_eq!(error["code"], "overloaded");
    assert_eq!(told.reply.header("x-should-retry"), Some("false"));
    let id = told.reply.header("x-request-id").unwrap();
    let receipt = support::get(house.app.addr(), &format!("/v1/receipts/{id}"), &[])
        .await
        .json();
    assert_eq!(receipt["sent"], 3, "{receipt}");
    assert_eq!(
        receipt["attempts"].as_array().unwrap().len(),
        3,
        "{receipt}"
    );
}

/// A pause that would end after the caller's time is not begun.
#[tokio::test(flavor = "multi_thread")]
async fn no_pause_outlasts_the_callers_time() {
    let house = House::new(PAIRS[0], "").await;
    let headers = [
        ("x-waypost-timeout-ms", "200"),
        ("x-waypost-fallback", "second/w-ok"),
    ];
    let told = house.ask("first/w-503", &headers, false).await;
    assert!(told.is_complete(), "{}", told.reply.text());
    assert_eq!((told.primary.len(), told.fallback.len()), (1, 1));
}

/// Who is silent is asked once.
#[tokio::test(flavor = "multi_thread")]
async fn silence_is_not_asked_again() {
    let house = House::new(PAIRS[0], "").await;
    let told = house
        .ask("first/w-silent", &[("x-waypost-timeout-ms", "1500")], false)
        .await;
    assert_eq!(
        (told.reply.status, told.primary.len()),
        (504, 1),
        "{}",
        told.reply.text()
    );
}

/// A dead primary under a crowd: hardly more attempts than calls until its breaker opens, then next to none.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_does_not_trample_a_dead_primary() {
    const CALLS: usize = 200;
    let house = Arc::new(House::new(PAIRS[0], "").await);
    let crowd = |calls: usize| {
        let each = (0..calls).map(|_| {
            let house = Arc::clone(&house);
            tokio::spawn(async move {
                let headers = [("x-waypost-fallback", "second/w-ok")];
                house.ask("first/w-503", &headers, false).await
            })
        });
        each.collect::<Vec<_>>()
    };
    for call in crowd(CALLS) {
        let told = call.await.unwrap();
        assert_eq!(told.reply.status, 200, "{}", told.reply.text());
    }
    let first = house.wall.seen("first").len();
    assert!(
        first <= CALLS * 12 / 10,
        "{first} attempts for {CALLS} calls"
    );
    // The breaker is open for 3.75 s at least, less what the first crowd took.
    for call in crowd(CALLS) {
        let told = call.await.unwrap();
        assert_eq!(told.reply.status, 200, "{}", told.reply.text());
        let from = told
            .reply
            .header("x-waypost-fallback-from")
            .unwrap_or_default();
        assert!(from.starts_with("first/w-503:"), "{from}");
    }
    let more = house.wall.seen("first").len() - first;
    assert!(more <= 2, "{more} attempts while the breaker is open");
    tokio::time::sleep(Duration::from_millis(10)).await;
}
