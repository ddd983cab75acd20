//! Whose stream is kept so that another answer can carry it on, how long its silence is borne, and how often.

use std::time::Duration;

use crate::dialect::caps::Kind;
use crate::route::hint::{Hedge, Rescue};
use crate::route::policy::Order;

use super::broken::Help;
use super::relief::Patience;
use crate::gateway::course::Leg;
use crate::gateway::feed::Feed;
use crate::gateway::receive::Received;
use crate::gateway::relay::Relay;
use crate::gateway::settle::Trip;
use crate::gateway::shared::Settings;
use crate::gateway::voice::Voice;

/// The longest request that is kept for a stream's sake, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Silence before a reasoning model's first word, and between its words, that is nothing odd.
const THINKING: Duration = Duration::from_mins(1);
const PONDERING: Duration = Duration::from_mins(2);

/// How often silence may bring help in one call.
pub const HELPS: u32 = 2;

/// No wait is more usual than that.
const LONGEST_USUAL: Duration = Duration::from_mins(10);

/// A reasoning model is late where it takes so many times as long as usual.
const LATE: u32 = 3;

/// Whether a call's stream is kept so that another answer can carry it on.
#[must_use]
pub fn is_kept(received: &Received, settings: &Settings) -> bool {
    let rescue = received.hints.rescue.unwrap_or(settings.rescue);
    let request = &received.request;
    request.stream && rescue != Rescue::Off && request.body().len() <= LONGEST
}

/// How long the silence of a target is borne; `None` where no help is to be called, or none is there.
#[must_use]
pub fn patience(trip: &Trip, received: &Received, leg: &Leg) -> Option<Patience> {
    let frugal = trip.route.strategy.as_ref();
    let frugal = frugal.is_some_and(|strategy| strategy.order == Order::Cost);
    let helps = trip.relief.keeps && trip.relief.following > 0 && !frugal;
    let (hints, settings) = (&received.hints, &trip.shared().settings);
    if !helps || hints.hedge.unwrap_or(settings.hedge) == Hedge::Off {
        return None;
    }
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
            .unwrap_or_else(|| usual(settings.ttft, THINKING.max(wait(trip, leg) * LATE))),
        between: hints
            .stall_patience
            .unwrap_or_else(|| usual(settings.stall, PONDERING)),
    })
}

/// How long one waits for the first word of a target as a rule: for such a prompt where that was foreseen, else for half
/// of those that were asked before; nothing where nobody knows.
fn wait(trip: &Trip, leg: &Leg) -> Duration {
    let foreseen = leg.foreseen.as_ref();
    let foreseen =
        foreseen.and_then(|foreseen| Duration::try_from_secs_f64(foreseen.wait / 1e3).ok());
    let measured = || {
        let pilot = &trip.shared().pilot;
        let seat = pilot.vitals.seat(&pilot.board, leg.endpoint, &leg.name());
        seat.usual_wait(trip.shared().clock.moment())
    };
    foreseen.unwrap_or_else(measured).min(LONGEST_USUAL)
}

/// The relay of an answer that has begun, ready to be helped where that may be.
#[must_use]
pub fn relay(feed: Box<Feed<Voice>>, trip: Box<Trip>, helps: u32) -> Relay {
    let patience = trip.relief.patience.filter(|_| helps < HELPS);
    let help = if trip.relief.may_be_carried() {
        patience.map_or(Help::Death, Help::Silence)
    } else {
        Help::None
    };
    Relay::new(feed, trip).helped(help)
}

/// Whether a silent target may be helped: only as often as leaves room for first attempts.
#[must_use]
pub fn may_help(trip: &Trip) -> bool {
    let (pilot, now) = (&trip.shared().pilot, trip.shared().clock.moment());
    let name = format!("{}/{}", trip.provider, trip.model);
    let seat = pilot.vitals.seat(&pilot.board, trip.route.endpoint, &name);
    pilot.vitals.may_help(&seat, now)
}
