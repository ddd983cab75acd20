//! Bounds on what clients may hold: each is kept, what is over it is told so, and it heals.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use waypost::fixture::{Exchange, Play};

use crate::house::{CHAT, Proxy, SOON, WHOLE, figure, lab, provider, until, whole};
use crate::support;

fn head(length: usize) -> String {
    format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// Bodies that are on their way or held together stay below the bound; what does not fit is told to come again before
/// it is read, and there is room again once others end.
#[tokio::test]
async fn bodies_together_are_bounded() {
    let replay = provider(whole("hello")).await;
    let config = format!("{}[limits]\nbodies = \"4MiB\"\n", lab(&replay.url("lab")));
    let proxy = Proxy::start(&config).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut line = TcpStream::connect(proxy.addr).await.unwrap();
        line.write_all(head(1 << 20).as_bytes()).await.unwrap();
        line.write_all(b"{").await.unwrap();
        held.push(line);
    }
    let bytes = "waypost_request_body_bytes";
    until("three are held", async || {
        figure(&proxy, bytes).await >= f64::from(3 << 20)
    })
    .await;
    let mut over = TcpStream::connect(proxy.addr).await.unwrap();
    over.write_all(head(2 << 20).as_bytes()).await.unwrap();
    let mut some = [0; 4096];
    let read = tokio::time::timeout(SOON, over.read(&mut some))
        .await
        .unwrap()
        .unwrap();
    let told = String::from_utf8_lossy(&some[..read]).into_owned();
    assert!(
        told.starts_with("HTTP/1.1 503") && told.contains("overloaded"),
        "{told}"
    );
    assert!(told.contains("x-should-retry: true"), "{told}");
    assert_eq!(proxy.ask(WHOLE).await.status, 200, "a small one still fits");
    // Chunks say nothing of their length before: they are stopped at the byte.
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(1 << 20));
    let head = head(0).replace("content-length: 0", "transfer-encoding: chunked");
    let mut chunked = TcpStream::connect(proxy.addr).await.unwrap();
    let mut sent = chunked.write_all(head.as_bytes()).await;
    for _ in 0..3 {
        sent = sent.and(chunked.write_all(chunk.as_bytes()).await);
    }
    let read = tokio::time::timeout(SOON, chunked.read(&mut some))
        .await
        .unwrap()
        .unwrap_or(0);
    assert!(String::from_utf8_lossy(&some[..read]).starts_with("HTTP/1.1 503"));
    drop(held);
    until("all is given back", async || {
        figure(&proxy, bytes).await == 0.0
    })
    .await;
    let long = WHOLE.replace("Hello", &"long ".repeat(700_000));
    assert_eq!(proxy.ask(&long).await.status, 200);
    assert_eq!(figure(&proxy, bytes).await, 0.0);
}

/// Over the limit of calls the next ones wait a moment for a place, in a queue that has an end.
#[tokio::test]
async fn calls_wait_for_a_place_and_the_queue_has_an_end() {
    let replay = provider(Play::silent()).await;
    let config = format!(
        "{}[limits]\nin_flight = 1\nqueue = 1\n",
        lab(&replay.url("lab"))
    );
    let proxy = Proxy::start(&config).await;
    let addr = proxy.addr;
    let ask = move || tokio::spawn(async move { support::post_text(addr, CHAT, &[], WHOLE).await });
    let first = ask();
    until("the first is under way", async || !replay.seen().is_empty()).await;
    let began = Instant::now();
    let second = ask();
    until("the second waits", async || {
        figure(&proxy, "waypost_requests_queued").await == 1.0
    })
    .await;
    let third = proxy.ask(WHOLE).await;
    assert_eq!(
        (third.status, third.header("x-should-retry")),
        (503, Some("true"))
    );
    assert!(began.elapsed() < Duration::from_millis(900), "at once");
    let second = second.await.unwrap();
    assert_eq!(second.status, 503, "nobody left");
    assert!(began.elapsed() >= Duration::from_secs(1));
    let refused = r#"waypost_refusals_total{code="overloaded"}"#;
    assert_eq!(figure(&proxy, refused).await, 2.0);
    replay.set([Exchange::any("lab", whole("hello"))]);
    let second = ask();
    until("one waits again", async || {
        figure(&proxy, "waypost_requests_queued").await == 1.0
    })
    .await;
    first.abort();
    assert_eq!(
        second.await.unwrap().status,
        200,
        "the first left its place to it"
    );
}

/// Connections that say nothing do not keep others out for long, and over the limit the newest is let go.
#[tokio::test]
async fn connections_are_bounded() {
    let replay = provider(whole("hello")).await;
    let config = format!(
        "{}[limits]\nconnections = 20\nkeep_alive = \"1500ms\"\n",
        lab(&replay.url("lab"))
    );
    let proxy = Proxy::start(&config).await;
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(TcpStream::connect(proxy.addr).await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut over = TcpStream::connect(proxy.addr).await.unwrap();
    let ended = tokio::time::timeout(SOON, over.read(&mut [0; 16])).await;
    assert_eq!(ended.expect("it is let go").unwrap_or(0), 0);
    // Those that never ask are closed, and there is room again.
    for line in &mut held {
        let ended = tokio::time::timeout(SOON, line.read(&mut [0; 16])).await;
        assert_eq!(ended.expect("idle ones are closed").unwrap_or(0), 0);
    }
    assert_eq!(proxy.ask(WHOLE).await.status, 200);
}

/// Where the system has no file descriptor left, nothing spins and nothing falls over; once there are some, it serves.
#[tokio::test]
async fn a_lack_of_descriptors_heals() {
    let replay = provider(whole("hello")).await;
    let proxy = Proxy::start_by("ulimit -n 64;", &lab(&replay.url("lab"))).await;
    let mut held = Vec::new();
    for _ in 0..120 {
        held.push(TcpStream::connect(proxy.addr).await.unwrap());
    }
    let before = spent(proxy.id());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let took = spent(proxy.id()).saturating_sub(before);
    assert!(
        took < Duration::from_millis(300),
        "it spins: {took:?} in 3 s"
    );
    drop(held);
    // Whoever comes before those that left are noticed is closed again, so an ask may end without an answer.
    until("it serves again", async || {
        let asked = tokio::spawn(support::post_text(proxy.addr, CHAT, &[], WHOLE));
        matches!(tokio::time::timeout(Duration::from_secs(2), asked).await, Ok(Ok(reply)) if reply.status == 200)
    })
    .await;
    assert!(
        proxy.log().matches("cannot accept").count() <= 2,
        "{}",
        proxy.log()
    );
}

/// The processor time that a process has taken.
fn spent(id: u32) -> Duration {
    let line = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let after = line.rsplit(')').next().unwrap();
    let ticks: u64 = after
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum();
    Duration::from_millis(ticks * 10)
}
