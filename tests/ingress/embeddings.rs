//! Embeddings: what is refused before anything is sent, who is asked, and what an answer tells.

use serde_json::{Value, json};
use waypost::fixture::{Answer, Exchange};

use crate::door::{open_house, refused, sent};
use crate::support;

const PATH: &str = "/v1/embeddings";

fn list(model: &str) -> Answer {
    let data = json!([{"object": "embedding", "index": 0, "embedding": [0.5]}]);
    let list = json!({"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": 3, "total_tokens": 3}});
    Answer::json(200, list.to_string())
}

#[tokio::test]
async fn bad_input_names_its_field_and_is_not_sent() {
    let app = open_house().await;
    let model = "openai/text-embedding-3-small";
    let rows = [
        (json!({"model": model}), "input"),
        (json!({"model": model, "input": ""}), "input"),
        (json!({"model": model, "input": ["a", ""]}), "input[1]"),
        (json!({"input": "a"}), "model"),
        (json!({"model": model, "input": vec!["a"; 2049]}), "input"),
        (
            json!({"model": model, "input": "a", "encoding_format": "int8"}),
            "encoding_format",
        ),
    ];
    for (body, param) in rows {
        let reply = support::post(app.addr(), PATH, &[], &body).await;
        let error = refused(&app, &reply, 400, "invalid_value");
        assert_eq!(error["param"], json!(param), "{error}");
    }
}

#[tokio::test]
async fn only_who_embeds_is_asked() {
    let app = open_house().await;
    let rows = [
        ("groq/llama", 400, "invalid_value", "These have: openai"),
        ("anthropic/claude-haiku-4-5", 400, "invalid_value", "cohere"),
        ("auto", 400, "unsupported_hint", "strategy"),
        (
            "text-embedding-9",
            404,
            "model_not_found",
            "openai/text-embedding-3-small",
        ),
        ("embed-v4.0", 404, "model_not_found", "served by cohere"),
    ];
    for (model, status, code, words) in rows {
        let body = json!({"model": model, "input": "a"});
        let reply = support::post(app.addr(), PATH, &[], &body).await;
        let error = refused(&app, &reply, status, code);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn vectors_of_another_model_are_never_taken_instead() {
    let app = open_house().await;
    let body = json!({"model": "openai/text-embedding-3-small", "input": "a"});
    let other = [("x-waypost-fallback", "openai/text-embedding-3-large")];
    let reply = support::post(app.addr(), PATH, &other, &body).await;
    let error = refused(&app, &reply, 400, "invalid_value");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("another model"), "{message}");
    // A failure stays one: a bare id has no other model to move to.
    app.replay()
        .unwrap()
        .set([Exchange::any("openai", Answer::json(500, "{}"))]);
    let body = json!({"model": "text-embedding-3-small", "input": "a"});
    let once = [("x-waypost-retries", "0")];
    let reply = support::post(app.addr(), PATH, &once, &body).await;
    assert_eq!(reply.status, 502, "{}", reply.text());
    assert_eq!(reply.header("x-should-retry"), Some("false"));
    assert_eq!(sent(&app), 1);
}

#[tokio::test]
async fn an_answer_tells_what_chat_answers_tell() {
    let app = open_house().await;
    app.replay()
        .unwrap()
        .set([Exchange::any("openai", list("text-embedding-3-small"))]);
    for path in [PATH, "/embeddings"] {
        let body = json!({"model": "text-embedding-3-small", "input": "a", "waypost": {"metadata": "full"}});
        let reply = support::post(app.addr(), path, &[], &body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("x-waypost-provider"), Some("openai"));
        assert_eq!(reply.header("x-waypost-route-reason"), Some("model"));
        let answer = reply.json();
        assert_eq!(answer["data"][0]["embedding"], json!([0.5]));
        assert_eq!(answer["waypost"]["model"], "text-embedding-3-small");
        assert_eq!(answer["waypost"]["usage"], Value::Null);
    }
    let seen = app.replay().unwrap().seen();
    let last = seen.last().unwrap();
    assert_eq!(last.path, "/v1/embeddings");
    assert_eq!(
        last.json(),
        json!({"model": "text-embedding-3-small", "input": "a"})
    );
}

#[tokio::test]
async fn usage_that_is_not_told_is_said_to_be_missing() {
    let app = open_house().await;
    let untold = json!({"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [1]}], "model": "m"});
    app.replay().unwrap().set([Exchange::any(
        "openai",
        Answer::json(200, untold.to_string()),
    )]);
    let body = json!({"model": "openai/m", "input": "a"});
    let reply = support::post(app.addr(), PATH, &[], &body).await;
    assert_eq!(reply.json()["waypost"]["usage"], "missing");
}

#[tokio::test]
async fn embedding_models_are_listed() {
    let app = open_house().await;
    let list = support::get(app.addr(), "/v1/models", &[]).await.json();
    let ids: Vec<&str> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"openai/text-embedding-3-small"), "{ids:?}");
    let one = support::get(app.addr(), "/v1/models/text-embedding-3-large", &[]).await;
    assert_eq!(one.json()["id"], "openai/text-embedding-3-large");
}

#[tokio::test]
async fn completions_go_to_those_who_have_them() {
    let app = open_house().await;
    let body = json!({"model": "groq/x", "prompt": "a"});
    let reply = support::post(app.addr(), "/v1/completions", &[], &body).await;
    let refusal = refused(&app, &reply, 400, "invalid_value");
    let message = refusal["message"].as_str().unwrap();
    assert!(message.contains("no completions of a text"), "{message}");
    assert!(message.contains("openai"), "{message}");
    let done = json!({"id": "c", "object": "text_completion", "choices": [{"text": "b", "index": 0, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1}});
    app.replay()
        .unwrap()
        .set([Exchange::any("openai", Answer::json(200, done.to_string()))]);
    let body = json!({"model": "openai/davinci-002", "prompt": "a"});
    let reply = support::post(app.addr(), "/completions", &[], &body).await;
    assert_eq!(reply.json()["choices"], done["choices"]);
    assert_eq!(reply.json()["waypost"]["provider"], "openai");
    let half = "data: {\"id\":\"c\",\"choices\":[{\"text\":\"b\",\"index\":0,\"finish_reason\":null}]}\n\n";
    app.replay()
        .unwrap()
        .set([Exchange::any("openai", Answer::events(half))]);
    let body = json!({"model": "openai/davinci-002", "prompt": "a", "stream": true});
    let reply = support::post(app.addr(), "/v1/completions", &[], &body).await;
    assert!(
        !reply.clean && !reply.text().contains("[DONE]"),
        "{}",
        reply.text()
    );
    let last: Value = serde_json::from_str(reply.events().last().unwrap()).unwrap();
    assert_eq!(last["error"]["code"], "upstream_stream_truncated");
}
