//! What a call tells of itself and of its attempts.

use http::HeaderMap;

use crate::chat::Ask;
use crate::gateway::ending::Outcome;
use crate::gateway::receive::Received;
use crate::gateway::settle::Trip;
use crate::route::Reason;

use super::outbox::Spans;
use super::span::{Fact, Kind, Open, Place, Span, drawn, nanos};

impl Trip {
    /// Finds the call's place in a trace, where spans are told.
    pub fn placed(&mut self, received: &Received) {
        if matches!(self.shared().spans.as_ref(), Spans::Off) {
            return;
        }
        self.place = Place::of(&received.trace, || fastrand::u64(..));
        if let Some(place) = self.place {
            self.labels.trace = Some(format!("{:032x}", place.trace));
        }
    }

    /// The span of the attempt that begins now.
    #[must_use]
    pub fn opens(&self) -> Option<Box<Open>> {
        let call = self.place?;
        let site = self.shared().site(&self.provider)?;
        Some(Box::new(Open {
            place: Place {
                own: drawn(|| fastrand::u64(..)),
                parent: Some(call.own),
                ..call
            },
            operation: operation(self.speech.ask()),
            provider: self.provider.as_str().into(),
            model: short(&self.model),
            host: site.host().into(),
            began: self.shared().clock.now(),
            from: self.nanos_at(nanos(self.elapsed())),
        }))
    }

    /// Tells the provider whose child it is, where that is told to anybody: the attempt that begins now.
    pub fn names_parent(&self, headers: &mut HeaderMap) {
        let open = self.watch.as_ref().and_then(|watch| watch.open());
        if let Some(parent) = open.and_then(Open::header) {
            headers.insert("traceparent", parent);
        }
    }

    /// The call has ended.
    pub fn tells_span(&self) {
        let Some(place) = self.place else { return };
        let error = match self.outcome {
            Outcome::Failed(code) => Some(code),
            Outcome::Answered | Outcome::Repeated | Outcome::ClientGone => None,
        };
        let mut facts = vec![
            ("waypost.request_id", Fact::Text(self.id.as_str().into())),
            ("waypost.outcome", Fact::Word(self.outcome.as_str())),
            ("waypost.attempts", Fact::Count(u64::from(self.sent))),
            (
                "waypost.route",
                Fact::Word(self.reason.map_or("", Reason::as_str)),
            ),
        ];
        if let Some(cost) = self.cost() {
            facts.push(("waypost.cost_usd", Fact::Number(cost.to_string())));
        }
        if let Some(first) = self.first.filter(|_| self.streams) {
            let first = first.as_secs_f64().to_string();
            facts.push(("waypost.time_to_first_token_s", Fact::Number(first)));
        }
        self.shared().spans.tell(Span {
            place,
            kind: Kind::Server,
            operation: operation(self.speech.ask()),
            provider: self.provider.as_str().into(),
            model: short(&self.model),
            from: self.nanos_at(0),
            to: self.nanos_at(nanos(self.elapsed())),
            error,
            tokens: self.tokens,
            facts,
        });
    }

    /// Unix nanoseconds, so many after the call began.
    const fn nanos_at(&self, after: u64) -> u64 {
        self.at.saturating_mul(1_000_000).saturating_add(after)
    }
}

/// The most bytes of a model's name, which callers choose.
const LONGEST: usize = 160;

fn short(name: &str) -> Box<str> {
    let end = name.floor_char_boundary(LONGEST);
    name.get(..end).unwrap_or_default().into()
}

/// What is asked, in the convention's words.
const fn operation(ask: Ask) -> &'static str {
    match ask {
        Ask::Chat => "chat",
        Ask::Completion => "text_completion",
        Ask::Embeddings => "embeddings",
    }
}
