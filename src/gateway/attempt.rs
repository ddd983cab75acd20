//! One try: encode, send, classify, and wait for the first event.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{HeaderMap, Request as HttpRequest};
use tokio::time::timeout_at;

use crate::chat::{Code, Error, Request, WholeWriter};
use crate::dialect::codec::refused;
use crate::dialect::{Context, Dialect, Encoded, Shape, Stop, limits};
use crate::net::Upstream;
use crate::route::Candidate;

use super::course::{Grant, Leg};
use super::dispatch::{Came, Dispatch};
use super::failed::{Lost, header_map, no_time, refusal, stopped, texts, unreachable};
use super::feed::{Feed, Step};
use super::listen::{first_event, step};
use super::reader::Reader;
use super::receive::Received;
use super::rescue::patience;
use super::rescue::silent::{Ahead, Silent};
use super::settle::Trip;
use super::shared::Shared;
use super::site::Site;
use super::voice::Voice;

/// How much of a whole answer is read.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// An answer that has begun.
#[derive(Debug)]
pub enum Begun {
    /// A stream that has something to show.
    Stream(Box<Feed<Voice>>, HeaderMap),
    /// A stream whose first word is late, where others could be asked: it may still come.
    Silent(Box<Silent>),
    /// A whole answer.
    Whole(Box<Feed<WholeWriter>>, HeaderMap),
}

/// Whose answer it is, and until when it is waited for.
struct Awaited<'a> {
    received: &'a Arc<Received>,
    candidate: &'a Candidate,
    reader: Reader,
    began: Instant,
    /// Until when its first word is waited for where others could be asked.
    until: Option<Instant>,
    deadline: Instant,
}

/// Tries one endpoint until the deadline.
///
/// # Errors
/// Why there is no answer.
pub async fn attempt(
    received: &Arc<Received>,
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
    trip.intends().await.map_err(Lost::Refused)?;
    trip.watch();
    trip.names_parent(request.headers_mut());
    trip.relief.patience = patience::patience(trip, received, leg);
    let began = shared.clock.now();
    let until = trip.relief.patience.map(|patience| began + patience.first);
    let awaited = Awaited {
        received,
        candidate,
        reader: Reader::new(dialect, encoded, grant.meter.as_ref()),
        began,
        until: until.filter(|until| *until < deadline),
        deadline,
    };
    awaited.head(trip, request).await
}

impl Awaited<'_> {
    /// Sends the request, and waits for the head of its answer.
    async fn head(self, trip: &mut Trip, request: HttpRequest<Bytes>) -> Result<Begun, Lost> {
        let name = &self.candidate.provider.name;
        let dispatch = Dispatch {
            shared: Arc::clone(trip.shared()),
            received: Arc::clone(self.received),
            provider: name.clone(),
            deadline: self.deadline,
        };
        let limit = self.until.unwrap_or(self.deadline);
        // Whose credential is late was not asked yet, so that nothing is lost where the next one is.
        let ready = timeout_at(limit.into(), dispatch.ready(request)).await;
        let ready = ready.map_err(|_| no_time(name))??;
        trip.sends();
        let mut sending = dispatch.send(ready);
        let Ok(arrived) = timeout_at(limit.into(), &mut sending).await else {
            if self.until.is_none() {
                return Err(no_time(name).into());
            }
            let ahead = self.ahead(trip);
            let silent = Silent::unheaded(sending, ahead, self.began);
            return Ok(Begun::Silent(Box::new(silent)));
        };
        trip.sent_again(arrived.again);
        trip.head = Some(trip.elapsed());
        match arrived.came? {
            Came::Answer(upstream) => self.begin(trip, upstream).await,
            Came::Refusal(said) => {
                let whose = (self.candidate, self.reader.dialect);
                Err(refusal(trip.shared(), whose, (&said, self.received)))
            }
        }
    }

    /// What it takes to hear the answer whenever it comes.
    fn ahead(&self, trip: &Trip) -> Ahead {
        let ear = self.reader.ear(trip, self.received, self.candidate);
        Ahead {
            reader: self.reader.clone(),
            ear,
            apart: self.reader.is_taken_apart(trip),
            candidate: self.candidate.clone(),
            received: Arc::clone(self.received),
        }
    }

    /// Reads an answer up to its first event, or to its end where it is whole.
    async fn begin(self, trip: &mut Trip, mut upstream: Upstream) -> Result<Begun, Lost> {
        let carried = limits::carried(texts(&upstream.headers), trip.shared().clock.unix());
        if let Some(watch) = &mut trip.watch {
            watch.head(&carried);
        }
        // Header values share the connection's read buffer: kept, they would hold 8 KiB for as long as the stream flows.
        upstream.headers = HeaderMap::new();
        let limit = self.until.unwrap_or(self.deadline);
        let Ok(first) = timeout_at(limit.into(), upstream.bytes()).await else {
            if self.until.is_none() {
                return Err(no_time(&self.candidate.provider.name).into());
            }
            let ahead = self.ahead(trip);
            let silent = Silent::unread(upstream, ahead, self.began);
            return Ok(Begun::Silent(Box::new(silent.told(header_map(carried)))));
        };
        let name = &self.candidate.provider.name;
        let first = match first {
            None => Bytes::new(),
            Some(read) => read.map_err(|wire| unreachable(name, wire))?,
        };
        let apart = self.reader.is_taken_apart(trip);
        let begun = if self.received.request.stream {
            let ear = self.reader.ear(trip, self.received, self.candidate);
            let reader = self.reader;
            let mut feed = reader.feed(upstream, ear, (self.candidate, apart, &first));
            let limits = (self.deadline, self.until);
            if !first_event(&mut feed, &first, (self.candidate, trip), limits).await? {
                let silent = Silent::unheard(feed, self.began).told(header_map(carried));
                return Ok(Begun::Silent(Box::new(silent)));
            }
            Begun::Stream(feed, header_map(carried))
        } else {
            let writer = self.reader.whole(trip, self.received, self.candidate);
            let reader = self.reader;
            let mut feed = reader.feed(upstream, writer, (self.candidate, apart, &first));
            whole(&mut feed, &first, self.candidate, self.deadline).await?;
            Begun::Whole(feed, header_map(carried))
        };
        trip.first = Some(trip.elapsed());
        Ok(begun)
    }
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

/// Reads an answer to its end.
async fn whole(
    feed: &mut Feed<WholeWriter>,
    first: &[u8],
    candidate: &Candidate,
    deadline: Instant,
) -> Result<(), Lost> {
    feed.push(first)
        .map_err(|stop| stopped(&candidate.provider.name, stop))?;
    loop {
        match step(feed, candidate, deadline).await? {
            Step::Fed if feed.read() > MAX_ANSWER => {
                return Err(stopped(&candidate.provider.name, too_long()).into());
            }
            Step::Fed => {}
            Step::End => {
                feed.rest().await;
                return Ok(());
            }
            Step::Stop(stop) => return Err(stopped(&candidate.provider.name, stop).into()),
        }
    }
}

fn too_long() -> Stop {
    Stop::Malformed(format!("more than {MAX_ANSWER} bytes"))
}
