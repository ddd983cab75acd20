//! Counters that nodes share, in a real Redis (or Valkey): exact over nodes, through crashes and losses of the server.
//!
//! Each test starts a server of its own, `redis-server` or `valkey-server` from `PATH`; without one the tests say that
//! they skip.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, measures real time and says what it found"
)]

#[path = "redis/away.rs"]
mod away;
#[path = "redis/breakers.rs"]
mod breakers;
#[path = "redis/gates.rs"]
mod gates;
#[path = "ledger/house.rs"]
#[expect(dead_code, reason = "the tests of the ledger need more of it")]
mod house;
#[path = "redis/proxies.rs"]
mod proxies;
#[path = "redis/purses.rs"]
mod purses;
#[path = "redis/server.rs"]
mod server;
mod support;
