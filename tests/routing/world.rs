//! A house with four providers that answer everything, on a day that does not change.

use std::path::PathBuf;

use serde_json::{Value, json};
use waypost::app::{App, Setting};
use waypost::config::Config;
use waypost::fixture::{Answer, Exchange};
use waypost::gateway::clock::Clock;

use crate::support::{self, Reply};

pub(crate) const CHAT: &str = "/v1/chat/completions";

/// Noon of 2026-11-25, UTC: prices may change by date.
const DAY: u64 = 1_795_608_000;

/// Providers that speak OpenAI's format.
pub(crate) const PROVIDERS: [&str; 4] = ["groq", "mistral", "deepseek", "cerebras"];

pub(crate) const STRATEGIES: [&str; 4] = ["lowest-cost", "balanced", "fastest", "max-reliability"];

/// A whole answer of 12 and 5 tokens.
pub(crate) fn answer() -> Answer {
    let message = json!({"role": "assistant", "content": "Hi there"});
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_795_500_000, "model": "m",
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
    });
    Answer::json(200, body.to_string())
}

/// A provider that is overloaded.
pub(crate) fn overloaded() -> Answer {
    Answer::json(529, r#"{"error":{"message":"Too much."}}"#)
}

pub(crate) async fn house(exchanges: Vec<Exchange>, state: Option<PathBuf>) -> App {
    let setting = Setting {
        clock: Clock::fixed(DAY),
        state,
    };
    support::app_in(exchanges, once(Config::bare().unwrap()), setting).await
}

/// A configuration under which nobody is asked twice: here it matters who is asked, not how often.
pub(crate) const fn once(mut config: Config) -> Config {
    config.resilience.retries = 0;
    config
}

/// The four providers, all of them obliging.
pub(crate) async fn open_house() -> App {
    let all = PROVIDERS.map(|name| Exchange::any(name, answer()));
    house(all.to_vec(), None).await
}

pub(crate) fn question(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Say hello."}]})
}

/// A question with more members.
pub(crate) fn with(model: &str, more: &Value) -> Value {
    let mut body = question(model);
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

pub(crate) async fn ask(app: &App, headers: &[(&str, &str)], body: &Value) -> Reply {
    support::post(app.addr(), CHAT, headers, body).await
}

pub(crate) fn sent(app: &App) -> usize {
    app.replay().unwrap().seen().len()
}

/// The body that reached a provider last.
pub(crate) fn last(app: &App) -> Value {
    app.replay().unwrap().seen().pop().unwrap().json()
}

/// The output limit of a request, by either name.
pub(crate) fn limit(body: &Value) -> Option<u64> {
    let limit = body.get("max_completion_tokens");
    limit.or_else(|| body.get("max_tokens"))?.as_u64()
}
