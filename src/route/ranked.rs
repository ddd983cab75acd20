//! A candidate of a plan.

use crate::account::Money;
use crate::dialect::caps::Effort;

use super::ability::Abilities;
use super::draw::Lot;
use super::predict::Prediction;

/// A candidate with all that was thought of it.
#[derive(Clone, Copy, Debug)]
pub struct Ranked {
    /// Its place on the board.
    pub endpoint: usize,
    /// Its site's place on the board.
    pub site: usize,
    /// The effort to ask for; `None` leaves it as the caller said it, or unsaid.
    pub effort: Option<Effort>,
    /// The effort it is expected to work at.
    pub level: Effort,
    /// What it would lose of the request.
    pub losses: Abilities,
    /// The losses that put it behind.
    pub behind: u32,
    /// The output limit to send; `None` leaves it unsaid.
    pub limit: Option<u64>,
    /// Output tokens below which its level makes no sense.
    pub floor: u64,
    /// What one attempt can cost at most; `None` where no bound is known.
    pub bound: Option<Money>,
    /// What to expect of it.
    pub prediction: Prediction,
    /// Its utility.
    pub utility: f64,
    /// Its lot in the draw.
    pub lot: Lot,
}
