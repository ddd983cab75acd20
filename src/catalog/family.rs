//! What holds of a model wherever it runs: how good it is, how fast, and how it counts tokens.

use std::fmt;

use serde::Deserialize;

use super::date::Date;
use super::price::Factor;
use super::trust::Trust;

/// Facts on a model that do not depend on who serves it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// The key that models name.
    pub key: String,
    /// The name for people.
    pub name: String,
    /// Who made it.
    pub vendor: String,
    /// Whether its weights are open.
    #[serde(default)]
    pub open_weights: bool,
    /// The day it came out.
    pub released: Option<Date>,
    /// Its tokens per token of OpenAI's `o200k` on the same text, where measured.
    pub token_factor: Option<Factor>,
    /// Its tokenizer, where its maker publishes it.
    pub tokenizer: Option<Tokenizer>,
    /// How good it is.
    pub quality: Option<Quality>,
    /// How fast its maker serves it, as a class.
    pub speed: Option<Speed>,
}

/// A tokenizer that is known to the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tokenizer {
    /// OpenAI's `o200k`.
    O200k,
}

/// A derived index of quality, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// At its best effort.
    pub index: Points,
    /// At the effort its API takes by default, where that differs or is known.
    pub at_default: Option<Points>,
    /// The width of doubt, in whole points.
    pub plus_minus: u8,
    /// How well it is borne out.
    pub trust: Trust,
}

/// Points of the index, in tenths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Points(u16);

/// Our own rounded classes of speed, from output tokens per second: a guess to start from until calls are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speed {
    /// Below 60.
    Slow,
    /// 60 to 120.
    Medium,
    /// 120 to 250.
    Fast,
    /// Above.
    VeryFast,
}

impl Quality {
    /// What a user says of their own model.
    #[must_use]
    pub const fn own(index: Points) -> Self {
        Self {
            index,
            at_default: None,
            plus_minus: 0,
            trust: Trust::Own,
        }
    }
}

impl Points {
    /// Tenths of a point; more than 100 points is 100.
    #[must_use]
    pub const fn tenths(tenths: u16) -> Self {
        if tenths > 1000 {
            Self(1000)
        } else {
            Self(tenths)
        }
    }

    /// Tenths of a point.
    #[must_use]
    pub const fn as_tenths(self) -> u16 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Points {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let factor = Factor::deserialize(deserializer)?;
        let tenths = u16::try_from(factor.as_parts() / 1000).unwrap_or(u16::MAX);
        if tenths > 1000 {
            return Err(serde::de::Error::custom("quality goes from 0 to 100"));
        }
        Ok(Self(tenths))
    }
}

impl fmt::Display for Points {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl Speed {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Medium => "medium",
            Self::Fast => "fast",
            Self::VeryFast => "very fast",
        }
    }
}
