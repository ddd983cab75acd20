//! The end: streams are finished, or cut off with a word and settled; nobody new is let in.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use waypost::fixture::Play;

use crate::house::{CHAT, Proxy, SOON, STREAMED, WHOLE, lab, provider, stream, whole};
use crate::support;

/// What comes on a connection until it ends or is silent for a while.
async fn rest(line: &mut TcpStream) -> (String, bool) {
    let mut all = Vec::new();
    let mut some = [0; 4096];
    loop {
        match tokio::time::timeout(Duration::from_secs(3), line.read(&mut some)).await {
            Err(_) => return (String::from_utf8_lossy(&all).into_owned(), false),
            Ok(Ok(read @ 1..)) => all.extend_from_slice(&some[..read]),
            Ok(Ok(0) | Err(_)) => return (String::from_utf8_lossy(&all).into_owned(), true),
        }
    }
}

fn post(body: &str) -> String {
    format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A running stream is finished; who comes late on an open connection is told to come again; idle connections and
/// those that never asked anything end; then the process ends well.
#[tokio::test]
async fn a_signal_finishes_streams_and_lets_nobody_in() {
    let slow = provider(stream(10, Duration::from_millis(200))).await;
    let mut proxy = Proxy::start(&lab(&slow.url("lab"))).await;
    let mut live = support::open(proxy.addr, CHAT, &[], STREAMED).await;
    live.next().await.unwrap().unwrap();
    let mut late = TcpStream::connect(proxy.addr).await.unwrap();
    let mut idle = TcpStream::connect(proxy.addr).await.unwrap();
    let mut mute = TcpStream::connect(proxy.addr).await.unwrap();
    for line in [&mut late, &mut idle] {
        let ask = "GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n";
        line.write_all(ask.as_bytes()).await.unwrap();
        let mut some = [0; 4096];
        let read = line.read(&mut some).await.unwrap();
        assert!(some[..read].starts_with(b"HTTP/1.1 200"));
    }
    proxy.signal("-TERM");
    proxy.says("draining").await;
    late.write_all(post(WHOLE).as_bytes()).await.unwrap();
    let (told, closed) = rest(&mut late).await;
    assert!(told.starts_with("HTTP/1.1 503"), "{told}");
    assert!(told.contains("server_shutting_down"), "{told}");
    assert!(told.contains("x-should-retry: true"), "{told}");
    assert!(told.contains("connection: close") && closed, "{told}");
    for line in [&mut idle, &mut mute] {
        let (told, closed) = rest(line).await;
        assert!(told.is_empty() && closed, "{told}");
    }
    assert!(TcpStream::connect(proxy.addr).await.is_err());
    let reply = live.collect().await;
    assert!(reply.clean && reply.text().ends_with("data: [DONE]\n\n"));
    assert!(reply.text().contains("word9"), "all of it");
    assert!(proxy.ended().await.success());
    assert_eq!(proxy.attempts(), [("answered".to_owned(), true)]);
    assert_eq!(slow.seen().len(), 1, "nothing new was sent");
}

#[tokio::test]
async fn a_probe_sees_that_it_is_not_ready_any_more() {
    let slow = provider(stream(10, Duration::from_millis(200))).await;
    let mut proxy = Proxy::start(&lab(&slow.url("lab"))).await;
    let mut live = support::open(proxy.addr, CHAT, &[], STREAMED).await;
    live.next().await.unwrap().unwrap();
    let mut probe = TcpStream::connect(proxy.addr).await.unwrap();
    proxy.signal("-INT");
    proxy.says("draining").await;
    let ask = "GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n";
    probe.write_all(ask.as_bytes()).await.unwrap();
    let (told, closed) = rest(&mut probe).await;
    assert!(told.starts_with("HTTP/1.1 503") && closed, "{told}");
    drop(live);
    assert!(proxy.ended().await.success());
}

/// What takes longer than allowed ends with one error event, and no end that looks like one; a whole answer that is
/// waited for becomes an error; all of it is in the ledger.
#[tokio::test]
async fn what_takes_longer_than_the_drain_is_cut_and_settled() {
    let slow = provider(stream(200, Duration::from_millis(200))).await;
    let config = format!("{}[limits]\ndrain = \"600ms\"\n", lab(&slow.url("lab")));
    let mut proxy = Proxy::start(&config).await;
    let mut live = support::open(proxy.addr, CHAT, &[], STREAMED).await;
    live.next().await.unwrap().unwrap();
    slow.set([waypost::fixture::Exchange::any("lab", Play::silent())]);
    let addr = proxy.addr;
    let limited = WHOLE.replace("}]}", "}],\"max_tokens\":50}");
    let whole = tokio::spawn(async move { support::post_text(addr, CHAT, &[], &limited).await });
    while slow.seen().len() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let began = Instant::now();
    proxy.signal("-TERM");
    let reply = live.collect().await;
    assert!(began.elapsed() >= Duration::from_millis(500));
    assert!(!reply.clean, "the connection is broken off");
    let text = reply.text();
    assert_eq!(text.matches("server_shutting_down").count(), 1, "{text}");
    assert!(!text.contains("[DONE]"), "{text}");
    let whole = whole.await.unwrap();
    assert_eq!(whole.status, 503, "{}", whole.text());
    assert_eq!(whole.header("x-should-retry"), Some("false"), "it was sent");
    assert!(proxy.ended().await.success());
    assert!(began.elapsed() < Duration::from_secs(5));
    // What the one that said nothing may have cost, nobody knows.
    let rows = proxy.attempts();
    let outcomes: Vec<&str> = rows.iter().map(|(outcome, _)| outcome.as_str()).collect();
    assert_eq!(outcomes, ["server_shutting_down"; 2]);
    assert!(rows[0].1, "what the stream said is billed");
}

#[tokio::test]
async fn a_second_signal_hurries_and_still_settles() {
    let slow = provider(stream(200, Duration::from_millis(200))).await;
    let mut proxy = Proxy::start(&lab(&slow.url("lab"))).await;
    let mut live = support::open(proxy.addr, CHAT, &[], STREAMED).await;
    live.next().await.unwrap().unwrap();
    proxy.signal("-TERM");
    proxy.says("draining").await;
    let began = Instant::now();
    proxy.signal("-TERM");
    let reply = live.collect().await;
    assert!(reply.text().contains("server_shutting_down"));
    assert!(proxy.ended().await.success());
    assert!(began.elapsed() < SOON / 4, "{:?}", began.elapsed());
    assert_eq!(
        proxy.attempts(),
        [("server_shutting_down".to_owned(), true)]
    );
}

/// A client that takes nothing cannot hold the end up.
#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_in_the_end() {
    let words = provider(whole(&"word ".repeat(2 << 20))).await;
    let config = format!("{}[limits]\ndrain = \"200ms\"\n", lab(&words.url("lab")));
    let mut proxy = Proxy::start(&config).await;
    let mut deaf = TcpStream::connect(proxy.addr).await.unwrap();
    deaf.write_all(post(WHOLE).as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(800)).await;
    let began = Instant::now();
    proxy.signal("-TERM");
    assert!(proxy.ended().await.success());
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(proxy.attempts(), [("answered".to_owned(), true)]);
}
