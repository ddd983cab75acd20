//! The tries of a call: one target after the other, within one deadline and one cap.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, Response};

use crate::chat::{Code, Error};
use crate::dialect::codec::Again;
use crate::net::Body;
use crate::route::health::Seat;
use crate::route::retry::{self, Attempts};
use crate::route::{self, Next};

use super::answer;
use super::attempt::{Begun, attempt};
use super::course::{Course, Leg};
use super::ending::{Outcome, Tried};
use super::failed::{Lost, carried_headers};
use super::idempotent::key::MayBeBilled;
use super::receive::Received;
use super::secure::secure;
use super::settle::Trip;
use super::site::Site;

/// No target answers.
#[derive(Debug, Default)]
pub struct NobodyLeft {
    /// The failure that tells most.
    pub last: Option<Lost>,
}

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
    /// By this error, whatever the targets say.
    #[must_use]
    pub fn by(error: Error) -> Self {
        Self {
            error,
            wait: None,
            carried: HeaderMap::new(),
        }
    }

    /// By the failure that tells most, naming every target that was tried.
    #[must_use]
    pub fn of(trip: &mut Trip, last: Option<Lost>) -> Self {
        let mut all = match last {
            Some(Lost::Refused(error)) => Self::by(error),
            Some(Lost::Failed(failure, carried)) => {
                let wait = match failure.again {
                    Again::After(wait) => Some(wait),
                    Again::Soon => Some(Duration::from_secs(1)),
                    Again::No => None,
                };
                Self {
                    wait,
                    carried: carried_headers(&carried),
                    error: failure.error(),
                }
            }
            None => Self::by(Error::new(
                Code::NoHealthyUpstream,
                "There was no target to try.",
            )),
        };
        all.names(&trip.failed);
        // The one that is the answer is not one that was fallen back from.
        trip.failed.pop();
        all
    }

    /// Names those that were tried, where they are several.
    fn names(&mut self, failed: &[Tried]) {
        let several = failed.windows(2).any(|pair| {
            let [first, second] = pair else { return false };
            first.provider != second.provider || first.model != second.model
        });
        if !several {
            return;
        }
        let tried = failed
            .iter()
            .map(|t| format!("{}/{} ({})", t.provider, t.model, t.cause));
        let tried: Vec<_> = tried.collect();
        self.error.message = format!(
            "Every target failed: {}. The last: {}",
            tried.join(", "),
            self.error.message
        );
    }

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

/// Tries the course's targets in order until one begins to answer, each again where it may be better in a moment. All
/// of it stays within one deadline, one number of attempts and one cap: what an earlier attempt may have cost is not
/// there for the next.
///
/// # Errors
/// Where none of them does.
pub async fn tries(
    trip: &mut Trip,
    received: &Arc<Received>,
    course: &Course,
    deadline: Instant,
) -> Result<Begun, NobodyLeft> {
    let mut way = Way::new(trip, (received, course), deadline);
    let mut resting = None;
    for (at, leg) in course.legs.iter().enumerate() {
        let rest = course.legs.iter().skip(at + 1);
        let following = rest.filter(|leg| way.is_large_enough(leg)).count();
        if !way.is_large_enough(leg) {
            continue;
        }
        // The last target is never left to rest: whoever is asked last is asked.
        if following > 0 && !seat(trip, leg).admits(trip.shared().clock.moment()) {
            trip.failed.push(tried(leg, RESTS, REST_MESSAGE.to_owned()));
            resting = resting.or(Some(leg));
            continue;
        }
        // A stream that was carried on may have used them all.
        if !way.attempts.is_left() {
            break;
        }
        (trip.relief.next, trip.relief.following) = (at + 1, following);
        match way.stay(trip, leg, following).await {
            Ok(begun) => return Ok(begun),
            Err(Next::Try) if trip.shared().clock.now() < deadline => {}
            Err(Next::Try | Next::Stop) => return Err(NobodyLeft { last: way.last }),
        }
    }
    // Where nobody could be asked at all, one who rests may be better than nobody.
    if let Some(leg) = resting.filter(|_| trip.sent == 0) {
        // It is rare, so that its place is not held for all calls.
        if let Ok(begun) = Box::pin(way.stay(trip, leg, 0)).await {
            return Ok(begun);
        }
    }
    Err(NobodyLeft { last: way.last })
}

/// The way of one call along its course.
struct Way<'a> {
    received: &'a Arc<Received>,
    course: &'a Course,
    deadline: Instant,
    attempts: Attempts,
    /// The largest window that was too small for the prompt.
    too_small: Option<u64>,
    /// The failure that tells most so far.
    last: Option<Lost>,
}

impl<'a> Way<'a> {
    fn new(
        trip: &Trip,
        (received, course): (&'a Arc<Received>, &'a Course),
        deadline: Instant,
    ) -> Self {
        let retries = received.hints.retries;
        Self {
            received,
            course,
            deadline,
            attempts: Attempts::new(retries.unwrap_or(trip.shared().settings.retries))
                .after(trip.sent),
            too_small: None,
            last: None,
        }
    }

    /// Stays with a target for as long as it may be better in a moment. An error says whether the next is tried.
    async fn stay(&mut self, trip: &mut Trip, leg: &Leg, following: usize) -> Result<Begun, Next> {
        let following = u32::try_from(following).unwrap_or(u32::MAX);
        let seat = seat(trip, leg);
        let vitals = &Arc::clone(trip.shared()).pilot.vitals;
        vitals.asks(&seat, trip.shared().clock.moment());
        let mut so_far = 0;
        loop {
            let lost = match self.once(trip, leg).await {
                Ok(begun) => return Ok(begun),
                Err(lost) => lost,
            };
            let rotates =
                self.attempts.may_stay(following) && self.has_another_key(trip, leg, &lost);
            if rotates {
                // What is said of one key says nothing of the model's health.
                trip.watch = None;
            }
            trip.lost(&lost);
            if rotates {
                self.note(trip, leg, lost);
                continue;
            }
            let pause = self.pause(trip, (leg, &seat), &lost, (so_far, following));
            let next = self.note(trip, leg, lost);
            let Some(pause) = pause else {
                return Err(next);
            };
            so_far += 1;
            tokio::time::sleep(pause).await;
        }
    }

    /// One attempt.
    async fn once(&mut self, trip: &mut Trip, leg: &Leg) -> Result<Begun, Lost> {
        let granted = self
            .course
            .grant(&trip.shared().pilot, leg, trip.route.ventured);
        trip.tries(leg, &granted.as_ref().ok().copied().unwrap_or_default());
        let grant = granted.map_err(Lost::Refused)?;
        let grant = secure(trip, self.received, self.course, leg, grant).await;
        let grant = grant.map_err(Lost::Refused)?;
        trip.route.bound = grant.bound;
        self.attempts.made();
        attempt(self.received, leg, &grant, trip, self.deadline).await
    }

    /// Whether the provider refused one of our keys and has others.
    fn has_another_key(&self, trip: &Trip, leg: &Leg, lost: &Lost) -> bool {
        let Lost::Failed(failure, _) = lost else {
            return false;
        };
        let shared = trip.shared();
        let site = shared.site(&leg.candidate.provider.name);
        let has = |site: &Site| site.rotation().has_another(failure, shared.clock.moment());
        self.received.brought.is_none() && site.is_some_and(has)
    }

    /// How long to wait before the same target is asked again; `None` where it is not.
    fn pause(
        &self,
        trip: &Trip,
        (leg, seat): (&Leg, &Seat),
        lost: &Lost,
        (so_far, following): (u32, u32),
    ) -> Option<Duration> {
        let Lost::Failed(failure, _) = lost else {
            return None;
        };
        if !self.attempts.may_repeat(so_far, following) {
            return None;
        }
        let pause = retry::pause(failure, so_far, fastrand::u64(..))?;
        let shared = trip.shared();
        let in_time = shared.clock.now() + pause < self.deadline;
        let granted = self.course.grant(&shared.pilot, leg, trip.route.ventured);
        let may = in_time && granted.is_ok();
        (may && shared.pilot.vitals.may_repeat(seat, shared.clock.moment())).then_some(pause)
    }

    /// Keeps what an attempt came to, and says whether another target may do better.
    fn note(&mut self, trip: &mut Trip, leg: &Leg, lost: Lost) -> Next {
        let (error, next) = match &lost {
            Lost::Refused(error) if leads_on(error) => (error.clone(), Next::Try),
            Lost::Refused(error) => (error.clone(), Next::Stop),
            Lost::Failed(failure, _) => (failure.error(), route::next(failure)),
        };
        if error.code == Code::ContextLengthExceeded {
            self.too_small = self.too_small.max(leg.candidate.caps.context);
        }
        trip.failed
            .push(tried(leg, error.code.row().code, error.message));
        if self.last.is_none() || lost.is_telling() {
            self.last = Some(lost);
        }
        next
    }

    /// Whether a target may take a prompt that was too long for others: its window is larger, or not known.
    fn is_large_enough(&self, leg: &Leg) -> bool {
        match (leg.candidate.caps.context, self.too_small) {
            (Some(window), Some(too_small)) => window > too_small,
            (None, _) | (_, None) => true,
        }
    }
}

/// The word for a target that is passed over for a while, and what it means.
const RESTS: &str = "cooling_down";
const REST_MESSAGE: &str = "It failed, or asked not to be called, a moment ago.";

/// Where the health of a target is kept.
fn seat(trip: &Trip, leg: &Leg) -> Seat {
    let pilot = &trip.shared().pilot;
    let name = leg.endpoint.map_or_else(|| leg.name(), |_| String::new());
    pilot.vitals.seat(&pilot.board, leg.endpoint, &name)
}

fn tried(leg: &Leg, cause: &'static str, message: String) -> Tried {
    Tried {
        provider: leg.candidate.provider.name.clone(),
        model: leg.candidate.model.clone(),
        cause,
        message,
    }
}

/// Whether what one target cannot be asked, or not for the money, the next one may be.
const fn leads_on(error: &Error) -> bool {
    matches!(
        error.code,
        Code::UnsupportedParameter | Code::MaxCostUnreachable | Code::InsufficientQuota
    )
}
