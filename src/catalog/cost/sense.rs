//! Whether a usage can be: what a provider tells is believed unless the model, or what went by, makes it impossible.

use crate::chat::Tokens;
use crate::dialect::caps::{Caps, Kind};

/// Tokens that no request of any known model comes near.
const BEYOND_ALL: u64 = 200_000_000;

/// Tokens of output that may have been made unseen where a model does not reason: a format's frames, a stop sequence.
const SLACK: u64 = 1_024;

/// What an answer's usage can be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plausible {
    /// Tokens of the prompt.
    pub prompt: u64,
    /// Tokens of the completion, those out of sight included.
    pub completion: u64,
}

impl Plausible {
    /// Of an answer whose visible part is `seen` tokens at most, in so many choices, by a model that can do so much.
    #[must_use]
    pub fn of(caps: &Caps, seen: u64, choices: u64) -> Self {
        let window = caps.context.or(caps.max_input);
        let prompt = window.unwrap_or(BEYOND_ALL);
        let longest = caps.max_output.or(caps.context).unwrap_or(BEYOND_ALL);
        let unseen = match caps.reasoning.kind {
            Kind::None => SLACK,
            Kind::Unknown
            | Kind::Effort
            | Kind::Budget
            | Kind::Adaptive
            | Kind::Always
            | Kind::Toggle => longest.saturating_mul(choices.max(1)),
        };
        Self {
            prompt,
            completion: seen.saturating_add(unseen.max(SLACK)),
        }
    }

    /// Of an answer of which nothing is known: a provider that runs tools of its own reads the prompt many times.
    pub const ANY: Self = Self {
        prompt: BEYOND_ALL,
        completion: BEYOND_ALL,
    };

    /// Whether a usage is within.
    #[must_use]
    pub fn holds(&self, tokens: &Tokens) -> bool {
        tokens.prompt <= self.prompt && tokens.completion <= self.completion
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(prompt: u64, completion: u64) -> Tokens {
        Tokens {
            prompt,
            completion,
            ..Tokens::default()
        }
    }

    #[test]
    fn a_usage_is_held_against_the_window_and_against_what_was_seen() {
        let mut caps = Caps {
            context: Some(8_000),
            max_output: Some(4_000),
            ..Caps::default()
        };
        caps.reasoning.kind = Kind::None;
        let plain = Plausible::of(&caps, 100, 1);
        assert!(plain.holds(&tokens(8_000, 1_100)));
        assert!(!plain.holds(&tokens(8_001, 1)));
        assert!(!plain.holds(&tokens(1, 100 + SLACK + 1)));
        caps.reasoning.kind = Kind::Effort;
        let thinks = Plausible::of(&caps, 100, 2);
        assert!(
            thinks.holds(&tokens(1, 8_000)),
            "it may have thought unseen"
        );
        assert!(!thinks.holds(&tokens(1, 9_000)));
        assert!(Plausible::of(&Caps::default(), 0, 1).holds(&tokens(1_000_000, 1_000_000)));
        assert!(!Plausible::of(&Caps::default(), 0, 1).holds(&tokens(u64::MAX, 0)));
    }
}
