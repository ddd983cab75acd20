//! What a call costs: the bill of a usage, the estimate of a plan, and the bound that is never exceeded.
//!
//! Sums are exact integers of 10^-20 dollars and rounded once: bills and estimates to the nearest nano-dollar,
//! bounds upwards. An explicit zero stays zero.

mod bill;
mod bound;
mod live;
mod quote;
mod tariff;
#[cfg(test)]
mod tests;

pub use bill::{Cost, Fees, Item, Line};
pub use bound::Most;
pub use quote::Quote;
pub use tariff::{Expected, Keep, Tariff};
