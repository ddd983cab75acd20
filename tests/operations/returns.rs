//! A provider that was down and is back: its calls return in steps.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use waypost::fixture::{Answer, Exchange, Replay};

use crate::house::{CHAT, Proxy, figure, lab, provider, until, whole};
use crate::support;

const ASKED: &str =
    r#"{"model":"lab/m","fallbacks":["spare/m"],"messages":[{"role":"user","content":"Hello"}]}"#;

/// Who answers: how many calls of so many at once went where.
async fn crowd(proxy: &Proxy, many: usize) -> BTreeMap<String, usize> {
    let addr = proxy.addr;
    let calls: Vec<_> = (0..many)
        .map(|_| tokio::spawn(async move { support::post_text(addr, CHAT, &[], ASKED).await }))
        .collect();
    let mut count = BTreeMap::new();
    for call in calls {
        let reply = call.await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        let who = reply.header("x-waypost-provider").unwrap().to_owned();
        *count.entry(who).or_default() += 1;
    }
    count
}

/// Both say the same; the first is down, or takes a while.
fn set(replay: &Replay, first: Answer) {
    let spare = whole("from the spare one");
    replay.set([Exchange::any("lab", first), Exchange::any("spare", spare)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_return_in_steps_to_a_provider_that_was_down() {
    let replay = provider(whole("hello")).await;
    let spare = lab(&replay.url("spare")).replace("lab", "spare");
    let proxy = Proxy::start(&format!("{}{spare}", lab(&replay.url("lab")))).await;
    set(
        &replay,
        Answer::json(500, r#"{"error":{"message":"down"}}"#),
    );
    let state = r#"waypost_breaker_state{model="m",provider="lab"}"#;
    until("it rests", async || {
        crowd(&proxy, 1).await;
        figure(&proxy, state).await == 2.0
    })
    .await;

    let mut slow = whole("hello");
    slow.wait = Duration::from_millis(1_500);
    set(&replay, slow);
    until("it is tried and back", async || {
        crowd(&proxy, 1).await.contains_key("lab")
    })
    .await;
    let back = Instant::now();
    assert_eq!(figure(&proxy, state).await, 1.0, "half open");
    let models = proxy.get("/v1/models").await.text();
    assert!(models.contains(r#""breaker":"returning""#), "{models}");
    let mut steps = Vec::new();
    for most in [2, 4, 8] {
        let came = crowd(&proxy, 40).await;
        let of = came.get("lab").copied().unwrap_or_default();
        assert!((1..=most).contains(&of), "{of} of 40, at most {most}");
        steps.push(of);
    }
    assert!(steps.is_sorted() && steps[2] > steps[0], "{steps:?}");
    set(&replay, whole("hello"));
    tokio::time::sleep(Duration::from_secs(10).saturating_sub(back.elapsed())).await;
    let came = crowd(&proxy, 40).await;
    assert_eq!(came.get("lab"), Some(&40), "all of them, {came:?}");
}
