//! Streams on a budget: paid slice by slice, cut at the true limit, and never refused for what they do not use.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use waypost::account::Money;
use waypost::fixture::{Answer, Exchange};

use crate::house::{ALONE, code, house, key, question, secret, streamed};

/// Fifty tokens of usual text: some two hundred bytes.
const TEXT: &str = "The old lighthouse keeper climbed the stairs each evening to light the lamp, and each morning he came \
    down again to write the weather in his book, which nobody but the gulls and the tide had ever asked to read at all.";

fn fifty() -> Answer {
    streamed(TEXT.split_inclusive(','), 50)
}

fn budget(nano: u64) -> String {
    let usd = Money::nano(nano);
    format!("budget = {{ usd = {usd}, period = \"day\" }}")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_refused_for_tokens_that_are_not_used() {
    let _alone = ALONE.lock().await;
    // A token is ten micro-dollars: a hundred calls of fifty cost 5 cents, and the budget is three times that. What one
    // of them might use would be 64 cents.
    let answer = fifty()
        .after(Duration::from_millis(50))
        .paced(Duration::from_millis(5));
    let house = house(
        vec![Exchange::any("deepseek", answer)],
        &key("ci", &budget(150_000_000)),
    )
    .await;
    let house = Arc::new(house);
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let house = Arc::clone(&house);
        calls.spawn(async move {
            let body = question("deepseek/m", &json!({"stream": true, "max_tokens": 64_000}));
            house.ask(&secret("ci"), &body).await
        });
    }
    while let Some(reply) = calls.join_next().await {
        let reply = reply.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(
            reply.clean && reply.text().contains("[DONE]"),
            "{}",
            reply.text()
        );
    }
    println!(
        "a hundred streams on three times their cost took {:?}",
        began.elapsed()
    );
    let spent = house.settled("key:ci").await.spent();
    assert_eq!(spent, Money::nano(50_000_000));
    let house = Arc::into_inner(house).unwrap();
    assert_eq!(house.noted().await, spent);
}

#[tokio::test]
async fn a_stream_is_cut_where_the_budget_ends_and_what_it_did_not_cost_comes_back() {
    let long = streamed(std::iter::repeat_n("word after word ", 2_000), 8_000)
        .paced(Duration::from_millis(1));
    let most = Money::nano(20_000_000);
    let house = house(
        vec![Exchange::any("deepseek", long)],
        &key("ci", &budget(most.as_nano())),
    )
    .await;
    let body = question("deepseek/m", &json!({"stream": true, "max_tokens": 64_000}));
    let reply = house.ask(&secret("ci"), &body).await;
    assert_eq!(reply.status, 200);
    let text = reply.text();
    assert!(
        text.contains("word after word") && text.contains("budget_exhausted"),
        "{text}"
    );
    assert!(
        !text.contains("[DONE]") && !text.contains("\"stop\""),
        "it is not whole"
    );
    let spent = house.settled("key:ci").await.spent();
    assert!(spent > Money::ZERO && spent <= most, "{spent}");
    // The provider is broken off: two thousand words at a millisecond each would not have been over.
    assert_eq!(house.providers.aborted_by_peer(), 1);
    assert_eq!(house.noted().await, spent);
}

#[tokio::test]
async fn streams_that_cannot_be_cut_are_paid_ahead() {
    let house = house(
        vec![Exchange::any("mistral", fifty())],
        &key("ci", &budget(150_000_000)),
    )
    .await;
    let ask = |most: u64| question("mistral/n", &json!({"stream": true, "max_tokens": most}));
    let refused = house.ask(&secret("ci"), &ask(64_000)).await;
    assert_eq!(
        (refused.status, code(&refused).as_str()),
        (429, "insufficient_quota")
    );
    assert_eq!(house.ask(&secret("ci"), &ask(10_000)).await.status, 200);
    assert_eq!(house.settled("key:ci").await.spent(), Money::nano(500_000));
}
