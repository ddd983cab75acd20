//! One attempt under watch: how it ends goes into the statistics of its endpoint, however it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::chat::{Code, Tokens};
use crate::dialect::codec::Again;
use crate::dialect::{Failure, Fault};
use crate::route::health::{Answer, Failing, Flight, Outcome, Seat};
use crate::route::moment::Moment;

use super::ending::Heard;
use super::failed::Lost;
use super::headroom;
use super::shared::Shared;
use super::spans::Open;

/// Watches one attempt. Dropped without a word on how it ended, it says nothing of the endpoint's health.
#[derive(Debug)]
pub struct Watch {
    shared: Arc<Shared>,
    under: Under,
    began: Instant,
    /// Completion tokens that the plan took for typical, and cached ones that it expected.
    expected: (u64, u64),
    keys: Keys,
    span: Option<Box<Open>>,
    told: bool,
}

/// By how many keys a provider is called: what it says of the limits of one says nothing of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// One of ours.
    One,
    /// Several, or those of callers.
    Several,
}

/// What is under watch.
#[derive(Debug)]
pub enum Under {
    /// An endpoint of the board.
    Listed(Flight),
    /// A model that no list has, since when, and how many calls to it were under way then.
    Stranger(Seat, Moment, u32),
}

impl Under {
    /// A call to an endpoint of the board that begins now.
    #[must_use]
    pub fn listed(shared: &Shared, endpoint: usize) -> Self {
        let (pilot, now) = (&shared.pilot, shared.clock.moment());
        Self::Listed(pilot.vitals.begin(&pilot.board, endpoint, now))
    }

    /// A call to a model that no list has.
    #[must_use]
    pub fn stranger(shared: &Shared, name: &str) -> Self {
        let (pilot, now) = (&shared.pilot, shared.clock.moment());
        let seat = pilot.vitals.seat(&pilot.board, None, name);
        let in_flight = seat.begin(now);
        Self::Stranger(seat, now, in_flight)
    }
}

impl Watch {
    /// Begins to watch an attempt.
    #[must_use]
    pub fn begin(shared: &Arc<Shared>, under: Under, keys: Keys, expected: (u64, u64)) -> Self {
        Self {
            under,
            shared: Arc::clone(shared),
            began: shared.clock.now(),
            expected,
            keys,
            span: None,
            told: false,
        }
    }

    /// The same, with a span that is told at its end.
    #[must_use]
    pub fn told_as(mut self, span: Option<Box<Open>>) -> Self {
        self.span = span;
        self
    }

    /// Its span.
    #[must_use]
    pub fn open(&self) -> Option<&Open> {
        self.span.as_deref()
    }

    /// Notes what a head says of limits, in OpenAI's words for them.
    pub fn head(&self, carried: &[(&'static str, String)]) {
        let Some(left) = headroom::left(carried).filter(|_| self.keys == Keys::One) else {
            return;
        };
        let (pilot, now) = (&self.shared.pilot, self.shared.clock.moment());
        match &self.under {
            Under::Listed(flight) => pilot.vitals.head(&pilot.board, *flight, now, left),
            Under::Stranger(seat, ..) => seat.head(now, left),
        }
    }

    /// It was answered; `first` is when something was first said, where that was before the end.
    pub fn answered(mut self, heard: &Heard, first: Option<Instant>) {
        let whole = self.since_begin(self.shared.clock.now());
        let wait = first.map_or(whole, |first| self.since_begin(first).min(whole));
        let tokens = heard.tokens.unwrap_or_default();
        let cached = tokens.cached.unwrap_or(0);
        let (typical, hoped) = self.expected;
        let hidden = tokens.reasoning.filter(|_| !heard.thought_aloud);
        self.ends(None, heard.tokens);
        self.tell(&Outcome::Answered(Answer {
            wait,
            whole,
            fresh: tokens.prompt.saturating_sub(cached),
            output: tokens.completion,
            hidden: hidden.unwrap_or(0),
            typical,
            cached: (hoped > 0).then_some((hoped, cached)),
        }));
    }

    /// It was lost before anything was shown.
    pub fn lost(mut self, lost: &Lost) {
        let waited = self.since_begin(self.shared.clock.now());
        let outcome = match lost {
            Lost::Refused(_) => Outcome::Void,
            Lost::Failed(failure, _) => outcome(failure, waited),
        };
        let code = match lost {
            Lost::Refused(error) => error.code,
            Lost::Failed(failure, _) => failure.code,
        };
        self.ends(Some(code), None);
        self.tell(&outcome);
    }

    /// It broke off after something was shown.
    pub fn broke(mut self, code: Code) {
        self.ends(Some(code), None);
        let after = self.since_begin(self.shared.clock.now());
        let what = match code {
            // Whoever was given next to no time by its caller has not been silent.
            Code::UpstreamTimeout if after < PATIENCE => return,
            Code::StreamIdle | Code::UpstreamTimeout => Failing::Silent,
            Code::StreamTruncated => Failing::Truncated,
            Code::UpstreamInvalidResponse => Failing::Malformed,
            // Our own limits and our own end say nothing of the provider.
            Code::StreamTotal | Code::ServerShuttingDown => return,
            _ => Failing::Server,
        };
        self.tell(&Outcome::Failed { what, after });
    }

    fn since_begin(&self, then: Instant) -> u64 {
        let span = then.saturating_duration_since(self.began);
        in_millis(span)
    }

    /// Tells its span.
    fn ends(&mut self, error: Option<Code>, tokens: Option<Tokens>) {
        let (open, now) = (self.span.take(), self.shared.clock.now());
        let error = error.map(|code| code.row().code);
        self.shared.spans.ended(open, now, (error, tokens));
    }

    fn tell(&mut self, outcome: &Outcome) {
        self.told = true;
        let (pilot, now) = (&self.shared.pilot, self.shared.clock.moment());
        match &self.under {
            Under::Listed(flight) => pilot.vitals.observe(&pilot.board, *flight, now, outcome),
            Under::Stranger(seat, began, in_flight) => seat.end(now, outcome, (*began, *in_flight)),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Its caller left, or it was not needed: that is nobody's error.
        self.ends(None, None);
        if !self.told {
            self.tell(&Outcome::Void);
        }
    }
}

/// Milliseconds of silence that say something of an endpoint, whatever its caller's patience.
const PATIENCE: u64 = 5_000;

/// What a failure says of an endpoint's health.
fn outcome(failure: &Failure, waited: u64) -> Outcome {
    let again_in = match failure.again {
        Again::After(wait) => Some(in_millis(wait)),
        Again::Soon | Again::No => None,
    };
    let limited = matches!(
        failure.code,
        Code::RateLimitExceeded | Code::InsufficientQuota
    );
    // Whoever was given next to no time by its caller has not been silent.
    let hurried =
        failure.code == Code::UpstreamTimeout && failure.again == Again::No && waited < PATIENCE;
    match failure.fault {
        _ if hurried => Outcome::Void,
        _ if limited => Outcome::Limited { again_in },
        Fault::Client | Fault::Policy | Fault::Context => Outcome::Void,
        Fault::Provider | Fault::Gateway => Outcome::Failed {
            what: failing(failure.code),
            after: waited,
        },
    }
}

fn failing(code: Code) -> Failing {
    match code {
        Code::UpstreamTimeout => Failing::Silent,
        Code::UpstreamConnectError
        | Code::UpstreamConnectTimeout
        | Code::UpstreamTlsError
        | Code::UpstreamAddressDenied
        | Code::UpstreamClosed
        | Code::UpstreamProtocolError => Failing::Unreachable,
        Code::UpstreamTruncated => Failing::Truncated,
        Code::UpstreamInvalidResponse => Failing::Malformed,
        _ => Failing::Server,
    }
}

/// Whether an attempt that was lost may be billed all the same: its provider may have worked before it failed. One
/// that was refused, or never reached, is not.
#[must_use]
pub fn may_be_billed(lost: &Lost) -> bool {
    let Lost::Failed(failure, _) = lost else {
        return false;
    };
    !matches!(
        failure.code,
        Code::UpstreamConnectError
            | Code::UpstreamConnectTimeout
            | Code::UpstreamTlsError
            | Code::UpstreamAddressDenied
            | Code::UpstreamRedirect
            | Code::UpstreamAuthError
            | Code::InvalidApiKey
            | Code::RateLimitExceeded
            | Code::InsufficientQuota
            | Code::Overloaded
            | Code::ModelNotFound
            | Code::ContextLengthExceeded
            | Code::UnsupportedParameter
            | Code::InvalidRequest
    )
}

fn in_millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_costs_nothing_and_a_silence_may() {
        let lost = |code| Lost::from(Failure::provider(code, "x".to_owned()));
        assert!(!may_be_billed(&lost(Code::Overloaded)));
        assert!(!may_be_billed(&lost(Code::UpstreamConnectError)));
        assert!(may_be_billed(&lost(Code::UpstreamTimeout)));
        assert!(may_be_billed(&lost(Code::UpstreamTruncated)));
    }

    #[test]
    fn limits_are_no_failures_and_the_callers_faults_say_nothing() {
        let failure = |code| Failure::provider(code, "x".to_owned());
        let limited = Failure {
            again: Again::After(Duration::from_secs(2)),
            ..failure(Code::RateLimitExceeded)
        };
        assert_eq!(
            outcome(&limited, 0),
            Outcome::Limited {
                again_in: Some(2_000)
            }
        );
        let client = Failure {
            fault: Fault::Client,
            ..failure(Code::InvalidRequest)
        };
        assert_eq!(outcome(&client, 0), Outcome::Void);
        let silent = outcome(&failure(Code::UpstreamTimeout), 9);
        let what = Failing::Silent;
        assert_eq!(silent, Outcome::Failed { what, after: 9 });
        let late = super::super::failed::no_time("x");
        assert_eq!(
            outcome(&late, PATIENCE - 1),
            Outcome::Void,
            "its caller was in a hurry"
        );
        let after = PATIENCE;
        assert_eq!(outcome(&late, after), Outcome::Failed { what, after });
    }
}
