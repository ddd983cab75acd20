//! The only place that builds a response.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Response, StatusCode};

use crate::chat::Error;
use crate::net::Body;

use super::settle::Trip;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A whole answer.
#[must_use]
pub fn whole(trip: &Trip, upstream: HeaderMap, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    headers.extend(upstream);
    headers.insert(CONTENT_TYPE, JSON);
    describe(trip, headers);
    if let Some(charge) = &trip.charge {
        put(headers, COST, &charge.money.to_string());
    }
    response
}

/// A streamed answer.
#[must_use]
pub fn stream(trip: &Trip, upstream: HeaderMap) -> HeaderMap {
    let mut headers = stream_head();
    headers.extend(upstream);
    describe(trip, &mut headers);
    headers
}

/// The head of a stream that begins before anybody has answered.
#[must_use]
pub fn stream_head() -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(CONTENT_TYPE, EVENT_STREAM);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers
}

/// JSON of our own: lists and health.
#[must_use]
pub fn json(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// An error that no attempt upstream precedes.
#[must_use]
pub fn refusal(error: &Error) -> Response<Body> {
    let retry = error.code.row().retry;
    let wait = retry.then_some(Duration::from_secs(1));
    self::error(error, retry, wait)
}

/// An error of a call that was not let in: it may be sent again after a time, or never.
#[must_use]
pub fn turned_away(error: &Error, after: Option<Duration>) -> Response<Body> {
    self::error(error, after.is_some(), after)
}

/// An error after one attempt or more: never to be sent again by the client's own retries, as each was billed.
#[must_use]
pub fn failure(
    trip: &Trip,
    error: &Error,
    wait: Option<Duration>,
    upstream: HeaderMap,
) -> Response<Body> {
    let retry = trip.sent == 0 && error.code.row().retry;
    let mut response = self::error(error, retry, wait);
    response.headers_mut().extend(upstream);
    describe(trip, response.headers_mut());
    response
}

fn error(error: &Error, retry: bool, wait: Option<Duration>) -> Response<Body> {
    let mut body = Vec::with_capacity(256);
    error.write(&mut body);
    let status =
        StatusCode::from_u16(error.code.row().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, body);
    let headers = response.headers_mut();
    headers.insert(
        SHOULD_RETRY,
        HeaderValue::from_static(if retry { "true" } else { "false" }),
    );
    let limited = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    if let Some(wait) = wait.filter(|_| limited) {
        let seconds = wait.as_millis().div_ceil(1000).clamp(1, 60);
        headers.insert(
            RETRY_AFTER,
            HeaderValue::from(u64::try_from(seconds).unwrap_or(60)),
        );
    }
    response
}

/// Says which methods a route has.
#[must_use]
pub fn allowing(mut response: Response<Body>, methods: &'static str) -> Response<Body> {
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(methods));
    response
}

/// Puts the call's id on a response.
pub fn identify(response: &mut Response<Body>, id: &str, client: Option<HeaderValue>) {
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    if let Some(client) = client {
        response.headers_mut().insert("x-client-request-id", client);
    }
}

/// The headers that tell of a call.
fn describe(trip: &Trip, headers: &mut HeaderMap) {
    headers.reserve(12);
    put(headers, PROVIDER, &trip.provider);
    put(headers, MODEL, &trip.model);
    put(
        headers,
        ROUTE_REASON,
        trip.reason.map_or("", crate::route::Reason::as_str),
    );
    if let Some(strategy) = &trip.route.strategy {
        put(headers, STRATEGY, &strategy.name);
    }
    let route = &trip.route;
    for (name, money) in [(ESTIMATED, route.estimate), (MOST, route.most)] {
        if let Some(money) = money {
            put(headers, name, &money.to_string());
        }
    }
    headers.insert(ATTEMPTS, HeaderValue::from(trip.sent));
    if !trip.failed.is_empty() {
        put(
            headers,
            FALLBACK_FROM,
            &trip.fallback_from().unwrap_or_default(),
        );
    }
    put(headers, DROPPED, &short(&trip.report.dropped));
    put(headers, EMULATED, &short(&trip.report.emulated));
    put(headers, CLAMPED, &short(&trip.report.clamped));
    put(headers, SERVER_TIMING, &timing(trip));
}

const STRATEGY: HeaderName = HeaderName::from_static("x-waypost-strategy");
const ESTIMATED: HeaderName = HeaderName::from_static("x-waypost-cost-estimated-usd");
const MOST: HeaderName = HeaderName::from_static("x-waypost-cost-max-usd");
const COST: HeaderName = HeaderName::from_static("x-waypost-cost-usd");
const PROVIDER: HeaderName = HeaderName::from_static("x-waypost-provider");
const MODEL: HeaderName = HeaderName::from_static("x-waypost-model");
const ROUTE_REASON: HeaderName = HeaderName::from_static("x-waypost-route-reason");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-waypost-attempts");
const FALLBACK_FROM: HeaderName = HeaderName::from_static("x-waypost-fallback-from");
const DROPPED: HeaderName = HeaderName::from_static("x-waypost-params-dropped");
const EMULATED: HeaderName = HeaderName::from_static("x-waypost-params-emulated");
const CLAMPED: HeaderName = HeaderName::from_static("x-waypost-params-clamped");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

fn timing(trip: &Trip) -> String {
    let upstream = trip.head.unwrap_or_default().saturating_sub(trip.before);
    format!(
        "waypost;dur={}, upstream;dur={}",
        Millis(trip.before),
        Millis(upstream)
    )
}

/// A list for a header: names come from the request, so that it ends where clients would refuse the head. The body
/// has all of it.
fn short(names: &[Cow<'static, str>]) -> String {
    let mut out = String::new();
    for name in names {
        if out.len() + name.len() > MAX_LIST {
            out.push_str(", ...");
            break;
        }
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(name);
    }
    out
}

/// Longest list in a header, in bytes.
const MAX_LIST: usize = 2048;

/// A span in milliseconds with three decimals, without the cost of floats.
struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        write!(formatter, "{}.{:03}", micros / 1000, micros % 1000)
    }
}

/// Sets a header unless its value is empty; characters that no header takes are left out.
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if value.is_empty() {
        return;
    }
    let value = HeaderValue::from_str(value).or_else(|_| {
        let plain: String = value
            .chars()
            .filter(|c| c.is_ascii() && !c.is_ascii_control())
            .collect();
        HeaderValue::from_str(&plain)
    });
    if let Ok(value) = value {
        headers.insert(name, value);
    }
}
