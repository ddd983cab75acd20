//! Why an answer ended, in Cohere's words and in OpenAI's.

use serde_json::value::RawValue;

use crate::chat::{Code, Escaped, Finish};

use super::super::codec::{Failure, Stop};
use super::super::signals;
use super::failure;

/// The provider's account of the end.
#[derive(Debug, Default)]
pub(super) struct Ending {
    reason: String,
}

impl Ending {
    /// Reads a reason and what went wrong.
    ///
    /// # Errors
    /// Where the generation failed: what it brought is no answer.
    pub(super) fn read(reason: Option<&RawValue>, error: Option<&RawValue>) -> Result<Self, Stop> {
        let reason = reason.and_then(Escaped::token).unwrap_or(Escaped::EMPTY);
        let reason = reason.decode().into_owned();
        let words = error
            .and_then(Escaped::token)
            .map(|text| signals::scrub(&text.decode()));
        let told = |what: &str| words.clone().unwrap_or_else(|| what.to_owned());
        let failed = match reason.as_str() {
            "TIMEOUT" => Failure::provider(
                Code::UpstreamTimeout,
                told("the provider ran out of time while generating"),
            ),
            "ERROR" => failure::in_answer(&told("the provider failed while generating")),
            "ERROR_LIMIT" => failure::in_answer(&told("too many tokens")),
            _ => match (&words, reason.is_empty()) {
                (Some(words), true) => failure::in_answer(words),
                (_, true) => return Err(Stop::Truncated),
                _ => return Ok(Self { reason }),
            },
        };
        Err(Stop::Failed(failed))
    }

    /// OpenAI's reason. `called`: the client has calls to answer.
    pub(super) fn finish(&self, called: bool) -> Finish {
        match self.reason.as_str() {
            "MAX_TOKENS" => Finish::Length,
            "ERROR_TOXIC" => Finish::ContentFilter,
            "TOOL_CALL" | "COMPLETE" if called => Finish::ToolCalls,
            _ => Finish::Stop,
        }
    }

    /// The provider's word, where OpenAI's says less.
    pub(super) fn native(&self) -> Option<&str> {
        let plain = ["COMPLETE", "MAX_TOKENS", "TOOL_CALL"];
        (!plain.contains(&self.reason.as_str())).then_some(self.reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reason: &str, error: Option<&str>) -> Result<Ending, Stop> {
        let reason = serde_json::value::to_raw_value(reason).unwrap();
        let error = error.map(|error| serde_json::value::to_raw_value(error).unwrap());
        Ending::read(Some(&reason), error.as_deref())
    }

    #[test]
    fn every_reason_has_its_word() {
        let table = [
            ("COMPLETE", false, Finish::Stop, None),
            ("COMPLETE", true, Finish::ToolCalls, None),
            ("STOP_SEQUENCE", false, Finish::Stop, Some("STOP_SEQUENCE")),
            ("MAX_TOKENS", true, Finish::Length, None),
            ("TOOL_CALL", true, Finish::ToolCalls, None),
            ("TOOL_CALL", false, Finish::Stop, None),
            (
                "ERROR_TOXIC",
                false,
                Finish::ContentFilter,
                Some("ERROR_TOXIC"),
            ),
            (
                "NEVER_HEARD_OF",
                false,
                Finish::Stop,
                Some("NEVER_HEARD_OF"),
            ),
        ];
        for (reason, called, finish, native) in table {
            let ending = read(reason, None).unwrap();
            assert_eq!(
                (ending.finish(called), ending.native()),
                (finish, native),
                "{reason}"
            );
        }
    }

    #[test]
    fn a_failed_generation_is_no_answer() {
        let table = [
            ("TIMEOUT", None, Code::UpstreamTimeout),
            ("ERROR", Some("internal error"), Code::UpstreamError),
            (
                "ERROR",
                Some("too many tokens: 9 > 8"),
                Code::ContextLengthExceeded,
            ),
            ("ERROR_LIMIT", None, Code::ContextLengthExceeded),
            ("", Some("broken"), Code::UpstreamError),
        ];
        for (reason, error, code) in table {
            let Err(Stop::Failed(failure)) = read(reason, error) else {
                panic!("{reason} is taken for an answer");
            };
            assert_eq!(failure.code, code, "{reason} {error:?}");
        }
        assert_eq!(read("", None).unwrap_err(), Stop::Truncated);
    }
}
