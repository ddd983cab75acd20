//! A proxy before the wall, one call through it, and what is to be held of the answer.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use waypost::app::{App, Plan};
use waypost::config::Config;

use crate::support::{self, Reply};
use crate::wall::{Attempt, Does, Waits, Wall};
use crate::words::{ANSWER, ANSWER_TOKENS, Dialect, PROMPT_TOKENS};

/// The primary, and the one that follows it.
pub(crate) const FIRST: &str = "first";
pub(crate) const SECOND: &str = "second";

/// How an answer is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Whole,
    Stream,
}

pub(crate) const SHAPES: [Shape; 2] = [Shape::Whole, Shape::Stream];

/// Everything that stands, but for the limits on silence: they are shorter.
const LIMITS: &str = "[resilience]\nttft_timeout = \"400ms\"\nstall_timeout = \"400ms\"\n";

const WAITS: Waits = Waits {
    retry_after: 1,
    slow: Duration::from_millis(1_500),
    stall: Duration::from_secs(5),
    down: Duration::from_millis(2_500),
};

/// A proxy with two providers behind it.
pub(crate) struct House {
    pub(crate) wall: Wall,
    app: App,
    pair: (Dialect, Dialect),
}

/// Every pair of dialects.
pub(crate) fn pairs() -> Vec<(Dialect, Dialect)> {
    let all = Dialect::ALL;
    let with = |first: Dialect| all.into_iter().map(move |second| (first, second));
    all.into_iter().flat_map(with).collect()
}

impl House {
    pub(crate) async fn start((first, second): (Dialect, Dialect)) -> Self {
        let wall = Wall::start(WAITS).await;
        let provider = |name: &str, dialect: Dialect| {
            format!(
                "[providers.{name}]\ndialect = \"{}\"\nbase_url = \"http://{}/{name}{}\"\napi_key = \"sk-x\"\n",
                dialect.name(),
                wall.addr,
                dialect.base()
            )
        };
        let text = provider(FIRST, first) + &provider(SECOND, second) + LIMITS;
        let config = Config::parse(&text, Path::new("waypost.toml"), &|_| None).unwrap();
        let plan = Plan {
            listen: ([127, 0, 0, 1], 0).into(),
            record: None,
            play: None,
            config,
        };
        let app = App::start(plan).await.unwrap();
        Self {
            wall,
            app,
            pair: (first, second),
        }
    }

    /// One call to the primary, with one fallback named.
    pub(crate) async fn ask(&self, first: Does, second: Does, shape: Shape) -> Asked {
        let body = json!({
            "model": format!("{FIRST}/{}", first.model()),
            "messages": [{"role": "user", "content": "Tell me of the lighthouse."}],
            "stream": shape == Shape::Stream,
            "stream_options": (shape == Shape::Stream).then(|| json!({"include_usage": true})),
        });
        let fallback = format!("{SECOND}/{}", second.model());
        let (before, began) = (self.wall.seen(FIRST).len(), Instant::now());
        let headers = [("x-waypost-fallback", fallback.as_str())];
        let reply = support::post(self.app.addr(), "/v1/chat/completions", &headers, &body).await;
        Asked {
            took: began.elapsed(),
            attempts: self.wall.seen(FIRST).split_off(before),
            why: format!("{:?} {first:?} {shape:?}", self.pair),
            reply,
            shape,
        }
    }
}

/// A call and what came of it.
pub(crate) struct Asked {
    pub(crate) reply: Reply,
    pub(crate) took: Duration,
    /// What the primary saw of it.
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) why: String,
    shape: Shape,
}

impl Asked {
    /// The whole answer came, once, and is that of one of the two.
    pub(crate) fn is_of(&self, provider: &str, model: Does) {
        let why = &self.why;
        assert_eq!(self.reply.status, 200, "{why}: {}", self.reply.text());
        assert!(self.reply.clean, "{why}: the connection broke");
        let (text, finish, last) = match self.shape {
            Shape::Whole => {
                let whole = self.reply.json();
                let choice = &whole["choices"][0];
                (
                    said(&choice["message"]),
                    choice["finish_reason"].clone(),
                    whole.clone(),
                )
            }
            Shape::Stream => self.streamed(),
        };
        assert_eq!(text, ANSWER, "{why}");
        assert_eq!(finish, "stop", "{why}");
        assert_eq!(
            last["usage"]["prompt_tokens"], PROMPT_TOKENS,
            "{why}: {last}"
        );
        assert_eq!(
            last["usage"]["completion_tokens"], ANSWER_TOKENS,
            "{why}: {last}"
        );
        let told = &last["waypost"];
        assert_eq!(
            (&told["provider"], &told["model"]),
            (&json!(provider), &json!(model.model())),
            "{why}: {last}"
        );
    }

    /// All text of a stream, its finish reason and its last chunk. It ends as it should.
    fn streamed(&self) -> (String, Value, Value) {
        let mut events = self.reply.events();
        assert_eq!(events.pop().as_deref(), Some("[DONE]"), "{}", self.why);
        let chunks: Vec<Value> = events
            .iter()
            .map(|event| serde_json::from_str(event).unwrap())
            .collect();
        let deltas = chunks
            .iter()
            .map(|chunk| said(&chunk["choices"][0]["delta"]));
        let finishes = chunks
            .iter()
            .map(|chunk| &chunk["choices"][0]["finish_reason"]);
        let mut finishes = finishes.filter(|finish| !finish.is_null());
        let finish = finishes.next().unwrap().clone();
        assert_eq!(finishes.next(), None, "{}: it ends once", self.why);
        assert!(
            chunks.iter().all(|chunk| chunk["id"] == chunks[0]["id"]),
            "{}: one id",
            self.why
        );
        (deltas.collect(), finish, chunks.last().unwrap().clone())
    }

    /// How often the primary was asked.
    pub(crate) fn asked_primary(&self, times: std::ops::RangeInclusive<usize>) {
        assert!(
            times.contains(&self.attempts.len()),
            "{}: {} attempts",
            self.why,
            self.attempts.len()
        );
    }

    /// It took no longer.
    pub(crate) fn within(&self, most: Duration) {
        assert!(self.took <= most, "{}: it took {:?}", self.why, self.took);
    }
}

fn said(of: &Value) -> String {
    of["content"].as_str().unwrap_or_default().to_owned()
}
