//! What is kept of calls: receipts for whoever made them, prices and health among the models, statistics over a restart.

use std::path::PathBuf;

use serde_json::{Value, json};
use waypost::fixture::{Answer, Exchange};

use crate::support;
use crate::world::{answer, ask, house, open_house, question};

#[tokio::test]
async fn a_receipt_is_for_whoever_made_the_call() {
    let app = open_house().await;
    let mine = ("authorization", "Bearer key-one");
    let reply = ask(
        &app,
        &[mine, ("x-waypost-max-cost-usd", "0.01")],
        &question("lowest-cost"),
    )
    .await;
    let id = reply.header("x-request-id").unwrap();
    let path = format!("/v1/receipts/{id}");
    assert_eq!(reply.json()["waypost"]["receipt"], path.as_str());
    let receipt = support::get(app.addr(), &path, &[mine]).await;
    assert_eq!(receipt.status, 200, "{}", receipt.text());
    let receipt = receipt.json();
    assert_eq!(
        (&receipt["id"], &receipt["outcome"]),
        (&json!(id), &json!("answered"))
    );
    assert_eq!(receipt["strategy"], "lowest-cost");
    assert_eq!(receipt["usage"]["completion_tokens"], 5);
    assert_eq!(receipt["cost"]["actual_usd"], reply.json()["usage"]["cost"]);
    let lines = receipt["cost"]["lines"].as_array().unwrap();
    let items: Vec<&Value> = lines.iter().map(|line| &line["item"]).collect();
    assert_eq!(items, ["input", "output"]);
    assert!(!receipt["plan"]["candidates"].as_array().unwrap().is_empty());
    assert_eq!(receipt["cost"]["cap_usd"], 0.01);
    for other in [&[("authorization", "Bearer key-two")][..], &[]] {
        assert_eq!(support::get(app.addr(), &path, other).await.status, 404);
    }
    let forced = ask(&app, &[mine], &question("mistral/mistral-small-2603")).await;
    let path = format!("/v1/receipts/{}", forced.header("x-request-id").unwrap());
    let receipt = support::get(app.addr(), &path, &[mine]).await.json();
    assert_eq!(
        (&receipt["plan"], &receipt["route"]),
        (&Value::Null, &json!("forced"))
    );
}

#[tokio::test]
async fn the_models_tell_prices_limits_and_health_and_the_strategies_are_among_them() {
    let app = open_house().await;
    ask(&app, &[], &question("mistral/mistral-small-2603")).await;
    let list = support::get(app.addr(), "/v1/models", &[]).await.json();
    let find = |id: &str| {
        let mut all = list["data"].as_array().unwrap().iter();
        all.find(|model| model["id"] == id)
            .cloned()
            .unwrap_or_default()
    };
    for strategy in [
        "auto",
        "lowest-cost",
        "balanced",
        "fastest",
        "max-reliability",
    ] {
        assert_eq!(find(strategy)["owned_by"], "waypost", "{strategy}");
    }
    let small = &find("mistral/mistral-small-2603")["waypost"];
    assert_eq!(small["usd_per_million"]["input"], 0.15);
    assert_eq!(small["usd_per_million"]["output"], 0.6);
    assert_eq!(small["limits"]["context"], 256_000);
    assert_eq!(small["health"]["breaker"], "closed");
    assert!(
        small["health"]["ttft_ms_p50"].is_number() || small["health"]["failed_share"] == 0.0,
        "{small}"
    );
    let unseen = &find("mistral/ministral-3b-2512")["waypost"];
    assert_eq!(unseen["health"]["failed_share"], Value::Null);
}

/// A stream of three pieces with a usage at its end.
fn streamed() -> Answer {
    let chunk = |choices: Value, usage: Value| {
        let body = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": choices, "usage": usage});
        format!("data: {body}\n\n")
    };
    let delta = |delta: Value, finish: Value| {
        let choice = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
        chunk(choice, Value::Null)
    };
    let usage = json!({"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100});
    let events = [
        delta(json!({"role": "assistant", "content": "Hi"}), Value::Null),
        delta(json!({}), json!("stop")),
        chunk(json!([]), usage),
        "data: [DONE]\n\n".to_owned(),
    ];
    Answer::events(&events.concat())
}

/// 1,000 tokens at 0.15 and 100 at 0.60 dollars per million.
#[tokio::test]
async fn a_stream_tells_its_cost_on_a_chunk_that_is_there_anyway() {
    let app = house(vec![Exchange::any("mistral", streamed())], None).await;
    for asked in [true, false] {
        let mut body = question("mistral/mistral-small-2603");
        body["stream"] = true.into();
        body["stream_options"] = json!({"include_usage": asked});
        let reply = ask(&app, &[], &body).await;
        assert!(
            reply.header("x-waypost-cost-usd").is_none(),
            "the head leaves first"
        );
        let events = reply.events();
        let chunks = events
            .iter()
            .filter_map(|event| serde_json::from_str::<Value>(event).ok());
        let chunks: Vec<Value> = chunks.collect();
        let told = chunks.last().unwrap();
        assert_eq!(
            told["waypost"]["cost"],
            json!({"actual_usd": 0.00021, "exact": true, "source": "usage"})
        );
        let cost = if asked { json!(0.00021) } else { Value::Null };
        assert_eq!(told["usage"]["cost"], cost);
    }
}

/// A folder of its own for one test, gone afterwards.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn seen(app: &waypost::app::App) -> bool {
    let model = support::get(app.addr(), "/v1/models/mistral/mistral-small-2603", &[]).await;
    model.json()["waypost"]["health"]["failed_share"].is_number()
}

#[tokio::test]
async fn statistics_outlive_a_restart_and_a_bad_file_does_no_harm() {
    let name = format!("waypost-statistics-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    let begin = async || {
        let providers = vec![Exchange::any("mistral", answer())];
        house(providers, Some(folder.0.clone())).await
    };
    let app = begin().await;
    assert!(!seen(&app).await);
    ask(&app, &[], &question("mistral/mistral-small-2603")).await;
    assert!(seen(&app).await);
    app.stop().await;
    let again = begin().await;
    assert!(seen(&again).await, "it is remembered");
    again.stop().await;
    std::fs::write(folder.0.join("statistics.json"), "{\"version\":").unwrap();
    let anew = begin().await;
    assert!(!seen(&anew).await, "it is begun anew");
    anew.stop().await;
}
