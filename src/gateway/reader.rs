//! What it takes to read an answer: a decoder for its form, and an ear that listens to it.

use crate::account::Meter;
use crate::chat::WholeWriter;
use crate::chat::chunk::{Extras, Identity};
use crate::dialect::codec::Reply;
use crate::dialect::{Dialect, Encoded, Shape};
use crate::net::Upstream;
use crate::route::Candidate;
use crate::route::hint::Metadata;

use std::sync::Arc;

use super::feed::{Ear, Feed, is_document};
use super::listen::{ear, identity};
use super::receive::Received;
use super::settle::Trip;
use super::speech::Speech;
use super::voice::Voice;
use crate::chat::Sink;

/// Reads the answer to a request that was encoded.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Who encoded it.
    pub dialect: &'static dyn Dialect,
    shape: Shape,
    reply: Reply,
    meter: Option<Meter>,
}

impl Reader {
    /// Reads the answer to this request, and has a meter count it.
    #[must_use]
    pub fn new(dialect: &'static dyn Dialect, encoded: Encoded, meter: Option<&Meter>) -> Self {
        Self {
            dialect,
            shape: encoded.shape,
            reply: encoded.reply,
            meter: meter.copied(),
        }
    }

    /// What listens to a stream of it.
    #[must_use]
    pub fn ear(&self, trip: &Trip, received: &Received, candidate: &Candidate) -> Ear<Voice> {
        let answers = self.reply.answers.clone();
        ear(trip, received, identified(trip, candidate), answers).metered(self.meter)
    }

    /// What listens to all of it at once.
    #[must_use]
    pub fn whole(
        &self,
        trip: &Trip,
        received: &Received,
        candidate: &Candidate,
    ) -> Ear<WholeWriter> {
        let (identity, extras) = identified(trip, candidate);
        let writer = WholeWriter::new(identity, extras);
        let answers = self.reply.answers.clone();
        Ear::new(writer, Arc::clone(trip.shared()), received.scope, answers)
    }

    /// Whether it must be known piece by piece: what is cut, carried on, or told in other words.
    #[must_use]
    pub fn is_taken_apart(&self, trip: &Trip) -> bool {
        let plain = trip.streams && matches!(trip.speech, Speech::Plain(_));
        let hidden = trip.metadata == Metadata::Off;
        hidden || plain || trip.relief.carried.is_some() || self.meter.is_some()
    }

    /// A feed that has not been given the first bytes yet; they tell whether it is a stream at all.
    #[must_use]
    pub fn feed<W: Sink>(
        mut self,
        upstream: Upstream,
        ear: Ear<W>,
        (candidate, apart, first): (&Candidate, bool, &[u8]),
    ) -> Box<Feed<W>> {
        let shape = if is_document(first) {
            Shape::Whole
        } else {
            self.shape
        };
        if apart {
            self.reply.take_apart(shape);
        }
        let decoder = self.dialect.decoder(&candidate.target(), shape, self.reply);
        Box::new(Feed::new(upstream, (decoder, shape), ear))
    }
}

fn identified(trip: &Trip, candidate: &Candidate) -> (Identity, Extras) {
    let extras = if trip.metadata == Metadata::Off {
        Extras::Hidden
    } else {
        Extras::Shown
    };
    (identity(trip, &candidate.model), extras)
}
