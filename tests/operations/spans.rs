//! Traces told to a collector: what is in them, that nobody waits for them, and that the last ones arrive.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpListener;
use waypost::fixture::{Answer, Exchange, Replay};

use crate::house::{CHAT, Proxy, WHOLE, figures, lab, provider, stream, until, whole};
use crate::support;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const ASKED: &str = r#"{"model":"lab/m","fallbacks":["spare/m"],"stream":true,"messages":[{"role":"user","content":"canary-prompt"}]}"#;

/// Two providers and a collector, all of them played.
async fn scene(lab_says: Answer) -> (Replay, String) {
    let replay = provider(whole("hello")).await;
    replay.set([
        Exchange::any("lab", lab_says),
        Exchange::any("spare", stream(3, Duration::ZERO)),
        Exchange::any("collector", Answer::json(200, "{}")),
    ]);
    let base = replay.url("collector");
    let telemetry = format!(
        "[telemetry]\notlp = \"{base}\"\nheaders = {{ x-token = \"canary-token\" }}\nservice = \"front\"\n"
    );
    let spare = lab(&replay.url("spare")).replace("lab", "spare");
    let config = format!("{}{spare}{telemetry}", lab(&replay.url("lab")));
    (replay, config)
}

/// All spans that the collector was told.
fn told(replay: &Replay) -> Vec<Value> {
    let mut spans = Vec::new();
    for seen in replay.seen() {
        if seen.provider != "collector" {
            continue;
        }
        assert_eq!(seen.headers["content-type"], "application/json");
        assert_eq!(seen.headers["x-token"], "canary-token");
        let text = String::from_utf8(seen.body.to_vec()).unwrap();
        for secret in ["canary", "sk-lab", "word0", "Hello"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        let json: Value = serde_json::from_str(&text).unwrap();
        let resource = &json["resourceSpans"][0];
        let service = &resource["resource"]["attributes"][0]["value"]["stringValue"];
        assert_eq!(service, "front");
        let some = resource["scopeSpans"][0]["spans"].as_array().unwrap();
        spans.extend(some.iter().cloned());
    }
    spans
}

/// An attribute of a span.
fn of<'a>(span: &'a Value, key: &str) -> &'a Value {
    let all = span["attributes"].as_array().unwrap();
    let found = all.iter().find(|fact| fact["key"] == key);
    let value = found.map_or(&Value::Null, |fact| &fact["value"]);
    value
        .as_object()
        .and_then(|value| value.values().next())
        .unwrap_or(value)
}

#[tokio::test]
async fn a_call_and_its_attempts_are_told_in_their_callers_trace() {
    let (replay, config) = scene(Answer::json(500, r#"{"error":{"message":"down"}}"#)).await;
    let proxy = Proxy::start(&config).await;
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let heads = [("traceparent", parent.as_str()), ("tracestate", "rojo=1")];
    let reply = support::post_text(proxy.addr, CHAT, &heads, ASKED).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let attempts: usize = reply.header("x-waypost-attempts").unwrap().parse().unwrap();
    until("they are told", async || {
        told(&replay).len() == attempts + 1
    })
    .await;
    let spans = told(&replay);
    assert!(
        spans.iter().all(|span| span["traceId"] == TRACE),
        "{spans:#?}"
    );
    let (calls, tries): (Vec<_>, Vec<_>) = spans.iter().partition(|span| span["kind"] == 2);
    let [call] = calls[..] else {
        panic!("{spans:#?}")
    };
    assert_eq!(call["parentSpanId"], "00f067aa0ba902b7");
    assert_eq!(call["name"], "chat m");
    assert_eq!(of(call, "gen_ai.operation.name"), "chat");
    assert_eq!(of(call, "gen_ai.provider.name"), "spare");
    assert_eq!(of(call, "gen_ai.request.model"), "m");
    assert_eq!(of(call, "gen_ai.usage.input_tokens"), "100");
    assert_eq!(of(call, "gen_ai.usage.output_tokens"), "3");
    assert_eq!(of(call, "waypost.attempts"), &attempts.to_string());
    assert_eq!(
        of(call, "waypost.request_id"),
        reply.header("x-request-id").unwrap()
    );
    assert_eq!(of(call, "error.type"), &Value::Null);
    let (good, bad): (Vec<_>, Vec<_>) = tries
        .iter()
        .partition(|span| of(span, "gen_ai.provider.name") == "spare");
    assert_eq!((good.len(), bad.len()), (1, attempts - 1));
    for span in &tries {
        assert_eq!(
            (&span["kind"], &span["parentSpanId"]),
            (&3.into(), &call["spanId"])
        );
        assert_eq!(of(span, "server.address"), "127.0.0.1");
    }
    for span in bad {
        assert_eq!(of(span, "error.type"), "upstream_error");
        assert_eq!(span["status"]["code"], 2);
    }
    children(&replay, &tries);
}

/// Each provider was told which attempt it is a child of.
fn children(replay: &Replay, tries: &[&Value]) {
    let seen = replay.seen();
    let asked = seen.iter().filter(|seen| seen.provider != "collector");
    let mut heard: Vec<_> = asked
        .map(|seen| seen.headers["traceparent"].to_str().unwrap().to_owned())
        .collect();
    let id = |span: &&Value| span["spanId"].as_str().unwrap().to_owned();
    let mut own: Vec<_> = tries
        .iter()
        .map(|span| format!("00-{TRACE}-{}-01", id(span)))
        .collect();
    heard.sort();
    own.sort();
    assert_eq!(heard, own);
}

#[tokio::test]
async fn a_trace_that_nobody_records_is_only_carried_and_one_without_a_parent_is_begun() {
    let (replay, config) = scene(whole("hello")).await;
    let proxy = Proxy::start(&config).await;
    let silent = format!("00-{TRACE}-00f067aa0ba902b7-00");
    let heads = [("traceparent", silent.as_str())];
    support::post_text(proxy.addr, CHAT, &heads, WHOLE).await;
    assert_eq!(replay.seen()[0].headers["traceparent"], silent.as_str());
    proxy.ask(WHOLE).await;
    until("the second is told", async || told(&replay).len() == 2).await;
    let spans = told(&replay);
    assert!(
        spans.iter().all(|span| span["traceId"] != TRACE),
        "{spans:#?}"
    );
    let roots = spans.iter().filter(|span| span["parentSpanId"].is_null());
    assert_eq!(roots.count(), 1);
}

#[tokio::test]
async fn the_last_spans_arrive_before_the_end() {
    let (replay, config) = scene(whole("hello")).await;
    let mut proxy = Proxy::start(&config).await;
    assert_eq!(proxy.ask(WHOLE).await.status, 200);
    proxy.signal("-TERM");
    assert!(proxy.ended().await.success());
    assert_eq!(told(&replay).len(), 2);
}

/// A collector that takes nothing: calls are as quick as ever, spans are dropped and counted, and the end is in time.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_collector_that_is_silent() {
    let replay = provider(whole("hello")).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = silent.local_addr().unwrap();
    let telemetry = format!("[telemetry]\notlp = \"http://{addr}\"\n");
    let config = format!("{}{telemetry}", lab(&replay.url("lab")));
    let mut proxy = Proxy::start_by("RUST_LOG=error", &config).await;
    let dropped = r#"waypost_spans_total{result="dropped"}"#;
    let (mut slowest, began) = (Duration::ZERO, Instant::now());
    loop {
        let calls: Vec<_> = (0..100)
            .map(|_| {
                let addr = proxy.addr;
                tokio::spawn(async move {
                    let began = Instant::now();
                    let reply = support::post_text(addr, CHAT, &[], WHOLE).await;
                    assert_eq!(reply.status, 200);
                    began.elapsed()
                })
            })
            .collect();
        for call in calls {
            slowest = slowest.max(call.await.unwrap());
        }
        let page = figures(&proxy.get("/metrics").await.text());
        if page.get(dropped).is_some_and(|dropped| *dropped > 100.0) {
            break;
        }
        assert!(
            began.elapsed() < Duration::from_mins(1),
            "none is dropped: {page:#?}"
        );
    }
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    proxy.signal("-TERM");
    let ended = Instant::now();
    assert!(proxy.ended().await.success());
    assert!(
        ended.elapsed() < Duration::from_secs(8),
        "{:?}",
        ended.elapsed()
    );
}
