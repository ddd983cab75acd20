//! Who is asked next, and when nobody is.

use bytes::Bytes;
use serde_json::{Value, json};
use waypost::fixture::{Answer, End, Exchange, Play};

use crate::answers::{
    CHAT, chunks, error, metadata, question, refusal, streamed, streamed_question, text, whole,
};
use crate::support::{self, Reply};

/// A provider's bad day: what it does, and the word for it.
type Row = (&'static str, Play, &'static str);

fn bad_days() -> Vec<Row> {
    let error = |status| refusal(status, "", "It did not work.").into();
    let page = |body: &'static str| Answer::json(200, body).header("content-type", "text/html");
    let in_200 = r#"{"error":{"message":"It did not work.","type":"server_error"}}"#;
    vec![
        ("500", error(500), "upstream_error"),
        ("502", error(502), "overloaded"),
        ("503", error(503), "overloaded"),
        ("529", error(529), "overloaded"),
        ("429", error(429), "rate_limit_exceeded"),
        ("402", error(402), "insufficient_quota"),
        ("401", error(401), "upstream_auth_error"),
        ("403", error(403), "upstream_auth_error"),
        ("404", error(404), "model_not_found"),
        ("307", error(307), "upstream_redirect"),
        ("close", Play::close(), "upstream_closed"),
        ("reset", Play::reset(), "upstream_closed"),
        (
            "garbage",
            Play::garbage("SSH-2.0-x\r\n\r\n"),
            "upstream_protocol_error",
        ),
        (
            "html",
            page("<html>Sign in</html>").into(),
            "upstream_invalid_response",
        ),
        ("empty", page("").into(), "upstream_invalid_response"),
        ("object", page("{}").into(), "upstream_invalid_response"),
        ("in-200", Answer::json(200, in_200).into(), "upstream_error"),
        ("half-body", half(whole()).into(), "upstream_truncated"),
        (
            "no-body",
            streamed().cut(0, End::Abort).into(),
            "upstream_closed",
        ),
    ]
}

/// An answer whose connection breaks in its middle.
fn half(mut answer: Answer) -> Answer {
    answer.pieces[0].bytes.truncate(60);
    answer.cut(1, End::Abort)
}

/// What only streams can do.
fn bad_streams() -> Vec<Row> {
    let said = format!(
        "data: {}\n\n",
        json!({"error": {"message": "No.", "code": "server_error"}})
    );
    let role = chunks()
        .concat()
        .split_inclusive("\n\n")
        .take(1)
        .collect::<String>();
    vec![
        (
            "first-event",
            Answer::events(&said).into(),
            "upstream_error",
        ),
        (
            "comments",
            Answer::events(": wait\n\n: wait\n\n").into(),
            "upstream_invalid_response",
        ),
        (
            "cut-event",
            Answer::events("data: {\"id\":\"x\",")
                .cut(1, End::Abort)
                .into(),
            "upstream_truncated",
        ),
        (
            "role-only",
            Answer::events(&role).cut(1, End::Abort).into(),
            "upstream_truncated",
        ),
    ]
}

fn exchanges(rows: &[Row], good: Answer) -> Vec<Exchange> {
    let bad = rows.iter();
    let mut all: Vec<_> = bad
        .map(|(name, play, _)| Exchange::model("openai", *name, play.clone()))
        .collect();
    all.push(Exchange::any("groq", good));
    all
}

fn check(name: &str, cause: &str, reply: &Reply) {
    assert_eq!(
        (reply.status, reply.clean),
        (200, true),
        "{name}: {}",
        reply.text()
    );
    assert_eq!(text(reply), "Hi there", "{name}");
    let told = [
        ("x-waypost-provider", "groq".to_owned()),
        ("x-waypost-model", "good".to_owned()),
        ("x-waypost-attempts", "2".to_owned()),
        ("x-waypost-fallback-from", format!("openai/{name}:{cause}")),
    ];
    for (header, value) in told {
        assert_eq!(reply.header(header), Some(&*value), "{name}: {header}");
    }
    let attempts = json!([
        {"provider": "openai", "model": name, "outcome": cause},
        {"provider": "groq", "model": "good", "outcome": "answered"}
    ]);
    assert_eq!(metadata(reply)["attempts"], attempts, "{name}");
}

async fn run(rows: Vec<Row>, good: Answer, ask: fn(&str) -> Value) {
    let app = support::app(exchanges(&rows, good)).await;
    for (name, _, cause) in &rows {
        let before = app.replay().unwrap().seen().len();
        // Each day is asked about once; that some are asked about again is another matter.
        let headers = [
            ("x-waypost-fallback", "groq/good"),
            ("x-waypost-retries", "0"),
        ];
        let body = ask(&format!("openai/{name}"));
        let reply = support::post(app.addr(), CHAT, &headers, &body).await;
        check(name, cause, &reply);
        let seen = app.replay().unwrap().seen();
        let asked: Vec<_> = seen
            .iter()
            .skip(before)
            .map(|seen| &*seen.provider)
            .collect();
        assert_eq!(asked, ["openai", "groq"], "{name}");
    }
}

#[tokio::test]
async fn the_next_target_answers_a_whole_question() {
    run(bad_days(), whole(), question).await;
}

#[tokio::test]
async fn the_next_target_answers_a_streamed_question() {
    let rows = bad_days().into_iter().chain(bad_streams()).collect();
    run(rows, streamed(), streamed_question).await;
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_is_a_bad_day_too() {
    // Bound, so that nobody else gets it, and not listened on.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let deaf = socket.local_addr().unwrap();
    let file = format!("[providers.lab]\ndialect = \"openai\"\nbase_url = \"http://{deaf}/v1\"\n");
    let app = crate::keys::app_of(&file).await;
    let reply = support::post(app.addr(), CHAT, &[], &question("lab/m")).await;
    let error = error(&reply);
    assert_eq!(
        (reply.status, &error["code"]),
        (502, &json!("upstream_connect_error"))
    );
    assert_eq!(reply.header("x-should-retry"), Some("false"));
}

/// Verdicts on the question itself: any other target would say the same, or must not be asked to say something else.
fn verdicts() -> Vec<Row> {
    let claude = r#"{"type":"error","error":{"type":"invalid_request_error","message":"No."}}"#;
    let event = json!({"error": {"message": "No.", "code": "content_filter"}});
    vec![
        (
            "openai/bad",
            refusal(400, "x", "No.").into(),
            "invalid_request",
        ),
        (
            "openai/odd",
            refusal(422, "x", "No.").into(),
            "invalid_request",
        ),
        (
            "openai/rude",
            refusal(400, "content_filter", "No.").into(),
            "content_filter",
        ),
        (
            "openai/rude-event",
            Answer::events(&format!("data: {event}\n\n")).into(),
            "content_filter",
        ),
        (
            "anthropic/bad",
            Answer::json(400, claude).into(),
            "invalid_request",
        ),
    ]
}

#[tokio::test]
async fn a_bad_question_and_a_policy_verdict_are_not_shopped_around() {
    let rows = verdicts();
    let mut exchanges = vec![Exchange::any("groq", streamed())];
    for (name, play, _) in &rows {
        let (provider, model) = name.split_once('/').unwrap();
        exchanges.push(Exchange::model(provider, model, play.clone()));
    }
    let app = support::app(exchanges).await;
    for (name, _, code) in rows {
        let (body, fallback) = (streamed_question(name), ("x-waypost-fallback", "groq/good"));
        let reply = support::post(app.addr(), CHAT, &[fallback], &body).await;
        let error = error(&reply);
        assert_eq!(reply.status, 400, "{name}");
        assert_eq!(error["code"], code, "{name}");
        assert!(
            error["message"].as_str().unwrap().ends_with("No."),
            "{error}"
        );
        assert_eq!(reply.header("x-should-retry"), Some("false"));
        assert_eq!(reply.header("x-waypost-fallback-from"), None);
    }
    let seen = app.replay().unwrap().seen();
    assert!(seen.iter().all(|seen| seen.provider != "groq"));
}

#[tokio::test]
async fn an_answer_that_a_policy_ended_is_an_answer() {
    let mut answer = whole();
    let body = String::from_utf8(answer.body()).unwrap();
    let body = body.replace("\"stop\"", "\"content_filter\"");
    answer.pieces[0].bytes = Bytes::from(body);
    let app = support::app(vec![
        Exchange::any("openai", answer),
        Exchange::any("groq", whole()),
    ])
    .await;
    let headers = [("x-waypost-fallback", "groq/good")];
    let reply = support::post(app.addr(), CHAT, &headers, &question("openai/m")).await;
    assert_eq!(
        reply.json()["choices"][0]["finish_reason"],
        "content_filter"
    );
    assert_eq!(reply.header("x-waypost-attempts"), Some("1"));
}

#[tokio::test]
async fn a_prompt_that_is_too_long_goes_to_the_named_fallback() {
    let long = refusal(
        400,
        "context_length_exceeded",
        "maximum context length is 8192 tokens",
    );
    let app = support::app(vec![
        Exchange::any("openai", long),
        Exchange::any("groq", whole()),
    ])
    .await;
    let headers = [("x-waypost-fallback", "groq/good")];
    let reply = support::post(app.addr(), CHAT, &headers, &question("openai/m")).await;
    assert_eq!((reply.status, &*text(&reply)), (200, "Hi there"));
    let from = reply.header("x-waypost-fallback-from");
    assert_eq!(from, Some("openai/m:context_length_exceeded"));
    let reply = support::post(app.addr(), CHAT, &[], &question("openai/m")).await;
    assert_eq!(
        (reply.status, &error(&reply)["code"]),
        (400, &json!("context_length_exceeded"))
    );
}
