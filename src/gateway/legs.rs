//! The legs of a course: out of a plan, or out of names; and why there is none.

use crate::chat::{Code, Error};
use crate::route::Candidate;
use crate::route::explain;
use crate::route::plan::NoRoute;
use crate::route::ranked::Ranked;
use crate::route::reason::Rejection;

use super::course::{CAP, Course, Leg};
use super::receive::Received;
use super::shared::Shared;

/// A target that the plan found, with the effort and the limit that it found.
pub fn open(shared: &Shared, received: &Received, ranked: &Ranked) -> Option<Leg> {
    let mut candidate = shared.pilot.candidate(ranked.site)?;
    candidate.effort = ranked.effort;
    candidate.limit = ranked
        .limit
        .filter(|limit| Some(*limit) != received.request.max_output);
    Some(Leg {
        candidate,
        endpoint: Some(ranked.endpoint),
        ranked: Some(*ranked),
        foreseen: Some(ranked.prediction),
        bound: ranked.bound,
    })
}

/// Targets that are named, as legs.
pub fn legs(shared: &Shared, candidates: Vec<Candidate>) -> Vec<Leg> {
    let leg = |candidate: Candidate| Leg {
        endpoint: shared.pilot.place(&candidate.provider, &candidate.model),
        candidate,
        ranked: None,
        foreseen: None,
        bound: None,
    };
    candidates.into_iter().map(leg).collect()
}

/// Says what to expect of what no plan has judged.
pub fn foresee(course: &mut Course, shared: &Shared) {
    if course.outlook.is_none() {
        return;
    }
    for at in 0..course.legs.len() {
        let bare = course.legs.get(at).filter(|leg| leg.ranked.is_none());
        let Some(place) = bare.and_then(|leg| leg.endpoint) else {
            continue;
        };
        let (foreseen, bound) = course.foresee(&shared.pilot, place);
        if let Some(leg) = course.legs.get_mut(at) {
            (leg.foreseen, leg.bound) = (foreseen, bound);
        }
    }
}

/// Nothing fits: each candidate with its reason.
pub fn no_route(shared: &Shared, none: &NoRoute) -> Error {
    let message = explain::sentence(none, &shared.pilot.board);
    let of_cap = |why: &Rejection| {
        matches!(
            why,
            Rejection::OverCap { .. } | Rejection::Unpriced | Rejection::FloatingPrice
        )
    };
    let mut reasons = none.rejected.iter().map(|rejected| &rejected.why);
    if reasons.clone().any(of_cap) {
        return Error::new(Code::MaxCostUnreachable, message).at(CAP);
    }
    let long = |why: &Rejection| matches!(why, Rejection::Context { .. });
    if !none.rejected.is_empty() && reasons.all(long) {
        return Error::new(Code::ContextLengthExceeded, message).at("messages");
    }
    Error::new(Code::ModelNotFound, message).at("model")
}
