//! The figures: what they count, who may read them, and that no caller can make more of them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use waypost::app::{App, Plan};
use waypost::config::Config;
use waypost::fixture::{Answer, End, Exchange, Replay};

use crate::house::{CHAT, Proxy, STREAMED, WHOLE, figures, free, lab, provider, stream, whole};
use crate::support;

async fn start(listen: SocketAddr, text: &str) -> App {
    let config = Config::parse(text, Path::new("waypost.toml"), &|_| None).unwrap();
    let (record, play) = (None, None);
    let plan = Plan {
        listen,
        record,
        play,
        config,
    };
    App::start(plan).await.unwrap()
}

const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A whole answer, a stream, a fallback, a refusal and a bad request; then all figures.
async fn after_some_calls(app: &App, replay: &Replay) -> BTreeMap<String, f64> {
    let ask = async |heads: &[(&str, &str)], body: &str| {
        let reply = support::post_text(app.addr(), CHAT, heads, body).await;
        reply.status
    };
    assert_eq!(ask(&[], WHOLE).await, 200);
    replay.set([Exchange::any("lab", stream(20, Duration::from_millis(3)))]);
    assert_eq!(ask(&[], STREAMED).await, 200);
    let busy = Answer::json(503, r#"{"error":{"message":"busy"}}"#);
    replay.set([
        Exchange::any("lab", busy),
        Exchange::any("spare", whole("from the spare one")),
    ]);
    assert_eq!(ask(&[("x-waypost-fallback", "spare/m")], WHOLE).await, 200);
    let refusal = Answer::json(400, r#"{"error":{"message":"no","code":"x"}}"#);
    replay.set([Exchange::any("lab", refusal)]);
    assert_eq!(ask(&[], WHOLE).await, 400);
    assert_eq!(ask(&[], "{").await, 400);
    let reply = support::get(app.addr(), "/metrics", &[]).await;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(reply.header("content-type"), Some(kind));
    documented(&reply.text());
    figures(&reply.text())
}

/// Every figure stands in the documentation.
fn documented(page: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let docs = std::fs::read_to_string(file).unwrap();
    let names = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    for name in names.filter_map(|line| line.split(' ').next()) {
        assert!(docs.contains(&format!("`{name}`")), "{name} is not told");
    }
}

/// What they come to.
const EXPECTED: &str = r#"waypost_requests_total{model="m",outcome="answered",provider="lab"} 2
waypost_requests_total{model="m",outcome="answered",provider="spare"} 1
waypost_requests_total{model="m",outcome="invalid_request",provider="lab"} 1
waypost_requests_total{model="none",outcome="invalid_json",provider="none"} 1
waypost_attempts_total{model="m",provider="spare"} 1
waypost_fallbacks_total{model="m",provider="lab"} 1
waypost_tokens_total{model="m",provider="lab",type="input"} 200
waypost_tokens_total{model="m",provider="lab",type="output"} 40
waypost_output_tokens_per_second_count{model="m",provider="lab"} 1
waypost_breaker_state{model="m",provider="lab"} 0
gen_ai_server_request_duration_seconds_count{OTEL} 2
gen_ai_server_time_to_first_token_seconds_count{OTEL} 1
gen_ai_server_time_per_output_token_seconds_count{OTEL} 1
gen_ai_client_token_usage_sum{OTEL,gen_ai_token_type="input"} 200
waypost_overhead_seconds_count 4
waypost_requests_in_flight 0
waypost_request_body_bytes 0
waypost_ledger_away 0
waypost_config_reload_failed 0"#;

/// Labels of the convention's figures.
const OTEL: &str =
    r#"gen_ai_operation_name="chat",gen_ai_provider_name="lab",gen_ai_request_model="m""#;

#[tokio::test]
async fn calls_tokens_money_and_times_are_counted() {
    let replay = provider(whole("hello")).await;
    let spare = lab(&replay.url("spare")).replace("lab", "spare");
    let app = start(LOCAL, &format!("{}{spare}", lab(&replay.url("lab")))).await;
    let figures = after_some_calls(&app, &replay).await;
    let of = |name: &str| {
        let figure = figures.get(name).copied();
        figure.unwrap_or_else(|| panic!("no {name} in {figures:#?}"))
    };
    for (name, value) in self::figures(&EXPECTED.replace("OTEL", OTEL)) {
        assert_eq!(of(&name), value, "{name}");
    }
    assert!(of(r#"waypost_attempts_total{model="m",provider="lab"}"#) >= 4.0);
    let cost = of(r#"waypost_cost_usd_total{model="m",provider="lab"}"#);
    assert!((cost - 0.000_28).abs() < 1e-12, "{cost}");
    let rate = of(r#"waypost_output_tokens_per_second_sum{model="m",provider="lab"}"#);
    assert!(
        (20.0..400.0).contains(&rate),
        "19 tokens, 3 ms apart: {rate}"
    );
    assert!(of("waypost_connections") >= 1.0);
    app.stop().await;
}

/// Whatever names callers send, and however many keys, the figures stay as few.
#[tokio::test]
async fn no_caller_makes_more_figures() {
    let replay = provider(whole("hello")).await;
    let app = start(LOCAL, &lab(&replay.url("lab"))).await;
    let ask = async |at: usize| {
        let body = WHOLE.replace("lab/m", &format!("lab/unheard-of-{at}\u{e9}\\\""));
        let key = format!("Bearer key-{at}");
        let heads = [("authorization", key.as_str()), ("x-waypost-tags", "a")];
        support::post_text(app.addr(), CHAT, &heads, &body)
            .await
            .status
    };
    assert_eq!(ask(0).await, 200);
    let before = figures(&support::get(app.addr(), "/metrics", &[]).await.text());
    for at in 1..40 {
        assert_eq!(ask(at).await, 200);
    }
    let after = figures(&support::get(app.addr(), "/metrics", &[]).await.text());
    let names = |all: &BTreeMap<String, f64>| all.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&before), names(&after));
    let other = r#"waypost_requests_total{model="other",outcome="answered",provider="lab"}"#;
    assert_eq!(after[other], 40.0);
}

/// All that an answer says.
fn text(answer: &Answer) -> String {
    let pieces = answer.pieces.iter().map(|piece| piece.bytes.to_vec());
    String::from_utf8(pieces.collect::<Vec<_>>().concat()).unwrap()
}

/// Each rung of the ladder, and each way that it ends, is one figure; nobody's name is in them.
#[tokio::test]
async fn rescues_are_counted_by_rung_and_by_how_they_ended() {
    const PACE: Duration = Duration::from_millis(2);
    const LATE: Duration = Duration::from_millis(900);
    let replay = provider(whole("hello")).await;
    let spare = lab(&replay.url("spare")).replace("lab", "spare");
    let app = start(LOCAL, &format!("{}{spare}", lab(&replay.url("lab")))).await;
    let ask = async |first: Answer, then: Answer| {
        replay.set([Exchange::any("lab", first), Exchange::any("spare", then)]);
        let heads = [
            ("x-waypost-fallback", "spare/m"),
            ("x-waypost-ttft-timeout-ms", "200"),
        ];
        let reply = support::post_text(app.addr(), CHAT, &heads, STREAMED).await;
        let text = reply.text();
        reply.status == 200 && text.contains("[DONE]")
    };
    let cut = || stream(20, PACE).cut(10, End::Abort);
    let busy = || Answer::json(503, r#"{"error":{"message":"busy"}}"#);
    let other = Answer::events(&text(&stream(20, PACE)).replace("word3", "other"));
    assert!(ask(cut(), stream(20, PACE)).await);
    assert!(ask(cut(), stream(20, PACE)).await);
    assert!(!ask(cut(), other).await);
    assert!(ask(stream(20, PACE).after(LATE), stream(20, PACE)).await);
    assert!(
        ask(
            stream(20, PACE).after(LATE),
            stream(20, PACE).after(LATE * 3)
        )
        .await
    );
    assert!(!ask(busy().after(LATE), busy()).await);
    let page = support::get(app.addr(), "/metrics", &[]).await.text();
    documented(&page);
    let figures = figures(&page);
    let rescues = figures.iter().filter_map(|(name, count)| {
        let labels = name.strip_prefix("waypost_rescues_total")?;
        Some((labels, *count))
    });
    let rescues: Vec<_> = rescues.collect();
    assert_eq!(
        rescues,
        [
            (r#"{how="restart",outcome="carried_on"}"#, 1.0),
            (r#"{how="restart",outcome="failed"}"#, 1.0),
            (r#"{how="restart",outcome="not_needed"}"#, 1.0),
            (r#"{how="verified",outcome="carried_on"}"#, 2.0),
            (r#"{how="verified",outcome="failed"}"#, 1.0),
        ]
    );
}

#[tokio::test]
async fn an_open_breaker_is_seen() {
    let busy = Answer::json(500, r#"{"error":{"message":"down"}}"#);
    let replay = provider(busy).await;
    let app = start(LOCAL, &lab(&replay.url("lab"))).await;
    for _ in 0..8 {
        support::post_text(app.addr(), CHAT, &[], WHOLE).await;
    }
    let page = support::get(app.addr(), "/metrics", &[]).await.text();
    let state = r#"waypost_breaker_state{model="m",provider="lab"}"#;
    assert_eq!(figures(&page)[state], 2.0, "{page}");
}

/// On this machine figures are told where calls are answered; elsewhere only by the configuration's word.
#[tokio::test]
async fn figures_are_told_to_strangers_only_by_word() {
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    for (words, status) in [
        ("", 404),
        ("[metrics]\nopen = true\n", 200),
        ("[metrics]\nopen = false\n", 404),
    ] {
        let app = start(everywhere, &format!("auth = \"none\"\n{words}")).await;
        let addr = SocketAddr::from(([127, 0, 0, 1], app.addr().port()));
        let reply = support::get(addr, "/metrics", &[]).await;
        assert_eq!(reply.status, status, "{words}");
    }
    let app = start(LOCAL, "[metrics]\nlisten = \"127.0.0.1:0\"\n").await;
    assert_eq!(support::get(app.addr(), "/metrics", &[]).await.status, 404);
    let back = app.back().unwrap();
    for (path, status) in [
        ("/metrics", 200),
        ("/healthz", 200),
        ("/readyz", 503),
        ("/v1/models", 404),
    ] {
        assert_eq!(support::get(back, path, &[]).await.status, status, "{path}");
    }
    assert_eq!(support::post_text(back, CHAT, &[], WHOLE).await.status, 405);
    app.stop().await;
    assert!(tokio::net::TcpStream::connect(back).await.is_err());
}

/// Who watches sees the end coming, and a configuration that was refused.
#[tokio::test]
async fn the_end_and_a_refused_configuration_are_seen() {
    let slow = provider(stream(10, Duration::from_millis(200))).await;
    let back = free();
    let good = format!("{}[metrics]\nlisten = \"{back}\"\n", lab(&slow.url("lab")));
    let mut proxy = Proxy::start(&good).await;
    let at_back = async || figures(&support::get(back, "/metrics", &[]).await.text());
    assert_eq!(at_back().await["waypost_config_reload_failed"], 0.0);
    proxy.configure("what = 1");
    proxy.signal("-HUP");
    proxy.says("was not reloaded").await;
    let now = at_back().await;
    assert_eq!(now["waypost_config_reload_failed"], 1.0);
    assert!(now[r#"waypost_config_reloads_total{result="refused"}"#] >= 1.0);
    proxy.configure(&good);
    proxy.signal("-HUP");
    proxy.says("was reloaded").await;
    assert_eq!(at_back().await["waypost_config_reload_failed"], 0.0);
    let mut live = support::open(proxy.addr, CHAT, &[], STREAMED).await;
    live.next().await.unwrap().unwrap();
    assert_eq!(at_back().await["waypost_requests_in_flight"], 1.0);
    proxy.signal("-TERM");
    proxy.says("draining").await;
    assert_eq!(support::get(back, "/readyz", &[]).await.status, 503);
    assert_eq!(at_back().await["waypost_requests_in_flight"], 1.0);
    live.collect().await;
    assert!(proxy.ended().await.success());
}
