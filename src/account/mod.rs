//! Money: exact integers, never floats; what a stream has cost so far; rows of the ledger.
//!
//! Prices are facts of the catalogue; here are only sums.
#![warn(
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

pub mod amount;
pub mod entry;
pub mod meter;
pub mod money;

pub use amount::Amount;
pub use entry::{Attempt, CallId, CallRow, Intent};
pub use meter::{Meter, Pace};
pub use money::Money;
