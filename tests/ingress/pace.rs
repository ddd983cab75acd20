//! Clients that send too slowly, and connections that only wait.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use waypost::app::App;
use waypost::config::Config;

use crate::door::{CHAT, GOOD, connect, house_of, read_all, sent, status};

const LIMIT: Duration = Duration::from_millis(200);

async fn strict() -> App {
    let mut config = Config::bare().unwrap();
    config.limits.header_timeout = LIMIT;
    config.limits.body_idle_timeout = LIMIT;
    house_of(config).await
}

/// Reads one answer with a known length.
async fn answer(stream: &mut TcpStream) -> u16 {
    let mut text = Vec::new();
    let mut some = [0; 4096];
    loop {
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut some)).await;
        let read = read.expect("an answer in time").unwrap();
        assert!(
            read > 0,
            "closed after {:?}",
            String::from_utf8_lossy(&text)
        );
        text.extend_from_slice(&some[..read]);
        let seen = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = seen.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.unwrap().parse::<usize>().unwrap() {
            return status(&seen);
        }
    }
}

fn question() -> String {
    let length = GOOD.len();
    format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{GOOD}"
    )
}

#[tokio::test]
async fn a_head_that_drips_is_closed() {
    let app = strict().await;
    let mut stream = connect(app.addr()).await;
    let began = Instant::now();
    let drip = async {
        for byte in question().bytes() {
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
            let mut some = [0; 1024];
            let wait = tokio::time::timeout(LIMIT / 5, stream.read(&mut some)).await;
            if matches!(wait, Ok(Ok(0) | Err(_))) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), drip)
        .await
        .expect("it is closed");
    let took = began.elapsed();
    assert!(took >= LIMIT && took < LIMIT * 10, "{took:?}");
    assert_eq!(sent(&app), 0);
}

/// Before a head has begun nothing is late, on a new connection and between two requests.
#[tokio::test]
async fn a_connection_that_waits_is_kept() {
    let app = strict().await;
    let mut stream = connect(app.addr()).await;
    tokio::time::sleep(LIMIT * 2).await;
    let requests = [
        "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
        question(),
        "GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
        question(),
    ];
    for request in requests {
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(answer(&mut stream).await, 200);
        tokio::time::sleep(LIMIT * 2).await;
    }
    assert_eq!(sent(&app), 2);
}

#[tokio::test]
async fn a_body_that_pauses_is_a_408() {
    let app = strict().await;
    let mut stream = connect(app.addr()).await;
    let question = question();
    let part = &question.as_bytes()[..question.len() - 10];
    let began = Instant::now();
    stream.write_all(part).await.unwrap();
    let answer = read_all(&mut stream).await;
    assert_eq!(status(&answer), 408, "{answer}");
    assert!(answer.contains("\"request_timeout\""), "{answer}");
    assert!(answer.contains("x-should-retry: true"), "{answer}");
    assert!(began.elapsed() >= LIMIT);
    assert_eq!(sent(&app), 0);
}

/// A body may take longer than a head, as long as it goes on.
#[tokio::test]
async fn a_body_that_trickles_on_is_taken() {
    let app = strict().await;
    let mut stream = connect(app.addr()).await;
    for part in question().as_bytes().chunks(40) {
        stream.write_all(part).await.unwrap();
        tokio::time::sleep(LIMIT / 3).await;
    }
    assert_eq!(answer(&mut stream).await, 200);
}

#[tokio::test]
async fn a_client_that_goes_in_mid_body_sends_nothing() {
    let app = strict().await;
    let mut stream = connect(app.addr()).await;
    let question = question();
    stream
        .write_all(&question.as_bytes()[..question.len() - 10])
        .await
        .unwrap();
    drop(stream);
    tokio::time::sleep(LIMIT / 2).await;
    assert_eq!(sent(&app), 0);
}

/// Requests that come together are answered one after the other.
#[tokio::test]
async fn requests_in_one_piece_are_each_answered() {
    let app = strict().await;
    let mut stream = connect(app.addr()).await;
    let last = question().replace("host: x", "host: x\r\nconnection: close");
    let both = format!("{}{last}", question());
    stream.write_all(both.as_bytes()).await.unwrap();
    let answers = read_all(&mut stream).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
    assert_eq!(sent(&app), 2);
}
