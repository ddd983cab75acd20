//! Streams that do not come to a good end: why, whether another answer may carry them on, and what clients are told.

use std::time::Instant;

use crate::chat::{Code, Error};
use crate::dialect::{Stop, signals};

use super::relief::Patience;

/// Whether another answer may carry a stream on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Help {
    /// No.
    #[default]
    None,
    /// Where it dies.
    Death,
    /// Where it dies, and beside it where it is silent for so long.
    Silence(Patience),
}

/// Why a stream can go on only with help.
#[derive(Clone, Debug)]
pub enum Break {
    /// It died of this.
    Died(Error),
    /// It is silent since then.
    Silent(Instant),
}

impl Break {
    /// What the client is told where nobody helps.
    #[must_use]
    pub fn error(&self) -> Error {
        match self {
            Self::Died(error) => error.clone(),
            Self::Silent(_) => Error::new(Code::StreamIdle, "The provider fell silent."),
        }
    }
}

/// An answer that turns out to be another than the one it should carry on.
pub(crate) fn parted(provider: &str) -> Error {
    error_of(Stop::Truncated, provider)
}

/// The error event for a stream that stopped after something was shown.
#[must_use]
pub fn error_of(stop: Stop, provider: &str) -> Error {
    match stop {
        Stop::Failed(failure) => {
            let mut error = failure.error();
            error.message = format!("{provider}: {}", signals::scrub(&error.message));
            error
        }
        Stop::Truncated => {
            let message = format!(
                "The answer of '{provider}' broke off. What came before this event is not the whole."
            );
            Error::new(Code::StreamTruncated, message)
        }
        Stop::Malformed(found) => {
            let message =
                format!("The answer of '{provider}' is not what its format says: {found}.");
            Error::new(Code::UpstreamInvalidResponse, message)
        }
    }
}
