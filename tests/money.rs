//! What calls cost, over real sockets: to the nano-dollar where it is told, marked where it is counted, once where a
//! call is repeated, and recorded where its client went away.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and measures real time"
)]

mod support;

#[path = "money/exact.rs"]
mod exact;
#[path = "money/gone.rs"]
mod gone;
#[path = "money/house.rs"]
mod house;
#[path = "money/idempotent.rs"]
mod idempotent;
#[path = "money/reconcile.rs"]
mod reconcile;
#[path = "money/recorded.rs"]
mod recorded;
#[path = "money/rule.rs"]
mod rule;
#[path = "money/savings.rs"]
mod savings;
