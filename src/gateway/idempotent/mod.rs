//! Calls that bear an `idempotency-key`: what is sent twice is done once.
//!
//! The first call under a key runs in a task of its own and writes its answer to a [`log`](self::log::Log); whoever
//! asks under the same key reads that log from its beginning, the first one too, so that nobody's leaving ends it. The
//! [`desk`](self::desk::Desk) knows the keys. Calls without a key pass all of it by.

pub mod desk;
pub mod key;
pub mod log;
pub mod serve;
