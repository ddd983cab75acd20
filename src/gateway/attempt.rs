//! One try: encode, send, classify, and wait for the first event.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{HeaderMap, Request as HttpRequest};
use tokio::time::timeout_at;

use crate::account::Meter;
use crate::chat::chunk::Extras;
use crate::chat::{Code, Error, Request, WholeWriter};
use crate::dialect::codec::refused;
use crate::dialect::{Context, Dialect, Encoded, Shape, Stop, limits};
use crate::net::Upstream;
use crate::route::Candidate;
use crate::route::hint::Metadata;

use super::course::{Grant, Leg};
use super::dispatch::{Came, Dispatch};
use super::failed::{Lost, failed, header_map, no_time, stopped, texts, unreachable};
use super::feed::{Ear, Feed, Step, is_document};
use super::listen::{ear, first_event, identity, step};
use super::receive::Received;
use super::rescue::patience;
use super::said::Said;
use super::settle::Trip;
use super::shared::Shared;
use super::site::Site;
use super::speech::Speech;
use super::voice::Voice;

/// How much of a whole answer is read.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// An answer that has begun.
#[derive(Debug)]
pub enum Begun {
    /// A stream whose first event is there.
    Stream(Box<Feed<Voice>>, HeaderMap),
    /// A whole answer.
    Whole(Box<Feed<WholeWriter>>, HeaderMap),
}

/// An answer whose head is there, and how to read it.
struct Answer {
    dialect: &'static dyn Dialect,
    encoded: Encoded,
    upstream: Upstream,
    meter: Option<Meter>,
    /// Until when its first word is waited for where others could be asked.
    until: Option<Instant>,
}

/// Tries one endpoint until the deadline.
///
/// # Errors
/// Why there is no answer.
pub async fn attempt(
    received: &Received,
    leg: &Leg,
    grant: &Grant,
    trip: &mut Trip,
    deadline: Instant,
) -> Result<Begun, Lost> {
    let shared = Arc::clone(trip.shared());
    let limited = limited(received, leg, grant);
    let candidate = limited.as_ref().unwrap_or(&leg.candidate);
    let provider = &candidate.provider;
    let site = shared
        .site(&provider.name)
        .ok_or_else(|| Lost::Refused(unknown_site(&provider.name)))?;
    let asked = candidate.asked(&received.request).map_err(Lost::Refused)?;
    let dialect = candidate
        .spoken(&asked)
        .ok_or_else(|| Lost::Refused(refused("model", "is not offered in this form.")))?;
    let (encoded, body) =
        encode(&asked, received, (candidate, dialect), &shared).map_err(Lost::Refused)?;
    trip.report = encoded.report.clone();
    let mut request = build(site, &encoded, body)?;
    received.trace.put(request.headers_mut());
    let dispatch = Dispatch {
        shared: &shared,
        site,
        brought: received.brought.as_ref(),
        deadline,
    };
    trip.intends().await.map_err(Lost::Refused)?;
    trip.watch();
    trip.names_parent(request.headers_mut());
    let patience = patience::patience(trip, received, leg);
    trip.relief.patience = patience;
    let until = patience.map(|patience| shared.clock.now() + patience.first);
    let sending = dispatch.send(request, || trip.sends());
    // Who has not even answered is left for the next: there is nothing to hold beside it.
    let came = timeout_at(until.unwrap_or(deadline).min(deadline).into(), sending).await;
    let came = came.map_err(|_| no_time(&provider.name))??;
    trip.head = Some(trip.elapsed());
    let upstream = match came {
        Came::Answer(upstream) => upstream,
        Came::Refusal(said) => {
            let whose = (candidate, dialect);
            return Err(refusal(&shared, site, whose, (&said, received)));
        }
    };
    let answer = Answer {
        dialect,
        encoded,
        upstream,
        meter: grant.meter,
        until,
    };
    begin(received, candidate, trip, answer, deadline).await
}

/// The target with the output limit that is granted, where that is another than its own.
fn limited(received: &Received, leg: &Leg, grant: &Grant) -> Option<Candidate> {
    let said = received.request.max_output;
    let limit = grant.limit.filter(|limit| Some(*limit) != said);
    (limit != leg.candidate.limit).then(|| Candidate {
        limit,
        ..leg.candidate.clone()
    })
}

/// What a refusal means, which the key that met it is held to.
fn refusal(
    shared: &Shared,
    site: &Site,
    whose: (&Candidate, &dyn Dialect),
    (said, received): (&Said, &Received),
) -> Lost {
    let lost = failed(whose, said, received, shared.clock.unix());
    if let Lost::Failed(failure, _) = &lost {
        site.rotation()
            .note(said.key, failure, shared.clock.moment());
    }
    lost
}

fn encode(
    asked: &Request,
    received: &Received,
    (candidate, dialect): (&Candidate, &dyn Dialect),
    shared: &Shared,
) -> Result<(Encoded, Vec<u8>), Error> {
    let recall = shared.memory.of(received.scope);
    let context = Context {
        mode: received.hints.params,
        recall: &recall,
    };
    let mut body = Vec::with_capacity(asked.body().len() + 256);
    let encoded = dialect.encode(asked, &candidate.target(), &context, &mut body)?;
    Ok((encoded, body))
}

fn unknown_site(provider: &str) -> Error {
    Error::new(
        Code::Internal,
        format!("The provider '{provider}' was chosen but is not on."),
    )
}

/// The request in its last form but for the credential, which may sign it.
fn build(site: &Site, encoded: &Encoded, body: Vec<u8>) -> Result<HttpRequest<Bytes>, Lost> {
    let uri = site
        .address(&encoded.path)
        .ok_or_else(|| Lost::Refused(refused("model", "cannot stand in a path.")))?;
    let mut request = HttpRequest::new(Bytes::from(body));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.reserve(10);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let accept = match encoded.shape {
        Shape::Stream => "text/event-stream",
        Shape::Whole => "application/json",
    };
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("waypost/", env!("CARGO_PKG_VERSION"))),
    );
    for (name, value) in &encoded.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(*name, value);
        }
    }
    headers.extend(
        site.headers()
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    Ok(request)
}

/// Reads an answer up to its first event, or to its end where it is whole.
async fn begin(
    received: &Received,
    candidate: &Candidate,
    trip: &mut Trip,
    answer: Answer,
    deadline: Instant,
) -> Result<Begun, Lost> {
    let Answer {
        dialect,
        mut encoded,
        mut upstream,
        meter,
        until,
    } = answer;
    let shared = Arc::clone(trip.shared());
    let carried = limits::carried(texts(&upstream.headers), shared.clock.unix());
    if let Some(watch) = &mut trip.watch {
        watch.head(&carried);
    }
    // Header values share the connection's read buffer: kept, they would hold 8 KiB for as long as the stream flows.
    upstream.headers = HeaderMap::new();
    let name = &candidate.provider.name;
    let first = first_bytes(&mut upstream, name, (deadline, until)).await?;
    let shape = if is_document(&first) {
        Shape::Whole
    } else {
        encoded.shape
    };
    let answers = encoded.reply.answers.clone();
    let extras = if trip.metadata == Metadata::Off {
        encoded.reply.take_apart(shape);
        Extras::Hidden
    } else {
        Extras::Shown
    };
    if trip.relief.carried.is_some()
        || meter.is_some()
        || (trip.streams && matches!(trip.speech, Speech::Plain(_)))
    {
        // What is cut, or told in other words, must be known piece by piece.
        encoded.reply.take_apart(shape);
    }
    let decoder = dialect.decoder(&candidate.target(), shape, encoded.reply);
    let identity = identity(trip, &candidate.model);
    let begun = if received.request.stream {
        let ear = ear(trip, received, (identity, extras), answers).metered(meter);
        let mut feed = Box::new(Feed::new(upstream, (decoder, shape), ear));
        first_event(&mut feed, &first, (candidate, trip), (deadline, until)).await?;
        Begun::Stream(feed, header_map(carried))
    } else {
        let writer = WholeWriter::new(identity, extras);
        let ear = Ear::new(writer, shared, received.scope, answers);
        let mut feed = Box::new(Feed::new(upstream, (decoder, shape), ear));
        whole(&mut feed, &first, candidate, deadline).await?;
        Begun::Whole(feed, header_map(carried))
    };
    trip.first = Some(trip.elapsed());
    Ok(begun)
}

async fn first_bytes(
    upstream: &mut Upstream,
    provider: &str,
    (deadline, until): (Instant, Option<Instant>),
) -> Result<Bytes, Lost> {
    let first = until.map_or(deadline, |until| until.min(deadline));
    let read = match timeout_at(first.into(), upstream.bytes()).await {
        // It goes on in silence, beside others.
        Err(_) if first < deadline => return Ok(Bytes::new()),
        read => read.map_err(|_| no_time(provider))?,
    };
    match read {
        None => Ok(Bytes::new()),
        Some(Ok(bytes)) => Ok(bytes),
        Some(Err(wire)) => Err(unreachable(provider, wire).into()),
    }
}

/// Reads an answer to its end.
async fn whole(
    feed: &mut Feed<WholeWriter>,
    first: &[u8],
    candidate: &Candidate,
    deadline: Instant,
) -> Result<(), Lost> {
    feed.push(first).map_err(|stop| stopped(candidate, stop))?;
    loop {
        match step(feed, candidate, deadline).await? {
            Step::Fed if feed.read() > MAX_ANSWER => {
                return Err(stopped(candidate, too_long()).into());
            }
            Step::Fed => {}
            Step::End => {
                feed.rest().await;
                return Ok(());
            }
            Step::Stop(stop) => return Err(stopped(candidate, stop).into()),
        }
    }
}

fn too_long() -> Stop {
    Stop::Malformed(format!("more than {MAX_ANSWER} bytes"))
}
