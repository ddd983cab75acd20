//! Two proxies, one Redis: what one finds down the other leaves alone, one of them looks whether it is back, and without
//! the Redis each looks for itself.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use waypost::app::{App, Plan, Setting};
use waypost::config::Config;
use waypost::fixture::{Answer, Exchange, Pace, Replay};

use crate::server::{Disk, Server};
use crate::support;

const CHAT: &str = "/v1/chat/completions";

/// Long enough for both to have talked.
const TOLD: Duration = Duration::from_millis(900);

async fn proxy(server: &Server, providers: &Replay) -> App {
    let text = format!(
        "[state]\nurl = \"{}\"\n[ledger]\nenabled = false\n[resilience]\nretries = 0\n\
         [[models]]\nid = \"deepseek/m\"\n[[models]]\nid = \"mistral/n\"\n\
         [providers.deepseek]\nbase_url = \"{}\"\napi_key = \"k\"\n\
         [providers.mistral]\nbase_url = \"{}/v1\"\napi_key = \"k\"\n",
        server.url(),
        providers.url("deepseek"),
        providers.url("mistral"),
    );
    let plan = Plan {
        listen: ([127, 0, 0, 1], 0).into(),
        record: None,
        play: None,
        config: Config::parse(&text, Path::new("waypost.toml"), &|_| None).unwrap(),
    };
    App::start_with(plan, Setting::default()).await.unwrap()
}

fn whole(words: &str) -> Answer {
    let body = json!({
        "id": "c", "object": "chat.completion", "created": 1_795_500_000, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": words}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    });
    Answer::json(200, body.to_string())
}

fn down(after: Duration) -> [Exchange; 2] {
    let failure = Answer::json(500, r#"{"error":{"message":"it is down"}}"#).after(after);
    [
        Exchange::any("deepseek", failure),
        Exchange::any("mistral", whole("hi")),
    ]
}

fn up() -> [Exchange; 2] {
    [
        Exchange::any("deepseek", whole("hi")),
        Exchange::any("mistral", whole("hi")),
    ]
}

/// Asks deepseek, and mistral where that rests or fails; says who answered.
async fn ask(app: &App) -> String {
    let body = json!({"model": "deepseek/m", "messages": [{"role": "user", "content": "hi"}]});
    let headers = [("x-waypost-fallback", "mistral/n")];
    let reply = support::open(app.addr(), CHAT, &headers, &body.to_string()).await;
    let reply = reply.collect().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.header("x-waypost-provider").unwrap().to_owned()
}

/// How often deepseek was asked.
fn asked(providers: &Replay) -> usize {
    let seen = providers.seen();
    seen.iter()
        .filter(|seen| seen.provider == "deepseek")
        .count()
}

/// Asks both until deepseek was asked once more; how long that took.
async fn until_asked(apps: &[App; 2], providers: &Replay) -> Duration {
    let (began, before) = (Instant::now(), asked(providers));
    while asked(providers) == before {
        assert!(began.elapsed() < Duration::from_secs(30), "nobody looks");
        tokio::join!(ask(&apps[0]), ask(&apps[1]));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_finds_down_the_other_leaves_alone_and_one_of_them_looks() {
    let Some(mut server) = Server::start(Disk::Nothing).await else {
        return;
    };
    let providers = Replay::start(down(Duration::ZERO), Pace::Recorded)
        .await
        .unwrap();
    let apps = [
        proxy(&server, &providers).await,
        proxy(&server, &providers).await,
    ];
    drop(server.node().await);
    for _ in 0..5 {
        assert_eq!(ask(&apps[0]).await, "mistral");
    }
    assert_eq!(asked(&providers), 5);
    tokio::time::sleep(TOLD).await;
    for _ in 0..5 {
        assert_eq!(ask(&apps[1]).await, "mistral");
    }
    assert_eq!(
        asked(&providers),
        5,
        "the other has not found out for itself"
    );

    // It is looked at once, however many would like to, and however long that takes.
    let slow = Duration::from_millis(1_200);
    providers.set(down(slow));
    let look = async {
        let took = until_asked(&apps, &providers).await;
        (took, asked(&providers))
    };
    let (took, count) = look.await;
    println!("looked at after {took:?}");
    assert_eq!(count, 6);
    for _ in 0..40 {
        tokio::join!(ask(&apps[0]), ask(&apps[1]));
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    assert_eq!(
        asked(&providers),
        6,
        "one look for both, and none so soon again"
    );

    providers.set(up());
    let took = until_asked(&apps, &providers).await;
    println!("back after {took:?}");
    tokio::time::sleep(TOLD).await;
    for app in &apps {
        assert_eq!(ask(app).await, "deepseek", "both know that it is back");
    }

    server.crash();
    each_finds_out_for_itself(&apps, &providers).await;
    for app in apps {
        app.stop().await;
    }
}

/// Without the Redis each is by itself.
async fn each_finds_out_for_itself(apps: &[App; 2], providers: &Replay) {
    providers.set(down(Duration::ZERO));
    tokio::time::sleep(Duration::from_secs(3)).await;
    for app in apps {
        let before = asked(providers);
        for _ in 0..7 {
            assert_eq!(ask(app).await, "mistral");
        }
        // Five in a row, or three of one that has just come back.
        let found_out = asked(providers) - before;
        assert!((3..=5).contains(&found_out), "{found_out}");
    }
    until_asked(apps, providers).await;
}
