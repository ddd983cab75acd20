//! Routing over real sockets: strategies, caps, dry runs, receipts, and what is told of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

#[path = "routing/caps.rs"]
mod caps;
#[path = "routing/kept.rs"]
mod kept;
#[path = "routing/strategies.rs"]
mod strategies;
#[path = "routing/world.rs"]
mod world;
