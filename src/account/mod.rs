//! Money: exact integers, never floats; what a stream has cost so far; rows of the ledger; keys, budgets and limits.
//!
//! Prices are facts of the catalogue; here are only sums.
#![warn(
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

pub mod amount;
pub mod budget;
pub mod entry;
pub mod key;
pub mod limit;
pub mod meter;
pub mod money;

pub use amount::Amount;
pub use budget::{Budget, Period, Purse};
pub use entry::{Attempt, CallId, CallRow, Intent};
pub use key::{Key, Rights};
pub use limit::Rate;
pub use meter::{Meter, Pace, Slack, Vocabulary};
pub use money::Money;
