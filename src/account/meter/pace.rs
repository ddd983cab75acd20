//! What a meter counts with.

use crate::account::amount::Amount;

/// Hundredths of a whole.
const WHOLE: u64 = 100;

/// What a call costs at most: so much before the first token of output, so much for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Prompt and fees at most.
    pub start: Amount,
    /// One token of output at most.
    pub each: Amount,
    /// Tokens of output that may be made out of sight: hidden reasoning up to its limit, and what is under way when a
    /// stream is cut.
    pub unseen: u64,
    /// What an output token is in tokens of `o200k`, in ten-thousandths.
    pub token_parts: u32,
    /// How far that may be too few; `None` where nobody has measured it, and a byte is held to be a token.
    pub slack: Option<Slack>,
}

/// By how many hundredths a count may be too low.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slack(u64);

impl Slack {
    /// The vocabulary is the model's own. A model may yet write a text in more tokens than need be.
    pub const SAME: Self = Self(2);
    /// Another vocabulary, whose tokens were measured against this one's.
    pub const MEASURED: Self = Self(8);
    /// Another vocabulary, of which nothing is known: the most that any measured one was above this one.
    pub const UNKNOWN: Self = Self(60);

    /// A count with what it may be too low by.
    #[must_use]
    pub const fn on(self, count: u64) -> u64 {
        let more = count.saturating_mul(self.0).div_ceil(WHOLE);
        count.saturating_add(more)
    }
}

impl Pace {
    /// Tokens of the model for so many of `o200k`.
    #[must_use]
    pub fn own(&self, counted: u64) -> u64 {
        let parts = u64::from(self.token_parts.max(1));
        counted.saturating_mul(parts).div_ceil(10_000)
    }
}
