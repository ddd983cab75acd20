//! What a call came to: gathered on its way, told once at its end, however it ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::chat::{Tokens, json};
use crate::dialect::Report;
use crate::route::Reason;
use crate::route::hint::Metadata;

use super::shared::Shared;

/// The record of one call. Dropping it writes the one log line of the call and gives its place back.
#[derive(Debug)]
pub struct Trip {
    shared: Arc<Shared>,
    /// The id of the call, `req_…`.
    pub id: String,
    /// When it began.
    pub started: Instant,
    /// The targets of the plan, `provider/model`, in the order of trying; kept only to be told.
    pub planned: Vec<String>,
    /// Targets that failed, in order.
    pub failed: Vec<Tried>,
    /// How many attempts went upstream.
    pub sent: u32,
    /// The target that answers, or was tried last.
    pub provider: String,
    /// Its model.
    pub model: String,
    /// Why it was chosen.
    pub reason: Option<Reason>,
    /// What its translation could not carry over.
    pub report: Report,
    /// How much the answer tells.
    pub metadata: Metadata,
    /// Time spent before the first request went upstream.
    pub before: Duration,
    /// Time to the answer's head.
    pub head: Option<Duration>,
    /// Time to the first event.
    pub first: Option<Duration>,
    /// The usage told by the provider.
    pub tokens: Option<Tokens>,
    /// Events that could not be read.
    pub skipped: u32,
    /// How it ended.
    pub outcome: Outcome,
}

/// A target that failed.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Its provider.
    pub provider: String,
    /// Its model.
    pub model: String,
    /// The error code.
    pub cause: &'static str,
    /// Words about it.
    pub message: String,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The client went away.
    ClientGone,
    /// It was refused or failed with this code.
    Failed(&'static str),
    /// It was answered.
    Answered,
}

impl Trip {
    /// Begins a call that holds a place in `shared.load`.
    #[must_use]
    pub fn begin(shared: Arc<Shared>) -> Self {
        let started = shared.clock.now();
        let metadata = shared.settings.metadata;
        Self {
            shared,
            id: format!("req_{:032x}", fastrand::u128(..)),
            started,
            planned: Vec::new(),
            failed: Vec::new(),
            sent: 0,
            provider: String::new(),
            model: String::new(),
            reason: None,
            report: Report::default(),
            metadata,
            before: Duration::ZERO,
            head: None,
            first: None,
            tokens: None,
            skipped: 0,
            outcome: Outcome::ClientGone,
        }
    }

    /// The shared house.
    #[must_use]
    pub const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Notes that an attempt goes upstream now.
    pub fn sends(&mut self) {
        self.sent += 1;
        if self.sent == 1 {
            self.before = self.elapsed();
        }
    }

    /// Time since the call began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.shared
            .clock
            .now()
            .saturating_duration_since(self.started)
    }

    /// `provider/model:cause` of each target that failed.
    #[must_use]
    pub fn fallback_from(&self) -> Option<String> {
        let all: Vec<_> = self
            .failed
            .iter()
            .map(|t| format!("{}/{}:{}", t.provider, t.model, t.cause))
            .collect();
        (!all.is_empty()).then(|| all.join(", "))
    }

    /// The `waypost` object, unless the caller wants none.
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        if self.metadata == Metadata::Off {
            return None;
        }
        let mut out = Vec::with_capacity(256);
        out.push(b'{');
        text("provider", &self.provider, &mut out);
        text("model", &self.model, &mut out);
        text("route", self.reason.map_or("", Reason::as_str), &mut out);
        self.attempts(&mut out);
        if self.metadata == Metadata::Full {
            json::key("candidates", &mut out);
            list(self.planned.iter(), &mut out);
        }
        self.params(&mut out);
        json::member(
            "latency_ms",
            &self.elapsed().as_millis().to_string(),
            &mut out,
        );
        if let Some(first) = self.first {
            json::member("ttft_ms", &first.as_millis().to_string(), &mut out);
        }
        if self.tokens.is_none() && self.outcome == Outcome::Answered {
            text("usage", "missing", &mut out);
        }
        if self.skipped > 0 {
            json::member("skipped_events", &self.skipped.to_string(), &mut out);
        }
        text("request_id", &self.id, &mut out);
        out.push(b'}');
        String::from_utf8(out).ok()
    }

    fn attempts(&self, out: &mut Vec<u8>) {
        json::key("attempts", out);
        out.push(b'[');
        for tried in &self.failed {
            json::comma(out);
            out.push(b'{');
            text("provider", &tried.provider, out);
            text("model", &tried.model, out);
            text("outcome", tried.cause, out);
            out.push(b'}');
        }
        json::comma(out);
        out.push(b'{');
        text("provider", &self.provider, out);
        text("model", &self.model, out);
        text("outcome", "answered", out);
        out.extend_from_slice(b"}]");
    }

    fn params(&self, out: &mut Vec<u8>) {
        json::key("params", out);
        out.push(b'{');
        let lists = [
            ("dropped", &self.report.dropped),
            ("emulated", &self.report.emulated),
            ("clamped", &self.report.clamped),
        ];
        for (name, list) in lists {
            json::key(name, out);
            self::list(list.iter(), out);
        }
        out.push(b'}');
    }
}

fn list(entries: impl Iterator<Item = impl AsRef<str>>, out: &mut Vec<u8>) {
    out.push(b'[');
    for entry in entries {
        json::comma(out);
        json::quote(entry.as_ref(), out);
    }
    out.push(b']');
}

/// Whole microseconds.
fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn text(name: &str, value: &str, out: &mut Vec<u8>) {
    json::key(name, out);
    json::quote(value, out);
}

impl Drop for Trip {
    fn drop(&mut self) {
        self.shared.load.leave();
        let outcome = match self.outcome {
            Outcome::ClientGone => "client_gone",
            Outcome::Failed(code) => code,
            Outcome::Answered => "answered",
        };
        let tokens = self.tokens.unwrap_or_default();
        tracing::info!(
            request_id = self.id.as_str(),
            provider = self.provider.as_str(),
            model = self.model.as_str(),
            outcome,
            attempts = self.sent,
            fallback_from = self.fallback_from(),
            prompt_tokens = tokens.prompt,
            completion_tokens = tokens.completion,
            first_us = self.first.map(micros),
            total_us = micros(self.elapsed()),
            "call"
        );
    }
}
