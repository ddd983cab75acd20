//! The ledger of many nodes in a real PostgreSQL: brought to a halt, cut off, read from every node.
//!
//! Each test starts a PostgreSQL of its own, from `PATH`, `WAYPOST_POSTGRES` (its folder of binaries) or where Debian
//! installs it; without one the tests say that they skip.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, reads the environment, measures real time and says what it found"
)]

#[path = "postgres/away.rs"]
mod away;
#[path = "ledger/house.rs"]
#[expect(dead_code, reason = "the tests of the ledger need more of it")]
mod house;
#[path = "postgres/kill.rs"]
mod kill;
#[path = "postgres/nodes.rs"]
mod nodes;
#[path = "postgres/sealed.rs"]
mod sealed;
#[path = "postgres/server.rs"]
mod server;
