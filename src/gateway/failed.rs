//! What a try that failed means: a failure of the provider's dialect, of the wire, or of the clock.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use crate::chat::{Code, Error};
use crate::dialect::codec::{Again, Headers};
use crate::dialect::{Dialect, Failure, Fault, Stop, limits, signals};
use crate::net::Wire;
use crate::route::Candidate;

use super::receive::Received;
use super::said::Said;
use super::shared::Shared;

/// Why a try failed.
#[derive(Clone, Debug)]
pub enum Lost {
    /// Nothing was sent: the request cannot be put to this target.
    Refused(Error),
    /// The provider, or the way to it, failed. With what of its head the client gets.
    Failed(Failure, Vec<(&'static str, String)>),
}

impl Lost {
    /// Whether it tells a caller more than an earlier failure did: that a fallback could not take the request, or
    /// does not exist, says nothing of why the first choice failed.
    #[must_use]
    pub fn is_telling(&self) -> bool {
        match self {
            Self::Refused(error) => error.code != Code::UnsupportedParameter,
            Self::Failed(failure, _) => failure.code != Code::ModelNotFound,
        }
    }
}

impl From<Failure> for Lost {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure, Vec::new())
    }
}

/// What an answer that cannot go on means before anything was shown.
#[must_use]
pub fn stopped(name: &str, stop: Stop) -> Failure {
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

/// What a refusal means, which the key that met it is held to.
pub fn refusal(
    shared: &Shared,
    whose: (&Candidate, &dyn Dialect),
    (said, received): (&Said, &Received),
) -> Lost {
    let lost = failed(whose, said, received, shared.clock.unix());
    let site = shared.site(&whose.0.provider.name);
    if let (Lost::Failed(failure, _), Some(site)) = (&lost, site) {
        site.rotation()
            .note(said.key, failure, shared.clock.moment());
    }
    lost
}

/// What a provider's refusal means.
fn failed(
    (candidate, dialect): (&Candidate, &dyn Dialect),
    said: &Said,
    received: &Received,
    now: u64,
) -> Lost {
    if let Some(miss) = replay_miss(&said.headers, &said.body) {
        return Lost::Refused(miss);
    }
    let mut failure = dialect.failure(said.status.as_u16(), &said.headers, &said.body);
    if let (Again::Soon, Some(wait)) = (failure.again, retry_date(&said.headers, now)) {
        failure.again = Again::After(wait);
    }
    if failure.code == Code::UpstreamAuthError && received.brought.is_some() {
        failure.code = Code::InvalidApiKey;
        failure.fault = Fault::Client;
    }
    let name = &candidate.provider.name;
    let mut failure = named(name, failure);
    if let (Code::UpstreamAuthError, Some((pass, refusal))) = (failure.code, &said.refused) {
        let (origin, advice) = (&pass.origin, refusal.advice());
        failure.message =
            format!("The provider '{name}' refused our credential ({origin}). {advice}.");
    }
    Lost::Failed(failure, limits::carried(texts(&said.headers), now))
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
        _ => format!("{provider}: {}", signals::scrub(&failure.message)),
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

/// The provider took longer than the call may take.
#[must_use]
pub fn no_time(provider: &str) -> Failure {
    let message = format!("'{provider}' did not answer in time.");
    Failure {
        again: Again::No,
        ..Failure::provider(Code::UpstreamTimeout, message)
    }
}

/// The way to the provider is broken.
#[must_use]
pub fn unreachable(provider: &str, wire: Wire) -> Failure {
    let (code, what) = match wire {
        Wire::Connect => (Code::UpstreamConnectError, "cannot be reached"),
        Wire::ConnectTimeout => (
            Code::UpstreamConnectTimeout,
            "could not be connected to in time",
        ),
        Wire::Spent => (
            Code::Overloaded,
            "could not be connected to: this machine has no port or file descriptor left; nothing was sent",
        ),
        Wire::Tls => (
            Code::UpstreamTlsError,
            "has no certificate that can be trusted",
        ),
        Wire::Denied => (
            Code::UpstreamAddressDenied,
            "leads to a private network. Name its host in base_url if that is meant; nothing was sent",
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
pub fn texts(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
}

/// Headers of ours as a map; what cannot be a header is left out.
#[must_use]
pub fn header_map(carried: Vec<(&'static str, String)>) -> HeaderMap {
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
