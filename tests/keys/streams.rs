//! Streams take of a budget as they go: who fits is not refused for what could have been, and nobody goes beyond it.

use std::iter::repeat_n;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use waypost::account::Money;
use waypost::fixture::Exchange;

use crate::house::{CHAT, code, house, key, question, secret, streamed, whole};
use crate::support;

fn asking(most: u64) -> Value {
    question("deepseek/m", &json!({"max_tokens": most, "stream": true}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_streams_that_could_cost_much_and_do_not_are_all_let_through() {
    // Fifty tokens cost 500,000 nano-dollars; the budget fits a hundred of them three times.
    let keys = key("ci", "budget = { usd = 0.15, period = \"month\" }");
    let answer = streamed(repeat_n("word ", 50), 50).pause(20, Duration::from_millis(200));
    let house = house(vec![Exchange::any("deepseek", answer)], &keys).await;
    let body = Arc::new(asking(64_000));
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (addr, body) = (house.app.addr(), Arc::clone(&body));
        calls.spawn(async move {
            let bearer = format!("Bearer {}", secret("ci"));
            support::post(addr, CHAT, &[("authorization", &bearer)], &body).await
        });
    }
    for reply in calls.join_all().await {
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(
            reply.text().ends_with("data: [DONE]\n\n"),
            "{}",
            reply.text()
        );
    }
    let purse = house.settled("key:ci").await;
    assert_eq!(purse.spent(), Money::nano(100 * 500_000));
    assert_eq!(house.noted().await, Money::nano(100 * 500_000));
}

#[tokio::test]
async fn a_stream_ends_where_its_budget_does() {
    let budget = 20_000_000;
    let keys = key("ci", "budget = { usd = 0.02, period = \"month\" }");
    let mut answer = streamed(repeat_n("some words of it ", 4_000), 16_000);
    for piece in [500, 1_000, 1_500, 2_000, 2_500] {
        answer = answer.pause(piece, Duration::from_millis(20));
    }
    let house = house(vec![Exchange::any("deepseek", answer)], &keys).await;
    let reply = house.ask(&secret("ci"), &asking(64_000)).await;
    assert_eq!(reply.status, 200);
    let events = reply.events();
    let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "budget_exhausted", "{last}");
    assert!(!reply.text().contains("[DONE]") && !reply.clean);
    assert!(events.len() > 300, "{} events", events.len());
    let purse = house.settled("key:ci").await;
    assert!(purse.spent() <= Money::nano(budget), "{purse:?}");
    assert!(purse.spent() >= Money::nano(budget / 2), "{purse:?}");
    let spent = purse.spent();
    assert_eq!(house.noted().await, spent);
}

/// A call that does not fit waits for what others may give back, but not for long.
#[tokio::test]
async fn who_does_not_fit_waits_for_a_release() {
    let keys = key("ci", "budget = { usd = 0.0015, period = \"month\" }");
    let slow = whole(10).pause(0, Duration::from_millis(500));
    let house = house(vec![Exchange::any("mistral", slow)], &keys).await;
    // Each may cost a tenth of a cent, and costs a hundredth.
    let body = question("mistral/n", &json!({"max_tokens": 100}));
    let (first, second) = tokio::join!(house.ask(&secret("ci"), &body), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let began = Instant::now();
        (house.ask(&secret("ci"), &body).await, began.elapsed())
    });
    assert_eq!((first.status, second.0.status), (200, 200));
    assert!(
        second.1 >= Duration::from_millis(800),
        "it waited: {:?}",
        second.1
    );
    let long = whole(10).pause(0, Duration::from_secs(3));
    house.providers.set([Exchange::any("mistral", long)]);
    let (first, refused) = tokio::join!(house.ask(&secret("ci"), &body), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let began = Instant::now();
        (house.ask(&secret("ci"), &body).await, began.elapsed())
    });
    assert_eq!(first.status, 200);
    assert_eq!(
        (refused.0.status, code(&refused.0).as_str()),
        (429, "insufficient_quota")
    );
    assert!(
        refused.1 >= Duration::from_millis(900) && refused.1 < Duration::from_millis(2_500),
        "{:?}",
        refused.1
    );
}
