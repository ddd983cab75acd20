//! Shadow copies: after a client's answer has begun, the same request goes to a second model, for comparison only.
//!
//! A copy has a deadline, a cap and a receipt of its own. It takes no place among the calls, and there are never more
//! than a few at once: one too many is left out, never waited for.

use std::sync::Arc;
use std::time::Instant;

use http_body_util::BodyExt;

use crate::chat::Error;
use crate::route::Hints;
use crate::route::experiment::{Copy, Shadow};
use crate::route::hint::{Fallback, Metadata, Run};

use super::attempt::Begun;
use super::books::Books;
use super::copies::AT_ONCE;
use super::ending::{Labels, Outcome};
use super::load::Room;
use super::plot::plot;
use super::receive::Received;
use super::relay::Relay;
use super::rules::Rules;
use super::settle::Trip;
use super::shared::Shared;
use super::speech::Speech;
use super::tries::{AllFailed, tries};

/// Sends the copies of a call whose answer has begun. Returns at once.
pub fn send(shared: &Arc<Shared>, received: &Arc<Received>, copies: Vec<Copy>, original: &str) {
    for copy in copies {
        let Some(place) = shared.copies.place() else {
            tracing::warn!(
                experiment = copy.experiment,
                request_id = original,
                "a shadow copy was left out: {AT_ONCE} are under way"
            );
            continue;
        };
        let (shared, received) = (Arc::clone(shared), Arc::clone(received));
        let original = original.to_owned();
        let (house, load) = (Arc::clone(&shared), Arc::clone(&shared.load));
        house.copies.begin(async move {
            let limit = copy.shadow.timeout;
            let run = one(shared, &received, copy, original);
            // The record of the copy is written when it is dropped, however it ends.
            let run = load.unless_cut(Box::pin(run));
            let _ = tokio::time::timeout(limit, run).await;
            drop(place);
        });
    }
}

async fn one(shared: Arc<Shared>, received: &Received, copy: Copy, original: String) {
    let speech = Speech::OpenAi(received.request.ask);
    let books = match Books::open(&shared.ledger) {
        Ok(books) => books,
        Err(error) => {
            tracing::warn!(error = error.message, "a shadow copy was left out");
            return;
        }
    };
    let mut trip = Box::new(Trip::begin(Arc::clone(&shared), speech, books));
    trip.belongs(received);
    trip.metadata = Metadata::Off;
    trip.scope = Some(received.scope);
    trip.streams = received.request.stream;
    trip.labels = Labels {
        tenant: received.hints.tenant.clone(),
        tags: trip.labels.tags.take(),
        trial: Some((copy.experiment, copy.shadow.model.clone())),
        copy_of: Some(original),
        trace: received.trace.id().map(str::to_owned),
    };
    let deadline = shared.clock.now() + copy.shadow.timeout;
    let failed = match copied(&shared, received, &copy.shadow) {
        Ok(copied) => run(trip, copied, deadline).await,
        Err(error) => Some((trip, error)),
    };
    if let Some((mut trip, error)) = failed {
        trip.outcome = Outcome::Failed(error.code.row().code);
        tracing::warn!(
            request_id = trip.id.as_str(),
            error = error.message.as_str(),
            "a shadow copy came to nothing"
        );
    }
}

/// The same request with other hints.
fn copied(shared: &Shared, received: &Received, shadow: &Shadow) -> Result<Received, Error> {
    let own = &received.hints;
    let rules = Rules::of(shared, received)?;
    let hints = Hints {
        model: Some(shadow.model.clone()),
        fallback: Fallback::Off,
        params: own.params,
        metadata: Some(Metadata::Off),
        max_cost: shadow.most,
        // A copy is for comparing, and not worth asking anybody twice.
        retries: Some(0),
        only: own.only.clone(),
        ignore: own.ignore.clone(),
        run: Run::Real,
        ..Hints::default()
    };
    Ok(Received {
        request: received.request.with(&[])?,
        hints,
        scope: received.scope,
        key: received.key,
        holder: received.holder.clone(),
        dues: received.dues.clone(),
        brought: None,
        patience: None,
        trace: received.trace.clone(),
        room: Room::none(Arc::clone(&shared.load)),
        repeat: None,
        copies_for: Some(rules.tenant),
    })
}

/// Runs a copy to its end; gives the trip back where it failed.
async fn run(
    mut trip: Box<Trip>,
    received: Received,
    deadline: Instant,
) -> Option<(Box<Trip>, Error)> {
    let course = match plot(trip.shared(), &received) {
        Ok(course) => course,
        Err(error) => return Some((trip, error)),
    };
    trip.route.cap = course.rules.cap;
    trip.route.most = course.most;
    trip.reason = Some(course.reason);
    match tries(&mut trip, &Arc::new(received), &course, deadline).await {
        Ok(Begun::Whole(feed, _)) => {
            trip.answered(feed.heard());
            None
        }
        Ok(Begun::Stream(feed, _)) => {
            let mut relay = Relay::new(feed, trip);
            while let Some(Ok(_)) = relay.frame().await {}
            None
        }
        // Nobody could be asked beside it.
        Ok(Begun::Silent(_)) => None,
        Err(nobody) => {
            let failed = AllFailed::of(&mut trip, nobody.last);
            Some((trip, failed.error))
        }
    }
}
