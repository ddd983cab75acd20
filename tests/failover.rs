//! The sixteen faults that gateways are judged by, over real sockets, with every pair of dialects for primary and
//! fallback. Waits are seconds where the public scoreboard has tens of them.
//!
//! A fault is passed where the answer is complete and equal to the canonical text, the primary was not asked too often
//! or too soon, it took no longer than allowed, and model and usage are those of whoever answered.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and measures real time"
)]

mod support;

#[path = "failover/house.rs"]
mod house;
#[path = "failover/refusals.rs"]
mod refusals;
#[path = "failover/wall.rs"]
mod wall;
#[path = "failover/words.rs"]
mod words;
