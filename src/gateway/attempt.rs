//! One try: encode, send, classify, and wait for the first event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{HeaderMap, Request as HttpRequest};
use tokio::time::timeout_at;

use crate::chat::chunk::{Extras, Identity};
use crate::chat::{ChunkWriter, Code, Error, Sink, WholeWriter};
use crate::dialect::codec::{Again, Headers, refused};
use crate::dialect::{Context, Encoded, Failure, Fault, Shape, Stop, Target, limits};
use crate::net::{Upstream, Wire};
use crate::route::Candidate;
use crate::route::hint::Metadata;

use super::feed::{Ear, Feed, Step, is_document};
use super::receive::Received;
use super::settle::Trip;
use super::shared::Shared;
use super::site::Site;

/// How much of an error body is read.
const MAX_ERROR_BODY: usize = 64 * 1024;
/// How much of a whole answer is read.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// How long an error body may take.
const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// An answer that has begun.
#[derive(Debug)]
pub enum Begun {
    /// A stream whose first event is there.
    Stream(Box<Feed<ChunkWriter>>, HeaderMap),
    /// A whole answer.
    Whole(Box<Feed<WholeWriter>>, HeaderMap),
}

/// Why a try failed.
#[derive(Clone, Debug)]
pub enum Lost {
    /// Nothing was sent: the request cannot be put to this target.
    Refused(Error),
    /// The provider, or the way to it, failed. With what of its head the client gets.
    Failed(Failure, Vec<(&'static str, String)>),
}

impl From<Failure> for Lost {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure, Vec::new())
    }
}

/// Tries one endpoint until the deadline.
///
/// # Errors
/// Why there is no answer.
pub async fn attempt(
    received: &Received,
    candidate: &Candidate,
    trip: &mut Trip,
    deadline: Instant,
) -> Result<Begun, Lost> {
    let shared = Arc::clone(trip.shared());
    let provider = &candidate.provider;
    let site = shared
        .site(&provider.name)
        .ok_or_else(|| Lost::Refused(unknown_site(&provider.name)))?;
    let (encoded, body) = encode(received, candidate, &shared).map_err(Lost::Refused)?;
    trip.report = encoded.report.clone();
    let request = build(site, &encoded, body, received)?;
    trip.sent += 1;
    if trip.sent == 1 {
        trip.before = trip.elapsed();
    }
    let sent = timeout_at(deadline.into(), shared.client.send(&provider.name, request)).await;
    let upstream = sent
        .map_err(|_| no_time(&provider.name))?
        .map_err(|wire| unreachable(&provider.name, wire))?;
    trip.head = Some(trip.elapsed());
    if !upstream.status.is_success() {
        return Err(failed(candidate, upstream, received, shared.clock.unix()).await);
    }
    begin(received, candidate, trip, upstream, encoded, deadline).await
}

fn encode(
    received: &Received,
    candidate: &Candidate,
    shared: &Shared,
) -> Result<(Encoded, Vec<u8>), Error> {
    let provider = &candidate.provider;
    let target = Target {
        model: &candidate.model,
        quirks: &provider.quirks,
        caps: &candidate.caps,
    };
    let recall = shared.memory.of(received.scope);
    let context = Context {
        mode: received.hints.params,
        recall: &recall,
    };
    let mut body = Vec::with_capacity(received.request.body().len() + 256);
    let encoded = provider
        .dialect
        .encode(&received.request, &target, &context, &mut body)?;
    Ok((encoded, body))
}

fn unknown_site(provider: &str) -> Error {
    Error::new(
        Code::Internal,
        format!("The provider '{provider}' was chosen but is not on."),
    )
}

fn build(
    site: &Site,
    encoded: &Encoded,
    body: Vec<u8>,
    received: &Received,
) -> Result<HttpRequest<Bytes>, Lost> {
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
    let credential = match &received.brought {
        Some(key) => site.brought(key),
        None => site.credential(),
    };
    if let Some((name, value)) = credential {
        headers.insert(name, value);
    }
    Ok(request)
}

/// Reads an answer up to its first event, or to its end where it is whole.
async fn begin(
    received: &Received,
    candidate: &Candidate,
    trip: &mut Trip,
    mut upstream: Upstream,
    encoded: Encoded,
    deadline: Instant,
) -> Result<Begun, Lost> {
    let provider = &candidate.provider;
    let shared = Arc::clone(trip.shared());
    let carried = limits::carried(texts(&upstream.headers), shared.clock.unix());
    let read = timeout_at(deadline.into(), upstream.bytes())
        .await
        .map_err(|_| no_time(&provider.name))?;
    let first = match read {
        None => Bytes::new(),
        Some(Ok(bytes)) => bytes,
        Some(Err(wire)) => return Err(unreachable(&provider.name, wire).into()),
    };
    let shape = if is_document(&first) {
        Shape::Whole
    } else {
        encoded.shape
    };
    let answers = encoded.reply.answers.clone();
    let target = Target {
        model: &candidate.model,
        quirks: &provider.quirks,
        caps: &candidate.caps,
    };
    let decoder = provider.dialect.decoder(&target, shape, encoded.reply);
    let extras = if trip.metadata == Metadata::Off {
        Extras::Hidden
    } else {
        Extras::Shown
    };
    let identity = identity(trip, &candidate.model);
    let begun = if received.request.stream {
        let writer = ChunkWriter::new(identity, received.request.include_usage, extras);
        let ear = Ear::new(writer, shared, received.scope, answers);
        let mut feed = Box::new(Feed::new(upstream, decoder, ear));
        first_event(&mut feed, &first, candidate, deadline).await?;
        Begun::Stream(feed, header_map(carried))
    } else {
        let ear = Ear::new(
            WholeWriter::new(identity, extras),
            shared,
            received.scope,
            answers,
        );
        let mut feed = Box::new(Feed::new(upstream, decoder, ear));
        whole(&mut feed, &first, candidate, deadline).await?;
        Begun::Whole(feed, header_map(carried))
    };
    trip.first = Some(trip.elapsed());
    Ok(begun)
}

fn identity(trip: &Trip, model: &str) -> Identity {
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

/// Reads on until something can be shown, or the answer is complete.
async fn first_event(
    feed: &mut Feed<ChunkWriter>,
    first: &[u8],
    candidate: &Candidate,
    deadline: Instant,
) -> Result<(), Lost> {
    feed.push(first).map_err(|stop| stopped(candidate, stop))?;
    while !feed.ear.writer.has_output() {
        match step(feed, candidate, deadline).await? {
            Step::Fed => {}
            Step::End => return Ok(()),
            Step::Stop(stop) => return Err(stopped(candidate, stop).into()),
        }
    }
    Ok(())
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
            Step::End => return Ok(()),
            Step::Stop(stop) => return Err(stopped(candidate, stop).into()),
        }
    }
}

fn too_long() -> Stop {
    Stop::Malformed(format!("more than {MAX_ANSWER} bytes"))
}

async fn step<W: Sink>(
    feed: &mut Feed<W>,
    candidate: &Candidate,
    deadline: Instant,
) -> Result<Step, Lost> {
    let step = timeout_at(deadline.into(), feed.step()).await;
    step.map_err(|_| no_time(&candidate.provider.name).into())
}

/// What an answer that cannot go on means before anything was shown.
#[must_use]
pub fn stopped(candidate: &Candidate, stop: Stop) -> Failure {
    let name = &candidate.provider.name;
    match stop {
        Stop::Failed(failure) => named(name, failure),
        Stop::Truncated => {
            let message = format!("The answer of '{name}' ended before it was complete.");
            Failure::provider(Code::UpstreamTruncated, message)
        }
        Stop::Malformed(found) => {
            let message = format!("The answer of '{name}' is not what its format says: {found}.");
            Failure::provider(Code::UpstreamInvalidResponse, message)
        }
    }
}

/// Reads an error body and what it means.
async fn failed(
    candidate: &Candidate,
    mut upstream: Upstream,
    received: &Received,
    now: u64,
) -> Lost {
    let mut body = Vec::new();
    let read = async {
        while let Some(Ok(bytes)) = upstream.bytes().await {
            let room = MAX_ERROR_BODY.saturating_sub(body.len());
            body.extend_from_slice(bytes.get(..bytes.len().min(room)).unwrap_or_default());
            if room == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(ERROR_BODY_TIMEOUT, read).await;
    let status = upstream.status.as_u16();
    if let Some(miss) = replay_miss(&upstream.headers, &body) {
        return Lost::Refused(miss);
    }
    let mut failure = candidate
        .provider
        .dialect
        .failure(status, &upstream.headers, &body);
    if let (Again::Soon, Some(wait)) = (failure.again, retry_date(&upstream.headers, now)) {
        failure.again = Again::After(wait);
    }
    if failure.code == Code::UpstreamAuthError && received.brought.is_some() {
        failure.code = Code::InvalidApiKey;
        failure.fault = Fault::Client;
    }
    Lost::Failed(
        named(&candidate.provider.name, failure),
        limits::carried(texts(&upstream.headers), now),
    )
}

/// A failure whose message says whose it is; what a provider says of a credential is not passed on.
fn named(provider: &str, mut failure: Failure) -> Failure {
    failure.message = match failure.code {
        Code::UpstreamAuthError => {
            format!(
                "The provider '{provider}' refused our credential. Check its key in the environment or waypost.toml."
            )
        }
        Code::InvalidApiKey => format!("The provider '{provider}' refused the key that was sent."),
        _ => format!("{provider}: {}", failure.message),
    };
    failure
}

/// The wait until a `retry-after` that is a date.
fn retry_date(headers: &HeaderMap, now: u64) -> Option<Duration> {
    let date = httpdate::parse_http_date(headers.get("retry-after")?.to_str().ok()?).ok()?;
    let then = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(then.saturating_sub(Duration::from_secs(now)))
}

/// The replayer's word that nothing recorded matches.
fn replay_miss(headers: &HeaderMap, body: &[u8]) -> Option<Error> {
    headers.get("x-waypost-replay-miss")?;
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let message = body.pointer("/error/message")?.as_str()?;
    Some(Error::new(Code::ReplayMiss, message))
}

fn no_time(provider: &str) -> Failure {
    let message = format!("'{provider}' did not answer in time.");
    Failure {
        again: Again::No,
        ..Failure::provider(Code::UpstreamTimeout, message)
    }
}

fn unreachable(provider: &str, wire: Wire) -> Failure {
    let (code, what) = match wire {
        Wire::Connect => (Code::UpstreamConnectError, "cannot be reached"),
        Wire::ConnectTimeout => (
            Code::UpstreamConnectTimeout,
            "could not be connected to in time",
        ),
        Wire::Tls => (
            Code::UpstreamTlsError,
            "has no certificate that can be trusted",
        ),
        Wire::Closed => (
            Code::UpstreamClosed,
            "closed the connection before answering",
        ),
        Wire::Protocol => (
            Code::UpstreamProtocolError,
            "answered with something that is not HTTP",
        ),
    };
    Failure::provider(code, format!("'{provider}' {what}."))
}

/// Headers that are text.
fn texts(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
}

fn header_map(carried: Vec<(&'static str, String)>) -> HeaderMap {
    let pairs = carried.into_iter().filter_map(|(name, value)| {
        Some((
            http::HeaderName::from_static(name),
            HeaderValue::try_from(value).ok()?,
        ))
    });
    pairs.collect()
}

/// What the client gets of the head of a provider that failed.
#[must_use]
pub fn carried_headers(carried: &[(&'static str, String)]) -> HeaderMap {
    header_map(carried.to_vec())
}

impl Headers for HeaderMap {
    fn get(&self, name: &str) -> Option<&str> {
        Self::get(self, name)?.to_str().ok()
    }
}
