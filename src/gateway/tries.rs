//! The tries of a call: one target after the other, within one deadline and one cap.

use std::time::{Duration, Instant};

use http::{HeaderMap, Response};

use crate::chat::{Code, Error};
use crate::dialect::codec::Again;
use crate::net::Body;
use crate::route::{self, Next};

use super::answer;
use super::attempt::{Begun, attempt};
use super::course::Course;
use super::ending::{Outcome, Tried};
use super::failed::{Lost, carried_headers};
use super::idempotent::key::MayBeBilled;
use super::receive::Received;
use super::settle::Trip;

/// Every target failed.
#[derive(Debug)]
pub struct AllFailed {
    /// The error of the last target, naming every one that was tried.
    pub error: Error,
    /// How long to wait before the next call, where it is known.
    pub wait: Option<Duration>,
    /// What the client gets of the last target's head.
    pub carried: HeaderMap,
}

impl AllFailed {
    /// The answer that says so.
    pub fn response(self, trip: &mut Trip) -> Response<Body> {
        trip.outcome = Outcome::Failed(self.error.code.row().code);
        let mut response = answer::failure(trip, &self.error, self.wait, self.carried);
        if trip.route.unsure {
            response.extensions_mut().insert(MayBeBilled);
        }
        response
    }
}

/// Tries the course's targets in order until one begins to answer. All of them stay within one cap: what an earlier
/// one may have cost is not there for the next.
///
/// # Errors
/// Where none of them does.
pub async fn tries(
    trip: &mut Trip,
    received: &Received,
    course: &Course,
    deadline: Instant,
) -> Result<Begun, AllFailed> {
    let mut last = None;
    for leg in &course.legs {
        let grant = course.grant(&trip.shared().pilot, leg, trip.route.ventured);
        trip.tries(leg, &grant.as_ref().ok().copied().unwrap_or_default());
        let lost = match grant {
            Ok(grant) => match attempt(received, leg, &grant, trip, deadline).await {
                Ok(begun) => return Ok(begun),
                Err(lost) => lost,
            },
            Err(error) => Lost::Refused(error),
        };
        trip.lost(&lost);
        let (error, go_on) = match &lost {
            Lost::Refused(error) => (error.clone(), leads_on(error)),
            Lost::Failed(failure, _) => (failure.error(), route::next(failure) == Next::Try),
        };
        trip.failed.push(Tried {
            provider: leg.candidate.provider.name.clone(),
            model: leg.candidate.model.clone(),
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

/// Whether what one target cannot be asked, or not for the money, the next one may be.
const fn leads_on(error: &Error) -> bool {
    matches!(
        error.code,
        Code::UnsupportedParameter | Code::MaxCostUnreachable
    )
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
