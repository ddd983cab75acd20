//! One call: receive, choose, try, answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::HeaderValue;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;

use crate::chat::plain::Job;
use crate::chat::{Code, Error};
use crate::net::Body;
use crate::route::hint::Run;
use crate::route::{Beside, Metadata};

use super::admit::{self, Turned};
use super::answer;
use super::api;
use super::attempt::Begun;
use super::books::Books;
use super::charge::prompt_guess;
use super::course::{CAP, Course, Grant, Leg};
use super::dry;
use super::ending::{Outcome, shutting_down};
use super::idempotent::serve::serve;
use super::late::{Late, Work};
use super::load::Most;
use super::plot::plot;
use super::receive::{self, Received};
use super::rescue::aid::Aid;
use super::rescue::body::{Lossy, RescueBody};
use super::rescue::patience;
use super::settle::Trip;
use super::shadow;
use super::shared::Shared;
use super::speech::Speech;
use super::tell;
use super::tries::{AllFailed, tries};

/// How much sooner than the client's own timer an answer must be there: its SDK would send the call again.
const MARGIN: Duration = Duration::from_secs(5);

/// Answers one call, in the form that its client speaks.
pub async fn call(
    shared: Arc<Shared>,
    speech: Speech,
    http: Request<Incoming>,
    client_id: Option<HeaderValue>,
) -> Response<Body> {
    let books = match admit(&shared).await {
        Ok(books) => books,
        Err(error) => {
            shared.tallies.figures.refused(error.code.row().code);
            let mut response = answer::refusal(&error);
            let id = format!("req_{:032x}", fastrand::u128(..));
            answer::identify(&mut response, &id, client_id);
            return response;
        }
    };
    let trip = Box::new(Trip::begin(shared, speech, books));
    let (id, told) = (trip.id.clone(), Arc::clone(&trip.told));
    let mut response = run(trip, http).await;
    told.tell(response.headers_mut());
    answer::identify(&mut response, &id, client_id);
    response
}

/// Takes a place for the call, and one in the ledger; the [`Trip`] gives them back.
async fn admit(shared: &Shared) -> Result<Books, Error> {
    if shared.load.is_draining() {
        return Err(Error::new(
            Code::ServerShuttingDown,
            "The proxy is shutting down. Send the call again.",
        ));
    }
    let books = Books::open(&shared.ledger)?;
    let most = Most {
        in_flight: shared.settings.in_flight,
        queue: shared.settings.queue,
    };
    let entered = shared.load.enter(most).await;
    entered.map(|()| books).ok_or_else(|| {
        let message = "Too many calls are in flight here. Nothing was sent; try again in a moment.";
        Error::new(Code::Overloaded, message)
    })
}

async fn run(mut trip: Box<Trip>, http: Request<Incoming>) -> Response<Body> {
    let headers: Vec<&'static str> = [api::STRATEGY, CAP]
        .into_iter()
        .filter(|name| http.headers().contains_key(*name))
        .collect();
    let mut received = match read(&mut trip, http).await {
        Ok(received) => received,
        Err(turned) => return turned_away(&mut trip, turned, &headers),
    };
    match received.repeat.take() {
        Some(repeat) if received.hints.run != Run::Dry => {
            serve(trip, repeat, |trip| async move {
                go_on(trip, received, &headers).await
            })
            .await
        }
        Some(_) | None => go_on(trip, received, &headers).await,
    }
}

/// Lets the caller in and reads what it asks.
async fn read(trip: &mut Trip, http: Request<Incoming>) -> Result<Received, Turned> {
    let holder = admit::enter(trip, http.headers()).await?;
    let received = receive::receive(trip.shared(), trip.speech, http, holder).await?;
    admit::go_on(trip, &received).await?;
    Ok(received)
}

/// Answers a call that was not let in, or could not be read.
fn turned_away(trip: &mut Trip, turned: Turned, routed_by: &[&'static str]) -> Response<Body> {
    trip.outcome = Outcome::Failed(turned.error.code.row().code);
    let error = api::worded(trip.speech, turned.error, routed_by);
    answer::turned_away(&error, turned.after)
}

/// Answers with an error of the caller's, in the words of how it speaks.
fn refused(trip: &mut Trip, error: Error, routed_by: &[&'static str]) -> Response<Body> {
    trip.outcome = Outcome::Failed(error.code.row().code);
    answer::refusal(&api::worded(trip.speech, error, routed_by))
}

/// Goes on with a call whose request is read; `routed_by` names the headers that had a say in its route.
pub async fn go_on(
    mut trip: Box<Trip>,
    received: Received,
    routed_by: &[&'static str],
) -> Response<Body> {
    let mut course = match plan(&received, &mut trip) {
        Ok(course) => course,
        Err(error) => return refused(&mut trip, error, routed_by),
    };
    if received.hints.run == Run::Dry {
        return dry(trip, &course);
    }
    let copies = std::mem::take(&mut course.rules.copies);
    let watched = (!copies.is_empty() && !trip.shared().settings.passthrough)
        .then(|| (Arc::clone(trip.shared()), trip.id.clone()));
    let received = Arc::new(received);
    let original = Arc::clone(&received);
    let deadline = trip.started + time_allowed(&received, trip.shared());
    let response = if received.request.stream {
        streamed(trip, received, course, deadline).await
    } else {
        whole(trip, &received, &course, deadline).await
    };
    if let Some((shared, id)) = watched.filter(|_| response.status().is_success()) {
        shadow::send(&shared, &original, copies, &id);
    }
    response
}

/// Answers with the plan; nothing is sent.
fn dry(mut trip: Box<Trip>, course: &Course) -> Response<Body> {
    if let Some(leg) = course.legs.first() {
        trip.tries(leg, &Grant::default());
    }
    trip.outcome = Outcome::Answered;
    let out = match trip.speech {
        Speech::Plain(Job::Recommend) => api::recommended(&trip, course),
        Speech::Plain(Job::Whole | Job::Stream) | Speech::OpenAi(_) => {
            dry::told(trip.shared(), course, trip.route.plan.as_deref())
        }
    };
    answer::whole(&trip, HeaderMap::new(), out)
}

/// Plots the course, and notes on the trip what is to be told of it.
fn plan(received: &Received, trip: &mut Trip) -> Result<Course, Error> {
    trip.metadata = received.hints.metadata.unwrap_or(trip.metadata);
    trip.scope = Some(received.scope);
    trip.belongs(received);
    trip.streams = received.request.stream;
    let mut course = plot(trip.shared(), received)?;
    trip.reason = Some(course.reason);
    trip.labels.tenant.clone_from(&received.hints.tenant);
    trip.labels.trial = course.rules.arm.take();
    let route = &mut trip.route;
    route.strategy = course
        .plan
        .is_some()
        .then(|| Arc::clone(&course.rules.strategy));
    route.plan = course.plan.take();
    (route.cap, route.most) = (course.rules.cap, course.most);
    if let Some(outlook) = &mut course.outlook {
        route.input = outlook.need.prompt.estimate;
        route.prefixes = std::mem::take(&mut outlook.need.prefixes);
        route.tier.clone_from(&outlook.tier);
    } else {
        route.input = prompt_guess(received.request.body());
    }
    route.beside = Beside::of(&received.request);
    if trip.metadata == Metadata::Full {
        trip.planned = course.legs.iter().map(Leg::name).collect();
    }
    Ok(course)
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
    received: &Arc<Received>,
    course: &Course,
    deadline: Instant,
) -> Response<Body> {
    match in_time(&mut trip, received, course, deadline).await {
        Ok(Begun::Whole(feed, carried)) => {
            trip.answered(feed.heard());
            let mut writer = feed.ear.writer;
            if let Some(cost) = tell::cost_in_usage(&trip) {
                writer.price(cost);
            }
            let metadata = tell::describe(&trip);
            api::answered(&trip, carried, writer.close(metadata.as_deref()))
        }
        Ok(Begun::Stream(..) | Begun::Silent(_)) => answer::refusal(&Error::new(
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
    received: Arc<Received>,
    course: Course,
    deadline: Instant,
) -> Response<Body> {
    let settings = trip.shared().settings;
    let speech = trip.speech;
    let mut tries = Box::pin(begin_stream(trip, received, course, deadline));
    let patience = settings.commit_after;
    let begun = if patience.is_zero() {
        tries.as_mut().await
    } else {
        match tokio::time::timeout(patience, tries.as_mut()).await {
            Ok(begun) => begun,
            Err(_) => return late(tries, settings.heartbeat, speech),
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

/// Tries the course, unless the house ends first.
async fn in_time(
    trip: &mut Trip,
    received: &Arc<Received>,
    course: &Course,
    deadline: Instant,
) -> Result<Begun, AllFailed> {
    let load = Arc::clone(&trip.shared().load);
    // Boxed: it is by far the largest part of a call, and of no use once there is an answer.
    let tried = Box::pin(tries(trip, received, course, deadline));
    match load.unless_cut(tried).await {
        Some(tried) => tried.map_err(|nobody| AllFailed::of(trip, nobody.last)),
        None => Err(AllFailed::by(shutting_down())),
    }
}

async fn begin_stream(
    mut trip: Box<Trip>,
    received: Arc<Received>,
    course: Course,
    deadline: Instant,
) -> Result<(RescueBody, HeaderMap), Lossy> {
    trip.relief.keeps = patience::is_kept(&received, &trip.shared().settings);
    trip.relief.until = Some(deadline);
    let begun = in_time(&mut trip, &received, &course, deadline).await;
    let helped = trip.relief.may_be_carried();
    let aid = Box::new(Aid::new(received, course));
    let mut body = match begun {
        // Where nobody can help, the request need not outlive the beginning of its answer.
        Ok(Begun::Stream(feed, carried)) => {
            RescueBody::new((feed, carried), trip, helped.then_some(aid))
        }
        Ok(Begun::Silent(silent)) => RescueBody::silent(*silent, trip, aid),
        Ok(Begun::Whole(..)) => {
            let error = Error::new(Code::Internal, "A whole answer was begun for a stream.");
            return Err(Box::new((trip, AllFailed::by(error))));
        }
        Err(failed) => return Err(Box::new((trip, failed))),
    };
    body.opens().await?;
    let headers = body.headers();
    Ok((body, headers))
}

fn late(
    tries: std::pin::Pin<
        Box<impl Future<Output = Result<(RescueBody, HeaderMap), Lossy>> + Send + 'static>,
    >,
    beat: Duration,
    speech: Speech,
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
    let mut response = Response::new(Body::stream(Late::new(work, beat, speech)));
    *response.headers_mut() = answer::stream_head();
    response
}
