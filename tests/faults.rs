//! The proxy on its providers' bad days, over real sockets: who answers instead, what the client is told, and what is
//! never done (a false `[DONE]`, a second bill, somebody else's key).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking and measures real time"
)]

mod support;

#[path = "faults/answers.rs"]
mod answers;
#[path = "faults/bounds.rs"]
mod bounds;
#[path = "faults/clouds.rs"]
mod clouds;
#[path = "faults/deadlines.rs"]
mod deadlines;
#[path = "faults/encoded.rs"]
mod encoded;
#[path = "faults/fallback.rs"]
mod fallback;
#[path = "faults/gone.rs"]
mod gone;
#[path = "faults/keys.rs"]
mod keys;
#[path = "faults/recall.rs"]
mod recall;
#[path = "faults/silence.rs"]
mod silence;
#[path = "faults/streams.rs"]
mod streams;
#[path = "faults/verdicts.rs"]
mod verdicts;
#[path = "faults/wire.rs"]
mod wire;
