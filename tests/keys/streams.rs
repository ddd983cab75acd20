//! Streams on a budget: paid slice by slice, cut at the true limit, and never refused for what they do not use.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
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

/// A hundred streams at once, none of which is answered before all of them have been sent; what they came to.
async fn hundred(model: &str, most: u64) -> Money {
    let answer = streamed(TEXT.split_inclusive(' '), 50)
        .after(Duration::from_secs(2))
        .paced(Duration::from_millis(5));
    let config = key("ci", &budget(most));
    let house = Arc::new(house(vec![Exchange::any("deepseek", answer)], &config).await);
    let began = Instant::now();
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let (house, model) = (Arc::clone(&house), model.to_owned());
        calls.spawn(async move {
            let body = question(&model, &json!({"stream": true, "max_tokens": 64_000}));
            house.ask(&secret("ci"), &body).await
        });
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!((house.sent(), calls.try_join_next().is_none()), (100, true));
    while let Some(reply) = calls.join_next().await {
        let reply = reply.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(
            reply.clean && reply.text().contains("[DONE]"),
            "{}",
            reply.text()
        );
    }
    println!("a hundred streams at once took {:?}", began.elapsed());
    let spent = house.settled("key:ci").await.spent();
    let house = Arc::into_inner(house).unwrap();
    assert_eq!(house.noted().await, spent);
    spent
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_refused_for_tokens_that_are_not_used() {
    let _alone = ALONE.lock().await;
    // A token is ten micro-dollars: a hundred calls of fifty cost 5 cents, and the budget is three times that. What one
    // of them might use would be 64 cents. Nobody knows this model's tokens.
    assert_eq!(
        hundred("deepseek/m", 150_000_000).await.as_nano(),
        50_000_000
    );
    // The prompt costs as well, ten tokens each.
    assert_eq!(
        hundred("deepseek/o", 157_500_000).await.as_nano(),
        52_500_000
    );
}

/// What one stream costs that would go on without end, as its words are counted by its model's own vocabulary, and
/// what was spent of the budget.
async fn endless(model: &str, most: Money) -> (u64, Money) {
    let words = include_str!("../../docs/routing.md").chars();
    let pieces: Vec<String> = words
        .collect::<Vec<char>>()
        .chunks(7)
        .map(|piece| piece.iter().collect())
        .collect();
    let long = std::iter::repeat_n(pieces, 5).flatten();
    let answer = streamed(long, 25_000).paced(Duration::from_micros(200));
    let house = house(
        vec![Exchange::any("deepseek", answer)],
        &key("ci", &budget(most.as_nano())),
    )
    .await;
    // The vocabulary is loaded beside the first call that asks for it.
    waypost::route::Counter::warm();
    let body = question(model, &json!({"stream": true, "max_tokens": 64_000}));
    let reply = house.ask(&secret("ci"), &body).await;
    assert_eq!(reply.status, 200);
    let text = reply.text();
    assert!(text.contains("budget_exhausted"), "{text:.900}");
    assert!(!text.contains("[DONE]") && !text.contains("\"stop\""));
    let chunks = reply.events();
    let chunks = chunks
        .iter()
        .map(|event| serde_json::from_str(event).unwrap());
    let said: String = chunks
        .filter_map(|chunk: Value| {
            Some(chunk["choices"][0]["delta"]["content"].as_str()?.to_owned())
        })
        .collect();
    let spent = house.settled("key:ci").await.spent();
    // The provider is broken off.
    assert_eq!(house.providers.aborted_by_peer(), 1);
    assert_eq!(house.noted().await, spent);
    let tokens = waypost::route::Counter::warm().unwrap().count(&said);
    println!(
        "{model}: {} bytes, {tokens} tokens of output, {spent} of {most}",
        said.len()
    );
    (tokens, spent)
}

#[tokio::test]
async fn a_stream_is_cut_where_the_budget_ends_and_what_it_did_not_cost_comes_back() {
    let _alone = ALONE.lock().await;
    let most = Money::nano(40_000_000);
    let (tokens, spent) = endless("deepseek/o", most).await;
    let cost = tokens * 10_000 + 10 * 2_500;
    assert!(
        (36_000_000..=40_000_000).contains(&cost),
        "nine tenths of it: {cost}"
    );
    assert!(
        spent <= most && spent.as_nano().abs_diff(cost) < 1_000_000,
        "{spent}"
    );
    // Of a model whose tokens nobody has measured, 1.6 for each of these are held.
    let (tokens, spent) = endless("deepseek/m", most).await;
    assert!((2_200..2_500).contains(&tokens), "{tokens}");
    assert!(spent <= most);
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
