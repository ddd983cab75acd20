//! What a caller says about routing.

use serde_json::{Value, json};
use waypost::fixture::{Exchange, Play};

use crate::door::{CHAT, GOOD, answer, open_house, refused, sent};
use crate::support;

fn question(more: &Value) -> Value {
    let mut body: Value = serde_json::from_str(GOOD).unwrap();
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Hints that nobody has.
const NOT_BUILT: [(&str, &str); 3] = [
    ("x-waypost-tag", "a"),
    ("x-waypost-modle", "openai/m"),
    ("x-waypost-", "a"),
];

#[tokio::test]
async fn no_hint_is_ignored_in_silence() {
    let app = open_house().await;
    for (name, value) in NOT_BUILT {
        let reply = support::post_text(app.addr(), CHAT, &[(name, value)], GOOD).await;
        let error = refused(&app, &reply, 400, "unsupported_hint");
        assert_eq!(error["param"], name);
        assert!(error["message"].as_str().unwrap().contains(name), "{error}");
    }
    for name in ["tag", "nonsense"] {
        let body = question(&json!({"waypost": {name: "x"}}));
        let reply = support::post(app.addr(), CHAT, &[], &body).await;
        let error = refused(&app, &reply, 400, "unsupported_hint");
        assert_eq!(error["param"], format!("waypost.{name}"));
    }
}

#[tokio::test]
async fn bad_values_of_hints_name_them() {
    let app = open_house().await;
    let headers = [
        ("x-waypost-params", "maybe"),
        ("x-waypost-metadata", "all"),
        ("x-waypost-hedge", "on"),
        ("x-waypost-tags", "a,b c"),
        ("x-waypost-tags", "1,2,3,4,5,6,7,8,9"),
        ("x-waypost-rescue", "always"),
        ("x-waypost-ttft-timeout-ms", "0"),
        ("x-waypost-timeout-ms", "0"),
        ("x-waypost-timeout-ms", "-5"),
        ("x-waypost-timeout-ms", "1s"),
        ("x-waypost-timeout-ms", "9999999999"),
        ("x-waypost-fallback", ""),
        ("x-waypost-fallback", "openai/a,,b"),
        ("x-waypost-model", " "),
        ("x-waypost-strategy", "cheapest"),
        ("x-waypost-max-cost-usd", "-0.01"),
        ("x-waypost-max-cost-usd", "cheap"),
        ("x-waypost-max-cost-usd", "1e-3"),
        ("x-waypost-cost-cap-mode", "soft"),
        ("x-waypost-only", "openai,,groq"),
        ("x-waypost-only", "nobody"),
        ("x-waypost-ignore", "nobody/nothing"),
        ("x-waypost-seed", "one"),
        ("x-waypost-dry-run", "yes"),
        ("x-waypost-session", " "),
        ("x-waypost-retries", "11"),
        ("x-waypost-retries", "-1"),
        ("x-waypost-retries", "two"),
    ];
    for (name, value) in headers {
        let reply = support::post_text(app.addr(), CHAT, &[(name, value)], GOOD).await;
        let error = refused(&app, &reply, 400, "invalid_value");
        assert_eq!(error["param"], name, "{value}");
    }
    let bodies = [
        (json!({"waypost": []}), "waypost"),
        (
            json!({"waypost": {"timeout_ms": "soon"}}),
            "waypost.timeout_ms",
        ),
        (json!({"waypost": {"fallback": [1]}}), "waypost.fallback"),
        (json!({"waypost": {"retries": 1.5}}), "waypost.retries"),
        (json!({"models": "openai/m"}), "models"),
        (json!({"models": [1]}), "models"),
        (json!({"fallbacks": {}}), "fallbacks"),
    ];
    for (more, param) in bodies {
        let reply = support::post(app.addr(), CHAT, &[], &question(&more)).await;
        let error = refused(&app, &reply, 400, "invalid_value");
        assert_eq!(error["param"], param);
    }
}

/// Every way to name the next target, and none of it reaches a provider.
#[tokio::test]
async fn a_fallback_can_be_named_in_five_ways() {
    let app = support::app(vec![
        Exchange::any("openai", Play::close()),
        Exchange::any("groq", answer()),
    ])
    .await;
    let hint = [("x-waypost-fallback", " groq/b ")];
    let rows: [(&[(&str, &str)], Value); 5] = [
        (&hint, json!({})),
        (&[], json!({"models": ["openai/m", "groq/b"]})),
        (&[], json!({"models": [], "fallbacks": ["groq/b"]})),
        (&[], json!({"waypost": {"fallback": ["groq/b"]}})),
        (
            &[],
            json!({"waypost": {"fallback": "groq/b"}, "fallbacks": ["anthropic/x"]}),
        ),
    ];
    for (headers, more) in rows {
        let reply = support::post(app.addr(), CHAT, headers, &question(&more)).await;
        assert_eq!(reply.status, 200, "{more}: {}", reply.text());
        assert_eq!(reply.header("x-waypost-provider"), Some("groq"), "{more}");
        assert_eq!(reply.header("x-waypost-model"), Some("b"));
        let seen = app.replay().unwrap().seen().pop().unwrap().json();
        for own in ["models", "fallbacks", "waypost"] {
            assert!(seen.get(own).is_none(), "{seen}");
        }
    }
    let off = [("x-waypost-fallback", "off")];
    let body = question(&json!({"fallbacks": ["groq/b"]}));
    let reply = support::post(app.addr(), CHAT, &off, &body).await;
    assert_eq!(reply.status, 502, "a header wins over the body");
}

#[tokio::test]
async fn a_forced_model_wins_over_the_body() {
    let app = open_house().await;
    let rows = [
        ("groq/other", "groq", "other"),
        ("groq:other", "groq", "other"),
        ("groq", "groq", "m"),
    ];
    for (hint, provider, model) in rows {
        let reply = support::post_text(app.addr(), CHAT, &[("x-waypost-model", hint)], GOOD).await;
        assert_eq!(reply.status, 200, "{hint}: {}", reply.text());
        let seen = app.replay().unwrap().seen().pop().unwrap();
        assert_eq!(
            (&*seen.provider, &seen.json()["model"]),
            (provider, &json!(model)),
            "{hint}"
        );
    }
}

#[tokio::test]
async fn metadata_is_told_unless_it_is_not_wanted() {
    let app = open_house().await;
    let reply = support::post_text(app.addr(), CHAT, &[], GOOD).await;
    let told = &reply.json()["waypost"];
    assert_eq!(
        (&told["provider"], &told["model"]),
        (&json!("openai"), &json!("m"))
    );
    assert_eq!(
        told["params"],
        json!({"dropped": [], "emulated": [], "clamped": []})
    );
    assert!(told.get("candidates").is_none());
    let full = [
        ("x-waypost-metadata", "full"),
        ("x-waypost-fallback", "anthropic/claude-haiku-4-5"),
    ];
    let reply = support::post_text(app.addr(), CHAT, &full, GOOD).await;
    assert_eq!(
        reply.json()["waypost"]["candidates"],
        json!(["openai/m", "anthropic/claude-haiku-4-5"])
    );
    for body in [
        GOOD.to_owned(),
        question(&json!({"waypost": {"metadata": "off"}})).to_string(),
    ] {
        let headers: &[_] = if body == GOOD {
            &[("x-waypost-metadata", "off")]
        } else {
            &[]
        };
        let reply = support::post_text(app.addr(), CHAT, headers, &body).await;
        assert_eq!(reply.status, 200);
        assert!(reply.json().get("waypost").is_none(), "{}", reply.text());
        assert_eq!(
            reply.header("x-waypost-provider"),
            Some("openai"),
            "headers do no harm"
        );
    }
}

/// What a target cannot honour is dropped and told, or refused where the caller wants it so.
#[tokio::test]
async fn strictness_is_the_callers_choice() {
    let app = open_house().await;
    let body = json!({
        "model": "anthropic/claude-sonnet-4-6", "max_tokens": 9, "logit_bias": {"1": 2},
        "messages": [{"role": "user", "content": "Hello"}]
    });
    let strict = [("x-waypost-params", "strict")];
    let reply = support::post(app.addr(), CHAT, &strict, &body).await;
    let error = refused(&app, &reply, 400, "unsupported_parameter");
    assert_eq!(error["param"], "logit_bias");
    let drop = [("x-waypost-params", "drop")];
    let reply = support::post(app.addr(), CHAT, &drop, &body).await;
    assert_eq!(reply.header("x-waypost-params-dropped"), Some("logit_bias"));
    assert_eq!(sent(&app), 1);
}
