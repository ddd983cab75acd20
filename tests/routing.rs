//! Routing over real sockets: strategies, caps, dry runs, receipts, and what is told of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

#[path = "routing/bills.rs"]
mod bills;
#[path = "routing/caps.rs"]
mod caps;
#[path = "routing/experiments.rs"]
mod experiments;
#[path = "routing/fees.rs"]
mod fees;
#[path = "routing/kept.rs"]
mod kept;
#[path = "routing/own.rs"]
mod own;
#[path = "routing/plain.rs"]
mod plain;
#[path = "routing/pools.rs"]
mod pools;
#[path = "routing/shadows.rs"]
mod shadows;
#[path = "routing/strategies.rs"]
mod strategies;
#[path = "routing/tenants.rs"]
mod tenants;
#[path = "routing/world.rs"]
mod world;
#[path = "routing/wrong.rs"]
mod wrong;
