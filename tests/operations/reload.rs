//! Another configuration while it serves: all of it or nothing, and what is under way goes on.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use waypost::app::{App, Plan};
use waypost::config::Config;
use waypost::fixture::Exchange;

use crate::house::{CHAT, Proxy, STREAMED, WHOLE, lab, provider, stream, whole};
use crate::support;

/// A changed file is taken on; a stream that runs is finished by the provider it began with.
#[tokio::test]
async fn a_changed_file_is_taken_on_and_streams_go_on() {
    let old = provider(stream(30, Duration::from_millis(150))).await;
    let new = provider(whole("from the new one")).await;
    let proxy = Proxy::start(&lab(&old.url("lab"))).await;
    let mut live = support::open(proxy.addr, CHAT, &[], STREAMED).await;
    live.next().await.unwrap().unwrap();
    proxy.configure(&lab(&new.url("lab")));
    proxy.says("the configuration was reloaded").await;
    let reply = proxy.ask(WHOLE).await;
    assert!(
        reply.text().contains("from the new one"),
        "{}",
        reply.text()
    );
    let reply = live.collect().await;
    assert!(reply.clean && reply.text().contains("word29"));
    assert_eq!((old.seen().len(), new.seen().len()), (1, 1));
}

/// A bad file changes nothing, and the log says what is wrong with it and where; the next good one is taken.
#[tokio::test]
async fn a_bad_file_is_refused_with_its_reason() {
    let one = provider(whole("one")).await;
    let two = provider(whole("two")).await;
    let good = lab(&one.url("lab"));
    let proxy = Proxy::start(&good).await;
    let bad = [
        (format!("{good}\nunheard_of = 1\n"), "unheard_of"),
        (
            good.replace("0123456789", "${NOT_SET_AT_ALL}"),
            "NOT_SET_AT_ALL",
        ),
        (format!("{good}[providers"), "waypost.toml:10"),
    ];
    for (at, (bad, why)) in bad.into_iter().enumerate() {
        proxy.configure(&bad);
        proxy.signal("-HUP");
        proxy.says_times("was not reloaded", at + 1).await;
        assert!(proxy.log().contains(why), "{}", proxy.log());
        assert!(proxy.ask(WHOLE).await.text().contains("one"));
    }
    assert!(!proxy.log().contains("sk-lab-0123456789"));
    proxy.configure(&format!(
        "listen = \"127.0.0.1:1\"\n{}[ledger]\nsync = \"full\"\n",
        lab(&two.url("lab"))
    ));
    proxy.signal("-HUP");
    proxy.says("the configuration was reloaded").await;
    proxy
        .says("listen was changed, which needs a restart")
        .await;
    proxy
        .says("[ledger] was changed, which needs a restart")
        .await;
    assert!(proxy.ask(WHOLE).await.text().contains("two"));
}

async fn app(config: Config) -> App {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let (record, play) = (None, None);
    let plan = Plan {
        listen,
        record,
        play,
        config,
    };
    App::start(plan).await.unwrap()
}

fn parse(text: &str, key: &'static str) -> Config {
    let env = move |name: &str| (name == "LAB_KEY").then(|| key.to_owned());
    Config::parse(text, Path::new("waypost.toml"), &env).unwrap()
}

/// Variables are looked up anew; connections, receipts, statistics and answers under an idempotency key live on.
#[tokio::test]
async fn what_was_learned_and_counted_lives_on() {
    let replay = provider(whole("hello")).await;
    let text = lab(&replay.url("lab")).replace("sk-lab-0123456789", "${LAB_KEY}");
    let app = app(parse(&text, "sk-first-0123456789")).await;
    let once = [
        ("idempotency-key", "k-1"),
        ("x-waypost-strategy", "fastest"),
    ];
    let auto = WHOLE.replace("lab/m", "auto");
    let first = support::post_text(app.addr(), CHAT, &once, &auto).await;
    assert_eq!(first.status, 200, "{}", first.text());
    app.reload(parse(&text, "sk-second-0123456789"))
        .await
        .unwrap();
    let again = support::post_text(app.addr(), CHAT, &once, &auto).await;
    assert_eq!(again.header("x-waypost-idempotent"), Some("replayed"));
    assert_eq!(again.body, first.body);
    support::post_text(app.addr(), CHAT, &[], WHOLE).await;
    let keys: Vec<String> = replay
        .seen()
        .iter()
        .map(|seen| seen.headers["authorization"].to_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        keys,
        ["Bearer sk-first-0123456789", "Bearer sk-second-0123456789"]
    );
    assert_eq!(replay.connections(), 1, "the pool lives on");
    let id = first.header("x-request-id").unwrap();
    let receipt = support::get(app.addr(), &format!("/v1/receipts/{id}"), &[])
        .await
        .json();
    assert_eq!(receipt["outcome"], "answered");
    assert!(
        !receipt["plan"].is_null(),
        "the plan is told on the board it was made on"
    );
    let models = support::get(app.addr(), "/v1/models/lab/m", &[])
        .await
        .json();
    assert!(
        models["waypost"]["health"]["ttft_ms_p50"].is_number(),
        "{models}"
    );
    app.stop().await;
}

/// A configuration that would open the keys to strangers on the address that is listened on is refused.
#[tokio::test]
async fn what_may_not_be_listened_on_changes_nothing() {
    let replay = provider(whole("hello")).await;
    let text = lab(&replay.url("lab"));
    let listen = SocketAddr::from(([0, 0, 0, 0], 0));
    let config = parse(&format!("auth = \"none\"\n{text}"), "");
    let (record, play) = (None, None);
    let plan = Plan {
        listen,
        record,
        play,
        config,
    };
    let app = App::start(plan).await.unwrap();
    let refused = app.reload(parse(&text, "")).await.unwrap_err().to_string();
    assert!(refused.contains("spend your keys"), "{refused}");
    let addr = SocketAddr::from(([127, 0, 0, 1], app.addr().port()));
    assert_eq!(support::post_text(addr, CHAT, &[], WHOLE).await.status, 200);
}

/// Reloads under load: no call fails, none is answered by half a configuration.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_while_it_reloads() {
    let names = ["one", "two"];
    let replay = provider(whole("x")).await;
    replay.set(names.map(|name| Exchange::any(name, whole(name))));
    let texts = names.map(|name| lab(&replay.url(name)));
    let app = Arc::new(app(parse(&texts[0], "")).await);
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (app, over) = (Arc::clone(&app), Arc::clone(&over));
            tokio::spawn(async move {
                let mut answered = 0;
                while !over.load(Ordering::Relaxed) {
                    let reply = support::post_text(app.addr(), CHAT, &[], WHOLE).await;
                    assert_eq!(reply.status, 200, "{}", reply.text());
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for round in 0..40 {
        app.reload(parse(&texts[round % 2], "")).await.unwrap();
        let bad = format!("{}[tls]\nca_bundle = \"/nowhere/ca.pem\"\n", texts[0]);
        app.reload(parse(&bad, "")).await.unwrap_err();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    over.store(true, Ordering::Relaxed);
    let mut answered = 0;
    for client in clients {
        answered += client.await.unwrap();
    }
    assert!(answered > 80, "{answered}");
}
