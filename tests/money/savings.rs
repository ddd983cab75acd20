//! What the other candidates would have cost, and what is charged for what is no chat.

use serde_json::{Value, json};
use waypost::fixture::{Answer, Exchange};

use crate::house::{ask, house, house_of, nano, question, receipt, told, whole};
use crate::rule::{self, Counts, List};
use crate::support;

const PROVIDERS: [&str; 3] = ["mistral", "deepseek", "groq"];

fn usage() -> Value {
    json!({"prompt_tokens": 1_000, "completion_tokens": 500, "total_tokens": 1_500})
}

/// By a second reading of each price list.
#[tokio::test]
async fn a_receipt_tells_what_the_others_would_have_cost_for_the_same_tokens() {
    let all = PROVIDERS.map(|name| Exchange::any(name, whole(&usage())));
    let app = house_of(all.to_vec(), "").await;
    let counts = Counts {
        fresh: 1_000,
        output: 500,
        ..Counts::default()
    };
    for model in ["lowest-cost", "auto"] {
        let reply = ask(&app, &[], &question(model)).await;
        let receipt = receipt(&app, reply.header("x-request-id").unwrap()).await;
        let paid = nano(&receipt["cost"]["actual_usd"]);
        let others = receipt["others"].as_array().unwrap();
        assert!(others.len() > 3, "{others:?}");
        let mut last = 0;
        for other in others {
            let (provider, model) = (
                other["provider"].as_str().unwrap(),
                other["model"].as_str().unwrap(),
            );
            let (price, place) = List::read(provider).unwrap().price(model).unwrap();
            let wanted = u64::try_from(rule::nano(&counts, &price, place, None)).unwrap();
            let usd = nano(&other["usd"]);
            assert_eq!(usd, wanted, "{provider}/{model}");
            assert!(usd >= last, "the cheapest comes first");
            last = usd;
            let saved = other["saved_usd"].as_f64().unwrap();
            let difference = usd.abs_diff(paid);
            assert_eq!(format!("{:.0}", saved.abs() * 1e9), difference.to_string());
            assert_eq!(saved < 0.0, usd < paid);
            assert!(
                (provider, model)
                    != (
                        receipt["provider"].as_str().unwrap(),
                        receipt["model"].as_str().unwrap()
                    )
            );
        }
    }
}

#[tokio::test]
async fn embeddings_cost_what_is_listed() {
    let body = json!({"object": "list", "model": "text-embedding-3-small",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.5]}],
        "usage": {"prompt_tokens": 800, "total_tokens": 800}});
    let app = house("openai", Answer::json(200, body.to_string())).await;
    let asked = json!({"model": "openai/text-embedding-3-small", "input": "Hello"});
    let reply = support::post(app.addr(), "/v1/embeddings", &[], &asked).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let cost = &told(&reply)["cost"];
    // Two cents for a million tokens.
    assert_eq!(
        (nano(&cost["actual_usd"]), &cost["exact"]),
        (16_000, &json!(true))
    );
    assert_eq!(reply.json()["usage"]["cost"], cost["actual_usd"]);
    assert_eq!(reply.header("x-waypost-cost-usd"), Some("0.000016"));
    let receipt = receipt(&app, reply.header("x-request-id").unwrap()).await;
    assert_eq!(receipt["cost"]["actual_usd"], cost["actual_usd"]);
    assert!(receipt["cost"]["price_version"].is_string());
}

#[tokio::test]
async fn completions_cost_what_is_listed() {
    let body = json!({"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "text": "Hi", "logprobs": null, "finish_reason": "stop"}], "usage": usage()});
    let app = house("together", Answer::json(200, body.to_string())).await;
    let listed = List::read("together").unwrap();
    let model = "openai/gpt-oss-120b";
    let asked = json!({"model": format!("together/{model}"), "prompt": "Hello"});
    let reply = support::post(app.addr(), "/v1/completions", &[], &asked).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let counts = Counts {
        fresh: 1_000,
        output: 500,
        ..Counts::default()
    };
    let (price, place) = listed.price(model).unwrap();
    let wanted = u64::try_from(rule::nano(&counts, &price, place, None)).unwrap();
    let cost = &told(&reply)["cost"];
    assert_eq!(
        (nano(&cost["actual_usd"]), &cost["exact"]),
        (wanted, &json!(true))
    );
    assert_eq!(reply.json()["usage"]["cost"], cost["actual_usd"]);
}
