//! Keys that nobody has, by the thousand: their address is slowed down, and nobody else.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use waypost::fixture::{Answer, Exchange};

use crate::house::{CHAT, house, key, secret};

/// Asks with a key from an address of this machine; the answer as it comes.
async fn ask(from: [u8; 4], to: SocketAddr, secret: &str) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    let mut line = socket.connect(to).await.unwrap();
    let body = json!({"model": "deepseek/m", "messages": [{"role": "user", "content": "Hello"}]});
    let body = body.to_string();
    let text = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {secret}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    line.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    line.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_tries_keys_by_the_thousand_is_slowed_and_nobody_else() {
    let body = json!({
        "id": "1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    });
    let exchanges = vec![Exchange::any(
        "deepseek",
        Answer::json(200, body.to_string()),
    )];
    let house = house(exchanges, &key("amy", "")).await;
    let to = house.app.addr();
    let (mut refused, mut slowed) = (0, 0);
    for at in 0..1_000 {
        let answer = ask([127, 0, 0, 1], to, &format!("sk-nobody-{at}")).await;
        if answer.starts_with("HTTP/1.1 401") {
            refused += 1;
            continue;
        }
        assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
        for part in [
            "rate_limit_exceeded",
            "retry-after: 1",
            "x-request-id: req_",
        ] {
            assert!(answer.contains(part), "no {part} in {answer}");
        }
        slowed += 1;
    }
    assert_eq!((refused, slowed), (60, 940));
    let began = Instant::now();
    let elsewhere = ask([127, 0, 0, 2], to, "sk-nobody").await;
    assert!(elsewhere.starts_with("HTTP/1.1 401"), "{elsewhere}");
    for from in [[127, 0, 0, 2], [127, 0, 0, 1]] {
        let good = ask(from, to, &secret("amy")).await;
        assert!(good.starts_with("HTTP/1.1 200"), "{good}");
    }
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(house.sent(), 2);
}
