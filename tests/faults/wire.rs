//! What providers do below HTTP, or just within it: odd heads, wrong lengths, connections that close or never open.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use waypost::app::App;

use crate::answers::{CHAT, error, question, streamed_question, whole};
use crate::support::{self, Reply};

/// Reads a request to the end of its body.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut all = String::new();
    let mut some = [0; 8192];
    loop {
        if let Some((head, body)) = all.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))?;
            if body.len() >= length.parse().ok()? {
                return Some(all);
            }
        }
        let read = stream.read(&mut some).await.ok().filter(|read| *read > 0)?;
        all.push_str(&String::from_utf8_lossy(&some[..read]));
    }
}

/// A provider that answers each request with these bytes; how many requests it read, and over how many connections.
struct Raw {
    app: App,
    asked: Arc<AtomicUsize>,
    connected: Arc<AtomicUsize>,
}

impl Raw {
    async fn answering(bytes: Vec<u8>, closes: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let (asked, connected) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (count, lines) = (Arc::clone(&asked), Arc::clone(&connected));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                lines.fetch_add(1, Ordering::Relaxed);
                let (bytes, count) = (bytes.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    while request(&mut stream).await.is_some() {
                        count.fetch_add(1, Ordering::Relaxed);
                        if stream.write_all(&bytes).await.is_err() || closes {
                            return;
                        }
                    }
                });
            }
        });
        let app = lab(&url).await;
        Self {
            app,
            asked,
            connected,
        }
    }

    async fn ask(&self) -> Reply {
        support::post(self.app.addr(), CHAT, &[], &question("lab/m")).await
    }
}

async fn lab(url: &str) -> App {
    let file = format!(
        "[providers.lab]\ndialect = \"openai\"\nbase_url = \"{url}\"\napi_key = \"k-0123456789\"\n[resilience]\nretries = 0\n"
    );
    crate::keys::app_of(&file).await
}

/// An answer of this status line and these headers, with a length that says `more` than there is.
fn bytes(line: &str, headers: &str, more: isize) -> Vec<u8> {
    let body = whole().body();
    let length = body.len().checked_add_signed(more).unwrap();
    let head = format!(
        "{line}\r\ncontent-type: application/json\r\n{headers}content-length: {length}\r\n\r\n"
    );
    [head.into_bytes(), body].concat()
}

const OK: &str = "HTTP/1.1 200 OK";

#[tokio::test]
async fn what_is_no_http_is_a_502_on_a_connection_that_is_not_used_again() {
    let body = whole().body();
    let settings = [&b"\0\0\0\x04\0\0\0\0\0"[..], b"\0\0\0\x07"].concat();
    let rows = [
        ("no head at all", body),
        ("status 0", bytes("HTTP/1.1 0 No", "", 0)),
        ("status 1000", bytes("HTTP/1.1 1000 No", "", 0)),
        ("HTTP/2", settings),
        ("NUL in a value", bytes(OK, "x-a: b\0c\r\n", 0)),
        ("a bare CR in a value", bytes(OK, "x-a: b\rc\r\n", 0)),
        ("too many headers", bytes(OK, &"x-a: b\r\n".repeat(300), 0)),
    ];
    for (what, bytes) in rows {
        let raw = Raw::answering(bytes, false).await;
        for asked in 1..=2 {
            let reply = raw.ask().await;
            let told = error(&reply);
            assert_eq!(
                (reply.status, &told["code"]),
                (502, &json!("upstream_protocol_error")),
                "{what}"
            );
            assert_eq!(reply.header("x-should-retry"), Some("false"));
            assert_eq!(reply.header("x-a"), None, "{what}");
            assert_eq!(raw.asked.load(Ordering::Relaxed), asked, "{what}");
            assert_eq!(raw.connected.load(Ordering::Relaxed), asked, "{what}");
        }
    }
}

/// Bytes beyond an answer's length are nobody's answer, and what is missing is no answer.
#[tokio::test]
async fn a_length_that_is_wrong_harms_no_other_call() {
    let mut longer = bytes(OK, "", 0);
    longer.extend_from_slice(&bytes("HTTP/1.1 418 Smuggled", "", 0));
    let raw = Raw::answering(longer, false).await;
    for _ in 0..20 {
        let reply = raw.ask().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    let mut broken = format!(
        "{OK}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n20\r\n"
    )
    .into_bytes();
    broken.extend_from_slice(&whole().body()[..32]);
    broken.extend_from_slice(b"\r\nzz\r\n");
    let mut shorter = bytes(OK, "", 0);
    shorter.truncate(shorter.len() - 40);
    // All of the document is there, and not all that was announced.
    let promised = bytes(OK, "", 40);
    for (what, bytes) in [
        ("shorter", shorter),
        ("a broken chunk", broken),
        ("whole but shorter than announced", promised),
    ] {
        let raw = Raw::answering(bytes, true).await;
        let reply = raw.ask().await;
        assert_eq!(
            reply.status,
            502,
            "{what}: {} {}",
            reply.clean,
            reply.text()
        );
        assert_eq!(error(&reply)["code"], "upstream_truncated", "{what}");
        assert_eq!(reply.header("x-should-retry"), Some("false"));
        assert_eq!(raw.asked.load(Ordering::Relaxed), 1, "{what}");
    }
}

/// Connections that close behind each answer: none of the calls that come after fails, and none is sent twice.
#[tokio::test]
async fn a_connection_that_closed_meanwhile_is_not_felt() {
    const CALLS: usize = 100;
    let raw = Raw::answering(bytes(OK, "", 0), true).await;
    for _ in 0..CALLS {
        let reply = raw.ask().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(raw.asked.load(Ordering::Relaxed), CALLS);
}

/// Preliminary answers without end do not hold a call beyond its time.
#[tokio::test]
async fn preliminary_answers_without_end_are_ended_by_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = lab(&format!("http://{}/v1", listener.local_addr().unwrap())).await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let hint = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
            while stream.write_all(hint.as_bytes()).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let began = Instant::now();
    let headers = [("x-waypost-timeout-ms", "400")];
    let reply = support::post(app.addr(), CHAT, &headers, &question("lab/m")).await;
    assert_eq!(
        (reply.status, &error(&reply)["code"]),
        (504, &json!("upstream_timeout"))
    );
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_name_that_nobody_has_is_a_502() {
    let app = lab("https://nobody.invalid/v1").await;
    let reply = support::post(app.addr(), CHAT, &[], &question("lab/m")).await;
    assert_eq!(
        (reply.status, &error(&reply)["code"]),
        (502, &json!("upstream_connect_error"))
    );
}

/// An address where nothing answers at all: its queue is full, so that the system drops what comes.
#[tokio::test]
async fn an_address_that_answers_nothing_is_a_504_in_time() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let hole = socket.listen(1).unwrap();
    let addr = hole.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(Ok(line)) =
        tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(addr)).await
    {
        held.push(line);
        assert!(held.len() < 64, "the queue is never full");
    }
    let app = lab(&format!("http://{addr}/v1")).await;
    let began = Instant::now();
    let reply = support::post(app.addr(), CHAT, &[], &question("lab/m")).await;
    assert_eq!(
        (reply.status, &error(&reply)["code"]),
        (504, &json!("upstream_connect_timeout"))
    );
    assert!(
        began.elapsed() < Duration::from_secs(11),
        "{:?}",
        began.elapsed()
    );
}

/// A serial number for each answer, told in each of its events; slowly, so that callers can leave in between.
async fn numbered() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let asked = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                while request(&mut stream).await.is_some() {
                    let number = count.fetch_add(1, Ordering::Relaxed);
                    let head = format!(
                        "{OK}\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                    );
                    let mut sent = stream.write_all(head.as_bytes()).await;
                    let word = crate::answers::says(&format!("<{number}>"));
                    let end = crate::answers::chunk(&json!({}), Some("stop"));
                    for event in [&word, &word, &word, &end, "data: [DONE]\n\n"] {
                        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
                        sent = sent.and(stream.write_all(chunk.as_bytes()).await);
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    if sent.and(stream.write_all(b"0\r\n\r\n").await).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, asked)
}

/// Two callers ask the same; one leaves in the midst, and the other's call may get its connection. Nobody ever hears
/// what was said to somebody else. `WAYPOST_ROUNDS=10000` asks as often.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_hears_the_answer_of_one_who_left() {
    let rounds: usize = std::env::var("WAYPOST_ROUNDS").map_or(300, |all| all.parse().unwrap());
    let (url, asked) = numbered().await;
    let app = lab(&url).await;
    let body = streamed_question("lab/m").to_string();
    let mut heard = std::collections::HashSet::new();
    for round in 0..rounds {
        let mut left = support::open(app.addr(), CHAT, &[("x-api-key", "of-one")], &body).await;
        if round % 2 == 0 {
            left.next().await.unwrap().unwrap();
        }
        drop(left);
        let stays = [("x-api-key", "of-another")];
        let reply = support::post_text(app.addr(), CHAT, &stays, &body).await;
        let text = crate::answers::text(&reply);
        let words: Vec<_> = text.split_inclusive('>').collect();
        assert!(reply.clean && words.len() == 3, "{text}");
        assert!(words.iter().all(|word| *word == words[0]), "{text}");
        assert!(heard.insert(words[0].to_owned()), "{text} was heard before");
    }
    assert_eq!(
        asked.load(Ordering::Relaxed),
        rounds * 2,
        "each call is one"
    );
}
