//! Framing that parsers disagree on, questions before a body, hosts, old clients and halves of connections.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use waypost::fixture::{Exchange, Play};

use crate::door::{CHAT, GOOD, connect, open_house, raw, read_all, sent, status};

const KIND: &str = "content-type: application/json\r\n";

fn post(headers: &str, body: &str) -> String {
    format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\n{KIND}{headers}\r\n{body}")
}

fn chunked() -> String {
    format!("{:x}\r\n{GOOD}\r\n0\r\n\r\n", GOOD.len())
}

/// Both ways to tell a length: one call by the chunks or a refusal, and never a second one of what follows.
#[tokio::test]
async fn two_ways_to_tell_a_length_are_one_call_at_most() {
    let both = ["content-length: 4\r\n", "transfer-encoding: chunked\r\n"];
    for (first, second) in [(both[0], both[1]), (both[1], both[0])] {
        let app = open_house().await;
        let smuggled = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
        let request = post(&format!("{first}{second}"), &chunked()) + smuggled;
        let answer = raw(app.addr(), request.as_bytes()).await;
        assert!(matches!(status(&answer), 200 | 400), "{answer}");
        let answers = answer.matches("HTTP/1.1 ").count();
        assert_eq!(answers, 1, "the connection ends: {answer}");
        assert_eq!(sent(&app), usize::from(status(&answer) == 200));
        for seen in app.replay().unwrap().seen() {
            assert!(!seen.headers.contains_key("transfer-encoding"));
            assert_ne!(seen.headers["content-length"], "4");
        }
    }
}

#[tokio::test]
async fn odd_lengths_codings_and_lines_are_refused() {
    let app = open_house().await;
    let length = GOOD.len();
    let heads = [
        "content-length: \r\n".to_owned(),
        format!("content-length: {length},5\r\n"),
        "transfer-encoding: chunked, gzip\r\n".to_owned(),
        "transfer-encoding: gzip\r\ntransfer-encoding: identity\r\n".to_owned(),
        format!("content-length: {length}\r\n: nameless\r\n"),
        format!("content-length: {length}\r\nno colon\r\n"),
        format!("content-length: {length}\r\nx-\u{e9}: 1\r\n"),
        format!("content-length: {length}\r\nx-a: b\rx-b: c\r\n"),
    ];
    for bad in heads {
        let answer = raw(app.addr(), post(&bad, GOOD).as_bytes()).await;
        assert_eq!(status(&answer), 400, "{bad:?}: {answer}");
    }
    let old = format!(
        "POST {CHAT} HTTP/1.0\r\n{KIND}transfer-encoding: chunked\r\n\r\n{}",
        chunked()
    );
    let answer = raw(app.addr(), old.as_bytes()).await;
    assert_eq!(status(&answer), 400, "{answer}");
    let endless = format!("5;{}\r\n", "x".repeat(20_000));
    for bad in ["\r\n", ";a=1\r\n", &endless] {
        let request = post("transfer-encoding: chunked\r\n", bad);
        let answer = raw(app.addr(), request.as_bytes()).await;
        assert!(matches!(status(&answer), 0 | 400), "{bad:.20?}: {answer}");
    }
    assert_eq!(sent(&app), 0);
}

/// A client that asks before it sends its body is told at once that it is not wanted.
#[tokio::test]
async fn a_body_that_will_be_refused_is_not_asked_for() {
    let app = open_house().await;
    let big = post("expect: 100-continue\r\ncontent-length: 1000000000\r\n", "");
    let answer = raw(app.addr(), big.as_bytes()).await;
    assert_eq!(status(&answer), 413, "{answer}");
    assert!(!answer.contains("100 Continue"), "{answer}");
    assert_eq!(sent(&app), 0);

    let length = GOOD.len();
    let good = post(
        &format!("expect: 100-continue\r\nconnection: close\r\ncontent-length: {length}\r\n"),
        GOOD,
    );
    let answer = raw(app.addr(), good.as_bytes()).await;
    assert!(answer.contains("HTTP/1.1 200 OK"), "{answer}");
    let seen = app.replay().unwrap().seen();
    assert_eq!(seen.len(), 1);
    assert!(!seen[0].headers.contains_key("expect"));
}

/// HTTP/2 is not spoken, and nothing behind its greeting is read as a request.
#[tokio::test]
async fn http_2_is_not_spoken() {
    let app = open_house().await;
    let greeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let request = post(&format!("content-length: {}\r\n", GOOD.len()), GOOD);
    let answer = raw(app.addr(), format!("{greeting}{request}").as_bytes()).await;
    assert!(!answer.contains(" 200 "), "{answer}");
    assert_eq!(sent(&app), 0);
}

/// A host decides nothing: whatever it says, the path alone is judged.
#[tokio::test]
async fn a_host_never_moves_a_path() {
    let app = open_house().await;
    for host in ["host: a/healthz?x\r\n", "host: a\r\nhost: b\r\n", ""] {
        let request = format!("GET /nowhere HTTP/1.1\r\n{host}connection: close\r\n\r\n");
        let answer = raw(app.addr(), request.as_bytes()).await;
        assert!(matches!(status(&answer), 400 | 404), "{host:?}: {answer}");
    }
    let other =
        "GET http://elsewhere.example/healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = raw(app.addr(), other.as_bytes()).await;
    assert!(matches!(status(&answer), 200 | 400), "{answer}");
    assert_eq!(sent(&app), 0);
}

/// A client of the old protocol gets an answer that ends with its connection.
#[tokio::test]
async fn an_old_client_is_answered_and_let_go() {
    let app = open_house().await;
    let length = GOOD.len();
    let old = format!("POST {CHAT} HTTP/1.0\r\n{KIND}content-length: {length}\r\n\r\n{GOOD}");
    let mut stream = connect(app.addr()).await;
    stream.write_all(old.as_bytes()).await.unwrap();
    let began = std::time::Instant::now();
    let answer = read_all(&mut stream).await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert!(began.elapsed() < Duration::from_secs(2), "it is closed");
    let head = answer.split("\r\n\r\n").next().unwrap().to_lowercase();
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert!(answer.contains("Hi there"), "{answer}");
}

/// Who closes its half has left, for all that can be told.
#[tokio::test]
async fn a_client_that_closes_its_half_has_left() {
    let app = open_house().await;
    let replay = app.replay().unwrap();
    replay.set([Exchange::any("openai", Play::silent())]);
    let mut stream = connect(app.addr()).await;
    let request = post(&format!("content-length: {}\r\n", GOOD.len()), GOOD);
    stream.write_all(request.as_bytes()).await.unwrap();
    while replay.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(replay.aborted_by_peer(), 0);
    stream.shutdown().await.unwrap();
    for _ in 0..500 {
        if replay.aborted_by_peer() == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the provider is not let go");
}
