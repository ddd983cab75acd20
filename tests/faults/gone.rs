//! Clients that go away, and clients that do not read.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use waypost::app::App;
use waypost::config::Config;
use waypost::fixture::{End, Exchange, Play, Replay};

use crate::answers::{CHAT, chunks, says, streamed, streamed_question, whole};
use crate::support;

const SOON: Duration = Duration::from_secs(5);
/// In truth a few milliseconds; a loaded machine needs more.
const AT_ONCE: Duration = Duration::from_millis(500);

const FALLBACK: &str = "x-waypost-fallback: groq/good\r\n";

/// A question as it goes over the wire.
fn wire(headers: &str) -> String {
    let body = streamed_question("openai/m").to_string();
    format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn until(what: &str, limit: Duration, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < limit, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn house(play: impl Into<Play>) -> App {
    support::app(vec![
        Exchange::any("openai", play),
        Exchange::any("groq", whole()),
    ])
    .await
}

/// The provider's answer is not waited for any longer, and nobody else is asked.
async fn is_let_go(replay: &Replay) {
    until("the provider is let go", AT_ONCE, || {
        replay.aborted_by_peer() == 1
    })
    .await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(replay.seen().len(), 1);
}

#[tokio::test]
async fn a_client_that_goes_before_the_head_takes_the_call_along() {
    let waits = [
        Play::silent(),
        streamed().after(Duration::from_mins(1)).into(),
        streamed().cut(0, End::Stall).into(),
    ];
    for wait in waits {
        let app = house(wait).await;
        let replay = app.replay().unwrap();
        let mut client = TcpStream::connect(app.addr()).await.unwrap();
        client.write_all(wire(FALLBACK).as_bytes()).await.unwrap();
        until("the provider is asked", SOON, || replay.seen().len() == 1).await;
        assert_eq!(replay.aborted_by_peer(), 0);
        drop(client);
        is_let_go(replay).await;
    }
}

#[tokio::test]
async fn a_client_that_goes_in_mid_stream_takes_the_call_along() {
    let stalls: [Play; 2] = [
        streamed().pause(2, Duration::from_mins(1)).into(),
        streamed().cut(2, End::Stall).into(),
    ];
    for stall in stalls {
        let app = house(stall).await;
        let replay = app.replay().unwrap();
        let body = streamed_question("openai/m").to_string();
        let mut live = support::open(app.addr(), CHAT, &[], &body).await;
        live.next().await.unwrap().unwrap();
        assert_eq!(replay.aborted_by_peer(), 0);
        drop(live);
        is_let_go(replay).await;
    }
}

/// While attempts go on behind an early head, too.
#[tokio::test]
async fn a_client_that_goes_after_an_early_head_takes_the_call_along() {
    let mut config = Config::bare().unwrap();
    config.resilience.commit_after = Duration::from_millis(20);
    let exchanges = vec![Exchange::any("openai", Play::silent())];
    let app = support::app_with(exchanges, config).await;
    let body = streamed_question("openai/m").to_string();
    let mut live = support::open(app.addr(), CHAT, &[], &body).await;
    assert_eq!(live.next().await.unwrap().unwrap(), ": ping\n\n");
    drop(live);
    is_let_go(app.replay().unwrap()).await;
}

/// Serves one stream without end until its peer stops taking it for `patience`; gives back how much it took, and the
/// connection.
async fn gush(listener: TcpListener, patience: Duration) -> (usize, TcpStream) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = [0; 4096];
    let _ = stream.read(&mut head).await.unwrap();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(chunks()[0].as_bytes()).await.unwrap();
    let event = says(&"x".repeat(200));
    let burst = event.repeat(64);
    let mut taken = 0;
    while taken < ENDLESS {
        match tokio::time::timeout(patience, stream.write(burst.as_bytes())).await {
            Ok(written) => taken += written.unwrap(),
            Err(_) => break,
        }
    }
    (taken, stream)
}

const ENDLESS: usize = 256 << 20;

/// A client that reads nothing stops the provider's stream after what sockets hold, and loses it after a while.
#[tokio::test]
async fn a_client_that_does_not_read_is_not_read_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let file = format!(
        "[providers.openai]\nbase_url = \"{url}\"\napi_key = \"k-0123456789\"\n[limits]\nwrite_stall = \"1500ms\"\n"
    );
    let app = crate::keys::app_of(&file).await;
    let provider = tokio::spawn(gush(listener, Duration::from_millis(700)));
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut client = socket.connect(app.addr()).await.unwrap();
    client.write_all(wire("").as_bytes()).await.unwrap();
    let provider = tokio::time::timeout(SOON * 2, provider).await;
    let (taken, mut stream) = provider.expect("the provider stops").unwrap();
    // Two pairs of sockets hold some megabytes by the system's own measure; the proxy holds less than one.
    assert!(
        taken < 32 << 20,
        "{taken} bytes were taken for a client that reads nothing"
    );
    let mut end = [0; 16];
    let ended = tokio::time::timeout(SOON, stream.read(&mut end)).await;
    let ended = ended.expect("the provider is let go after the stall limit");
    assert!(ended.map_or(true, |read| read == 0));
}
