//! The first phase: a checked request out of what a client sends, within bounds of size and time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request as HttpRequest};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::catalog::Secret;
use crate::chat::{Code, Error, Request, plain};
use crate::route::Hints;
use crate::route::hint::PREFIX;
use crate::route::number;
use crate::route::tenant::Tenant;
use crate::store::counters::Due;

use super::credential::credential;
use super::idempotent::key::{self, Id, Repeat};
use super::keyring::Holder;
use super::load::Room;
use super::memory::Scope;
use super::path::deployment;
use super::path::percent_decoded;
use super::shared::{Settings, Shared};
use super::speech::Speech;
use super::trace::Trace;

/// What came in, checked.
#[derive(Debug)]
pub struct Received {
    /// The request.
    pub request: Request,
    /// What the caller says about routing.
    pub hints: Hints,
    /// Whose state of turns applies.
    pub scope: Scope,
    /// A hash of the credential it showed, the same after every restart.
    pub key: Option<u64>,
    /// Who holds the key, where one is asked for.
    pub holder: Option<Arc<Holder>>,
    /// What the call has to be paid from, where anybody set a budget.
    pub dues: Option<Arc<[Due]>>,
    /// The caller's own provider key, where it brings one.
    pub brought: Option<Secret>,
    /// The tenant of the call that this is a shadow copy of, if it is one.
    pub copies_for: Option<Option<Arc<Tenant>>>,
    /// The key under which the call is made once, however often it is sent.
    pub repeat: Option<Repeat>,
    /// How long the caller's own client waits, where it says so.
    pub patience: Option<Duration>,
    /// Where it belongs in the caller's trace.
    pub trace: Trace,
    /// What its body takes of the memory that bodies have.
    pub room: Room,
}

/// Reads and checks a request.
///
/// # Errors
/// What the client must mend.
pub async fn receive(
    shared: &Shared,
    speech: Speech,
    http: HttpRequest<Incoming>,
    holder: Option<Arc<Holder>>,
) -> Result<Received, Error> {
    let (head, body) = http.into_parts();
    check_head(&head.headers, &shared.settings)?;
    let credential = credential(&head.headers)?;
    let once = key::read(&head.headers)?;
    let (bytes, room) = read(body, &head.headers, shared).await?;
    let bytes = match speech {
        Speech::OpenAi(_) => bytes,
        Speech::Plain(job) => plain::request(bytes, job)?,
    };
    let request = match deployment(head.uri.path()) {
        Some((name, _)) => Request::read_for(speech.ask(), bytes, &percent_decoded(name))?,
        None => Request::read(speech.ask(), bytes)?,
    };
    let mut hints = hints(&head.headers, &request, shared)?;
    if let Some(holder) = &holder {
        holder.bind(&mut hints)?;
    }
    let dues = shared
        .keyring
        .dues(holder.as_deref(), hints.tenant.as_deref());
    let scope = shared.memory.scope(credential.map(str::as_bytes));
    let brought = match credential.filter(|_| shared.settings.passthrough) {
        Some(key) => Some(Secret::new(key).map_err(|_| unsendable())?),
        None if shared.settings.passthrough => {
            let message =
                "No key was sent. Send the provider's own key as 'Authorization: Bearer …'.";
            return Err(Error::new(Code::InvalidApiKey, message));
        }
        None => None,
    };
    let repeat = once.map(|key| {
        let id = Id::new(key, scope, hints.tenant.as_deref());
        let owner = credential.map(number::name);
        Repeat::new((id, owner), speech, &head.headers, &request)
    });
    Ok(Received {
        request,
        repeat,
        hints,
        scope,
        key: credential.map(number::name),
        holder,
        dues,
        brought,
        copies_for: None,
        patience: patience(&head.headers),
        trace: Trace::read(&head.headers),
        room,
    })
}

/// Who calls, by the credential that is shown.
///
/// # Errors
/// Where two different ones are.
pub fn caller(shared: &Shared, headers: &HeaderMap) -> Result<Scope, Error> {
    let credential = credential(headers)?;
    Ok(shared.memory.scope(credential.map(str::as_bytes)))
}

/// A hash of the credential that is shown, the same after every restart.
///
/// # Errors
/// Where two different ones are.
pub fn owner(headers: &HeaderMap) -> Result<Option<u64>, Error> {
    Ok(credential(headers)?.map(number::name))
}

fn check_head(headers: &HeaderMap, settings: &Settings) -> Result<(), Error> {
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding != "identity")
    {
        let message = "Requests with 'content-encoding' are not taken. Send the JSON as it is.";
        return Err(Error::new(Code::UnsupportedMediaType, message).at("content-encoding"));
    }
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json")
        && !kind.to_ascii_lowercase().ends_with("+json")
    {
        let said = if kind.is_empty() {
            "missing".to_owned()
        } else {
            format!("'{kind}'")
        };
        let message = format!("The content-type is {said}. Send 'content-type: application/json'.");
        return Err(Error::new(Code::UnsupportedMediaType, message).at("content-type"));
    }
    match content_length(headers) {
        Some(length) if length > settings.body as u64 => Err(too_large(settings)),
        _ => Ok(()),
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(settings: &Settings) -> Error {
    let message = format!("The body is over the limit of {} bytes.", settings.body);
    Error::new(Code::RequestTooLarge, message)
}

/// The whole body, within the limits of size and pace.
async fn read(
    mut body: Incoming,
    headers: &HeaderMap,
    shared: &Shared,
) -> Result<(Vec<u8>, Room), Error> {
    let (settings, clock) = (&shared.settings, shared.clock);
    let expected = content_length(headers)
        .and_then(|length| usize::try_from(length).ok())
        .unwrap_or(0);
    let mut room = Room::none(Arc::clone(&shared.load));
    room.grow(expected, room_for(expected, settings.bodies))
        .ok_or_else(crowded)?;
    let mut bytes = Vec::with_capacity(expected.min(settings.body).min(AHEAD));
    let began = clock.now();
    loop {
        let lasted = clock.now().saturating_duration_since(began);
        if lasted > PATIENCE && (bytes.len() as u64) < lasted.as_secs().saturating_mul(PACE) {
            return Err(too_slow());
        }
        let Ok(frame) = timeout(settings.body_idle, body.frame()).await else {
            return Err(too_slow());
        };
        match frame {
            None => return Ok((bytes, room)),
            Some(Err(error)) => {
                let message = format!("The body could not be read: {error}.");
                return Err(Error::new(Code::BadFraming, message));
            }
            Some(Ok(frame)) => {
                let data: Bytes = frame.into_data().unwrap_or_default();
                if bytes.len() + data.len() > settings.body {
                    return Err(too_large(settings));
                }
                let length = bytes.len() + data.len();
                room.grow(length, room_for(length, settings.bodies))
                    .ok_or_else(crowded)?;
                bytes.extend_from_slice(&data);
            }
        }
    }
}

/// The room for a body of so many bytes, of all there is: an eighth is left to small ones, so that whoever sends only huge
/// ones leaves others theirs.
const fn room_for(bytes: usize, all: usize) -> usize {
    if bytes > SMALL { all - all / 8 } else { all }
}

fn unsendable() -> Error {
    Error::new(
        Code::InvalidApiKey,
        "The key that was sent has characters that no header takes.",
    )
}

fn crowded() -> Error {
    let message =
        "Other requests fill the memory for bodies. Nothing was sent; try again in a moment.";
    Error::new(Code::Overloaded, message)
}

fn too_slow() -> Error {
    let message = "The body came too slowly. Send it again over a better connection.";
    Error::new(Code::RequestTimeout, message)
}

/// Room that is made on the word of a `content-length` alone.
const AHEAD: usize = 1024 * 1024;
/// Bodies up to so many bytes are small.
const SMALL: usize = 256 * 1024;
/// How long a body may come at any pace.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes a second that must have come after that.
const PACE: u64 = 1024;

fn hints(headers: &HeaderMap, request: &Request, shared: &Shared) -> Result<Hints, Error> {
    let mut ours = Vec::new();
    for (name, value) in headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with(PREFIX))
    {
        let text = value
            .to_str()
            .map_err(|_| Error::value(name.as_str(), format!("'{name}' is not plain text.")))?;
        ours.push((name.as_str(), text));
    }
    let (hints, passed_over) =
        Hints::read(ours.into_iter(), request, shared.settings.unknown_hints)?;
    for hint in passed_over {
        tracing::warn!(hint, "a hint that is not known was passed over");
    }
    Ok(hints)
}

/// The timer that the official SDKs announce, in seconds.
fn patience(headers: &HeaderMap) -> Option<Duration> {
    let seconds = |name: &str| headers.get(name)?.to_str().ok()?.parse::<f64>().ok();
    let announced =
        seconds("x-stainless-read-timeout").or_else(|| seconds("x-stainless-timeout"))?;
    Duration::try_from_secs_f64(announced)
        .ok()
        .filter(|timer| *timer > Duration::ZERO)
}
