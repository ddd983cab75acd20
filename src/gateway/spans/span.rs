//! A span: what is told of a call or an attempt. No prompt, no answer, no key and no header is ever in it.

use std::time::{Duration, Instant};

use http::header::HeaderValue;

use crate::chat::Tokens;
use crate::gateway::trace::Trace;

/// Where a call stands in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The trace.
    pub trace: u128,
    /// The span of the call itself.
    pub own: u64,
    /// The span of whoever called.
    pub parent: Option<u64>,
}

impl Place {
    /// The place of a call: in its caller's trace, or at the root of its own. `None` where the caller's trace is not
    /// recorded, as then nothing of it is told.
    #[must_use]
    pub fn of(trace: &Trace, draw: impl Fn() -> u64) -> Option<Self> {
        let own = drawn(&draw);
        let Some(parent) = trace.parent() else {
            let trace = u128::from(drawn(&draw)) << 64 | u128::from(draw());
            let parent = None;
            return Some(Self { trace, own, parent });
        };
        parent.is_recorded.then_some(Self {
            trace: parent.trace,
            own,
            parent: Some(parent.span),
        })
    }

    /// The parent that a provider is told: one attempt of the call.
    #[must_use]
    pub fn header(&self, span: u64) -> Option<HeaderValue> {
        let text = format!("00-{:032x}-{span:016x}-01", self.trace);
        HeaderValue::try_from(text).ok()
    }
}

/// An id: anything but zero.
pub(super) fn drawn(draw: impl Fn() -> u64) -> u64 {
    draw().max(1)
}

/// Who is behind a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A call that was answered here.
    Server,
    /// A request that was sent to a provider.
    Client,
}

/// A span that has ended.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) place: Place,
    pub(super) kind: Kind,
    pub(super) operation: &'static str,
    pub(super) provider: Box<str>,
    pub(super) model: Box<str>,
    /// Unix nanoseconds.
    pub(super) from: u64,
    pub(super) to: u64,
    /// The code of the error, where it ended in one.
    pub(super) error: Option<&'static str>,
    pub(super) tokens: Option<Tokens>,
    /// More of it.
    pub(super) facts: Vec<(&'static str, Fact)>,
}

/// One more thing that is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fact {
    Text(Box<str>),
    Word(&'static str),
    Count(u64),
    /// A number as it is written.
    Number(String),
}

/// The span of an attempt that is under way.
#[derive(Clone, Debug)]
pub struct Open {
    pub(super) place: Place,
    pub(super) operation: &'static str,
    pub(super) provider: Box<str>,
    pub(super) model: Box<str>,
    pub(super) host: Box<str>,
    pub(super) began: Instant,
    /// Unix nanoseconds.
    pub(super) from: u64,
}

impl Open {
    /// The parent that the provider is told.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        self.place.header(self.place.own)
    }

    /// It has ended.
    pub(super) fn ended(
        self,
        now: Instant,
        error: Option<&'static str>,
        tokens: Option<Tokens>,
    ) -> Span {
        let took = now.saturating_duration_since(self.began);
        Span {
            place: self.place,
            kind: Kind::Client,
            operation: self.operation,
            provider: self.provider,
            model: self.model,
            from: self.from,
            to: self.from.saturating_add(nanos(took)),
            error,
            tokens,
            facts: vec![("server.address", Fact::Text(self.host))],
        }
    }
}

/// Whole nanoseconds.
pub(super) fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn place(parent: Option<&'static str>) -> Option<Place> {
        let mut headers = HeaderMap::new();
        if let Some(parent) = parent {
            headers.insert("traceparent", HeaderValue::from_static(parent));
        }
        Place::of(&Trace::read(&headers), || 7)
    }

    #[test]
    fn a_call_stands_in_its_callers_trace_or_begins_one() {
        let recorded = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let wanted = Place {
            trace: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
            own: 7,
            parent: Some(0x00f0_67aa_0ba9_02b7),
        };
        assert_eq!(place(Some(recorded)), Some(wanted));
        let silent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        assert_eq!(place(Some(silent)), None, "nobody records it");
        let root = place(None).unwrap();
        assert_eq!((root.parent, root.own), (None, 7));
        let header = wanted.header(1).unwrap();
        let told = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000001-01";
        assert_eq!(header, told);
    }
}
