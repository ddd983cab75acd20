//! A provider that says how much is left of its limits: it is not asked for more than that.

use std::time::Duration;

use waypost::fixture::Exchange;

use crate::house::{CHAT, Proxy, lab, provider, whole};
use crate::support;

const ASKED: &str =
    r#"{"model":"lab/m","fallbacks":["spare/m"],"messages":[{"role":"user","content":"Hello"}]}"#;

/// Who answers, and at which attempt.
async fn who(proxy: &Proxy) -> (String, String) {
    let reply = support::post_text(proxy.addr, CHAT, &[], ASKED).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let of = |name| reply.header(name).unwrap().to_owned();
    (of("x-waypost-provider"), of("x-waypost-attempts"))
}

/// The provider would refuse what it has no calls for; nobody finds out.
#[tokio::test]
async fn a_provider_with_no_calls_left_is_not_asked_until_it_has() {
    let replay = provider(whole("hello")).await;
    let left = |calls: &str| {
        whole("hello")
            .header("x-ratelimit-limit-requests", "2")
            .header("x-ratelimit-remaining-requests", calls)
            .header("x-ratelimit-reset-requests", "4s")
    };
    let set = |calls: &str| {
        replay.set([
            Exchange::any("lab", left(calls)),
            Exchange::any("spare", whole("hello")),
        ]);
    };
    let spare = lab(&replay.url("spare")).replace("lab", "spare");
    let proxy = Proxy::start(&format!("{}{spare}", lab(&replay.url("lab")))).await;
    set("1");
    assert_eq!(who(&proxy).await.0, "lab");
    set("0");
    assert_eq!(who(&proxy).await.0, "lab", "one was left");
    for _ in 0..5 {
        assert_eq!(who(&proxy).await, ("spare".to_owned(), "1".to_owned()));
    }
    let models = proxy.get("/v1/models").await.text();
    assert!(models.contains(r#""breaker":"cooling""#), "{models}");
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(who(&proxy).await.0, "lab", "they are back");
}

/// Of two keys the one with nothing left rests, and the other goes on.
#[tokio::test]
async fn a_key_with_no_calls_left_leaves_them_to_the_other() {
    let replay = provider(whole("hello")).await;
    let config = lab(&replay.url("lab")).replace(
        "api_key = \"sk-lab-0123456789\"",
        "api_keys = [\"sk-lab-0123456789\", \"sk-lab-9876543210\"]",
    );
    let proxy = Proxy::start(&config).await;
    let none_left = whole("hello")
        .header("x-ratelimit-remaining-requests", "0")
        .header("x-ratelimit-reset-requests", "60s");
    replay.set([Exchange::any("lab", none_left)]);
    assert_eq!(proxy.ask(ASKED_ALONE).await.status, 200);
    replay.set([Exchange::any("lab", whole("hello"))]);
    for _ in 0..4 {
        assert_eq!(proxy.ask(ASKED_ALONE).await.status, 200);
    }
    let keys: Vec<_> = replay
        .seen()
        .iter()
        .map(|seen| seen.headers["authorization"].to_str().unwrap().to_owned())
        .collect();
    assert_eq!(keys.len(), 5);
    assert!(keys[1..].iter().all(|key| *key != keys[0]), "{keys:?}");
}

const ASKED_ALONE: &str = r#"{"model":"lab/m","messages":[{"role":"user","content":"Hello"}]}"#;
