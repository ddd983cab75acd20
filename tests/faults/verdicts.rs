//! What the client is told when nobody answers.

use std::time::{Duration, SystemTime};

use serde_json::json;
use waypost::app::App;
use waypost::config::Config;
use waypost::fixture::{Answer, Exchange, Play};

use crate::answers::{CHAT, error, question, refusal, streamed_question};
use crate::support::{self, Reply};

/// A house that asks nobody twice.
async fn house() -> App {
    let mut config = Config::bare().unwrap();
    config.resilience.retries = 0;
    support::app_with(vec![Exchange::any("openai", Play::close())], config).await
}

async fn ask(app: &App, play: impl Into<Play>) -> Reply {
    app.replay().unwrap().set([Exchange::any("openai", play)]);
    support::post(app.addr(), CHAT, &[], &question("openai/m")).await
}

#[tokio::test]
async fn every_failure_has_its_status() {
    let app = house().await;
    let error_of = |status| refusal(status, "", "It did not work.").into();
    let spent = "You exceeded your current quota, please check your plan and billing details.";
    let rows: [(Play, u16, &str, &str); 11] = [
        (
            error_of(400),
            400,
            "invalid_request_error",
            "invalid_request",
        ),
        (error_of(401), 502, "server_error", "upstream_auth_error"),
        (error_of(403), 502, "server_error", "upstream_auth_error"),
        (
            error_of(404),
            404,
            "invalid_request_error",
            "model_not_found",
        ),
        (error_of(408), 504, "server_error", "upstream_timeout"),
        (
            error_of(413),
            413,
            "invalid_request_error",
            "request_too_large",
        ),
        (error_of(429), 429, "requests", "rate_limit_exceeded"),
        (
            refusal(429, "insufficient_quota", spent).into(),
            429,
            "insufficient_quota",
            "insufficient_quota",
        ),
        (error_of(500), 502, "server_error", "upstream_error"),
        (error_of(529), 503, "server_error", "overloaded"),
        (Play::close(), 502, "server_error", "upstream_closed"),
    ];
    for (play, status, kind, code) in rows {
        let reply = ask(&app, play).await;
        let error = error(&reply);
        assert_eq!(
            (reply.status, &error["type"], &error["code"]),
            (status, &json!(kind), &json!(code))
        );
        assert_eq!(reply.header("x-should-retry"), Some("false"), "{code}");
        assert_eq!(reply.header("x-waypost-attempts"), Some("1"), "{code}");
        let waits = matches!(code, "rate_limit_exceeded" | "overloaded");
        assert_eq!(reply.header("retry-after").is_some(), waits, "{code}");
    }
}

#[tokio::test]
async fn the_wait_that_a_provider_asks_for_is_passed_on_within_bounds() {
    let app = house().await;
    let date = SystemTime::now() + Duration::from_secs(30);
    let date = httpdate::fmt_http_date(date);
    let rows = [
        ("retry-after", "7", 7..=7),
        ("retry-after", "0", 1..=1),
        ("retry-after", "-1", 1..=1),
        ("retry-after", "1.2", 2..=2),
        ("retry-after", "1000000000", 60..=60),
        ("retry-after", "soon", 1..=1),
        ("retry-after", &date, 25..=30),
        ("retry-after-ms", "2500", 3..=3),
        ("retry-after-ms", "nan", 1..=1),
    ];
    for (name, value, allowed) in rows {
        for status in [429, 503] {
            let reply = ask(&app, refusal(status, "", "Not now.").header(name, value)).await;
            assert_eq!(reply.status, status);
            let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
            assert!(allowed.contains(&wait), "{name}: {value} gives {wait}");
        }
    }
}

#[tokio::test]
async fn when_all_targets_fail_the_message_names_them_all() {
    let app = support::app(vec![
        Exchange::any("openai", refusal(500, "", "Boom.")),
        Exchange::any("mistral", Play::close()),
        Exchange::any("groq", refusal(503, "", "Full.").header("retry-after", "9")),
    ])
    .await;
    for body in [question("openai/a"), streamed_question("openai/a")] {
        let headers = [
            ("x-waypost-fallback", "mistral/b, groq/c"),
            ("x-waypost-retries", "0"),
        ];
        let reply = support::post(app.addr(), CHAT, &headers, &body).await;
        let error = error(&reply);
        assert_eq!((reply.status, &error["code"]), (503, &json!("overloaded")));
        let message = error["message"].as_str().unwrap();
        for part in [
            "openai/a (upstream_error)",
            "mistral/b (upstream_closed)",
            "groq/c (overloaded)",
            "Full.",
        ] {
            assert!(message.contains(part), "{message}");
        }
        let told = [
            ("x-should-retry", "false"),
            ("retry-after", "9"),
            ("x-waypost-attempts", "3"),
            ("x-waypost-provider", "groq"),
            (
                "x-waypost-fallback-from",
                "openai/a:upstream_error, mistral/b:upstream_closed",
            ),
        ];
        for (name, value) in told {
            assert_eq!(reply.header(name), Some(value), "{name}");
        }
    }
}

/// What a provider says of a credential may quote it.
#[tokio::test]
async fn a_refused_credential_is_ours_and_nothing_of_it_is_told() {
    let app = house().await;
    let said =
        "Incorrect API key provided: sk-proj-4f8a1c. Manage keys of org-Zq81 at the console.";
    for (status, code) in [
        (401, "invalid_api_key"),
        (403, "forbidden"),
        (400, "invalid_api_key"),
    ] {
        let reply = ask(&app, refusal(status, code, said)).await;
        let error = error(&reply);
        assert_eq!(
            (reply.status, &error["code"]),
            (502, &json!("upstream_auth_error"))
        );
        let text = reply.text();
        for word in ["4f8a1c", "Zq81", "Incorrect", "console"] {
            assert!(!text.contains(word), "{text}");
        }
        assert!(text.contains("openai"), "{text}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let app = house().await;
    let replay = app.replay().unwrap();
    for (at, status) in [301, 302, 303, 307, 308].into_iter().enumerate() {
        let elsewhere = format!("{}/v1/other", replay.url("openai"));
        let answer = Answer::json(status, "").header("location", &elsewhere);
        replay.set([Exchange::any("openai", answer)]);
        let reply = support::post(app.addr(), CHAT, &[], &question("openai/m")).await;
        assert_eq!(
            (reply.status, &error(&reply)["code"]),
            (502, &json!("upstream_redirect"))
        );
        assert_eq!(replay.seen().len(), at + 1, "{status}");
        assert_eq!(reply.header("location"), None);
    }
}

/// Only the start of an error body is read, however long it is.
#[tokio::test]
async fn a_long_error_body_is_cut() {
    let app = house().await;
    let long = format!("{}{}", "x".repeat(200_000), "end");
    let reply = ask(&app, Answer::json(500, long)).await;
    let message = error(&reply)["message"].as_str().unwrap().len();
    assert!(reply.status == 502 && message < 2_000, "{message}");
}
