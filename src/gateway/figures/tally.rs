//! The figures of one target: found once, then plain atomics.

use std::sync::OnceLock;
use std::time::Duration;

use prometheus::{Counter, Histogram, IntCounter};

use crate::account::Money;
use crate::chat::{Code, Tokens};

use super::families::Figures;

/// Words for outcomes beside the codes of errors.
const WORDS: [&str; 3] = ["answered", "client_gone", "repeated"];
/// What no word is known for.
const OTHER: &str = "other";

/// A target's names, as labels have them.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The provider.
    pub provider: &'a str,
    /// The model.
    pub model: &'a str,
    /// What is asked of it, in the convention's words.
    pub operation: &'static str,
}

/// The figures of one target.
#[derive(Debug)]
pub struct Tally {
    figures: Figures,
    provider: Box<str>,
    model: Box<str>,
    /// By word and code; those that never came are not there.
    outcomes: Box<[OnceLock<IntCounter>]>,
    attempts: IntCounter,
    retries: IntCounter,
    fallbacks: IntCounter,
    tokens: [IntCounter; 5],
    cost: Counter,
    usage: [Histogram; 2],
    duration: Histogram,
    first: Histogram,
    each: Histogram,
    rate: Histogram,
}

/// Times of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// From the beginning of the call to its end.
    pub whole: Duration,
    /// To the first event, where it was streamed.
    pub first: Option<Duration>,
    /// Tokens of output.
    pub output: u64,
}

impl Tally {
    /// The figures of a target.
    #[must_use]
    pub fn of(figures: &Figures, target: Target<'_>) -> Self {
        let Target {
            provider,
            model,
            operation,
        } = target;
        let own = [provider, model];
        let otel = [operation, provider, model];
        let kind = |kind| {
            figures
                .calls
                .tokens
                .with_label_values(&[provider, model, kind])
        };
        let usage = |kind| {
            let labels = [operation, provider, model, kind];
            figures.spans.usage.with_label_values(&labels)
        };
        Self {
            figures: figures.clone(),
            provider: provider.into(),
            model: model.into(),
            outcomes: (0..=WORDS.len() + Code::ALL.len())
                .map(|_| OnceLock::new())
                .collect(),
            attempts: figures.calls.attempts.with_label_values(&own),
            retries: figures.calls.retries.with_label_values(&own),
            fallbacks: figures.calls.fallbacks.with_label_values(&own),
            tokens: [
                kind("input"),
                kind("cached_input"),
                kind("cache_write"),
                kind("output"),
                kind("reasoning"),
            ],
            cost: figures.calls.cost.with_label_values(&own),
            usage: [usage("input"), usage("output")],
            duration: figures.spans.duration.with_label_values(&otel),
            first: figures.spans.first.with_label_values(&otel),
            each: figures.spans.each.with_label_values(&otel),
            rate: figures.spans.rate.with_label_values(&own),
        }
    }

    /// A request leaves for it.
    pub fn attempt(&self) {
        self.attempts.inc();
    }

    /// It left for it before, within the same call.
    pub fn retry(&self) {
        self.retries.inc();
    }

    /// A call goes on from it to another.
    pub fn fallback(&self) {
        self.fallbacks.inc();
    }

    /// A call ended.
    pub fn ended(&self, outcome: &'static str) {
        let known = WORDS.iter().copied();
        let known = known.chain(Code::ALL.iter().map(|code| code.row().code));
        let at = known.enumerate().find(|(_, word)| *word == outcome);
        let (at, word) = at.unwrap_or((WORDS.len() + Code::ALL.len(), OTHER));
        let Some(place) = self.outcomes.get(at) else {
            return;
        };
        let labels = [&*self.provider, &*self.model, word];
        let counter = place.get_or_init(|| self.figures.calls.requests.with_label_values(&labels));
        counter.inc();
    }

    /// What was billed.
    pub fn billed(&self, tokens: &Tokens, money: Option<Money>) {
        let counts = [
            tokens.prompt,
            tokens.cached.unwrap_or(0),
            tokens.cache_write.unwrap_or(0),
            tokens.completion,
            tokens.reasoning.unwrap_or(0),
        ];
        for (counter, count) in self.tokens.iter().zip(counts) {
            counter.inc_by(count);
        }
        let [input, output] = &self.usage;
        input.observe(float(tokens.prompt));
        output.observe(float(tokens.completion));
        if let Some(money) = money {
            self.cost.inc_by(float(money.as_nano()) / 1e9);
        }
    }

    /// How long an answer took.
    pub fn took(&self, times: Times) {
        self.duration.observe(times.whole.as_secs_f64());
        let Some(first) = times.first else {
            return;
        };
        self.first.observe(first.as_secs_f64());
        let rest = times.whole.saturating_sub(first).as_secs_f64();
        if times.output > 1 && rest > 0.0 {
            let each = rest / float(times.output - 1);
            self.each.observe(each);
            self.rate.observe(1.0 / each);
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "figures for graphs; the ledger keeps the exact ones"
)]
fn float(count: u64) -> f64 {
    count as f64
}
