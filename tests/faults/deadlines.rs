//! Answers that do not come in time.

use std::time::{Duration, Instant};

use serde_json::json;
use waypost::fixture::{End, Exchange, Play};

use crate::answers::{CHAT, error, question, streamed, streamed_question, text, whole};
use crate::support;

/// Long against the deadlines, short against a test's patience.
const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn what_does_not_come_in_time_is_a_504_and_is_asked_once() {
    let silences: [(&str, Play); 4] = [
        ("no head", Play::silent()),
        ("a late head", streamed().after(LONG).into()),
        ("a head only", streamed().cut(0, End::Stall).into()),
        ("half an event", {
            let mut answer = streamed().cut(1, End::Stall);
            answer.pieces[0].bytes.truncate(30);
            answer.into()
        }),
    ];
    let limits = [
        ("x-waypost-timeout-ms", "200"),
        ("x-stainless-read-timeout", "0.4"),
        ("x-stainless-timeout", "0.4"),
    ];
    for (what, silence) in silences {
        let app = support::app(vec![
            Exchange::any("openai", silence),
            Exchange::any("groq", whole()),
        ])
        .await;
        for (at, (name, value)) in limits.into_iter().enumerate() {
            let headers = [(name, value), ("x-waypost-fallback", "groq/good")];
            for body in [question("openai/m"), streamed_question("openai/m")] {
                let before = Instant::now();
                let reply = support::post(app.addr(), CHAT, &headers, &body).await;
                let took = before.elapsed();
                let error = error(&reply);
                assert_eq!(
                    (reply.status, &error["code"]),
                    (504, &json!("upstream_timeout")),
                    "{what}"
                );
                assert_eq!(reply.header("x-should-retry"), Some("false"));
                assert!(
                    took >= Duration::from_millis(180) && took < LONG / 4,
                    "{what}, {name}: {took:?}"
                );
            }
            // On a loaded machine the time may be over before the provider has read the request.
            let seen = app.replay().unwrap().seen().len();
            let asked = 2 * (at + 1);
            assert!(
                (1..=asked).contains(&seen),
                "at most one request each: {what}, {seen}"
            );
        }
    }
}

/// The deadline is for the first event of a stream; what has begun may last.
#[tokio::test]
async fn a_stream_that_has_begun_may_outlast_the_deadline() {
    let slow = streamed().pause(2, Duration::from_millis(700));
    let app = support::app(vec![Exchange::any("openai", slow)]).await;
    let headers = [("x-waypost-timeout-ms", "500")];
    let reply = support::post(app.addr(), CHAT, &headers, &streamed_question("openai/m")).await;
    assert_eq!(
        (reply.status, reply.clean, &*text(&reply)),
        (200, true, "Hi there")
    );
}

/// A whole answer has to be whole in time.
#[tokio::test]
async fn a_whole_answer_that_trickles_is_ended() {
    let mut trickle = whole();
    let rest = trickle.pieces[0].bytes.split_off(40);
    trickle
        .pieces
        .push(waypost::fixture::Piece::after(LONG, rest));
    let app = support::app(vec![Exchange::any("openai", trickle)]).await;
    let headers = [("x-waypost-timeout-ms", "150")];
    let reply = support::post(app.addr(), CHAT, &headers, &question("openai/m")).await;
    assert_eq!(
        (reply.status, &error(&reply)["code"]),
        (504, &json!("upstream_timeout"))
    );
}

/// A target that fails fast leaves the rest of the time to the next.
#[tokio::test]
async fn one_deadline_holds_for_all_targets() {
    let app = support::app(vec![
        Exchange::any("openai", Play::close()),
        Exchange::any("groq", Play::silent()),
        Exchange::any("mistral", whole()),
    ])
    .await;
    let headers = [
        ("x-waypost-timeout-ms", "400"),
        ("x-waypost-retries", "0"),
        ("x-waypost-fallback", "groq/b, mistral/c"),
    ];
    let reply = support::post(app.addr(), CHAT, &headers, &question("openai/a")).await;
    let error = error(&reply);
    assert_eq!(
        (reply.status, &error["code"]),
        (504, &json!("upstream_timeout"))
    );
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("openai/a (upstream_closed), groq/b (upstream_timeout)"),
        "{message}"
    );
    assert_eq!(app.replay().unwrap().seen().len(), 2);
}
