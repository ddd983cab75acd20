//! Traces: a span for each call and one for each of its attempts, told to an OpenTelemetry collector where one is
//! configured. Nobody waits for that, and what is too much for it is dropped and counted.

mod otlp;
mod outbox;
mod span;
mod trip;

pub use outbox::{Outbox, Spans, To};
pub use span::{Open, Place};
