//! A small raw HTTP/1.1 client: posts JSON, collects the body as it arrives, and says how it ended.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test's own tool: it panics where a test fails, measures real time, and no test uses all of it"
)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use waypost::app::{App, Plan, Play, Setting};
use waypost::config::Config;
use waypost::fixture::{Exchange, Pace};

/// The whole proxy on a free port, with these exchanges for providers and metadata as configured by default.
pub(crate) async fn app(exchanges: Vec<Exchange>) -> App {
    app_with(exchanges, Config::bare().unwrap()).await
}

/// The same under a configuration.
pub(crate) async fn app_with(exchanges: Vec<Exchange>, config: Config) -> App {
    app_in(exchanges, config, Setting::default()).await
}

/// The same in a setting of its own: its time, and what it keeps.
pub(crate) async fn app_in(exchanges: Vec<Exchange>, config: Config, setting: Setting) -> App {
    let play = Some(Play {
        exchanges,
        pace: Pace::Recorded,
    });
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let plan = Plan {
        listen,
        record: None,
        play,
        config,
    };
    App::start_with(plan, setting).await.unwrap()
}

/// How long any single answer may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// The body's pieces in the order of their arrival, each with the time since the request was sent.
    pub(crate) pieces: Vec<(Duration, Bytes)>,
    /// Whether the body ended as its framing says.
    pub(crate) clean: bool,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The `data` of each event, `[DONE]` included; comments are left out.
    pub(crate) fn events(&self) -> Vec<String> {
        let text = self.text();
        let lines = text.lines();
        lines
            .filter_map(|line| line.strip_prefix("data: "))
            .map(str::to_owned)
            .collect()
    }
}

/// An answer that is still coming. Dropping it hangs up.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    body: Incoming,
    sent: Instant,
    connection: JoinHandle<()>,
}

impl Live {
    /// The next bytes; `None` at a clean end, an error where the connection broke.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await;
            match frame.expect("the answer took too long")? {
                Ok(frame) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Some(Ok(bytes));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Reads to the end.
    pub(crate) async fn collect(mut self) -> Reply {
        let mut pieces = Vec::new();
        let clean = loop {
            match self.next().await {
                Some(Ok(bytes)) => pieces.push((self.sent.elapsed(), bytes)),
                Some(Err(_)) => break false,
                None => break true,
            }
        };
        Reply {
            status: self.status,
            headers: self.headers.clone(),
            body: pieces
                .iter()
                .flat_map(|(_, bytes)| bytes.to_vec())
                .collect(),
            pieces,
            clean,
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Posts JSON and waits for the whole answer.
pub(crate) async fn post(
    addr: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Reply {
    post_text(addr, path, headers, &body.to_string()).await
}

/// Posts a text as it stands and waits for the whole answer.
pub(crate) async fn post_text(
    addr: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    open(addr, path, headers, body).await.collect().await
}

/// Posts a text as it stands and waits for the answer's head.
pub(crate) async fn open(
    addr: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Live {
    let mut request = Request::post(path)
        .header("host", addr.to_string())
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap();
    send(addr, request).await
}

/// Asks for a path.
pub(crate) async fn get(addr: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = Request::get(path).header("host", addr.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::default()).unwrap();
    send(addr, request).await.collect().await
}

/// Sends any request on a connection of its own.
pub(crate) async fn send(addr: SocketAddr, request: Request<Full<Bytes>>) -> Live {
    let stream = TcpStream::connect(addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let connection = tokio::spawn(async move {
        // How the body ended tells the same.
        let _ = connection.await;
    });
    let sent = Instant::now();
    let answer = tokio::time::timeout(PATIENCE, sender.send_request(request)).await;
    let answer = answer.expect("no answer in time").expect("no answer");
    let (head, body) = answer.into_parts();
    Live {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
        sent,
        connection,
    }
}
