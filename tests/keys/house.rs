//! The whole proxy with keys, a ledger on disk, and providers that are played on real sockets.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use waypost::account::{Money, Purse};
use waypost::app::{App, Plan, Setting};
use waypost::config::Config;
use waypost::fixture::{Answer, Exchange, Pace, Replay};
use waypost::gateway::clock::Clock;

use crate::support::{self, Live, Reply};

pub(crate) const CHAT: &str = "/v1/chat/completions";

/// Noon of 2026-11-25, UTC.
pub(crate) const DAY: u64 = 1_795_608_000;

/// Held by tests that bring a crowd: two of them at once would measure each other.
pub(crate) static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// What every model of this house costs: ten dollars for a million tokens of output, nothing for the prompt. But `o`,
/// which speaks in the tokens of `o200k`, takes two and a half for that.
const MODELS: &str = r#"
[[models]]
id = "deepseek/o"
family = "gpt-4.1-mini"
max_output = 100000
price = { input = 2.5, output = 10.0 }
[[models]]
id = "deepseek/m"
max_output = 100000
price = { input = 0.0, output = 10.0 }
[[models]]
id = "mistral/n"
max_output = 100000
price = { input = 0.0, output = 10.0 }
"#;

/// A proxy, the providers behind it, and its folder.
pub(crate) struct House {
    pub(crate) app: App,
    pub(crate) providers: Replay,
    pub(crate) folder: PathBuf,
}

/// A house with these keys, and providers that answer so. Deepseek can be cut, mistral cannot.
pub(crate) async fn house(exchanges: Vec<Exchange>, config: &str) -> House {
    let providers = Replay::start(exchanges, Pace::Recorded).await.unwrap();
    let folder = std::env::temp_dir().join(format!("waypost-keys-{}", fastrand::u64(..)));
    std::fs::create_dir_all(&folder).unwrap();
    let app = start(&providers, &folder, config).await;
    House {
        app,
        providers,
        folder,
    }
}

impl House {
    /// The same house after a restart.
    pub(crate) async fn again(self, config: &str) -> Self {
        let Self {
            app,
            providers,
            folder,
        } = self;
        app.stop().await;
        let app = start(&providers, &folder, config).await;
        Self {
            app,
            providers,
            folder,
        }
    }

    /// Puts another configuration in the place of the one that runs.
    pub(crate) async fn reload(&self, config: &str) {
        let config = read(&self.providers, &self.folder, config);
        self.app.reload(config).await.unwrap();
    }

    /// Asks with a key.
    pub(crate) async fn ask(&self, key: &str, body: &Value) -> Reply {
        self.open(key, body).await.collect().await
    }

    /// Asks with a key and waits for the head.
    pub(crate) async fn open(&self, key: &str, body: &Value) -> Live {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        support::open(self.app.addr(), CHAT, &headers, &body.to_string()).await
    }

    /// Asks for a path with a key.
    pub(crate) async fn get(&self, key: &str, path: &str) -> Reply {
        let bearer = format!("Bearer {key}");
        support::get(self.app.addr(), path, &[("authorization", &bearer)]).await
    }

    /// How many requests reached a provider.
    pub(crate) fn sent(&self) -> usize {
        self.providers.seen().len()
    }

    /// A purse once nothing is reserved in it any more.
    pub(crate) async fn settled(&self, purse: &str) -> Purse {
        for _ in 0..1_000 {
            let found = self.app.purse(purse).await;
            if let Some(found) = found.filter(|found| found.reserved().is_zero()) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("'{purse}' has {:?}", self.app.purse(purse).await);
    }

    /// What the ledger has of all attempts, once the house is closed.
    pub(crate) async fn noted(self) -> Money {
        self.app.stop().await;
        let ledger = waypost::store::sqlite::open_to_read(&self.folder.join("waypost.db")).unwrap();
        let sums = waypost::store::sqlite::party::sums(&ledger, 0).unwrap();
        sums.iter().map(|sum| sum.cost).sum()
    }
}

fn read(providers: &Replay, folder: &Path, config: &str) -> Config {
    let ledger = folder.join("waypost.db");
    let text = format!(
        "auth = \"keys\"\n{config}\n{MODELS}\n[ledger]\npath = \"{}\"\n[providers.deepseek]\nbase_url = \"{}\"\n\
         api_key = \"upstream-canary\"\n[providers.mistral]\nbase_url = \"{}/v1\"\napi_key = \"upstream-canary\"\n",
        ledger.display(),
        providers.url("deepseek"),
        providers.url("mistral"),
    );
    let config = Config::parse(&text, Path::new("waypost.toml"), &|_| None);
    config.unwrap_or_else(|problem| panic!("{problem}\n{text}"))
}

async fn start(providers: &Replay, folder: &Path, config: &str) -> App {
    let plan = Plan {
        listen: ([127, 0, 0, 1], 0).into(),
        record: None,
        play: None,
        config: read(providers, folder, config),
    };
    let setting = Setting {
        clock: Clock::fixed(DAY),
        state: None,
    };
    App::start_with(plan, setting).await.unwrap()
}

/// A key whose secret is its name, twenty times.
pub(crate) fn key(name: &str, more: &str) -> String {
    format!(
        "[[keys]]\nname = \"{name}\"\nsecret = \"{}\"\n{more}\n",
        secret(name)
    )
}

/// The secret of a key.
pub(crate) fn secret(name: &str) -> String {
    name.repeat(20)
}

pub(crate) fn question(model: &str, more: &Value) -> Value {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "Say hello."}]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// A whole answer of so many tokens.
pub(crate) fn whole(completion: u64) -> Answer {
    let message = json!({"role": "assistant", "content": "Hi there"});
    let body = json!({
        "id": "c", "object": "chat.completion", "created": 1_795_500_000, "model": "m",
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}],
        "usage": usage(completion)
    });
    Answer::json(200, body.to_string())
}

fn usage(completion: u64) -> Value {
    json!({"prompt_tokens": 10, "completion_tokens": completion, "total_tokens": completion + 10})
}

fn chunk(delta: &Value, finish: Option<&str>) -> String {
    let chunk = json!({
        "id": "c", "object": "chat.completion.chunk", "created": 1_795_500_000, "model": "m",
        "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]
    });
    format!("data: {chunk}\n\n")
}

/// A stream that says each of the texts and tells its usage.
pub(crate) fn streamed(texts: impl Iterator<Item = impl Into<Value>>, completion: u64) -> Answer {
    let mut out = chunk(&json!({"role": "assistant", "content": ""}), None);
    for text in texts {
        let text: Value = text.into();
        out.push_str(&chunk(&json!({"content": text}), None));
    }
    out.push_str(&chunk(&json!({}), Some("stop")));
    let told = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [], "usage": usage(completion)});
    let end = format!("data: {told}\n\ndata: [DONE]\n\n");
    Answer::events(&(out + &end))
}

/// The code of an error's answer.
pub(crate) fn code(reply: &Reply) -> String {
    let code = &reply.json()["error"]["code"];
    code.as_str().unwrap_or_default().to_owned()
}
