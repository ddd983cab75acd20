//! The plain routing API over real sockets: the very same call in other words.

use serde_json::{Value, json};
use waypost::fixture::{Answer, Exchange};

use crate::support::{self, Reply};
use crate::world::{PROVIDERS, STRATEGIES, house, last, limit, open_house, overloaded, sent};

const PATHS: [&str; 3] = ["/api/route", "/api/route/stream", "/api/recommend"];

/// A streamed answer in two pieces.
fn streamed() -> Answer {
    let chunk = |delta: Value, finish: Value| {
        json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    };
    let usage = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
        "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}});
    let events = [
        chunk(json!({"role": "assistant", "content": "Hi "}), Value::Null),
        chunk(json!({"content": "there"}), Value::Null),
        chunk(json!({}), json!("stop")),
        usage,
    ];
    let mut text = events.map(|event| format!("data: {event}\n\n")).concat();
    text.push_str("data: [DONE]\n\n");
    Answer::events(&text)
}

/// The events of a stream: names and data.
fn events(reply: &Reply) -> Vec<(String, Value)> {
    let text = reply.text();
    let each = text
        .split("\n\n")
        .filter(|event| event.starts_with("event: "));
    each.map(|event| {
        let (name, data) = event.split_once('\n').unwrap();
        let data = data.strip_prefix("data: ").unwrap();
        let name = name.strip_prefix("event: ").unwrap();
        (name.to_owned(), serde_json::from_str(data).unwrap())
    })
    .collect()
}

#[tokio::test]
async fn a_prompt_is_answered_under_every_strategy() {
    let app = open_house().await;
    for strategy in STRATEGIES {
        let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
        let body = json!({"prompt": "Say hello.", "strategy": strategy, "max_cost": 0.05, "params": {"tools": tools}});
        let reply = support::post(app.addr(), "/api/route", &[], &body).await;
        let told = reply.json();
        assert_eq!(reply.status, 200, "{strategy}: {}", reply.text());
        assert_eq!(told["result"], "Hi there");
        assert_eq!(
            (&told["strategy"], &told["finish_reason"]),
            (&json!(strategy), &json!("stop"))
        );
        assert_eq!(
            reply.header("x-waypost-provider"),
            told["provider"].as_str()
        );
        assert_eq!(reply.header("x-waypost-model"), told["model_used"].as_str());
        let [estimated, most, actual] =
            ["estimated_cost", "max_cost", "actual_cost"].map(|name| told[name].as_f64().unwrap());
        assert!(
            estimated > 0.0 && actual > 0.0 && actual <= most && most <= 0.05,
            "{told}"
        );
        assert!(told["metrics"]["latency_ms"].is_u64() && told["metrics"]["ttft_ms"].is_u64());
        let others = told["alternatives"].as_array().unwrap();
        assert!(!others.is_empty());
        let same = |one: &&Value| {
            one["model"] == told["model_used"] && one["provider"] == told["provider"]
        };
        assert_eq!(others.iter().find(same), None);
        let asked = last(&app);
        assert_eq!(
            asked["messages"],
            json!([{"role": "user", "content": "Say hello."}])
        );
        assert_eq!(asked["tools"], tools);
        assert!(limit(&asked).is_some(), "the cap clamps: {asked}");
        assert!(asked.get("waypost").is_none());
        let receipt = support::get(app.addr(), told["receipt"].as_str().unwrap(), &[]).await;
        assert_eq!(receipt.json()["outcome"], "answered");
    }
}

#[tokio::test]
async fn a_forced_model_is_taken() {
    let app = open_house().await;
    let body = json!({"messages": [{"role": "user", "content": "Hi"}], "force_model": "mistral/mistral-large-2512"});
    let told = support::post(app.addr(), "/api/route", &[], &body)
        .await
        .json();
    assert_eq!(
        (&told["provider"], &told["route"]),
        (&json!("mistral"), &json!("forced"))
    );
    assert_eq!(told["alternatives"], json!([]));
}

#[tokio::test]
async fn a_stream_is_meta_deltas_and_done() {
    let all = PROVIDERS.map(|name| Exchange::any(name, streamed()));
    let app = house(all.to_vec(), None).await;
    let body = json!({"prompt": "Say hello.", "strategy": "lowest-cost"});
    let reply = support::post(app.addr(), "/api/route/stream", &[], &body).await;
    assert!(
        reply.clean
            && reply
                .header("content-type")
                .unwrap()
                .starts_with("text/event-stream")
    );
    let events = events(&reply);
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["meta", "delta", "delta", "done"],
        "{}",
        reply.text()
    );
    let text: String = events
        .iter()
        .filter_map(|(_, data)| data["text"].as_str())
        .collect();
    assert_eq!(text, "Hi there");
    let (meta, done) = (&events[0].1, &events[3].1);
    assert_eq!(reply.header("x-waypost-model"), meta["model_used"].as_str());
    assert!(meta["estimated_cost"].is_number() && meta["alternatives"].is_array());
    assert_eq!(
        (&done["finish_reason"], &done["usage"]["completion_tokens"]),
        (&json!("stop"), &json!(5))
    );
    assert!(done["actual_cost"].is_number() && done["metrics"]["latency_ms"].is_u64());
}

#[tokio::test]
async fn a_stream_that_breaks_ends_in_an_error_event() {
    let broken = streamed().cut(2, waypost::fixture::End::Reset);
    let all = PROVIDERS.map(|name| Exchange::any(name, broken.clone()));
    let app = house(all.to_vec(), None).await;
    let reply = support::post(
        app.addr(),
        "/api/route/stream",
        &[],
        &json!({"prompt": "Hi"}),
    )
    .await;
    let events = events(&reply);
    let (name, data) = events.last().unwrap();
    assert_eq!(
        (name.as_str(), &data["error"]["code"]),
        ("error", &json!("upstream_stream_truncated"))
    );
    assert!(!reply.clean);
}

#[tokio::test]
async fn a_recommendation_is_the_plan_of_a_dry_run_and_sends_nothing() {
    let app = open_house().await;
    let seed = [("x-waypost-seed", "7")];
    let body = json!({"prompt": "Say hello."});
    let told = support::post(app.addr(), "/api/recommend", &seed, &body)
        .await
        .json();
    let chat = json!({"model": "auto", "messages": [{"role": "user", "content": "Say hello."}]});
    let dry = [seed[0], ("x-waypost-dry-run", "true")];
    let plan = support::post(app.addr(), "/v1/chat/completions", &dry, &chat)
        .await
        .json();
    assert_eq!(sent(&app), 0);
    assert_eq!(told["plan"], plan);
    assert_eq!(
        (&told["model_used"], &told["provider"]),
        (&plan["model"], &plan["provider"])
    );
    assert!(told["result"].is_null() && told["actual_cost"].is_null());
    assert!(told["expected"]["latency_ms"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_bodys_own_words() {
    let app = open_house().await;
    let rows = [
        (json!({}), 400, "prompt", ""),
        (
            json!({"prompt": "a", "model": "x"}),
            400,
            "model",
            "not known",
        ),
        (
            json!({"prompt": "a", "strategy": "cheapest"}),
            400,
            "strategy",
            "lowest-cost",
        ),
        (
            json!({"prompt": "a", "max_cost": -1}),
            400,
            "max_cost",
            "'max_cost' must be",
        ),
        (
            json!({"prompt": "a", "max_cost": "much"}),
            400,
            "max_cost",
            "'max_cost' must be",
        ),
        (
            json!({"prompt": "a", "max_cost": 0.000_001}),
            402,
            "max_cost",
            "cheapest worst case",
        ),
        (
            json!({"prompt": "a", "force_model": "nobody/x"}),
            404,
            "model",
            "nobody",
        ),
    ];
    for (body, status, param, word) in rows {
        for path in PATHS {
            let reply = support::post(app.addr(), path, &[], &body).await;
            let error = reply.json()["error"].clone();
            assert_eq!(
                (reply.status, &error["param"]),
                (status, &json!(param)),
                "{path} {body}: {error}"
            );
            assert!(error["message"].as_str().unwrap().contains(word), "{error}");
        }
    }
    for path in PATHS {
        let reply = support::get(app.addr(), path, &[]).await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    }
    assert_eq!(sent(&app), 0);
}

#[tokio::test]
async fn where_everybody_fails_the_error_is_that_of_the_call() {
    let all = PROVIDERS.map(|name| Exchange::any(name, overloaded()));
    let app = house(all.to_vec(), None).await;
    for path in ["/api/route", "/api/route/stream"] {
        let reply = support::post(app.addr(), path, &[], &json!({"prompt": "Hi"})).await;
        assert_eq!(
            (reply.status, &reply.json()["error"]["code"]),
            (503, &json!("overloaded")),
            "{}",
            reply.text()
        );
        assert_eq!(reply.header("x-should-retry"), Some("false"));
    }
}
