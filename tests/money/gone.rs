//! Clients that leave: the provider is let go where that ends its bill, and heard to the end where it does not.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use waypost::app::{App, Plan, Setting};
use waypost::config::Config;
use waypost::fixture::{Answer, End, Exchange, Pace, Replay};
use waypost::gateway::clock::Clock;

use crate::house::{
    CHAT, DAY, ask, house, house_of, nano, question, receipt, streamed, streamed_question, whole,
};
use crate::support::{self, Live};

const PAUSE: Duration = Duration::from_millis(300);
const SOON: Duration = Duration::from_secs(5);

/// Mistral bills what it makes whether anybody hears it or not; `xAI` stops.
const BILLS_ON: &str = "mistral/mistral-large-2512";
const STOPS: &str = "xai/grok-4.7";

fn usage() -> Value {
    json!({"prompt_tokens": 9, "completion_tokens": 400})
}

/// A stream that says "word " ten times, pauses, and goes on.
fn slow() -> Answer {
    let (before, after) = ("word ".repeat(10), "word ".repeat(390));
    streamed(&[&before, &after], &[usage()]).pause(2, PAUSE)
}

async fn until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < SOON, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Opens a stream and hears its beginning; the id of the call with it.
async fn heard(app: &App, model: &str) -> (Live, String) {
    let asked = streamed_question(model).to_string();
    let mut live = support::open(app.addr(), CHAT, &[], &asked).await;
    let id = live
        .headers
        .get("x-request-id")
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let mut text = String::new();
    while !text.contains("word") {
        let bytes = live.next().await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&bytes).unwrap());
    }
    (live, id)
}

/// The receipt of a call once it is written.
async fn settled(app: &App, id: &str) -> Value {
    let began = Instant::now();
    loop {
        let receipt = receipt(app, id).await;
        if receipt.get("error").is_none() {
            return receipt;
        }
        assert!(began.elapsed() < SOON, "there is no receipt: {receipt}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn where_leaving_does_not_end_the_bill_the_rest_is_heard_and_billed_exactly() {
    let app = house("mistral", slow()).await;
    let (live, id) = heard(&app, BILLS_ON).await;
    drop(live);
    let receipt = settled(&app, &id).await;
    assert_eq!(receipt["outcome"], "client_gone");
    let cost = &receipt["cost"];
    assert_eq!(
        (&cost["exact"], &cost["source"]),
        (&json!(true), &json!("usage")),
        "{cost}"
    );
    assert_eq!(nano(&cost["actual_usd"]), 9 * 500 + 400 * 1_500);
    assert_eq!(app.replay().unwrap().aborted_by_peer(), 0);
}

#[tokio::test]
async fn where_leaving_ends_the_bill_the_provider_is_let_go_and_what_was_heard_is_recorded() {
    let app = house("xai", slow()).await;
    let (live, id) = heard(&app, STOPS).await;
    drop(live);
    let replay = app.replay().unwrap();
    until("the provider is let go", || replay.aborted_by_peer() == 1).await;
    let receipt = settled(&app, &id).await;
    let cost = &receipt["cost"];
    assert_eq!(
        (&cost["exact"], &cost["reason"]),
        (&json!(false), &json!("client_gone")),
        "{cost}"
    );
    // Ten times "word " is 50 bytes, twelve tokens at four and a quarter bytes each.
    let prompt = cost["tokens"]["prompt_tokens"].as_u64().unwrap();
    assert_eq!(cost["tokens"]["completion_tokens"], 12);
    assert!((20..60).contains(&prompt), "{prompt}");
    assert_eq!(nano(&cost["actual_usd"]), prompt * 2_000 + 12 * 6_000);
}

#[tokio::test]
async fn a_drained_stream_that_breaks_or_tells_nothing_is_estimated() {
    let (before, after) = ("word ".repeat(10), "word ".repeat(390));
    let rows = [
        (slow().cut(3, End::Reset), "client_gone", 471),
        (
            streamed(&[&before, &after], &[]).pause(2, PAUSE),
            "usage_missing",
            471,
        ),
    ];
    for (play, reason, tokens) in rows {
        let app = house("mistral", play.pause(2, PAUSE)).await;
        let (live, id) = heard(&app, BILLS_ON).await;
        drop(live);
        let cost = settled(&app, &id).await["cost"].clone();
        assert_eq!(
            (&cost["exact"], &cost["reason"]),
            (&json!(false), &json!(reason)),
            "{cost}"
        );
        assert_eq!(cost["tokens"]["completion_tokens"], tokens, "{cost}");
    }
}

/// Whoever leaves before anything was said is charged by guess: the prompt, and where leaving does not end the bill as
/// much as such answers are long.
#[tokio::test]
async fn a_client_that_goes_before_the_first_word_is_charged_by_guess() {
    for (model, ends) in [(STOPS, true), (BILLS_ON, false)] {
        let provider = model.split_once('/').unwrap().0;
        let play = streamed(&["late"], &[usage()]).pause(0, Duration::from_mins(1));
        let early = "[resilience]\ncommit_after = \"20ms\"\n";
        let app = house_of(vec![Exchange::any(provider, play)], early).await;
        let asked = streamed_question(model).to_string();
        let mut live = support::open(app.addr(), CHAT, &[], &asked).await;
        let id = live
            .headers
            .get("x-request-id")
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        live.next().await.unwrap().unwrap();
        drop(live);
        let receipt = settled(&app, &id).await;
        let cost = &receipt["cost"];
        assert_eq!(
            (&cost["exact"], &cost["reason"]),
            (&json!(false), &json!("client_gone")),
            "{cost}"
        );
        let tokens = |name: &str| cost["tokens"][name].as_u64().unwrap();
        assert!(tokens("prompt_tokens") > 20, "{cost}");
        assert_eq!(tokens("completion_tokens") == 0, ends, "{model}: {cost}");
        assert!(nano(&cost["actual_usd"]) > 0);
    }
}

/// An answer that comes whole is billed whole, and nobody waits for it.
#[tokio::test]
async fn a_client_that_does_not_wait_for_a_whole_answer_takes_the_call_along() {
    let app = house("mistral", whole(&usage()).pause(0, Duration::from_mins(1))).await;
    let body = question(BILLS_ON);
    assert!(
        tokio::time::timeout(PAUSE, ask(&app, &[], &body))
            .await
            .is_err()
    );
    let replay = app.replay().unwrap();
    until("the provider is let go", || replay.aborted_by_peer() == 1).await;
    assert_eq!(replay.seen().len(), 1);
}

#[tokio::test]
async fn no_more_than_so_many_are_drained_at_once() {
    let app = house("mistral", slow().pause(2, Duration::from_secs(20))).await;
    let mut lives = Vec::new();
    for _ in 0..70 {
        lives.push(heard(&app, BILLS_ON).await);
    }
    let (lives, ids): (Vec<_>, Vec<_>) = lives.into_iter().unzip();
    drop(lives);
    let replay = app.replay().unwrap();
    until("six of seventy are let go", || {
        replay.aborted_by_peer() == 6
    })
    .await;
    tokio::time::sleep(PAUSE).await;
    assert_eq!(replay.aborted_by_peer(), 6);
    let mut told = 0;
    for id in ids {
        told += usize::from(receipt(&app, &id).await.get("error").is_none());
    }
    assert_eq!(told, 6);
}

/// A call whose first target is silent for a while, and is let go when the second speaks: what the ledger has of its
/// attempts once all is settled, and the receipt.
async fn let_go(model: &str, answer: Answer) -> (Vec<(String, i64, Option<String>)>, Value) {
    const HELPS: &str = "xai/grok-4.7";
    let path = std::env::temp_dir().join(format!("waypost-let-go-{}.db", fastrand::u64(..)));
    let ledger = format!("[ledger]\npath = \"{}\"\n", path.display());
    let (provider, _) = model.split_once('/').unwrap();
    let said = streamed(
        &["Hello."],
        &[json!({"prompt_tokens": 9, "completion_tokens": 2})],
    );
    let all = vec![Exchange::any(provider, answer), Exchange::any("xai", said)];
    // Where calls are played their ledger is in memory: here they go out, to where they are played.
    let replay = Replay::start(all, Pace::Recorded).await.unwrap();
    let table = |name: &str| {
        format!(
            "[providers.{name}]\napi_key = \"k\"\nbase_url = \"{}\"\n",
            replay.url(name)
        )
    };
    let file = format!("{}{}{ledger}", table(provider), table("xai"));
    let config = Config::parse(&file, std::path::Path::new("waypost.toml"), &|_| None).unwrap();
    let plan = Plan {
        listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        record: None,
        play: None,
        config,
    };
    let setting = Setting {
        clock: Clock::fixed(DAY),
        state: None,
    };
    let app = App::start_with(plan, setting).await.unwrap();
    let hints = [
        ("x-waypost-fallback", HELPS),
        ("x-waypost-ttft-timeout-ms", "100"),
    ];
    let reply = ask(&app, &hints, &streamed_question(model)).await;
    assert!(
        reply.text().contains("Hello.") && reply.text().contains("[DONE]"),
        "{}",
        reply.text()
    );
    let receipt = settled(&app, reply.header("x-request-id").unwrap()).await;
    app.stop().await;
    let db = waypost::store::sqlite::open_to_read(&path).unwrap();
    let mut rows = db
        .prepare("SELECT outcome, cost, inexact FROM attempts ORDER BY attempt")
        .unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let rows = rows.unwrap().map(Result::unwrap).collect();
    let _ = std::fs::remove_file(&path);
    (rows, receipt)
}

/// Of two that were asked the slower one is let go: where it bills on all the same it is heard to its end, so that its
/// row has the bill; elsewhere it is broken off.
#[tokio::test]
async fn who_is_let_go_and_bills_on_is_heard_to_its_end() {
    let late = || streamed(&["word"], &[usage()]).after(PAUSE * 3);
    let (rows, receipt) = let_go(BILLS_ON, late()).await;
    // Half a dollar for a million tokens of input, one and a half for a million of output.
    let bill = 9 * 500 + 400 * 1_500;
    assert_eq!(rows[0], ("upstream_timeout".to_owned(), bill, None));
    assert_eq!((&*rows[1].0, rows.len()), ("answered", 2));
    assert!(nano(&receipt["cost"]["given_up_usd"]) > 0, "{receipt}");
    let (rows, _) = let_go("openai/gpt-5.6-terra", late()).await;
    assert_eq!(
        (&*rows[0].0, rows[0].2.is_some()),
        ("upstream_timeout", true)
    );
    assert!(rows[0].1 < bill, "{rows:?}");
}
