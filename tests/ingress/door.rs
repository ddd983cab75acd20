//! Ways in: a proxy with one obliging provider, raw bytes, and the form of every refusal.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use waypost::app::App;
use waypost::config::Config;
use waypost::fixture::{Answer, Exchange};

use crate::support::{self, Reply};

pub(crate) const CHAT: &str = "/v1/chat/completions";

/// A question that is answered.
pub(crate) const GOOD: &str =
    r#"{"model":"openai/m","messages":[{"role":"user","content":"Hello"}]}"#;

/// A whole answer in OpenAI's form.
pub(crate) fn answer() -> Answer {
    let message = json!({"role": "assistant", "content": "Hi there"});
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_795_500_000, "model": "m",
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}]
    });
    Answer::json(200, body.to_string())
}

/// A proxy whose providers answer everything.
pub(crate) async fn open_house() -> App {
    house_of(Config::bare().unwrap()).await
}

/// The same under a configuration.
pub(crate) async fn house_of(config: Config) -> App {
    let names = ["openai", "groq", "anthropic"];
    let exchanges = names.map(|name| Exchange::any(name, answer()));
    support::app_with(exchanges.to_vec(), config).await
}

/// How many requests reached a provider.
pub(crate) fn sent(app: &App) -> usize {
    app.replay().unwrap().seen().len()
}

/// Checks that a refusal has OpenAI's form and our own headers, and gives back its `error` object.
pub(crate) fn error(reply: &Reply) -> Value {
    let body = reply.json();
    let error = &body["error"];
    let keys: Vec<_> = error.as_object().expect("an error object").keys().collect();
    assert_eq!(keys, ["message", "type", "param", "code"], "{body}");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(!message.is_empty(), "{body}");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(matches!(
        reply.header("x-should-retry"),
        Some("true" | "false")
    ));
    let id = reply.header("x-request-id").unwrap_or_default();
    assert!(id.starts_with("req_"), "{id}");
    error.clone()
}

/// Checks a refusal that nothing was sent for.
pub(crate) fn refused(app: &App, reply: &Reply, status: u16, code: &str) -> Value {
    let error = error(reply);
    assert_eq!(
        (reply.status, &error["code"]),
        (status, &json!(code)),
        "{error}"
    );
    assert_eq!(sent(app), 0, "{error}");
    error
}

pub(crate) async fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// What comes until the connection ends, or is silent for two seconds.
pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut some = [0; 4096];
    while let Ok(Ok(read @ 1..)) =
        tokio::time::timeout(Duration::from_secs(2), stream.read(&mut some)).await
    {
        all.extend_from_slice(&some[..read]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Sends bytes as they stand and reads to the end of the connection.
pub(crate) async fn raw(addr: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = connect(addr).await;
    // The proxy may answer and close before it has everything.
    let _ = stream.write_all(bytes).await;
    read_all(&mut stream).await
}

/// The status of a raw answer.
pub(crate) fn status(answer: &str) -> u16 {
    let word = answer.split(' ').nth(1).unwrap_or_default();
    word.parse().unwrap_or_default()
}
