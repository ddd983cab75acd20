//! Tests of walking: over real sockets, files and programs.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::*;
use crate::catalog::auth::{Credential, SigningKeys};

/// A key of nobody's, made for these tests.
const KEY: &str = include_str!("../../tests/auth/throwaway.pem");
/// What `openssl dgst -sha256 -sign` makes of `head.claims` with it.
const SIGNED: &str = "rajDm/r5aoRmoArmNquibL7WqP38ae9WQZrqgsoyaOncxWhDzMxj2e5oatVDrvoCvj6srBoYAI5HHEy7fZx22i4N5619YEc9lpN64LoIZj5eWkHikDAMfudUplHnq2Y5ix40p8Xzfj/zqBPp5aGTZfeVlpeUs4GQDK57rqLfwD5v7NYXauHCeqWFcDv27AxhkGs2ABAkcS0WptdFtzuTVuD78BQbnbwDkJC8UdBLZoQHcNmVJbQQHpbL0JZC5WIsgDX+YqFSjcBtZaQ8CX9ljy1/CF9OUzraXV2aN5rkJ2WAPkzr4Pdw0SudI1ZX9Vv+RAloAziKSNR7axaDfNL1mg==";

/// A way of these steps; it keeps what came of each.
#[derive(Debug)]
struct Steps(VecDeque<Step>, std::sync::Arc<std::sync::Mutex<Vec<Got>>>);

impl Grant for Steps {
    fn name(&self) -> String {
        "a test".to_owned()
    }

    fn next(&mut self, got: Got, _: u64) -> Step {
        self.1.lock().unwrap().push(got);
        let keys = SigningKeys::new("A", "b", None).unwrap();
        self.0
            .pop_front()
            .unwrap_or_else(|| Step::Done(keys.lease(Some(1))))
    }
}

/// What came of one step.
async fn came_of(step: Step) -> Got {
    let told = std::sync::Arc::default();
    let steps = Box::new(Steps([step].into(), std::sync::Arc::clone(&told)));
    let client = Client::new(None).unwrap();
    let (lease, name) = walk(steps, &client, Clock::fixed(0)).await.unwrap();
    assert!(matches!(lease.credential, Credential::Signing(_)) && name == "a test");
    told.lock().unwrap().pop().unwrap()
}

/// A server that answers every request with this.
async fn server(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                if socket.read(&mut bytes).await.is_ok_and(|read| read > 0) && !answer.is_empty() {
                    let _ = socket.write_all(answer.as_bytes()).await;
                    let _ = socket.shutdown().await;
                } else if answer.is_empty() {
                    tokio::time::sleep(STEP * 2).await;
                }
            });
        }
    });
    addr
}

fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

const OK: &str =
    "HTTP/1.1 200 OK\r\ndate: Wed, 25 Nov 2026 12:00:00 GMT\r\nconnection: close\r\n\r\n{}";
const MOVED: &str =
    "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";

#[tokio::test]
async fn requests_are_sent_and_redirects_are_answers() {
    for (answer, status, date) in [(OK, 200, Some(1_795_608_000)), (MOVED, 302, None)] {
        let url = format!("http://{}/a", server(answer).await);
        for step in [Fetch::near(get(&url)), Fetch::far(get(&url))] {
            let Got::Answer(found) = came_of(step).await else {
                panic!("the server answers");
            };
            assert_eq!((found.status, found.date), (status, date));
        }
    }
}

#[tokio::test]
async fn nobody_near_is_nobody_and_nobody_far_is_a_fault() {
    let near = came_of(Fetch::near(get("http://127.0.0.1:1/"))).await;
    assert!(matches!(near, Got::Absent(why) if why == "nobody answers"));
    let far = came_of(Fetch::far(get("http://127.0.0.1:1/"))).await;
    assert!(matches!(far, Got::Broken(why) if why == "127.0.0.1 cannot be reached"));
}

#[tokio::test]
async fn one_who_takes_long_is_not_waited_for() {
    let began = tokio::time::Instant::now();
    let got = came_of(Fetch::near(get(&format!("http://{}/", server("").await)))).await;
    assert!(matches!(got, Got::Broken(why) if why == "it took longer than 5 s"));
    assert!(began.elapsed() < STEP * 2);
}

#[tokio::test]
async fn files_are_read_where_they_are() {
    let path = std::env::temp_dir().join(format!("waypost-walk-{}", std::process::id()));
    std::fs::write(&path, "token").unwrap();
    let got = came_of(Step::Read(path.clone())).await;
    assert!(matches!(got, Got::Text(Text(text)) if text == "token"));
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(came_of(Step::Read(path)).await, Got::Absent(_)));
    assert!(matches!(
        came_of(Step::Read(std::env::temp_dir())).await,
        Got::Broken(_)
    ));
}

#[cfg(unix)]
#[tokio::test]
async fn programs_are_run_without_a_shell() {
    let run = |words: &[&str]| {
        came_of(Step::Run(
            words.iter().map(|word| (*word).to_owned()).collect(),
        ))
    };
    let got = run(&["/bin/echo", "$HOME", "a b"]).await;
    assert!(matches!(got, Got::Text(Text(text)) if text == "$HOME a b\n"));
    let got = run(&["/bin/sh", "-c", "echo secret >&2; exit 3"]).await;
    assert!(matches!(got, Got::Broken(why) if why == "it ended with exit status: 3"));
    assert!(matches!(run(&["/no/such/program"]).await, Got::Broken(_)));
    assert!(matches!(run(&[]).await, Got::Broken(_)));
}

#[tokio::test]
async fn texts_are_signed_as_openssl_signs_them() {
    let signing = |pem: &str| {
        Step::Sign(Box::new(Signing {
            pem: pem.to_owned(),
            text: "head.claims".to_owned(),
        }))
    };
    // The older form of a key is what the newer holds after 26 bytes.
    let text: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let old = STANDARD.encode(&STANDARD.decode(text).unwrap()[26..]);
    let old = format!("-----BEGIN RSA PRIVATE KEY-----\n{old}\n-----END RSA PRIVATE KEY-----\n");
    for pem in [KEY, &old] {
        let Got::Signature(bytes) = came_of(signing(pem)).await else {
            panic!("the key signs");
        };
        assert_eq!(STANDARD.encode(bytes), SIGNED);
    }
    for bad in [
        "",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "secret",
    ] {
        let got = came_of(signing(bad)).await;
        assert!(matches!(got, Got::Broken(why) if why == "its private key is no RSA key in PEM"));
    }
}

#[tokio::test]
async fn a_way_that_ends_badly_says_which_it_was() {
    let client = Client::new(None).unwrap();
    for step in [
        Step::Failed("broken".to_owned()),
        Step::NotHere("broken".to_owned()),
    ] {
        let steps = Box::new(Steps([step].into(), std::sync::Arc::default()));
        let walked = walk(steps, &client, Clock::fixed(0)).await;
        assert_eq!(walked.unwrap_err(), "a test: broken");
    }
    let circle = (0..100)
        .map(|_| Step::Read("/no/such/file".into()))
        .collect();
    let walked = walk(
        Box::new(Steps(circle, std::sync::Arc::default())),
        &client,
        Clock::fixed(0),
    )
    .await;
    assert_eq!(walked.unwrap_err(), "a test: it leads nowhere");
}
