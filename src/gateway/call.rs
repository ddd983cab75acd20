//! One call: receive, choose, try, answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::HeaderValue;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;

use crate::chat::{Ask, Code, Error};
use crate::dialect::codec::Again;
use crate::net::Body;
use crate::route::{self, Candidate, Chosen, Known, Metadata, Next, Reason};

use super::answer;
use super::attempt::{Begun, attempt};
use super::failed::{Lost, carried_headers};
use super::late::{Late, Work};
use super::receive::{self, Received};
use super::relay::Relay;
use super::settle::{Outcome, Tried, Trip};
use super::shared::Shared;

/// How much sooner than the client's own timer an answer must be there: its SDK would send the call again.
const MARGIN: Duration = Duration::from_secs(5);

/// Answers one call.
pub async fn call(
    shared: Arc<Shared>,
    ask: Ask,
    http: Request<Incoming>,
    client_id: Option<HeaderValue>,
) -> Response<Body> {
    if let Err(error) = admit(&shared) {
        let mut response = answer::refusal(&error);
        answer::identify(
            &mut response,
            &format!("req_{:032x}", fastrand::u128(..)),
            client_id,
        );
        return response;
    }
    let trip = Box::new(Trip::begin(shared));
    let id = trip.id.clone();
    let mut response = run(trip, ask, http).await;
    answer::identify(&mut response, &id, client_id);
    response
}

/// Takes a place for the call; the [`Trip`] gives it back.
fn admit(shared: &Shared) -> Result<(), Error> {
    if shared.load.is_draining() {
        return Err(Error::new(
            Code::ServerShuttingDown,
            "The proxy is shutting down. Send the call again.",
        ));
    }
    shared.load.enter(shared.settings.in_flight).ok_or_else(|| {
        let message = "Too many calls are in flight here. Nothing was sent; try again in a moment.";
        Error::new(Code::Overloaded, message)
    })
}

async fn run(mut trip: Box<Trip>, ask: Ask, http: Request<Incoming>) -> Response<Body> {
    let planned = match receive::receive(trip.shared(), ask, http).await {
        Ok(received) => plan(&received, &mut trip).map(|chosen| (received, chosen)),
        Err(error) => Err(error),
    };
    let (received, chosen) = match planned {
        Ok(planned) => planned,
        Err(error) => {
            trip.outcome = Outcome::Failed(error.code.row().code);
            return answer::refusal(&error);
        }
    };
    let deadline = trip.started + time_allowed(&received, trip.shared());
    if received.request.stream {
        streamed(trip, received, chosen, deadline).await
    } else {
        whole(trip, &received, &chosen, deadline).await
    }
}

fn plan(received: &Received, trip: &mut Trip) -> Result<Chosen, Error> {
    trip.metadata = received.hints.metadata.unwrap_or(trip.metadata);
    let shared = trip.shared();
    let known = Known {
        catalog: &shared.catalog,
        on: &shared.on,
    };
    let chosen = route::choose(&received.request, &received.hints, known)?;
    if shared.settings.passthrough {
        one_provider(&chosen)?;
    }
    trip.reason = Some(chosen.reason);
    if trip.metadata == Metadata::Full {
        let name =
            |candidate: &Candidate| format!("{}/{}", candidate.provider.name, candidate.model);
        trip.planned = chosen.candidates.iter().map(name).collect();
    }
    Ok(chosen)
}

/// A caller's own key goes to the provider that the caller named, and to no other.
fn one_provider(chosen: &Chosen) -> Result<(), Error> {
    let named = chosen.candidates.first().map(|first| &first.provider.name);
    let others = chosen
        .candidates
        .iter()
        .any(|candidate| Some(&candidate.provider.name) != named);
    if chosen.reason == Reason::BareModel || others {
        let message = "The key you send goes to one provider: name it, as 'provider/model', and let any fallback be \
                       a model of the same provider.";
        return Err(Error::value("model", message));
    }
    Ok(())
}

fn time_allowed(received: &Received, shared: &Shared) -> Duration {
    let configured = received.hints.timeout.unwrap_or(shared.settings.timeout);
    match received.patience {
        Some(patience) if patience > MARGIN * 2 => configured.min(patience.saturating_sub(MARGIN)),
        Some(patience) => configured.min(patience / 2),
        None => configured,
    }
}

async fn whole(
    mut trip: Box<Trip>,
    received: &Received,
    chosen: &Chosen,
    deadline: Instant,
) -> Response<Body> {
    match tries(&mut trip, received, chosen, deadline).await {
        Ok(Begun::Whole(feed, carried)) => {
            trip.tokens = feed.ear.tokens;
            trip.skipped = feed.skipped();
            trip.outcome = Outcome::Answered;
            let metadata = trip.describe();
            answer::whole(&trip, carried, feed.ear.writer.close(metadata.as_deref()))
        }
        Ok(Begun::Stream(..)) => answer::refusal(&Error::new(
            Code::Internal,
            "A stream was begun for a whole answer.",
        )),
        Err(failed) => failed.response(&mut trip),
    }
}

/// Streams the answer. The head waits for the first event, so that failures before it keep their status and other
/// targets can be tried unseen; after a long silence it leaves all the same and the tries go on within the body.
async fn streamed(
    trip: Box<Trip>,
    received: Received,
    chosen: Chosen,
    deadline: Instant,
) -> Response<Body> {
    let settings = trip.shared().settings;
    let mut tries = Box::pin(begin_stream(trip, received, chosen, deadline));
    let patience = settings.commit_after;
    let begun = if patience.is_zero() {
        tries.as_mut().await
    } else {
        match tokio::time::timeout(patience, tries.as_mut()).await {
            Ok(begun) => begun,
            Err(_) => return late(tries, settings.heartbeat),
        }
    };
    match begun {
        Ok((relay, headers)) => {
            let mut response = Response::new(Body::stream(relay));
            *response.headers_mut() = headers;
            response
        }
        Err(lost) => {
            let (mut trip, failed) = *lost;
            failed.response(&mut trip)
        }
    }
}

type Lossy = Box<(Box<Trip>, AllFailed)>;

async fn begin_stream(
    mut trip: Box<Trip>,
    received: Received,
    chosen: Chosen,
    deadline: Instant,
) -> Result<(Relay, HeaderMap), Lossy> {
    match tries(&mut trip, &received, &chosen, deadline).await {
        Ok(Begun::Stream(feed, carried)) => {
            let headers = answer::stream(&trip, carried);
            Ok((Relay::new(feed, trip), headers))
        }
        Ok(Begun::Whole(..)) => {
            let error = Error::new(Code::Internal, "A whole answer was begun for a stream.");
            Err(Box::new((
                trip,
                AllFailed {
                    error,
                    wait: None,
                    carried: HeaderMap::new(),
                },
            )))
        }
        Err(failed) => Err(Box::new((trip, failed))),
    }
}

fn late(
    tries: std::pin::Pin<
        Box<impl Future<Output = Result<(Relay, HeaderMap), Lossy>> + Send + 'static>,
    >,
    beat: Duration,
) -> Response<Body> {
    let work: Work = Box::pin(async move {
        match tries.await {
            Ok((relay, _)) => Ok(relay),
            Err(lost) => {
                let (mut trip, failed) = *lost;
                trip.outcome = Outcome::Failed(failed.error.code.row().code);
                Err(failed.error)
            }
        }
    });
    let mut response = Response::new(Body::stream(Late::new(work, beat)));
    *response.headers_mut() = answer::stream_head();
    response
}

/// Every target failed.
#[derive(Debug)]
struct AllFailed {
    error: Error,
    wait: Option<Duration>,
    carried: HeaderMap,
}

impl AllFailed {
    fn response(self, trip: &mut Trip) -> Response<Body> {
        trip.outcome = Outcome::Failed(self.error.code.row().code);
        answer::failure(trip, &self.error, self.wait, self.carried)
    }
}

/// Tries the candidates in order until one begins to answer.
async fn tries(
    trip: &mut Trip,
    received: &Received,
    chosen: &Chosen,
    deadline: Instant,
) -> Result<Begun, AllFailed> {
    let mut last = None;
    for candidate in &chosen.candidates {
        candidate.provider.name.clone_into(&mut trip.provider);
        candidate.model.clone_into(&mut trip.model);
        let lost = match attempt(received, candidate, trip, deadline).await {
            Ok(begun) => return Ok(begun),
            Err(lost) => lost,
        };
        let (error, go_on) = match &lost {
            Lost::Refused(error) => (error.clone(), error.code == Code::UnsupportedParameter),
            Lost::Failed(failure, _) => (failure.error(), route::next(failure) == Next::Try),
        };
        trip.failed.push(Tried {
            provider: candidate.provider.name.clone(),
            model: candidate.model.clone(),
            cause: error.code.row().code,
            message: error.message,
        });
        if last.is_none() || lost.is_telling() {
            last = Some(lost);
        }
        if !go_on || trip.shared().clock.now() >= deadline {
            break;
        }
    }
    Err(all_failed(trip, last))
}

/// The error of the last target, naming every target that was tried.
fn all_failed(trip: &mut Trip, last: Option<Lost>) -> AllFailed {
    let (mut error, wait, carried) = match last {
        Some(Lost::Refused(error)) => (error, None, HeaderMap::new()),
        Some(Lost::Failed(failure, carried)) => {
            let wait = match failure.again {
                Again::After(wait) => Some(wait),
                Again::Soon => Some(Duration::from_secs(1)),
                Again::No => None,
            };
            (failure.error(), wait, carried_headers(&carried))
        }
        None => (
            Error::new(Code::NoHealthyUpstream, "There was no target to try."),
            None,
            HeaderMap::new(),
        ),
    };
    if trip.failed.len() > 1 {
        let tried: Vec<_> = trip
            .failed
            .iter()
            .map(|t| format!("{}/{} ({})", t.provider, t.model, t.cause))
            .collect();
        error.message = format!(
            "Every target failed: {}. The last: {}",
            tried.join(", "),
            error.message
        );
    }
    // The one that is the answer is not one that was fallen back from.
    trip.failed.pop();
    AllFailed {
        error,
        wait,
        carried,
    }
}
