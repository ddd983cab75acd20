//! Trace context on its way to the provider, and ids in the log.

use waypost::fixture::Exchange;

use crate::house::{CHAT, Proxy, WHOLE, lab, provider, whole};
use crate::support;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test]
async fn a_trace_is_carried_to_the_provider_and_named_in_the_log() {
    let replay = provider(whole("hello")).await;
    let proxy = Proxy::start(&lab(&replay.url("lab"))).await;
    let heads = [("traceparent", PARENT), ("tracestate", "rojo=1, congo=t61")];
    let reply = support::post_text(proxy.addr, CHAT, &heads, WHOLE).await;
    let seen = &replay.seen()[0];
    assert_eq!(seen.headers["traceparent"], PARENT);
    assert_eq!(seen.headers["tracestate"], "rojo=1,congo=t61");
    let id = reply.header("x-request-id").unwrap();
    proxy
        .says(&format!(
            "request_id={id} trace_id=4bf92f3577b34da6a3ce929d0e0e4736"
        ))
        .await;
}

#[tokio::test]
async fn a_malformed_one_is_dropped_and_is_no_error() {
    let replay = provider(whole("hello")).await;
    replay.set([Exchange::any("lab", whole("hello"))]);
    let proxy = Proxy::start(&lab(&replay.url("lab"))).await;
    let bad = [
        "",
        "00-short",
        &PARENT.to_uppercase(),
        &PARENT.replace("00-4", "ff-4"),
    ];
    for bad in bad {
        let heads = [("traceparent", bad), ("tracestate", "rojo=1")];
        let reply = support::post_text(proxy.addr, CHAT, &heads, WHOLE).await;
        assert_eq!(reply.status, 200);
    }
    for seen in replay.seen() {
        assert!(!seen.headers.contains_key("traceparent"));
        assert!(!seen.headers.contains_key("tracestate"));
    }
    assert_eq!(replay.seen().len(), 4);
}
