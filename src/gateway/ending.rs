//! How attempts and calls end: plain words and figures that everybody may hold.

use std::sync::Arc;

use crate::account::{Meter, Money};
use crate::chat::{Code, Error, Tokens};

/// A target that failed.
#[derive(Clone, Debug)]
pub struct Tried {
    /// Its provider.
    pub provider: String,
    /// Its model.
    pub model: String,
    /// The error code.
    pub cause: &'static str,
    /// Words about it.
    pub message: String,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The client went away.
    ClientGone,
    /// It was refused or failed with this code.
    Failed(&'static str),
    /// It was answered.
    Answered,
    /// It bore the key of an earlier call, and was told its answer.
    Repeated,
}

impl Outcome {
    /// The word for it: the error's code where it failed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientGone => "client_gone",
            Self::Failed(code) => code,
            Self::Answered => "answered",
            Self::Repeated => "repeated",
        }
    }
}

/// What went by of an answer, counted from its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Tokens of output by guess: what was reported, and a guess at what came after it.
    pub output: u64,
    /// Tokens of output by guess, whatever was reported.
    pub guess: u64,
    /// The same at most.
    pub most: u64,
    /// How many choices there are.
    pub choices: u64,
}

impl Seen {
    /// What a meter has counted.
    #[must_use]
    pub fn of(meter: &Meter) -> Self {
        Self {
            output: meter.output_estimate(),
            guess: meter.seen_estimate(),
            most: meter.seen_most(),
            choices: meter.choices(),
        }
    }
}

/// What is wrong with a usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Oddness {
    /// Nothing.
    #[default]
    None,
    /// It cannot be.
    Absurd,
    /// The answer was not heard to its end.
    Partial(Ended),
}

/// Why an answer was not heard to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was cut at the ceiling of its cost.
    Cut,
    /// It broke off.
    Broke,
    /// Its client went away.
    ClientGone,
}

/// What was heard of an answer.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// The usage.
    pub tokens: Option<Tokens>,
    /// What the provider itself says it cost.
    pub said_cost: Option<Money>,
    /// The service tier that it says it served.
    pub tier: Option<String>,
    /// Whether its reasoning was seen.
    pub thought_aloud: bool,
    /// What is billed in the place of the usage, where that differs.
    pub billed: Option<Tokens>,
    /// What went by.
    pub seen: Seen,
    /// What is wrong with the usage.
    pub odd: Oddness,
    /// Events that could not be read.
    pub skipped: u32,
}

impl Heard {
    /// The usage of an answer that was cut off: what was told of it, and what a meter counted beyond that. `input` is
    /// the guess at the prompt.
    #[must_use]
    pub fn cut_short(&self, input: u64) -> Tokens {
        let counted = self.seen.output;
        let told = self.tokens.unwrap_or_else(|| Tokens {
            prompt: input,
            ..Tokens::default()
        });
        Tokens {
            completion: told.completion.max(counted),
            ..told
        }
    }
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
    /// Another model was given it as the beginning of its own answer, and went on.
    Prefill,
    /// Another model was asked to go on, and began with the last words that had been shown.
    Continue,
}

impl How {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Verified => "verified",
            Self::Prefill => "prefill",
            Self::Continue => "continue",
        }
    }

    /// Whether what followed is known to be of the same answer.
    #[must_use]
    pub const fn is_verified(self) -> bool {
        match self {
            Self::Restart | Self::Verified => true,
            Self::Prefill | Self::Continue => false,
        }
    }
}

/// The house ends in the midst of a call.
#[must_use]
pub fn shutting_down() -> Error {
    let message = "The proxy is shutting down and could not wait for the rest of this answer.";
    Error::new(Code::ServerShuttingDown, message)
}

/// Whose a call is, and what it is tried for.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// The tenant that it names.
    pub tenant: Option<String>,
    /// What it is marked with, `a,b`.
    pub tags: Option<Arc<str>>,
    /// The experiment that it takes part in, and its arm.
    pub trial: Option<(String, String)>,
    /// The call that it is a shadow copy of.
    pub copy_of: Option<String>,
    /// The trace that it belongs to.
    pub trace: Option<String>,
}

impl Labels {
    /// The experiment.
    #[must_use]
    pub fn experiment(&self) -> Option<&str> {
        self.trial
            .as_ref()
            .map(|(experiment, _)| experiment.as_str())
    }

    /// Its arm.
    #[must_use]
    pub fn arm(&self) -> Option<&str> {
        self.trial.as_ref().map(|(_, arm)| arm.as_str())
    }
}
