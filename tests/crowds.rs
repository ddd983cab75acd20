//! Crowds of clients, apart from other tests: what is measured of them would be the machine's load else.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::float_cmp,
    clippy::print_stdout,
    reason = "a test fails by panicking, measures real time and says it, and figures are whole numbers"
)]

mod support;

#[path = "operations/flawed.rs"]
mod flawed;
#[path = "operations/house.rs"]
#[expect(dead_code, reason = "the tests of operation need more of it")]
mod house;
#[path = "operations/leave.rs"]
mod leave;
#[path = "operations/many.rs"]
mod many;
#[path = "operations/soak.rs"]
mod soak;
