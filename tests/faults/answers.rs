//! Questions and answers that the fault cases share.

use serde_json::{Value, json};
use waypost::fixture::Answer;

use crate::support::Reply;

pub(crate) const CHAT: &str = "/v1/chat/completions";

/// A plain question.
pub(crate) fn question(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Hello"}]})
}

/// A plain question whose answer is streamed.
pub(crate) fn streamed_question(model: &str) -> Value {
    let mut question = question(model);
    question["stream"] = true.into();
    question
}

/// A whole answer in OpenAI's form, "Hi there".
pub(crate) fn whole() -> Answer {
    let message = json!({"role": "assistant", "content": "Hi there"});
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_795_500_000, "model": "m",
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    });
    Answer::json(200, body.to_string())
}

/// One chunk in OpenAI's form.
pub(crate) fn chunk(delta: &Value, finish: Option<&str>) -> String {
    let chunk = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_795_500_000, "model": "m",
        "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]
    });
    format!("data: {chunk}\n\n")
}

/// The chunk that says a text.
pub(crate) fn says(text: &str) -> String {
    chunk(&json!({"content": text}), None)
}

/// The chunks of "Hi there": the role, two of text, the finish, the end.
pub(crate) fn chunks() -> [String; 5] {
    [
        chunk(&json!({"role": "assistant", "content": ""}), None),
        says("Hi"),
        says(" there"),
        chunk(&json!({}), Some("stop")),
        "data: [DONE]\n\n".to_owned(),
    ]
}

/// A streamed answer in OpenAI's form, "Hi there", in five pieces.
pub(crate) fn streamed() -> Answer {
    Answer::events(&chunks().concat())
}

/// A provider's error in OpenAI's form.
pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Answer {
    let error = json!({"message": message, "type": "error", "param": null, "code": code});
    Answer::json(status, json!({ "error": error }).to_string())
}

/// The JSON of each event of a stream, comments and `[DONE]` left out.
pub(crate) fn events(reply: &Reply) -> Vec<Value> {
    let events = reply.events();
    let events = events.iter().filter(|data| *data != "[DONE]");
    events
        .map(|data| serde_json::from_str(data).expect(data))
        .collect()
}

/// What the assistant said, streamed or whole.
pub(crate) fn text(reply: &Reply) -> String {
    let kind = reply.header("content-type").unwrap_or_default();
    if !kind.starts_with("text/event-stream") {
        let body = reply.json();
        let content = body["choices"][0]["message"]["content"].as_str();
        return content.unwrap_or_default().to_owned();
    }
    let events = events(reply);
    let deltas = events.iter().map(|event| &event["choices"][0]["delta"]);
    deltas
        .filter_map(|delta| delta["content"].as_str())
        .collect()
}

/// The `waypost` object of an answer.
pub(crate) fn metadata(reply: &Reply) -> Value {
    let kind = reply.header("content-type").unwrap_or_default();
    if !kind.starts_with("text/event-stream") {
        return reply.json()["waypost"].clone();
    }
    let events = events(reply);
    let found = events.iter().find_map(|event| event.get("waypost"));
    found.cloned().unwrap_or_default()
}

/// Whether a stream was told to be whole.
pub(crate) fn is_done(reply: &Reply) -> bool {
    reply.events().last().is_some_and(|last| last == "[DONE]")
}

/// Checks that an error has OpenAI's form and our own headers, and gives back its `error` object.
pub(crate) fn error(reply: &Reply) -> Value {
    let body = reply.json();
    let error = &body["error"];
    let keys: Vec<_> = error.as_object().expect("an error object").keys().collect();
    assert_eq!(keys, ["message", "type", "param", "code"], "{body}");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    );
    assert!(matches!(
        reply.header("x-should-retry"),
        Some("true" | "false")
    ));
    let id = reply.header("x-request-id").unwrap_or_default();
    assert!(id.starts_with("req_"), "{id}");
    assert!(reply.clean);
    error.clone()
}
