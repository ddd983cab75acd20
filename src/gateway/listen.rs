//! Listens to a stream until there is something to show.

use std::sync::Arc;
use std::time::Instant;

use tokio::time::timeout_at;

use crate::chat::chunk::{Extras, Identity};
use crate::chat::{ChunkWriter, Code, Error, PlainWriter, Sink};
use crate::route::Candidate;

use super::api;
use super::failed::{Lost, no_time, stopped};
use super::feed::{Ear, Feed, Step};
use super::receive::Received;
use super::settle::Trip;
use super::speech::Speech;
use super::voice::Voice;

/// What listens to a stream: as a new answer, or held against one that it is to carry on.
pub(super) fn ear(
    trip: &Trip,
    received: &Received,
    (identity, extras): (Identity, Extras),
    answers: Option<String>,
) -> Ear<Voice> {
    let shared = Arc::clone(trip.shared());
    if let Some(carried) = &trip.relief.carried {
        return Ear::new(carried.voice.clone(), shared, received.scope, answers)
            .carrying_on(carried.due.as_ref().unwrap_or(&carried.said))
            .keeping(Some(carried.said.clone()));
    }
    let said = trip.relief.may_be_carried().then(Box::default);
    let writer = voice(trip, received, identity, extras);
    Ear::new(writer, shared, received.scope, answers).keeping(said)
}

/// The writer that the client understands.
fn voice(trip: &Trip, received: &Received, identity: Identity, extras: Extras) -> Voice {
    match trip.speech {
        Speech::OpenAi(_) => Voice::Chat(ChunkWriter::new(
            identity,
            received.request.include_usage.into(),
            extras,
        )),
        Speech::Plain(_) => Voice::Plain(PlainWriter::new(api::begin(trip))),
    }
}

pub(super) fn identity(trip: &Trip, model: &str) -> Identity {
    let id = format!(
        "chatcmpl-{}",
        trip.id.strip_prefix("req_").unwrap_or(&trip.id)
    );
    Identity {
        id,
        model: model.to_owned(),
        created: trip.shared().clock.unix(),
    }
}

/// Reads on until something can be shown, or the answer is complete; says whether one of them is so, or the first word
/// is late and others could be asked.
pub(super) async fn first_event(
    feed: &mut Feed<Voice>,
    first: &[u8],
    (candidate, trip): (&Candidate, &mut Trip),
    (deadline, until): (Instant, Option<Instant>),
) -> Result<bool, Lost> {
    feed.push(first)
        .map_err(|stop| stopped(&candidate.provider.name, stop))?;
    while !feed.ear.writer.has_output() {
        if feed.ear.differs() {
            trip.abandoned(feed.heard(), None);
            return Err(Lost::Refused(differs()));
        }
        let patience = until.filter(|until| !feed.ear.has_spoken() && *until < deadline);
        let stepped = match patience {
            Some(until) => timeout_at(until.into(), feed.step()).await.ok(),
            None => Some(step(feed, candidate, deadline).await?),
        };
        match stepped {
            Some(Step::Fed) => {}
            Some(Step::End) if feed.ear.differs() => {}
            Some(Step::End) => return Ok(true),
            None => return Ok(false),
            Some(Step::Stop(stop)) => return Err(stopped(&candidate.provider.name, stop).into()),
        }
    }
    Ok(true)
}

/// An answer that does not carry on the one that died.
pub(super) fn differs() -> Error {
    Error::new(
        Code::StreamTruncated,
        "Its answer is another than the one that broke off.",
    )
}

pub(super) async fn step<W: Sink>(
    feed: &mut Feed<W>,
    candidate: &Candidate,
    deadline: Instant,
) -> Result<Step, Lost> {
    let step = timeout_at(deadline.into(), feed.step()).await;
    step.map_err(|_| no_time(&candidate.provider.name).into())
}
