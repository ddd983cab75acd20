//! Credentials that are proved, over real sockets: a token server and a provider that play their parts, and what the
//! client sees when one of them does not.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and measures real time"
)]

mod support;

#[path = "auth/clouds.rs"]
mod clouds;
#[path = "auth/refused.rs"]
mod refused;
#[path = "auth/tokens.rs"]
mod tokens;
#[path = "auth/world.rs"]
mod world;
