//! After a failure: whether the next candidate is tried.

use crate::chat::Code;
use crate::dialect::{Failure, Fault};

/// What to do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try the next candidate.
    Try,
    /// The failure is the answer.
    Stop,
}

/// Whether another target may do better than the one that failed.
///
/// A request that is itself at fault, and a verdict of a content policy, are never taken elsewhere. A prompt that
/// is too long for one model may fit the next one, which the caller named.
#[must_use]
pub const fn next(failure: &Failure) -> Next {
    match failure.fault {
        Fault::Provider | Fault::Gateway | Fault::Context => Next::Try,
        Fault::Client | Fault::Policy => Next::Stop,
    }
}

/// The short word for a failure in `x-waypost-fallback-from` and in logs.
#[must_use]
pub const fn cause(code: Code) -> &'static str {
    code.row().code
}
