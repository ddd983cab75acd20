//! Streams whose client left: broken off where that ends their cost, and else read to their end within bounds, so that
//! the bill is known.
//!
//! A stream that is heard to its end costs nothing here: one drop that finds nothing to do, and no task.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use crate::net::Aborted;

use super::ending::{Ended, Heard, Outcome};
use super::feed::{Feed, Step};
use super::relay::Relay;
use super::rescue::broken::Break;
use super::settle::Trip;
use super::voice::Voice;

/// How long one is drained.
pub const LONGEST: Duration = Duration::from_mins(2);

/// How many bytes of one are drained.
const MOST: usize = 64 * 1024 * 1024;

/// Tokens of an answer where nothing lets expect how long it would have been.
const TYPICAL: u64 = 300;

/// A relay as a body: dropped before its end, it settles what was heard or has the rest drained.
#[derive(Debug)]
pub struct Drained(Option<Relay>);

impl Drained {
    /// The body of a relay.
    #[must_use]
    pub const fn new(relay: Relay) -> Self {
        Self(Some(relay))
    }
}

impl Drained {
    /// The parts of a relay that can go on only with help.
    pub fn broken(&mut self) -> Option<(Box<Feed<Voice>>, Box<Trip>, Break)> {
        let relay = self.0.take_if(|relay| relay.is_broken());
        relay.and_then(Relay::broken)
    }

    /// The call, while it is relayed.
    #[must_use]
    pub fn trip(&self) -> Option<&Trip> {
        self.0.as_ref().map(Relay::trip)
    }
}

impl HttpBody for Drained {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        match &mut self.get_mut().0 {
            Some(relay) => Pin::new(relay).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        if let Some((feed, trip)) = self.0.take().and_then(Relay::left) {
            left(feed, trip);
        }
    }
}

/// The client of a stream left in its midst.
pub(super) fn left(feed: Box<Feed<Voice>>, mut trip: Box<Trip>) {
    let shared = Arc::clone(trip.shared());
    let place = is_billed_on(&trip).then(|| shared.drains.place()).flatten();
    match (place, Handle::try_current()) {
        (Some(place), Ok(runtime)) => {
            let drain = drain(feed, trip, place);
            shared.drains.begin(drain, &runtime);
        }
        _ => trip.left(feed.heard()),
    }
}

/// Whether the provider goes on with, and bills, what nobody hears any more.
#[must_use]
pub fn is_billed_on(trip: &Trip) -> bool {
    let site = trip.shared().site(&trip.provider);
    site.is_some_and(|site| site.provider.cancel_stops_billing == Some(false))
}

/// Reads a stream to its end, or as far as it may; says whether that was its end.
pub(super) async fn to_the_end(feed: &mut Feed<Voice>) -> bool {
    let most = feed.read().saturating_add(MOST);
    loop {
        let step = feed.step().await;
        if feed.ear.writer.has_output() {
            feed.ear.writer.take();
        }
        match step {
            Step::Fed if feed.read() < most => {}
            Step::End => return true,
            Step::Fed | Step::Stop(_) => return false,
        }
    }
}

/// Reads the rest of a stream, and settles it.
async fn drain(mut feed: Box<Feed<Voice>>, mut trip: Box<Trip>, _place: OwnedSemaphorePermit) {
    let load = Arc::clone(&trip.shared().load);
    let whole = load.unless_cut(to_the_end(&mut feed));
    let whole = tokio::time::timeout(LONGEST, whole).await;
    if whole == Ok(Some(true)) {
        trip.answered(feed.heard());
        trip.outcome = Outcome::ClientGone;
    } else {
        trip.left(feed.heard());
    }
}

impl Trip {
    /// The client left before the end of its answer.
    pub fn left(&mut self, heard: Heard) {
        self.watch = None;
        self.settle_part(heard, Ended::ClientGone);
        self.outcome = Outcome::ClientGone;
    }

    /// Where the client left while an attempt was under way of which nothing was heard, the prompt is billed, and as
    /// much as such an answer is long where leaving does not end it: a guess.
    pub(super) fn left_early(&mut self) {
        let early = self.outcome == Outcome::ClientGone && self.charge.is_none();
        if !early || self.watch.is_none() || self.route.endpoint.is_none() {
            return;
        }
        let heard = self.unheard();
        self.settle_part(heard, Ended::ClientGone);
    }

    /// What an attempt of which nothing was heard is taken for.
    pub(super) fn unheard(&self) -> Heard {
        let board = &self.shared().pilot.board;
        let place = self.route.endpoint;
        let endpoint = place.and_then(|at| board.endpoints.get(at));
        let ends = endpoint.is_some_and(|endpoint| board.site(endpoint).cancels);
        let mut heard = Heard::default();
        if !(self.streams && ends) {
            heard.seen.output = match self.route.expected.0 {
                0 => TYPICAL,
                typical => typical,
            };
        }
        heard
    }
}
