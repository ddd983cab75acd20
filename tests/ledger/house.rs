//! A provider that notes what it saw, the real binary before it, and a client.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// A provider over a real socket. It keeps the model of every request that it read whole.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    pub(crate) addr: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

const ANSWER: &str = r#"{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12}}"#;

const REFUSED: &str =
    "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

impl Provider {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        thread::spawn(move || {
            for line in listener.incoming() {
                let noted = Arc::clone(&noted);
                thread::spawn(move || line.map(|line| serve(line, &noted)));
            }
        });
        Self { addr, seen }
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(mut line: TcpStream, seen: &Mutex<Vec<String>>) {
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ANSWER}",
        ANSWER.len()
    );
    while let Some(body) = request(&mut line) {
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let model = body["model"].as_str().unwrap().to_owned();
        seen.lock().unwrap().push(model.clone());
        thread::sleep(Duration::from_millis(fastrand::u64(0..30)));
        let said = match model.split('-').next() {
            Some("slow") => {
                thread::sleep(Duration::from_secs(7));
                &answer
            }
            Some("refused") => REFUSED,
            Some("gone") => return,
            Some("short") => &answer[..answer.len() / 2],
            _ => &answer,
        };
        if line.write_all(said.as_bytes()).is_err() || said.len() < answer.len() {
            return;
        }
    }
}

/// The body of the next request; `None` where the connection ends before it is whole.
fn request(line: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text.split("content-length: ").nth(1)?;
            let length: usize = length.split("\r\n").next()?.parse().ok()?;
            if bytes.len() >= end + 4 + length {
                return bytes.get(end + 4..end + 4 + length).map(<[u8]>::to_vec);
            }
        }
        let read = line.read(&mut part).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(part.get(..read)?);
    }
}

/// The binary, with a state folder of its own.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    pub(crate) child: Child,
    /// From its start until it answered.
    pub(crate) began: Duration,
}

/// A folder with a configuration for this provider.
pub(crate) fn folder(provider: &Provider) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("waypost-kill-{}", fastrand::u64(..)));
    std::fs::create_dir_all(&folder).unwrap();
    let config = format!(
        "[providers.mock]\ndialect = \"openai\"\nbase_url = \"http://{}/v1\"\napi_key = \"secret-canary\"\n",
        provider.addr
    );
    std::fs::write(folder.join("waypost.toml"), config).unwrap();
    folder
}

pub(crate) fn ledger(folder: &Path) -> PathBuf {
    folder.join("waypost/waypost.db")
}

/// What it says on the way, of all its lives.
fn log(folder: &Path) -> File {
    let mut options = File::options();
    let file = options.create(true).append(true).open(folder.join("log"));
    file.unwrap()
}

pub(crate) fn start(folder: &Path) -> Proxy {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    let began = Instant::now();
    let child = Command::new(env!("CARGO_BIN_EXE_waypost"))
        .args(["serve", "--config"])
        .arg(folder.join("waypost.toml"))
        .args(["--listen", &addr.to_string()])
        .env("XDG_STATE_HOME", folder)
        .env("RUST_LOG", "warn")
        .stdout(Stdio::null())
        .stderr(log(folder))
        .spawn()
        .unwrap();
    while get(addr, "/healthz").is_none() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "it does not serve"
        );
        thread::sleep(Duration::from_millis(2));
    }
    Proxy {
        addr,
        child,
        began: began.elapsed(),
    }
}

/// Runs the binary under eight clients, each call by a name of its own, and kills it after so many milliseconds.
pub(crate) fn killed_under_load(folder: &Path, round: usize, millis: u64) {
    let mut proxy = start(folder);
    let over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let (over, addr) = (Arc::clone(&over), proxy.addr);
            thread::spawn(move || {
                let mut number = 0;
                while !over.load(Ordering::Relaxed) {
                    call(addr, &format!("r{round}-{client}-{number}"));
                    number += 1;
                }
            })
        })
        .collect();
    thread::sleep(Duration::from_millis(millis));
    proxy.child.kill().unwrap();
    proxy.child.wait().unwrap();
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
}

/// Asks for one model; the answer's status and text, where there is one.
pub(crate) fn call(addr: SocketAddr, model: &str) -> Option<(u16, String)> {
    call_as(addr, model, MINE)
}

/// The same with another key.
pub(crate) fn call_as(addr: SocketAddr, model: &str, key: &str) -> Option<(u16, String)> {
    send(addr, &asking(model, key))
}

/// The same with a line more of head.
pub(crate) fn call_by(addr: SocketAddr, model: &str, line: &str) -> Option<(u16, String)> {
    send(
        addr,
        &asking(model, MINE).replacen("host: x\r\n", &format!("host: x\r\n{line}"), 1),
    )
}

/// Asks for one model and hangs up before the answer.
pub(crate) fn hang_up(addr: SocketAddr, model: &str) {
    let mut line = TcpStream::connect(addr).unwrap();
    line.write_all(asking(model, MINE).as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(fastrand::u64(0..20)));
}

/// The usual key.
const MINE: &str = "mine-canary";

fn asking(model: &str, key: &str) -> String {
    let body = format!(
        r#"{{"model":"mock/{model}","messages":[{{"role":"user","content":"prompt-canary"}}]}}"#
    );
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) fn get(addr: SocketAddr, path: &str) -> Option<(u16, String)> {
    get_by(addr, path, "")
}

/// The same with a line more of head.
pub(crate) fn get_by(addr: SocketAddr, path: &str, line: &str) -> Option<(u16, String)> {
    send(
        addr,
        &format!("GET {path} HTTP/1.1\r\nhost: x\r\n{line}connection: close\r\n\r\n"),
    )
}

fn send(addr: SocketAddr, text: &str) -> Option<(u16, String)> {
    let mut line = TcpStream::connect(addr).ok()?;
    line.write_all(text.as_bytes()).ok()?;
    let mut answer = String::new();
    line.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer))
}
