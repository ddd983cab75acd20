//! What a call has passed, and how its caller's limits stand.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::account::limit::Standing;
use crate::store::Counters;
use crate::store::counters::{Entered, Gated, Refused};

use super::clock::Clock;

/// The gates that a call has passed. Dropping it gives its places back, and the tokens that were not used.
#[derive(Debug)]
pub struct Pass {
    counters: Arc<Counters>,
    clock: Clock,
    gates: Vec<Gated>,
    taken: u64,
    used: u64,
}

/// How the limits of a caller stand, as its answer tells it.
#[derive(Debug, Default)]
pub struct Told(Mutex<Entered>);

impl Pass {
    /// A pass to nothing yet.
    #[must_use]
    pub const fn new(counters: Arc<Counters>, clock: Clock) -> Self {
        Self {
            counters,
            clock,
            gates: Vec::new(),
            taken: 0,
            used: 0,
        }
    }

    /// Notes that a place in these gates was taken.
    pub fn entered(&mut self, gates: &[Gated]) {
        self.gates.extend_from_slice(gates);
    }

    /// Takes tokens in all of its gates.
    ///
    /// # Errors
    /// The gate that is closed.
    pub async fn take(&mut self, count: u64, now: u64) -> Result<Option<Standing>, Refused> {
        let taken = self.counters.take_tokens(&self.gates, count, now);
        let standing = taken.await?;
        self.taken = count;
        Ok(standing)
    }

    /// Says how many tokens the call has used.
    pub const fn used(&mut self, tokens: u64) {
        self.used = tokens;
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let now = self.clock.moment().as_millis();
        if self.taken != self.used {
            let count = (self.taken, self.used);
            self.counters.correct_tokens(&self.gates, count, now);
        }
        self.counters.leave(&self.gates);
    }
}

impl Told {
    /// Notes how requests stand.
    pub fn requests(&self, standing: Option<Standing>) {
        self.note(|entered| &mut entered.requests, standing);
    }

    /// Notes how tokens stand.
    pub fn tokens(&self, standing: Option<Standing>) {
        self.note(|entered| &mut entered.tokens, standing);
    }

    /// Keeps the tighter of what was known and what is new.
    fn note(&self, which: fn(&mut Entered) -> &mut Option<Standing>, standing: Option<Standing>) {
        let Some(standing) = standing else { return };
        let mut entered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = which(&mut entered);
        let tighter = known.filter(|known| known.remaining < standing.remaining);
        *known = Some(tighter.unwrap_or(standing));
    }

    /// Tells it as OpenAI spells it.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let entered = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let names = [(entered.requests, REQUESTS), (entered.tokens, TOKENS)];
        for (standing, [limit, remaining, reset]) in names {
            let Some(standing) = standing else { continue };
            headers.insert(HeaderName::from_static(limit), standing.limit.into());
            headers.insert(
                HeaderName::from_static(remaining),
                standing.remaining.into(),
            );
            if let Ok(span) = HeaderValue::try_from(Span(standing.reset).to_string()) {
                headers.insert(HeaderName::from_static(reset), span);
            }
        }
    }
}

const REQUESTS: [&str; 3] = [
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
];

const TOKENS: [&str; 3] = [
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
];

/// A span as OpenAI writes it: `120ms`, `1s`, `6m0s`; parts of a millisecond are a whole one.
#[derive(Clone, Copy, Debug)]
pub struct Span(pub Duration);

impl std::fmt::Display for Span {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = self.0.as_nanos().div_ceil(1_000_000);
        let (seconds, rest) = (millis / 1_000, millis % 1_000);
        let (minutes, seconds) = (seconds / 60, seconds % 60);
        match (minutes, seconds, rest) {
            (0, 0, rest) => write!(formatter, "{rest}ms"),
            (0, seconds, 0) => write!(formatter, "{seconds}s"),
            (0, seconds, rest) => write!(formatter, "{seconds}.{rest:03}s"),
            (minutes, seconds, 0) => write!(formatter, "{minutes}m{seconds}s"),
            (minutes, seconds, rest) => write!(formatter, "{minutes}m{seconds}.{rest:03}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_openai_writes_them() {
        let table = [
            (0, "0ms"),
            (120, "120ms"),
            (1_000, "1s"),
            (8_640, "8.640s"),
            (360_000, "6m0s"),
        ];
        for (millis, written) in table {
            assert_eq!(Span(Duration::from_millis(millis)).to_string(), written);
        }
        assert_eq!(Span(Duration::from_nanos(1)).to_string(), "1ms");
    }
}
