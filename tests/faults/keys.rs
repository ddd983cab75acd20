//! Whose key goes where.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::json;
use waypost::app::{App, Plan};
use waypost::config::Config;
use waypost::fixture::{Exchange, Pace, Replay, Seen};

use crate::answers::{CHAT, error, question, refusal, whole};
use crate::support;

/// The whole proxy under a configuration file, with providers wherever the file says.
pub(crate) async fn app_of(file: &str) -> App {
    let config = Config::parse(file, Path::new("waypost.toml"), &|_| None).unwrap();
    let plan = Plan {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        record: None,
        play: None,
        config,
    };
    App::start(plan).await.unwrap()
}

async fn providers(exchanges: Vec<Exchange>) -> Replay {
    Replay::start(exchanges, Pace::AtOnce).await.unwrap()
}

fn header(seen: &Seen, name: &str) -> Option<String> {
    let value = seen.headers.get(name)?;
    value.to_str().ok().map(str::to_owned)
}

#[tokio::test]
async fn several_keys_take_turns() {
    let replay = providers(vec![Exchange::any("lab", whole())]).await;
    let url = replay.url("lab");
    let file = format!(
        "[providers.lab]\ndialect = \"openai\"\nbase_url = \"{url}/v1\"\napi_keys = [\"key-one-1\", \"key-two-2\"]\n"
    );
    let app = app_of(&file).await;
    for _ in 0..4 {
        let reply = support::post(app.addr(), CHAT, &[], &question("lab/m")).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let keys: Vec<_> = replay
        .seen()
        .iter()
        .filter_map(|seen| header(seen, "authorization"))
        .collect();
    let expected = [
        "Bearer key-one-1",
        "Bearer key-two-2",
        "Bearer key-one-1",
        "Bearer key-two-2",
    ];
    assert_eq!(keys, expected);
}

/// A key that a provider refuses, or limits, makes way for the next at once, and is passed over for a while.
#[tokio::test]
async fn a_key_that_is_refused_makes_way_for_the_next() {
    let limited = refusal(429, "", "Slowly.").header("retry-after", "20");
    for refused in [refusal(401, "invalid_api_key", "No."), limited] {
        let replay = providers(vec![
            Exchange::any("lab", refused),
            Exchange::any("lab", whole()),
        ])
        .await;
        let url = replay.url("lab");
        let file = format!(
            "[providers.lab]\ndialect = \"openai\"\nbase_url = \"{url}/v1\"\napi_keys = [\"key-one-1\", \"key-two-2\"]\n"
        );
        let app = app_of(&file).await;
        for attempts in ["2", "1", "1"] {
            let reply = support::post(app.addr(), CHAT, &[], &question("lab/m")).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            assert_eq!(reply.header("x-waypost-attempts"), Some(attempts));
        }
        let seen = replay.seen();
        let keys: Vec<_> = seen
            .iter()
            .filter_map(|seen| header(seen, "authorization"))
            .collect();
        let (one, two) = ("Bearer key-one-1", "Bearer key-two-2");
        assert_eq!(keys, [one, two, two, two]);
    }
}

/// Where every key is refused, that is the answer, and no key is shown more often than it need be.
#[tokio::test]
async fn where_every_key_is_refused_the_call_fails_once_through() {
    let replay = providers(vec![Exchange::any("lab", refusal(401, "x", "No."))]).await;
    let url = replay.url("lab");
    let file = format!(
        "[providers.lab]\ndialect = \"openai\"\nbase_url = \"{url}/v1\"\napi_keys = [\"key-one-1\", \"key-two-2\"]\n"
    );
    let app = app_of(&file).await;
    let reply = support::post(app.addr(), CHAT, &[], &question("lab/m")).await;
    assert_eq!(reply.status, 502, "{}", reply.text());
    assert_eq!(error(&reply)["code"], "upstream_auth_error");
    assert_eq!(replay.seen().len(), 2);
}

/// Without passthrough a caller's key is for us, and no header of a caller goes on.
#[tokio::test]
async fn a_callers_headers_stay_here() {
    let replay = providers(vec![Exchange::any("lab", whole())]).await;
    let url = replay.url("lab");
    let file = format!(
        "[providers.lab]\ndialect = \"openai\"\nbase_url = \"{url}\"\napi_key = \"key-of-ours\"\n"
    );
    let app = app_of(&file).await;
    let headers = [
        ("authorization", "Bearer callers-own"),
        ("cookie", "a=callers-own"),
        ("x-forwarded-for", "10.9.8.7"),
        ("openai-organization", "callers-own"),
        ("x-stainless-lang", "callers-own"),
        ("x-waypost-params", "drop"),
        ("x-request-id", "callers-own"),
        ("traceparent", "00-callers-own"),
        ("user-agent", "callers-own"),
    ];
    let reply = support::post(app.addr(), CHAT, &headers, &question("lab/m")).await;
    assert_eq!(reply.status, 200);
    let seen = replay.seen().remove(0);
    assert_eq!(
        header(&seen, "authorization").as_deref(),
        Some("Bearer key-of-ours")
    );
    let mut names: Vec<_> = seen.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let expected = [
        "accept",
        "accept-encoding",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "user-agent",
    ];
    assert_eq!(names, expected);
    assert!(!format!("{:?}", seen.headers).contains("callers-own"));
}

/// Headers of a request.
type Sent<'a> = &'a [(&'a str, &'a str)];

async fn passthrough() -> (App, Replay) {
    let exchanges =
        ["openai", "anthropic", "groq"].map(|name| Exchange::any(name, refusal(500, "", "Boom.")));
    let replay = providers(exchanges.to_vec()).await;
    let mut file = "auth = \"passthrough\"\n[resilience]\nretries = 0\n".to_owned();
    for name in ["openai", "anthropic", "groq"] {
        let url = replay.url(name);
        let _ = writeln!(file, "[providers.{name}]\nbase_url = \"{url}\"");
    }
    (app_of(&file).await, replay)
}

#[tokio::test]
async fn a_key_that_is_passed_through_goes_to_the_provider_that_is_named() {
    let (app, replay) = passthrough().await;
    let rows = [
        (
            "openai/gpt-4.1-mini",
            "authorization",
            "Bearer callers-own-1",
        ),
        ("anthropic/claude-sonnet-4-6", "x-api-key", "callers-own-1"),
    ];
    for (model, name, value) in rows {
        let headers = [("authorization", "Bearer callers-own-1")];
        let reply = support::post(app.addr(), CHAT, &headers, &question(model)).await;
        assert_eq!(reply.status, 502, "{}", reply.text());
        let seen = replay.seen().pop().unwrap();
        assert_eq!(header(&seen, name).as_deref(), Some(value), "{model}");
    }
    assert_eq!(replay.seen().len(), 2);
}

#[tokio::test]
async fn a_key_that_is_passed_through_goes_to_nobody_else() {
    let (app, replay) = passthrough().await;
    let own: (&str, &str) = ("authorization", "Bearer callers-own-1");
    let rows: [(Sent<'_>, &str, u16); 4] = [
        // Whoever serves the model is not somebody the caller named.
        (&[own], "gpt-4.1-mini", 400),
        (&[own, ("x-waypost-fallback", "groq/b")], "openai/a", 400),
        (&[], "openai/a", 401),
        (&[("x-api-key", "other"), own], "openai/a", 400),
    ];
    for (headers, model, status) in rows {
        let reply = support::post(app.addr(), CHAT, headers, &question(model)).await;
        error(&reply);
        assert_eq!(reply.status, status, "{model}: {}", reply.text());
    }
    assert_eq!(replay.seen().len(), 0);
}

#[tokio::test]
async fn a_callers_own_key_that_is_refused_is_the_callers_401() {
    let (app, replay) = passthrough().await;
    replay.set([Exchange::any(
        "openai",
        refusal(401, "invalid_api_key", "Incorrect API key: callers-own-1"),
    )]);
    let headers = [("authorization", "Bearer callers-own-1")];
    let reply = support::post(app.addr(), CHAT, &headers, &question("openai/a")).await;
    assert_eq!(
        (reply.status, &error(&reply)["code"]),
        (401, &json!("invalid_api_key"))
    );
    assert!(!reply.text().contains("callers-own-1"), "{}", reply.text());
}
