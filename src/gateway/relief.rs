//! What it takes that another answer can carry a stream on: what was shown, who follows, and how long silence is borne.

use std::time::Duration;

use crate::account::Money;
use crate::chat::splice::Said;
use crate::dialect::caps::Kind;
use crate::route::hint::{Hedge, Rescue};
use crate::route::policy::Order;

use super::course::Leg;
use super::receive::Received;
use super::settle::Trip;
use super::shared::Settings;
use super::voice::Voice;

/// The longest request that is kept for a stream's sake, in bytes.
const LONGEST: usize = 1024 * 1024;

/// Silence before a reasoning model's first word, and between its words, that is nothing odd.
const THINKING: Duration = Duration::from_mins(1);
const PONDERING: Duration = Duration::from_mins(2);

/// What a call holds for the case that its stream dies.
#[derive(Debug, Default)]
pub struct Relief {
    /// Whether what is shown is kept.
    pub keeps: bool,
    /// The place on the course of the target that is tried.
    pub leg: Option<usize>,
    /// The place of the one that follows it.
    pub next: usize,
    /// How many targets follow it.
    pub following: usize,
    /// How long its silence is borne, where others could be asked.
    pub patience: Option<Patience>,
    /// What was shown of the answer that died, and the voice that showed it.
    pub carried: Option<Box<Carried>>,
    /// What answers that were given up came to.
    pub paid: Money,
    /// What was carried on, once it was.
    pub done: Option<Done>,
}

/// An answer that is to be carried on.
#[derive(Debug)]
pub struct Carried {
    /// How it was told.
    pub voice: Voice,
    /// What was shown of it.
    pub said: Box<Said>,
}

/// An answer that was carried on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Whose answer it was, `provider/model`.
    pub from: String,
    /// How many characters of it had been shown.
    pub at: usize,
    /// How it was carried on.
    pub how: How,
}

/// How an answer was carried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nothing had been shown: another answer took its place.
    Restart,
    /// Another answer repeated what had been shown, and what followed was passed on.
    Verified,
}

impl How {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Verified => "verified",
        }
    }
}

/// How long silence is borne before help is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Before the first word.
    pub first: Duration,
    /// Between words.
    pub between: Duration,
}

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
