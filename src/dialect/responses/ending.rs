//! Why an answer ended, in the provider's words and in those of chat completions.

use crate::chat::json::Members;
use crate::chat::{Code, Finish};

use super::super::codec::{Failure, Stop};
use super::super::complaint;
use super::wire::{Response, token};

/// The provider's account of the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Ending {
    /// It was done.
    #[default]
    Complete,
    /// It was cut off, and by what.
    Cut(String),
}

impl Ending {
    /// Reads the status of an answer that is told to be over. `text` is the answer's own JSON.
    ///
    /// # Errors
    /// Where it failed, or is not over.
    pub(super) fn read(response: &Response<'_>, text: &str) -> Result<Self, Stop> {
        if response.error.is_some() {
            return Err(Stop::Failed(failed(text)));
        }
        match token(response.status).as_str() {
            "failed" => Err(Stop::Failed(failed(text))),
            "incomplete" => {
                let details = response.incomplete_details;
                let details = details.and_then(|raw| Members::parse(raw.get()).ok());
                let reason = details.and_then(|details| details.text("reason").map(String::from));
                Ok(Self::Cut(reason.unwrap_or_default()))
            }
            "cancelled" | "queued" | "in_progress" => Err(Stop::Truncated),
            _ => Ok(Self::Complete),
        }
    }

    /// The reason of chat completions. `called`: the client has calls to answer.
    pub(super) fn finish(&self, called: bool) -> Finish {
        match self {
            Self::Complete if called => Finish::ToolCalls,
            Self::Complete => Finish::Stop,
            Self::Cut(reason) if reason == "content_filter" => Finish::ContentFilter,
            Self::Cut(_) => Finish::Length,
        }
    }

    /// The provider's word, where the reason says less.
    pub(super) fn native(&self) -> Option<&str> {
        match self {
            Self::Cut(reason) => Some(reason.as_str())
                .filter(|word| !["", "content_filter", "max_output_tokens"].contains(word)),
            Self::Complete => None,
        }
    }

    /// Whether the answer ended before its time.
    pub(super) const fn is_cut(&self) -> bool {
        matches!(self, Self::Cut(_))
    }
}

/// What an answer that failed says of it.
pub(super) fn failed(text: &str) -> Failure {
    complaint::within(text).unwrap_or_else(|| {
        Failure::provider(
            Code::UpstreamError,
            "the provider's answer failed without a reason",
        )
    })
}
