//! What one call may cost, and what a strict client may be shown.

use serde_json::{Value, json};
use waypost::fixture::{Answer, Exchange};

use crate::answers::{CHAT, chunk, question, streamed_question};
use crate::support;

fn down() -> Answer {
    let body = json!({"error": {"message": "down for org-Abc123Def456Ghi789", "type": "server_error", "param": null, "code": null}});
    Answer::json(503, body.to_string())
}

#[tokio::test]
async fn no_target_is_listed_twice_and_none_asked_beyond_the_sixth() {
    let app = support::app(vec![Exchange::any("openai", down())]).await;
    let again = [
        (
            "x-waypost-fallback",
            "openai/a, openai/b, openai:a, openai/b",
        ),
        ("x-waypost-retries", "0"),
    ];
    let reply = support::post(app.addr(), CHAT, &again, &question("openai/a")).await;
    assert_eq!((reply.status, app.replay().unwrap().seen().len()), (503, 2));
    let many = "openai/1,openai/2,openai/3,openai/4,openai/5,openai/6,openai/7,openai/8";
    let reply = support::post(
        app.addr(),
        CHAT,
        &[("x-waypost-fallback", many)],
        &question("openai/0"),
    )
    .await;
    assert_eq!(reply.header("x-waypost-attempts"), Some("6"));
    assert_eq!(app.replay().unwrap().seen().len(), 2 + 6);
    assert!(
        !reply.text().contains("org-Abc123"),
        "accounts are nobody's business: {}",
        reply.text()
    );
    let endless = vec!["openai/x"; 17].join(",");
    let reply = support::post(
        app.addr(),
        CHAT,
        &[("x-waypost-fallback", &endless)],
        &question("openai/0"),
    )
    .await;
    assert_eq!(
        (reply.status, &reply.json()["error"]["param"]),
        (400, &json!("x-waypost-fallback"))
    );
}

#[tokio::test]
async fn a_fallback_that_cannot_help_does_not_hide_the_failure() {
    let missing = json!({"error": {"message": "no such model", "type": "invalid_request_error", "param": null, "code": "model_not_found"}});
    let app = support::app(vec![
        Exchange::model("openai", "a", down().header("retry-after", "7")),
        Exchange::model("openai", "b", Answer::json(404, missing.to_string())),
    ])
    .await;
    let reply = support::post(
        app.addr(),
        CHAT,
        &[("x-waypost-fallback", "openai/b")],
        &question("openai/a"),
    )
    .await;
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (503, Some("7"))
    );
    let reply = support::post(
        app.addr(),
        CHAT,
        &[("x-waypost-fallback", "opnai/b")],
        &question("openai/a"),
    )
    .await;
    assert_eq!(
        (reply.status, &reply.json()["error"]["param"]),
        (404, &json!("x-waypost-fallback"))
    );
}

#[tokio::test]
async fn a_strict_client_sees_the_role_first_and_no_reasoning() {
    let says = |delta: Value| chunk(&delta, None);
    let events = [
        says(json!({"role": "assistant", "content": "", "reasoning_content": "hm"})),
        says(json!({"reasoning_content": "so"})),
        says(json!({"reasoning_content": "then"})),
        says(json!({"content": "Hi"})),
        says(json!({"content": " there"})),
        chunk(&json!({}), Some("stop")),
        "data: [DONE]\n\n".to_owned(),
    ];
    let app = support::app(vec![Exchange::any(
        "openai",
        Answer::events(&events.concat()),
    )])
    .await;
    let off = [("x-waypost-metadata", "off")];
    let reply = support::post(app.addr(), CHAT, &off, &streamed_question("openai/m")).await;
    assert!(!reply.text().contains("reasoning"), "{}", reply.text());
    let events = reply.events();
    let deltas: Vec<Value> = events
        .iter()
        .filter_map(|event| serde_json::from_str::<Value>(event).ok())
        .collect();
    let first = &deltas[0]["choices"][0]["delta"];
    assert_eq!(first["role"], "assistant");
    let text: Vec<&str> = deltas
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text.concat(), "Hi there");
}

#[tokio::test]
async fn pretty_json_in_place_of_a_stream_still_gives_one_line_per_event() {
    let document = json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": "m", "timings": {"a": 1, "b": [2]},
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi", "odd": {"x": 1}},
            "logprobs": {"content": [{"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}]},
            "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    });
    let pretty = serde_json::to_string_pretty(&document).unwrap();
    let app = support::app(vec![Exchange::any("openai", Answer::json(200, pretty))]).await;
    let reply = support::post(app.addr(), CHAT, &[], &streamed_question("openai/m")).await;
    for line in reply.text().lines().filter(|line| !line.is_empty()) {
        let data = line
            .strip_prefix("data: ")
            .unwrap_or_else(|| panic!("not an event: {line}"));
        assert!(
            data == "[DONE]" || serde_json::from_str::<Value>(data).is_ok(),
            "{line}"
        );
    }
    assert!(
        reply.clean && reply.text().contains("\"timings\":{\"a\":1,\"b\":[2]}"),
        "{}",
        reply.text()
    );
}
