//! `[faults]`: each fault by its name, in three dialects, as whoever rehearses an outage meets it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use waypost::app::{App, Plan, Play, StartError};
use waypost::config::Config;
use waypost::fixture::{Answer, Exchange, Pace};

use crate::support::{self, Reply};
use crate::words::{ANSWER, Dialect};

const NAMES: [(&str, Dialect); 3] = [
    ("openai", Dialect::OpenAi),
    ("anthropic", Dialect::Anthropic),
    ("google", Dialect::Gemini),
];

fn config(faults: &str) -> Config {
    let keys = NAMES.map(|(name, _)| format!("[providers.{name}]\napi_key = \"k\"\n"));
    let text = format!(
        "{}[resilience]\nretries = 0\n[faults]\n{faults}",
        keys.concat()
    );
    Config::parse(&text, Path::new("waypost.toml"), &|_| None).unwrap()
}

/// Three providers that are played, with these faults.
async fn house(faults: &str) -> App {
    let exchanges = NAMES.map(|(name, dialect)| {
        let script = dialect.script("m");
        let events = [
            script.head,
            script.words,
            script.tail,
            script.end.into_iter().collect(),
        ];
        Exchange::any(name, Answer::events(&events.concat().concat()))
    });
    let plan = Plan {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        record: None,
        play: Some(Play {
            exchanges: exchanges.to_vec(),
            pace: Pace::AtOnce,
        }),
        config: config(faults),
    };
    App::start(plan).await.unwrap()
}

async fn ask(app: &App, model: &str) -> (Reply, Duration) {
    let body =
        json!({"model": model, "stream": true, "messages": [{"role": "user", "content": "Hello"}]});
    let headers = [
        ("x-waypost-timeout-ms", "1500"),
        ("x-waypost-fallback", "off"),
    ];
    let began = Instant::now();
    let reply = support::post(app.addr(), "/v1/chat/completions", &headers, &body).await;
    (reply, began.elapsed())
}

fn said(reply: &Reply) -> String {
    let events = reply.events();
    let events = events
        .iter()
        .filter_map(|event| serde_json::from_str::<serde_json::Value>(event).ok());
    let said = events
        .filter_map(|event| Some(event["choices"][0]["delta"]["content"].as_str()?.to_owned()));
    said.collect()
}

/// What the caller gets of each: its status, a word of its body, and whether the whole answer.
const ROWS: [(&str, u16, &str, bool); 16] = [
    ("429-retry-after", 429, "rate_limit_exceeded", false),
    ("429", 429, "rate_limit_exceeded", false),
    ("500-once", 502, "upstream_error", false),
    ("503", 503, "overloaded", false),
    ("reset", 502, "upstream_closed", false),
    ("silence", 504, "upstream_timeout", false),
    ("slow-first-token", 200, "[DONE]", true),
    ("cut", 200, "upstream_stream_truncated", false),
    ("stall", 200, "upstream_stream_truncated", false),
    ("malformed-chunk", 200, "\"skipped_events\":1", true),
    ("no-done", 200, "[DONE]", true),
    ("context-length", 400, "context_length_exceeded", false),
    ("content-filter", 400, "content_filter", false),
    ("no-prefill", 200, "[DONE]", true),
    ("flapping", 503, "overloaded", false),
    ("accounting", 503, "overloaded", false),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_met_in_three_dialects() {
    for (name, status, word, whole) in ROWS {
        let faults = NAMES.map(|(provider, _)| {
            format!("{provider} = {{ fault = \"{name}\", wait = \"0.5s\" }}\n")
        });
        let app = house(&faults.concat()).await;
        for (provider, dialect) in NAMES {
            let (reply, took) = ask(&app, &format!("{provider}/m")).await;
            let what = format!("{name} of {provider}: {}", reply.text());
            // Gemini's word for a blocked prompt is an answer, not an error.
            let answers = (name, dialect) == ("content-filter", Dialect::Gemini);
            assert_eq!(reply.status, if answers { 200 } else { status }, "{what}");
            assert!(reply.text().contains(word), "{what}");
            assert_eq!(said(&reply) == ANSWER, whole, "{what}");
            let waits = matches!(name, "slow-first-token" | "stall");
            assert!(
                !waits || took >= Duration::from_millis(450),
                "{what} {took:?}"
            );
        }
    }
}

#[tokio::test]
async fn faults_come_in_turn_and_pass() {
    let app = house("openai = [\"503\", \"reset\"]\n\"anthropic/m\" = [{ fault = \"503\", times = 2 }, \"500-once\"]\n").await;
    // The first of the list lasts: it has no number of times.
    for _ in 0..3 {
        assert_eq!(ask(&app, "openai/m").await.0.status, 503);
    }
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask(&app, "anthropic/m").await.0.status);
    }
    assert_eq!(statuses, [503, 503, 502, 200]);
    assert_eq!(ask(&app, "anthropic/other").await.0.status, 200);
    assert_eq!(ask(&app, "google/m").await.0.status, 200);
}

#[tokio::test]
async fn a_flapping_provider_is_well_again() {
    let app = house("openai = { fault = \"flapping\", wait = \"300ms\" }\n").await;
    assert_eq!(ask(&app, "openai/m").await.0.status, 503);
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert_eq!(said(&ask(&app, "openai/m").await.0), ANSWER);
}

#[tokio::test]
async fn nothing_real_is_broken_on_purpose() {
    let plan = Plan {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        record: None,
        play: None,
        config: config("openai = \"503\"\n"),
    };
    let error = App::start(plan).await.unwrap_err();
    assert!(matches!(error, StartError::Config(_)));
    assert!(error.to_string().contains("--replay"), "{error}");
}

#[test]
fn what_is_no_fault_is_refused_where_it_stands() {
    let rows = [
        (
            "openai = \"stal\"",
            "'stal' is no fault; there are 429-retry-after, 429,",
        ),
        ("opnai = \"stall\"", "'opnai' is no provider"),
        (
            "openai = { fault = \"stall\", time = 1 }",
            "expected a fault like",
        ),
        (
            "openai = [\"cut\", { fault = \"nothing\" }]",
            "'nothing' is no fault",
        ),
        (
            "openai = { fault = \"cut\", times = 0 }",
            "expected a fault like",
        ),
        ("cohere = \"503\"", "refusals cannot be rehearsed"),
    ];
    for (line, wanted) in rows {
        let text = format!("[providers.openai]\napi_key = \"k\"\n\n[faults]\n{line}\n");
        let problem = Config::parse(&text, Path::new("waypost.toml"), &|_| None).unwrap_err();
        let said = problem.to_string();
        assert!(
            said.contains(wanted) && said.contains(":5:"),
            "{line}: {said}"
        );
    }
}
