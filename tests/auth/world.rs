//! A world of one provider and whoever gives out credentials for it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use waypost::app::{App, Plan};
use waypost::config::Config;
use waypost::fixture::{Answer, Exchange, Pace, Replay, Seen};

use crate::support::{self, Reply};

/// Identities of each platform, for a provider of the user's own.
pub(crate) const AWS: &str =
    "identity = { aws = { service = \"bedrock\" } }\nregion = \"us-east-1\"\n";
pub(crate) const GOOGLE: &str =
    "identity = { google = { scope = \"https://www.googleapis.com/auth/cloud-platform\" } }\n";
pub(crate) const ENTRA: &str =
    "identity = { entra = { scope = \"https://cognitiveservices.azure.com/.default\" } }\n";

/// The proxy, and everybody it talks to.
pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) replay: Replay,
}

/// Everybody the proxy talks to: the provider `lab`, which answers, and `tokens`, which answers with this.
pub(crate) async fn others(tokens: Answer) -> Replay {
    let exchanges = vec![
        Exchange::any("lab", whole()),
        Exchange::any("tokens", tokens),
    ];
    Replay::start(exchanges, Pace::Recorded).await.unwrap()
}

/// The proxy with one provider, `lab`, that is called with an identity.
pub(crate) async fn world(replay: Replay, identity: &str, env: &[(&str, String)]) -> World {
    let config = config(&replay, identity, env).unwrap();
    let plan = Plan {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        record: None,
        play: None,
        config,
    };
    let app = App::start(plan).await.unwrap();
    World { app, replay }
}

pub(crate) fn config(
    replay: &Replay,
    identity: &str,
    env: &[(&str, String)],
) -> Result<Config, String> {
    let url = replay.url("lab");
    let file = format!("[providers.lab]\ndialect = \"openai\"\nbase_url = \"{url}\"\n{identity}");
    let env = |name: &str| {
        let row = env.iter().find(|(key, _)| *key == name)?;
        Some(row.1.clone())
    };
    Config::parse(&file, Path::new("waypost.toml"), &env).map_err(|problem| problem.to_string())
}

impl World {
    /// Asks the provider something.
    pub(crate) async fn ask(&self) -> Reply {
        ask(self.app.addr()).await
    }

    /// What the provider was sent.
    pub(crate) fn at_lab(&self) -> Vec<Seen> {
        self.seen("lab")
    }

    /// What the token server was sent.
    pub(crate) fn at_tokens(&self) -> Vec<Seen> {
        self.seen("tokens")
    }

    fn seen(&self, who: &str) -> Vec<Seen> {
        let seen = self.replay.seen();
        seen.into_iter()
            .filter(|seen| seen.provider == who)
            .collect()
    }
}

/// Asks the provider something.
pub(crate) async fn ask(addr: SocketAddr) -> Reply {
    let question = json!({"model": "lab/m", "messages": [{"role": "user", "content": "Hello"}]});
    support::post(addr, "/v1/chat/completions", &[], &question).await
}

/// A whole answer in OpenAI's form.
pub(crate) fn whole() -> Answer {
    let message = json!({"role": "assistant", "content": "Hi there"});
    let body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_795_500_000, "model": "m",
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    });
    Answer::json(200, body.to_string())
}

/// A token that holds for so many seconds.
pub(crate) fn token(text: &str, life: u64) -> Answer {
    let body = json!({"access_token": text, "expires_in": life, "token_type": "Bearer"});
    Answer::json(200, body.to_string())
}

pub(crate) fn header<'a>(seen: &'a Seen, name: &str) -> &'a str {
    seen.headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// A file of its own for a test.
pub(crate) fn file(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("waypost-auth-{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

/// The one error a client sees where a credential is the trouble.
pub(crate) fn trouble(reply: &Reply) -> String {
    let body: Value = reply.json();
    assert_eq!(reply.status, 502, "{body}");
    assert_eq!(body["error"]["code"], "upstream_auth_error", "{body}");
    assert_eq!(reply.header("x-should-retry"), Some("false"));
    body["error"]["message"].as_str().unwrap().to_owned()
}
