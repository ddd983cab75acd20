//! The proxy before two providers of the wall, a call through it, and what both sides saw.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use waypost::app::{App, Plan};
use waypost::config::Config;

use crate::does::Does;
use crate::support::{self, Reply};
use crate::wall::{Attempt, Waits, Wall};
use crate::words::{ANSWER, Dialect};

/// The dialects of the primary and of the fallback.
pub(crate) type Pair = (Dialect, Dialect);

/// Every dialect with itself, and each with another one.
pub(crate) const PAIRS: [Pair; 6] = [
    (Dialect::OpenAi, Dialect::OpenAi),
    (Dialect::Anthropic, Dialect::Anthropic),
    (Dialect::Gemini, Dialect::Gemini),
    (Dialect::OpenAi, Dialect::Anthropic),
    (Dialect::Anthropic, Dialect::Gemini),
    (Dialect::Gemini, Dialect::OpenAi),
];

pub(crate) const WAITS: Waits = Waits {
    retry_after: 1,
    slow: Duration::from_secs(6),
    stall: Duration::from_secs(6),
    down: Duration::from_secs(6),
};

/// The proxy with the providers `first` and `second`, which the wall plays.
pub(crate) struct House {
    pub(crate) app: App,
    pub(crate) wall: Wall,
    pair: Pair,
}

impl House {
    pub(crate) async fn new(pair: Pair, more: &str) -> Self {
        let wall = Wall::start(WAITS).await;
        let provider = |name: &str, dialect: Dialect| {
            format!(
                "[providers.{name}]\ndialect = \"{}\"\nbase_url = \"http://{}/{name}{}\"\napi_key = \"k\"\n",
                dialect.name(),
                wall.addr,
                dialect.base()
            )
        };
        let file = format!(
            "{}{}{more}",
            provider("first", pair.0),
            provider("second", pair.1)
        );
        let config = Config::parse(&file, Path::new("waypost.toml"), &|_| None).unwrap();
        let plan = Plan {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            record: None,
            play: None,
            config,
        };
        Self {
            app: App::start(plan).await.unwrap(),
            wall,
            pair,
        }
    }

    /// One call to a primary with a fallback.
    pub(crate) async fn call(&self, primary: Does, fallback: Does, streams: bool) -> Told {
        let model = format!("first/{}", primary.model());
        let list = format!("second/{}", fallback.model());
        self.ask(&model, &[("x-waypost-fallback", &list)], streams)
            .await
    }

    pub(crate) async fn ask(&self, model: &str, headers: &[(&str, &str)], streams: bool) -> Told {
        let mut body = json!({"model": model, "messages": [{"role": "user", "content": "What did the lamp do?"}]});
        if streams {
            body["stream"] = json!(true);
            body["stream_options"] = json!({"include_usage": true});
        }
        let (before, second) = (
            self.wall.seen("first").len(),
            self.wall.seen("second").len(),
        );
        let began = Instant::now();
        let reply = support::post(self.app.addr(), "/v1/chat/completions", headers, &body).await;
        let took = began.elapsed();
        Told {
            what: format!("{model}, {:?}, streams: {streams}", self.pair),
            primary: self.wall.seen("first").split_off(before),
            fallback: self.wall.seen("second").split_off(second),
            reply,
            took,
        }
    }
}

/// One fault for every pair of dialects, each in a house of its own; whatever happened, the next call finds it well.
pub(crate) async fn every(
    limits: &'static str,
    (does, fallback): (Does, Does),
    streams: &[bool],
    judge: fn(&Told),
) {
    let mut runs = Vec::new();
    for pair in PAIRS {
        for streamed in streams.iter().copied() {
            runs.push(tokio::spawn(async move {
                let house = House::new(pair, limits).await;
                judge(&house.call(does, fallback, streamed).await);
                let after = house.call(Does::Answers, Does::Answers, streamed).await;
                after.complete();
            }));
        }
    }
    for run in runs {
        run.await.unwrap();
    }
}

/// What came of one call.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) what: String,
    pub(crate) reply: Reply,
    pub(crate) took: Duration,
    pub(crate) primary: Vec<Attempt>,
    pub(crate) fallback: Vec<Attempt>,
}

impl Told {
    /// The events of a stream, or the one document.
    pub(crate) fn documents(&self) -> Vec<Value> {
        let kind = self.reply.header("content-type").unwrap_or_default();
        if !kind.starts_with("text/event-stream") {
            return vec![self.reply.json()];
        }
        let events = self.reply.events();
        let events = events.iter().filter(|data| *data != "[DONE]");
        events
            .map(|data| serde_json::from_str(data).expect(data))
            .collect()
    }

    /// The whole answer, word for word, told as a success.
    pub(crate) fn is_complete(&self) -> bool {
        let documents = self.documents();
        let text = |document: &Value| {
            let choice = &document["choices"][0];
            let content = choice["delta"]["content"]
                .as_str()
                .or_else(|| choice["message"]["content"].as_str());
            content.unwrap_or_default().to_owned()
        };
        let said: String = documents.iter().map(text).collect();
        let finished = documents
            .iter()
            .any(|one| one["choices"][0]["finish_reason"] == "stop");
        let streamed = documents.len() > 1;
        let done = !streamed
            || self
                .reply
                .events()
                .last()
                .is_some_and(|last| last == "[DONE]");
        let failed = documents.iter().any(|one| one.get("error").is_some());
        self.reply.status == 200
            && self.reply.clean
            && said == ANSWER
            && finished
            && done
            && !failed
    }

    pub(crate) fn usage(&self) -> Option<Value> {
        let documents = self.documents();
        let usage = documents.iter().rev().find(|one| one["usage"].is_object());
        usage.map(|one| one["usage"].clone())
    }

    pub(crate) fn waypost(&self) -> Value {
        let documents = self.documents();
        let told = documents.iter().find_map(|one| one.get("waypost"));
        told.cloned().unwrap_or_default()
    }

    /// The model that every part of the answer names.
    pub(crate) fn model(&self) -> String {
        let documents = self.documents();
        let mut models: Vec<&str> = documents
            .iter()
            .filter_map(|one| one["model"].as_str())
            .collect();
        models.dedup();
        assert_eq!(models.len(), 1, "{}: {models:?}", self.what);
        models[0].to_owned()
    }

    /// The primary and the fallback were asked so often.
    pub(crate) fn asked(&self, primary: usize, fallback: usize) {
        let asked = (self.primary.len(), self.fallback.len());
        assert_eq!(asked, (primary, fallback), "{}", self.what);
    }

    /// The whole answer came.
    pub(crate) fn complete(&self) {
        let (what, text) = (&self.what, self.reply.text());
        assert!(self.is_complete(), "{what}: {:?}\n{text}", self.primary);
    }

    /// The time between the first two attempts on the primary.
    pub(crate) fn gap(&self) -> Duration {
        self.primary[1].at.saturating_sub(self.primary[0].at)
    }

    /// How many attempts the primary got within a time after its first.
    pub(crate) fn within(&self, span: Duration) -> usize {
        let first = self.primary[0].at;
        self.primary
            .iter()
            .filter(|one| one.at < first + span)
            .count()
    }
}
