//! The whole house: how many calls it takes, how it ends, and what it never tells.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use waypost::app::{App, Plan};
use waypost::config::Config;
use waypost::fixture::{Answer, Exchange, Pace, Play, Replay};

use crate::door::{CHAT, GOOD, answer, error, house_of};
use crate::support;

#[tokio::test]
async fn over_the_limit_of_calls_the_newest_is_turned_away() {
    let mut config = Config::bare().unwrap();
    config.limits.in_flight = 1;
    let app = house_of(config).await;
    app.replay()
        .unwrap()
        .set([Exchange::any("openai", Play::silent())]);
    let addr = app.addr();
    let first = tokio::spawn(async move { support::post_text(addr, CHAT, &[], GOOD).await });
    while app.replay().unwrap().seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let reply = support::post_text(addr, CHAT, &[], GOOD).await;
    assert_eq!(
        (reply.status, &error(&reply)["code"]),
        (503, &json!("overloaded"))
    );
    assert_eq!(reply.header("x-should-retry"), Some("true"));
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(app.replay().unwrap().seen().len(), 1);
    first.abort();
    app.replay()
        .unwrap()
        .set([Exchange::any("openai", answer())]);
    // The place is given back as soon as the first client's going is noticed.
    let mut status = 0;
    for _ in 0..100 {
        status = support::post_text(addr, CHAT, &[], GOOD).await.status;
        if status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(status, 200);
}

fn stream() -> Answer {
    let chunk = |delta: serde_json::Value, finish: Option<&str>| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]});
        format!("data: {chunk}\n\n")
    };
    let said = chunk(json!({"role": "assistant", "content": "Hi there"}), None);
    Answer::events(&format!(
        "{said}{}data: [DONE]\n\n",
        chunk(json!({}), Some("stop"))
    ))
}

#[tokio::test]
async fn the_end_waits_for_open_streams() {
    let app = house_of(Config::bare().unwrap()).await;
    let slow = stream().pause(1, Duration::from_millis(400));
    app.replay().unwrap().set([Exchange::any("openai", slow)]);
    let addr = app.addr();
    let body = GOOD.replace("}]}", "}],\"stream\":true}");
    let mut live = support::open(addr, CHAT, &[], &body).await;
    live.next().await.unwrap().unwrap();
    let stopping = tokio::spawn(app.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!stopping.is_finished(), "a stream is open");
    let late = tokio::net::TcpStream::connect(addr).await;
    assert!(late.is_err(), "nobody new is let in");
    let reply = live.collect().await;
    assert!(reply.clean && reply.text().ends_with("data: [DONE]\n\n"));
    let ended = tokio::time::timeout(Duration::from_secs(2), stopping).await;
    ended.expect("nothing is open any more").unwrap();
}

/// A place where log lines are gathered.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Good and bad calls under the most talkative log: no key, no prompt and no answer is in it, nor in what `{:?}`
/// shows of the house.
#[tokio::test]
async fn keys_and_prompts_are_never_logged() {
    let lines = Lines::default();
    let log = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(lines.clone())
        .finish();
    // Other tests of this file log into it, too; what is looked for is of this one alone.
    tracing::subscriber::set_global_default(log).unwrap();
    let secret = "sk-canary-of-ours-4711";
    let replay = Replay::start([Exchange::any("lab", answer())], Pace::AtOnce)
        .await
        .unwrap();
    let file = format!(
        "[providers.lab]\ndialect = \"openai\"\nbase_url = \"{}\"\napi_key = \"{secret}\"\n",
        replay.url("lab")
    );
    let config = Config::parse(&file, Path::new("waypost.toml"), &|_| None).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("canary"), "{shown}");
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let plan = Plan {
        listen,
        record: None,
        play: None,
        config,
    };
    assert!(!format!("{plan:?}").contains("canary"));
    let app = App::start(plan).await.unwrap();
    let headers = [("authorization", "Bearer canary-of-caller")];
    let good = GOOD
        .replace("openai/m", "lab/m")
        .replace("Hello", "canary-prompt");
    let told = json!({"error": {"message": format!("canary-words {secret}"), "code": "x"}});
    let plays: [Play; 4] = [
        answer().into(),
        Answer::json(401, told.to_string()).into(),
        Play::garbage("canary-garbage\r\n\r\n"),
        Answer::json(200, "canary-page").into(),
    ];
    for play in plays {
        replay.set([Exchange::any("lab", play)]);
        support::post_text(app.addr(), CHAT, &headers, &good).await;
    }
    support::post_text(app.addr(), CHAT, &headers, &good[1..]).await;
    let shown = format!("{app:?}");
    app.stop().await;
    let log = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
    let calls = log
        .lines()
        .filter(|line| line.contains("outcome=") && line.contains("lab"));
    assert_eq!(calls.count(), 4, "one line a call: {log}");
    assert!(!log.contains("canary"), "{log}");
    assert!(!shown.contains("canary"), "{shown}");
}
