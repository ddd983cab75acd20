//! The sixteen faults that gateways are commonly judged by, over real sockets and with short waits: with the primary and
//! the fallback in one dialect, and in different ones.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test fails by panicking and measures real time"
)]

mod support;

#[path = "failover/again.rs"]
mod again;
#[path = "failover/beside.rs"]
mod beside;
#[path = "failover/cases.rs"]
mod cases;
#[path = "failover/does.rs"]
mod does;
#[path = "failover/house.rs"]
mod house;
#[path = "failover/limits.rs"]
mod limits;
#[path = "failover/prefilled.rs"]
mod prefilled;
#[path = "failover/rehearsed.rs"]
mod rehearsed;
#[path = "failover/rescued.rs"]
mod rescued;
#[path = "failover/wall.rs"]
mod wall;
#[path = "failover/words.rs"]
mod words;
