//! Why an endpoint falls out of a plan: one closed list of stable words.

use std::fmt::Write as _;

use crate::account::Money;

use super::ability::Ability;

/// Why an endpoint was not a candidate. Its word is stable: scripts may read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// It cannot do what the request needs.
    Capability(Ability),
    /// Under `strict`, something the request says would be lost.
    Loss(Ability),
    /// The prompt, or the prompt and the least answer, does not fit its window.
    Context {
        /// What would be needed, in its own tokens.
        needed: u64,
        /// What it has.
        window: u64,
    },
    /// The answer that was asked for is longer than it gives.
    OutputLimit {
        /// What it gives at most.
        most: u64,
    },
    /// The tenant or key may not use it.
    NotAllowed,
    /// The caller ignores it.
    Ignored,
    /// The caller named others only.
    NotInOnly,
    /// Its provider is not configured, or turned off.
    ProviderOff,
    /// It failed too often of late.
    BreakerOpen {
        /// Milliseconds until it is tried again.
        again_in: u64,
    },
    /// Its key has no calls left for now.
    CoolingDown {
        /// Milliseconds until it has.
        again_in: u64,
    },
    /// Nothing is known of its quality, and there is a floor.
    QualityUnknown,
    /// Its quality is below the floor.
    BelowQuality {
        /// Its quality in tenths of a point.
        tenths: u16,
    },
    /// There is a cap, and nobody vouches for its price.
    Unpriced,
    /// Its price is a reading and no tariff, so that no bound on it is a guarantee.
    FloatingPrice,
    /// Its worst case is above the cap, after clamping where that is allowed.
    OverCap {
        /// The least cap that it would fit.
        bound: Money,
    },
    /// Its id is no longer served, or nobody knows.
    Retired,
    /// It is not released.
    Preview,
    /// This call has tried it.
    Tried,
}

impl Rejection {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capability(ability) => ability.reasons().0,
            Self::Loss(ability) => ability.reasons().1,
            Self::Context { .. } => "context-window",
            Self::OutputLimit { .. } => "output-limit",
            Self::NotAllowed => "not-allowed",
            Self::Ignored => "ignored",
            Self::NotInOnly => "not-in-only",
            Self::ProviderOff => "provider-off",
            Self::BreakerOpen { .. } => "breaker-open",
            Self::CoolingDown { .. } => "cooling-down",
            Self::QualityUnknown => "quality-unknown",
            Self::BelowQuality { .. } => "below-min-quality",
            Self::Unpriced => "price-unknown",
            Self::FloatingPrice => "price-floating",
            Self::OverCap { .. } => "over-cap",
            Self::Retired => "retired",
            Self::Preview => "preview",
            Self::Tried => "already-tried",
        }
    }

    /// The figure that goes with it, as text for people; empty where there is none.
    #[must_use]
    pub fn detail(self) -> String {
        match self {
            Self::Context { needed, window } => format!("needs {needed} of {window} tokens"),
            Self::OutputLimit { most } => format!("gives at most {most} tokens"),
            Self::BreakerOpen { again_in } | Self::CoolingDown { again_in } => {
                format!("again in {again_in} ms")
            }
            Self::BelowQuality { tenths } => format!("has {}.{}", tenths / 10, tenths % 10),
            Self::OverCap { bound } => format!("costs up to ${bound}"),
            Self::Capability(_)
            | Self::Loss(_)
            | Self::NotAllowed
            | Self::Ignored
            | Self::NotInOnly
            | Self::ProviderOff
            | Self::QualityUnknown
            | Self::Unpriced
            | Self::FloatingPrice
            | Self::Retired
            | Self::Preview
            | Self::Tried => String::new(),
        }
    }

    /// Whether it is a matter of health, which time alone mends: the last endpoint is tried all the same.
    #[must_use]
    pub const fn passes(self) -> bool {
        matches!(self, Self::BreakerOpen { .. } | Self::CoolingDown { .. })
    }
}

/// Every word with what it means, for the documentation.
pub const WORDS: [(&str, &str); 18] = [
    (
        "capability-*",
        "the model lacks what the request needs (`tools`, `vision`, `pdf`, `audio-input`, `audio-output`, `n`)",
    ),
    (
        "loss-*",
        "under `x-waypost-params: strict`, a parameter would be lost or imitated",
    ),
    (
        "context-window",
        "the prompt and the least answer do not fit the window",
    ),
    (
        "output-limit",
        "the answer asked for is longer than the model gives",
    ),
    ("not-allowed", "the tenant or key may not use it"),
    ("ignored", "named in `x-waypost-ignore`"),
    (
        "not-in-only",
        "not named in `x-waypost-only` or in the pool",
    ),
    ("provider-off", "the provider is not configured"),
    ("breaker-open", "it failed too often of late"),
    ("cooling-down", "its key has no calls left for now (429)"),
    ("quality-unknown", "there is a floor and no figure"),
    ("below-min-quality", "below the floor"),
    ("price-unknown", "there is a cap and no price"),
    (
        "price-floating",
        "there is a cap, and the price is a reading that may move",
    ),
    (
        "over-cap",
        "the worst case is above the cap; the bound is given",
    ),
    (
        "retired",
        "no longer served, or in doubt (strategies only; forced routes pass)",
    ),
    ("preview", "not released (strategies only)"),
    ("already-tried", "this call has tried it"),
];

/// The published table of reasons, as Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from("| reason | the endpoint falls out because |\n|---|---|\n");
    for (word, meaning) in WORDS {
        let _ = writeln!(out, "| `{word}` | {meaning} |");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_in_the_table() {
        let all = [
            Rejection::Capability(Ability::Tools),
            Rejection::Loss(Ability::Seed),
            Rejection::Context {
                needed: 2,
                window: 1,
            },
            Rejection::OutputLimit { most: 1 },
            Rejection::NotAllowed,
            Rejection::Ignored,
            Rejection::NotInOnly,
            Rejection::ProviderOff,
            Rejection::BreakerOpen { again_in: 1 },
            Rejection::CoolingDown { again_in: 1 },
            Rejection::QualityUnknown,
            Rejection::BelowQuality { tenths: 123 },
            Rejection::Unpriced,
            Rejection::FloatingPrice,
            Rejection::OverCap {
                bound: Money::nano(1_500_000),
            },
            Rejection::Retired,
            Rejection::Preview,
            Rejection::Tried,
        ];
        for (rejection, (word, _)) in all.iter().zip(WORDS) {
            match word.strip_suffix('*') {
                Some(start) => assert!(rejection.as_str().starts_with(start)),
                None => assert_eq!(rejection.as_str(), word),
            }
        }
        assert_eq!(all[14].detail(), "costs up to $0.0015");
        assert_eq!(all[11].detail(), "has 12.3");
        assert_eq!(all.iter().filter(|rejection| rejection.passes()).count(), 2);
    }
}
