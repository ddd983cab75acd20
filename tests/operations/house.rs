//! The real binary with a folder of its own, and a provider that plays answers.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use waypost::fixture::{Answer, Exchange, Pace, Play, Replay};
use waypost::store::sqlite::open_to_read;

use crate::support;

pub(crate) const CHAT: &str = "/v1/chat/completions";

/// How long anything may take before a test fails.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A question; `streamed` in its place asks for a stream.
pub(crate) const WHOLE: &str =
    r#"{"model":"lab/m","messages":[{"role":"user","content":"Hello"}]}"#;
pub(crate) const STREAMED: &str =
    r#"{"model":"lab/m","messages":[{"role":"user","content":"Hello"}],"stream":true}"#;

/// A whole answer.
pub(crate) fn whole(text: &str) -> Answer {
    let message = json!({"role": "assistant", "content": text});
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_795_500_000, "model": "m",
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    });
    Answer::json(200, body.to_string())
}

/// A stream of so many words; the first comes at once, the others `pace` apart.
pub(crate) fn stream(words: usize, pace: Duration) -> Answer {
    let chunk = |delta: Value, finish: Option<&str>| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        format!(
            "data: {}\n\n",
            json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]})
        )
    };
    let mut text = String::new();
    for word in 0..words {
        text += &chunk(json!({"content": format!("word{word} ")}), None);
    }
    text += &chunk(json!({}), Some("stop"));
    let usage =
        json!({"prompt_tokens": 100, "completion_tokens": words, "total_tokens": 100 + words});
    let last = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage});
    let text = format!("{text}data: {last}\n\ndata: [DONE]\n\n");
    let mut answer = Answer::events(&text);
    for word in 1..words {
        answer = answer.pause(word, pace);
    }
    answer
}

/// A provider that answers everything so.
pub(crate) async fn provider(play: impl Into<Play>) -> Replay {
    let exchanges = [Exchange::any("lab", play)];
    Replay::start(exchanges, Pace::Recorded).await.unwrap()
}

/// The table of a provider at an address.
pub(crate) fn lab(url: &str) -> String {
    format!(
        "[providers.lab]\ndialect = \"openai\"\nbase_url = \"{url}\"\napi_key = \"sk-lab-0123456789\"\n\
         [[models]]\nid = \"lab/m\"\nprice = {{ input = 1.0, output = 2.0 }}\nquality = 60\n"
    )
}

/// The running binary.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    pub(crate) folder: PathBuf,
    child: Child,
}

/// The binary under test: the one built with the tests, or one of a release for long runs.
fn binary() -> String {
    let other = std::env::var("WAYPOST_BINARY").map(std::path::absolute);
    match other {
        Ok(path) => path.unwrap().display().to_string(),
        Err(_) => env!("CARGO_BIN_EXE_waypost").to_owned(),
    }
}

/// A port that is free now.
pub(crate) fn free() -> SocketAddr {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    port.local_addr().unwrap()
}

impl Proxy {
    /// Starts it under a configuration, and waits until it serves.
    pub(crate) async fn start(config: &str) -> Self {
        Self::start_by("", config).await
    }

    /// The same from a shell that does something first.
    pub(crate) async fn start_by(first: &str, config: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("waypost-ops-{}", fastrand::u64(..)));
        std::fs::create_dir_all(&folder).unwrap();
        Self::run(first, folder, config).await
    }

    /// The same in a folder where another has been.
    pub(crate) async fn start_in(folder: &Path, config: &str) -> Self {
        Self::run("", folder.to_owned(), config).await
    }

    async fn run(first: &str, folder: PathBuf, config: &str) -> Self {
        std::fs::write(folder.join("waypost.toml"), config).unwrap();
        let addr = free();
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let line = format!("{first} exec \"$0\" serve --config waypost.toml --listen {addr}");
        let child = Command::new("/bin/sh")
            .args(["-c", &line, &binary()])
            .current_dir(&folder)
            .env("XDG_STATE_HOME", &folder)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let proxy = Self {
            addr,
            folder,
            child,
        };
        let began = Instant::now();
        while tokio::net::TcpStream::connect(addr).await.is_err() {
            assert!(began.elapsed() < SOON, "it does not serve: {}", proxy.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        proxy
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// Waits for a line of the log.
    pub(crate) async fn says(&self, words: &str) {
        self.says_times(words, 1).await;
    }

    /// Waits until some words were logged so often.
    pub(crate) async fn says_times(&self, words: &str, times: usize) {
        let began = Instant::now();
        while self.log().matches(words).count() < times {
            assert!(began.elapsed() < SOON, "no '{words}' in {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Writes another configuration.
    pub(crate) fn configure(&self, config: &str) {
        std::fs::write(self.folder.join("waypost.toml"), config).unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < SOON, "it does not end: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn get(&self, path: &str) -> support::Reply {
        support::get(self.addr, path, &[]).await
    }

    pub(crate) async fn ask(&self, body: &str) -> support::Reply {
        support::post_text(self.addr, CHAT, &[], body).await
    }

    /// The outcomes of all attempts in its ledger, and whether each has a cost.
    pub(crate) fn attempts(&self) -> Vec<(String, bool)> {
        let ledger = open_to_read(&self.folder.join("waypost/waypost.db")).unwrap();
        let mut rows = ledger
            .prepare("SELECT outcome, cost IS NOT NULL FROM attempts ORDER BY at")
            .unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        rows.unwrap().map(Result::unwrap).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Every figure by its name and labels; a line that is none fails.
pub(crate) fn figures(page: &str) -> BTreeMap<String, f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let figure = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect(line);
        (name.to_owned(), value.parse().expect(line))
    };
    lines.map(figure).collect()
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, holds: impl AsyncFnMut() -> bool) {
    until_within(SOON, what, holds).await;
}

/// The same with a patience of its own.
pub(crate) async fn until_within(
    patience: Duration,
    what: &str,
    mut holds: impl AsyncFnMut() -> bool,
) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < patience, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// One figure of a proxy.
pub(crate) async fn figure(proxy: &Proxy, name: &str) -> f64 {
    figures(&proxy.get("/metrics").await.text())[name]
}
