//! The ledger under a real proxy: killed, stopped, read while it serves.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, reads the environment, measures real time and says what it found"
)]

#[path = "ledger/house.rs"]
mod house;
#[path = "ledger/kill.rs"]
mod kill;
#[path = "ledger/million.rs"]
mod million;
#[path = "ledger/once.rs"]
mod once;
#[path = "ledger/ways.rs"]
mod ways;
