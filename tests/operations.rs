//! Running it: how it ends, takes another configuration, tells its figures, speaks TLS, and holds its bounds. The real
//! binary over real sockets, with recordings for providers.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and measures real time"
)]

mod support;

#[path = "operations/drain.rs"]
mod drain;
#[path = "operations/house.rs"]
mod house;
#[path = "operations/limits.rs"]
mod limits;
#[path = "operations/metrics.rs"]
mod metrics;
#[path = "operations/reload.rs"]
mod reload;
#[path = "operations/secrets.rs"]
mod secrets;
#[path = "operations/tls.rs"]
mod tls;
#[path = "operations/trace.rs"]
mod trace;
