//! What a call costs: the bill of a usage, the estimate of a plan, and the bound that is never exceeded.
//!
//! Sums are exact integers of 10^-20 dollars and rounded once: bills and estimates to the nearest nano-dollar,
//! bounds upwards. An explicit zero stays zero.

mod bill;
mod bound;
#[cfg(test)]
mod hand_tests;
mod keep;
mod live;
mod quote;
#[cfg(test)]
mod random_tests;
mod sense;
mod tariff;
mod told;
mod version;

pub use bill::{Cost, Fees, Item, Line};
pub use bound::Most;
pub use keep::Keep;
pub use quote::Quote;
pub use sense::Plausible;
pub use tariff::{Expected, Tariff};
pub use told::{billed, said_cost};
pub use version::Version;
