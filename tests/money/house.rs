//! A house on a day that does not change, and what is asked of it.

use std::path::Path;

use serde_json::{Value, json};
use waypost::app::{App, Setting};
use waypost::config::Config;
use waypost::fixture::{Answer, Exchange, Play};
use waypost::gateway::clock::Clock;

use crate::support::{self, Reply};

pub(crate) const CHAT: &str = "/v1/chat/completions";

/// Noon of 2026-11-25, UTC: prices may change by date.
pub(crate) const DAY: u64 = 1_795_608_000;

/// A model that does not reason: half a dollar for a million tokens of input, one and a half for a million of output.
pub(crate) const PLAIN: &str = "mistral/mistral-large-2512";

pub(crate) async fn house(provider: &str, play: impl Into<Play>) -> App {
    house_of(vec![Exchange::any(provider, play)], "").await
}

pub(crate) async fn house_of(exchanges: Vec<Exchange>, config: &str) -> App {
    let setting = Setting {
        clock: Clock::fixed(DAY),
        state: None,
    };
    let config = Config::parse(config, Path::new("waypost.toml"), &|_| None).unwrap();
    support::app_in(exchanges, config, setting).await
}

pub(crate) fn question(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Say hello."}]})
}

pub(crate) fn streamed_question(model: &str) -> Value {
    let mut question = question(model);
    question["stream"] = true.into();
    question["stream_options"] = json!({"include_usage": true});
    question
}

/// A whole answer that tells this usage.
pub(crate) fn whole(usage: &Value) -> Answer {
    let message = json!({"role": "assistant", "content": "Hi there"});
    let body = json!({
        "id": "c", "object": "chat.completion", "created": 1_795_500_000, "model": "m",
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}],
        "usage": usage
    });
    Answer::json(200, body.to_string())
}

pub(crate) fn chunk(delta: &Value, finish: Option<&str>) -> String {
    let chunk = json!({
        "id": "c", "object": "chat.completion.chunk", "created": 1_795_500_000, "model": "m",
        "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]
    });
    format!("data: {chunk}\n\n")
}

/// The pieces of a stream that says each of the texts, and tells each of the usages at its end.
pub(crate) fn pieces(texts: &[&str], usages: &[Value]) -> Vec<String> {
    let mut out = vec![chunk(&json!({"role": "assistant", "content": ""}), None)];
    out.extend(
        texts
            .iter()
            .map(|text| chunk(&json!({"content": text}), None)),
    );
    out.push(chunk(&json!({}), Some("stop")));
    for usage in usages {
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [], "usage": usage});
        out.push(format!("data: {chunk}\n\n"));
    }
    out.push("data: [DONE]\n\n".to_owned());
    out
}

pub(crate) fn streamed(texts: &[&str], usages: &[Value]) -> Answer {
    Answer::events(&pieces(texts, usages).concat())
}

pub(crate) async fn ask(app: &App, headers: &[(&str, &str)], body: &Value) -> Reply {
    support::post(app.addr(), CHAT, headers, body).await
}

/// The `waypost` object of an answer, whole or streamed.
pub(crate) fn told(reply: &Reply) -> Value {
    let is_stream = reply
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/event-stream"));
    if !is_stream {
        return reply.json()["waypost"].clone();
    }
    let events = reply.events();
    let parsed = events.iter().filter(|data| *data != "[DONE]");
    let mut parsed = parsed.map(|data| serde_json::from_str::<Value>(data).unwrap());
    let found = parsed.find_map(|event| event.get("waypost").cloned());
    found.unwrap_or_default()
}

/// The receipt of a call.
pub(crate) async fn receipt(app: &App, id: &str) -> Value {
    let reply = support::get(app.addr(), &format!("/v1/receipts/{id}"), &[]).await;
    reply.json()
}

/// Dollars as whole nano-dollars.
pub(crate) fn nano(dollars: &Value) -> u64 {
    let text = format!("{:.9}", dollars.as_f64().unwrap());
    text.replace('.', "").parse().unwrap()
}
