//! From predictions to one number: log ratios for cost, time and risk, points for quality.
//!
//! Each term stands for itself, with no other candidate in it: what is added or taken away never changes the order of
//! the rest. Dividing by the best candidate, as people like to read it, would only move all numbers alike.

use crate::account::Money;

use super::ability::Abilities;
use super::number::float;
use super::policy::Weights;
use super::predict::{Prediction, UNKNOWN_QUALITY};

/// The terms of a utility, weighted; their sum is it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Terms {
    /// Of cost.
    pub cost: f64,
    /// Of time.
    pub time: f64,
    /// Of risk.
    pub risk: f64,
    /// Of quality.
    pub quality: f64,
    /// Of parameters whose loss is slight.
    pub losses: f64,
}

/// Money that no one would notice on one call, in nano-dollars: what costs less is about free.
pub const UNNOTICED: f64 = 10_000.0;

/// Milliseconds that no one would notice.
pub const INSTANT: f64 = 20.0;

/// What each slight loss costs.
pub const SLIGHT_LOSS: f64 = 0.1;

/// What is assumed to be paid where no price is known: as much as for a dear model, in dollars per million tokens.
pub const ASSUMED_PRICE: (u64, u64) = (5, 25);

impl Terms {
    /// Works out the terms.
    #[must_use]
    pub fn of(weights: &Weights, prediction: &Prediction, losses: Abilities) -> Self {
        let spent = prediction.spent.unwrap_or_else(|| assumed(prediction));
        let quality = prediction.quality.unwrap_or(UNKNOWN_QUALITY);
        let log = |weight: f64, value: f64| {
            if weight == 0.0 {
                0.0
            } else {
                -weight * value.ln()
            }
        };
        Self {
            cost: log(weights.cost, (float(spent.as_nano()) + UNNOTICED) / 1e6),
            time: log(weights.time, (prediction.time + INSTANT) / 1e3),
            risk: log(weights.risk, prediction.risk + weights.grain),
            quality: weights.quality * quality,
            losses: -SLIGHT_LOSS * f64::from(losses.slight().len()),
        }
    }

    /// Their sum.
    #[must_use]
    pub fn utility(&self) -> f64 {
        self.cost + self.time + self.risk + self.quality + self.losses
    }
}

/// What an unknown price is taken for.
fn assumed(prediction: &Prediction) -> Money {
    let (input, output) = ASSUMED_PRICE;
    // A dollar per million tokens is a thousand nano-dollars a token.
    let input = prediction.input.saturating_mul(input * 1_000);
    Money::nano(input.saturating_add(prediction.output.saturating_mul(output * 1_000)))
}
