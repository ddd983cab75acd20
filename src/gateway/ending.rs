//! How attempts and calls end: plain words and figures that everybody may hold.

use crate::account::Money;
use crate::chat::Tokens;

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
}

impl Outcome {
    /// The word for it: the error's code where it failed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientGone => "client_gone",
            Self::Failed(code) => code,
            Self::Answered => "answered",
        }
    }
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
    /// Where a meter counted: tokens of output by guess, and what it has cost at most.
    pub guess: Option<(u64, Money)>,
    /// Events that could not be read.
    pub skipped: u32,
}

impl Heard {
    /// The usage of an answer that was cut off: what was told of it, and what a meter counted beyond that. `input` is
    /// the guess at the prompt.
    #[must_use]
    pub fn cut_short(&self, input: u64) -> Tokens {
        let counted = self.guess.map_or(0, |(output, _)| output);
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

/// Whose a call is, and what it is tried for.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// The tenant that it names.
    pub tenant: Option<String>,
    /// The experiment that it takes part in, and its arm.
    pub trial: Option<(String, String)>,
    /// The call that it is a shadow copy of.
    pub copy_of: Option<String>,
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
