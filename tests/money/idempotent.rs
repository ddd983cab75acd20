//! What is sent twice under one key is done once: joined while it runs, told again after it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use waypost::app::App;
use waypost::fixture::{Answer, End, Exchange, Play};

use crate::house::{
    CHAT, PLAIN, ask, house, house_of, question, streamed, streamed_question, told, whole,
};
use crate::support::{self, Live, Reply};

const ONCE: (&str, &str) = ("idempotency-key", "order-1");
const HOW: &str = "x-waypost-idempotent";
const PAUSE: Duration = Duration::from_millis(400);

fn usage() -> Value {
    json!({"prompt_tokens": 9, "completion_tokens": 4})
}

fn sent(app: &App) -> usize {
    app.replay().unwrap().seen().len()
}

fn slow() -> Answer {
    streamed(&["One ", "two ", "three."], &[usage()]).pause(3, PAUSE)
}

async fn open(app: &App, body: &Value) -> Live {
    support::open(app.addr(), CHAT, &[ONCE], &body.to_string()).await
}

/// What a stream says, all chunks together.
fn said(reply: &Reply) -> String {
    let events = reply.events();
    let chunks = events
        .iter()
        .filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let texts = chunks
        .filter_map(|chunk| Some(chunk["choices"][0]["delta"]["content"].as_str()?.to_owned()));
    texts.collect()
}

async fn until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "not in time: {what}"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_repeat_after_it_gets_the_same_answer_and_nothing_is_sent() {
    for asked in [question(PLAIN), streamed_question(PLAIN)] {
        let is_stream = asked.get("stream").is_some();
        let play: Play = if is_stream {
            streamed(&["Hi ", "there"], &[usage()]).into()
        } else {
            whole(&usage()).into()
        };
        let app = house("mistral", play).await;
        let first = ask(&app, &[ONCE], &asked).await;
        let again = ask(&app, &[ONCE], &asked).await;
        assert_eq!((first.status, again.status, sent(&app)), (200, 200, 1));
        assert_eq!(first.text(), again.text());
        assert_eq!(first.header("content-type"), again.header("content-type"));
        assert_eq!(
            (first.header(HOW), again.header(HOW)),
            (None, Some("replayed"))
        );
        let id = first.header("x-request-id").unwrap();
        assert_eq!(again.header("x-waypost-idempotent-of"), Some(id));
        assert_ne!(again.header("x-request-id"), Some(id));
        assert_eq!(told(&again)["request_id"], id);
        assert!(again.clean && told(&again)["cost"]["exact"] == true);
        // Without a key, and under another, it is a call of its own.
        ask(&app, &[], &asked).await;
        ask(&app, &[("idempotency-key", "order-2")], &asked).await;
        assert_eq!(sent(&app), 3);
    }
}

#[tokio::test]
async fn a_repeat_while_it_runs_joins_the_stream_from_its_beginning() {
    let app = house("mistral", slow()).await;
    let asked = streamed_question(PLAIN);
    let mut first = open(&app, &asked).await;
    first.next().await.unwrap().unwrap();
    let joined = open(&app, &asked).await;
    let joined = joined.collect();
    let (first, joined) = tokio::join!(first.collect(), joined);
    assert_eq!((said(&joined).as_str(), sent(&app)), ("One two three.", 1));
    assert_eq!(joined.header(HOW), Some("joined"));
    assert!(first.clean && joined.clean);
    assert!(joined.text().ends_with("data: [DONE]\n\n"));
    assert!(said(&first).ends_with("three."));
}

#[tokio::test]
async fn many_at_once_are_one_call() {
    let app = house("mistral", whole(&usage()).pause(0, PAUSE)).await;
    let asked = question(PLAIN);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (addr, asked) = (app.addr(), asked.clone());
        calls.spawn(async move { support::post(addr, CHAT, &[ONCE], &asked).await });
    }
    let replies = calls.join_all().await;
    let texts: std::collections::HashSet<_> = replies.iter().map(Reply::text).collect();
    assert_eq!((texts.len(), sent(&app)), (1, 1));
    assert_eq!(
        replies
            .iter()
            .filter(|reply| reply.header(HOW).is_none())
            .count(),
        1
    );
}

#[tokio::test]
async fn who_asked_first_may_leave() {
    let app = house("mistral", slow()).await;
    let asked = streamed_question(PLAIN);
    let mut first = open(&app, &asked).await;
    first.next().await.unwrap().unwrap();
    let joined = open(&app, &asked).await;
    drop(first);
    let joined = joined.collect().await;
    assert_eq!(
        (said(&joined).as_str(), joined.clean, sent(&app)),
        ("One two three.", true, 1)
    );
    assert_eq!(app.replay().unwrap().aborted_by_peer(), 0);
}

/// The repeat of a client whose connection broke is what keys are for.
#[tokio::test]
async fn a_call_whose_client_left_is_there_for_the_repeat() {
    let app = house("mistral", slow()).await;
    let asked = streamed_question(PLAIN);
    let first = open(&app, &asked).await;
    until("the provider is asked", || sent(&app) == 1).await;
    drop(first);
    tokio::time::sleep(PAUSE * 2).await;
    let again = ask(&app, &[ONCE], &asked).await;
    assert_eq!(
        (said(&again).as_str(), again.header(HOW), sent(&app)),
        ("One two three.", Some("replayed"), 1)
    );
}

#[tokio::test]
async fn another_request_under_the_key_is_refused_and_another_caller_is_none() {
    let app = house("mistral", whole(&usage())).await;
    ask(&app, &[ONCE], &question(PLAIN)).await;
    let mut other = question(PLAIN);
    other["temperature"] = json!(0.5);
    let rows: [(&[(&str, &str)], &Value); 2] = [
        (&[ONCE], &other),
        (&[ONCE, ("x-waypost-params", "strict")], &question(PLAIN)),
    ];
    for (headers, body) in rows {
        let reply = ask(&app, headers, body).await;
        assert_eq!(
            (reply.status, reply.header("x-should-retry")),
            (422, Some("false"))
        );
        let error = reply.json()["error"].clone();
        assert_eq!(
            (&error["code"], &error["param"]),
            (&json!("idempotency_key_reused"), &json!("idempotency-key"))
        );
    }
    assert_eq!(sent(&app), 1);
    let others = [
        ("authorization", "Bearer of-somebody-else"),
        ("x-waypost-tenant", "other"),
    ];
    for (at, header) in others.into_iter().enumerate() {
        let reply = ask(&app, &[ONCE, header], &question(PLAIN)).await;
        assert_eq!(
            (reply.status, reply.header(HOW), sent(&app)),
            (200, None, at + 2)
        );
    }
    for bad in ["", &"x".repeat(256)] {
        let reply = ask(&app, &[("idempotency-key", bad)], &question(PLAIN)).await;
        assert_eq!(
            (reply.status, &reply.json()["error"]["param"]),
            (400, &json!("idempotency-key"))
        );
    }
}

#[tokio::test]
async fn what_was_never_done_may_be_tried_again_and_what_may_be_billed_may_not() {
    let refused = Answer::json(429, r#"{"error":{"message":"Slowly."}}"#);
    let broken = Answer::json(500, r#"{"error":{"message":"Broken."}}"#);
    for (play, status, times) in [(refused, 429, 2), (broken, 502, 1)] {
        let app = house("mistral", play).await;
        let headers = [ONCE, ("x-waypost-retries", "0")];
        let first = ask(&app, &headers, &question(PLAIN)).await;
        let again = ask(&app, &headers, &question(PLAIN)).await;
        assert_eq!(
            (first.status, again.status, sent(&app)),
            (status, status, times),
            "{}",
            first.text()
        );
    }
    let app = house("mistral", whole(&usage())).await;
    let bad = question("of-nobody");
    for _ in 0..2 {
        let reply = ask(&app, &[ONCE], &bad).await;
        assert_eq!(
            (reply.status, reply.header(HOW)),
            (404, None),
            "{}",
            reply.text()
        );
    }
    let good = ask(&app, &[ONCE], &question(PLAIN)).await;
    assert_eq!(good.status, 200, "the key was not used up: {}", good.text());
}

#[tokio::test]
async fn a_stream_that_broke_is_told_as_it_was() {
    let app = house("mistral", slow().cut(3, End::Reset)).await;
    let asked = streamed_question(PLAIN);
    let first = ask(&app, &[ONCE], &asked).await;
    let again = ask(&app, &[ONCE], &asked).await;
    assert_eq!((first.clean, again.clean, sent(&app)), (false, false, 1));
    assert_eq!(first.text(), again.text());
    assert!(again.text().contains("upstream_stream_truncated"));
}

/// Such a one goes through at its reader's pace, and only its repeat is refused.
#[tokio::test]
async fn an_answer_that_is_too_long_to_keep_is_told_once() {
    let text = "x".repeat(64 * 1024);
    let texts = vec![text.as_str(); 160];
    let exchange = Exchange::any("mistral", streamed(&texts, &[usage()]));
    let app = house_of(vec![exchange], "").await;
    let asked = streamed_question(PLAIN);
    let first = ask(&app, &[ONCE], &asked).await;
    assert!(first.clean && first.text().ends_with("data: [DONE]\n\n"));
    assert_eq!(said(&first).len(), 160 * text.len());
    let again = ask(&app, &[ONCE], &asked).await;
    let error = &again.json()["error"];
    assert_eq!(
        (again.status, &error["code"], sent(&app)),
        (409, &json!("idempotency_result_lost"), 1)
    );
}
