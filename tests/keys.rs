//! Keys, budgets and limits over real sockets: who is let in and to what, that no budget is raced past and none is
//! kept back, and that whatever a call holds comes back however it ends.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, measures real time and says what it found"
)]

mod support;

#[path = "keys/access.rs"]
mod access;
#[path = "keys/budgets.rs"]
mod budgets;
#[path = "keys/command.rs"]
mod command;
#[path = "keys/crash.rs"]
mod crash;
#[path = "keys/ends.rs"]
mod ends;
#[path = "keys/guess.rs"]
mod guess;
#[path = "keys/house.rs"]
mod house;
#[path = "keys/limits.rs"]
mod limits;
#[path = "keys/marks.rs"]
mod marks;
#[path = "keys/reload.rs"]
mod reload;
#[path = "keys/streams.rs"]
mod streams;
#[path = "keys/ways.rs"]
mod ways;
