//! Whose stream is kept so that another answer can carry it on, and how long its silence is borne.

use std::time::Duration;

use crate::dialect::caps::Kind;
use crate::route::hint::{Hedge, Rescue};
use crate::route::policy::Order;

use super::relief::Patience;
use crate::gateway::course::Leg;
use crate::gateway::receive::Received;
use crate::gateway::settle::Trip;
use crate::gateway::shared::Settings;

/// The longest request that is kept for a stream's sake, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Silence before a reasoning model's first word, and between its words, that is nothing odd.
const THINKING: Duration = Duration::from_mins(1);
const PONDERING: Duration = Duration::from_mins(2);

/// Whether a call's stream is kept so that another answer can carry it on.
#[must_use]
pub fn is_kept(received: &Received, settings: &Settings) -> bool {
    let rescue = received.hints.rescue.unwrap_or(settings.rescue);
    let request = &received.request;
    request.stream && rescue == Rescue::Verified && request.body().len() <= LONGEST
}

/// How long the silence of a target is borne; `None` where no help is to be called, or none is there.
#[must_use]
pub fn patience(trip: &Trip, received: &Received, leg: &Leg) -> Option<Patience> {
    let frugal = trip.route.strategy.as_ref();
    let frugal = frugal.is_some_and(|strategy| strategy.order == Order::Cost);
    let helps = trip.relief.keeps && trip.relief.following > 0 && !frugal;
    if !helps || received.hints.hedge == Hedge::Off {
        return None;
    }
    let (hints, settings) = (&received.hints, &trip.shared().settings);
    let thinks = match leg.candidate.caps.reasoning.kind {
        Kind::Unknown | Kind::None => false,
        Kind::Effort | Kind::Budget | Kind::Adaptive | Kind::Always | Kind::Toggle => true,
    };
    let usual = |configured: Duration, thinking: Duration| {
        if thinks {
            configured.max(thinking)
        } else {
            configured
        }
    };
    Some(Patience {
        first: hints
            .first_patience
            .unwrap_or_else(|| usual(settings.ttft, THINKING)),
        between: hints
            .stall_patience
            .unwrap_or_else(|| usual(settings.stall, PONDERING)),
    })
}
