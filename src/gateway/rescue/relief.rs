//! What a call holds so that another answer can carry its stream on: what was shown, and who follows.

use std::time::{Duration, Instant};

use crate::account::Money;
use crate::chat::splice::Said;

use crate::gateway::ending::Done;
use crate::gateway::voice::Voice;

/// What a call holds for the case that its stream dies.
#[derive(Debug, Default)]
pub struct Relief {
    /// Whether what is shown is kept.
    pub keeps: bool,
    /// The place on the course of the target that follows the one that is tried.
    pub next: usize,
    /// How many targets follow it.
    pub following: usize,
    /// How long its silence is borne, where others could be asked.
    pub patience: Option<Patience>,
    /// Until when there must be a first event; `None` once there was one.
    pub until: Option<Instant>,
    /// What was shown of the answer that died, and the voice that showed it.
    pub carried: Option<Box<Carried>>,
    /// What answers that were given up came to.
    pub paid: Money,
    /// What was carried on, once it was.
    pub done: Option<Done>,
}

impl Relief {
    /// Whether there is anybody to carry the stream on.
    #[must_use]
    pub const fn may_be_carried(&self) -> bool {
        self.keeps && self.following > 0
    }

    /// What is left of the caller's deadline, where there has been no first event.
    #[must_use]
    pub fn left(&self, now: Instant) -> Option<Duration> {
        let until = self.until;
        until.map(|until| until.saturating_duration_since(now))
    }
}

/// An answer that is to be carried on.
#[derive(Clone, Debug)]
pub struct Carried {
    /// How it was told.
    pub voice: Voice,
    /// What was shown of it.
    pub said: Box<Said>,
    /// What of that is to be repeated, where it is not all.
    pub due: Option<Box<Said>>,
}

/// How long silence is borne before help is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Before the first word.
    pub first: Duration,
    /// Between words.
    pub between: Duration,
}
