//! Running it: how it ends, takes another configuration, tells its figures, speaks TLS, and holds its bounds. The real
//! binary over real sockets, with recordings for providers.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::float_cmp,
    reason = "a test fails by panicking, measures real time, and figures are whole numbers"
)]

mod support;

#[path = "operations/begin.rs"]
mod begin;
#[path = "operations/drain.rs"]
mod drain;
#[path = "operations/hand.rs"]
mod hand;
#[path = "operations/headroom.rs"]
mod headroom;
#[path = "operations/house.rs"]
mod house;
#[path = "operations/limits.rs"]
mod limits;
#[path = "operations/metrics.rs"]
mod metrics;
#[path = "operations/reload.rs"]
mod reload;
#[path = "operations/returns.rs"]
mod returns;
#[path = "operations/secrets.rs"]
mod secrets;
#[path = "operations/spans.rs"]
mod spans;
#[path = "operations/spent.rs"]
mod spent;
#[path = "operations/tls.rs"]
mod tls;
#[path = "operations/trace.rs"]
mod trace;
