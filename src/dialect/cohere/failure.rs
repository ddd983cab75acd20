//! What Cohere's errors mean. Their body is `{"id", "message"}`, and only the status tells them apart
//! (docs.cohere.com/reference/errors).

use crate::chat::Code;
use crate::chat::json::Members;

use super::super::codec::{Again, Failure, Fault, Headers};
use super::super::params;
use super::super::signals;
use super::params::PARAMS;

/// An error within an answer whose status said 200.
pub(super) fn in_answer(message: &str) -> Failure {
    let none: [(&str, &str); 0] = [];
    let message = signals::scrub(message);
    let status = if signals::is_context_overflow(&message) {
        400
    } else {
        500
    };
    signals::by_status(status, message, &none)
}

/// An answer with a status other than 2xx.
pub(super) fn of_status(status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let told = Members::parse(text)
        .ok()
        .and_then(|body| body.text("message").map(std::borrow::Cow::into_owned));
    let message = told.unwrap_or_else(|| signals::page_message(status, body));
    let message = signals::scrub(&message);
    let low = message.to_ascii_lowercase();
    // "too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model": it is the
    // output that is too long, not the prompt.
    let output = low.contains("max tokens must be");
    let known = if output {
        String::from("the output limit is too high")
    } else {
        message.clone()
    };
    let mut failure = signals::by_status(status, known, headers);
    failure.message = message;
    refine(status, &low, &mut failure);
    if output {
        failure.param = Some("max_tokens".to_owned());
    } else if failure.code == Code::InvalidRequest {
        failure.param = param(&failure.message);
    }
    failure
}

/// What the provider's statuses and words say beyond everybody's.
fn refine(status: u16, low: &str, failure: &mut Failure) {
    match status {
        // A token of a deny list stands in the prompt or in the answer.
        498 => {
            failure.code = Code::ContentFilter;
            failure.fault = Fault::Policy;
            failure.again = Again::No;
        }
        // "You are using a Trial key, which is limited to 1000 API calls / month."
        429 if low.contains("trial key") && low.contains("month") => {
            failure.code = Code::InsufficientQuota;
            failure.fault = Fault::Gateway;
            failure.again = Again::No;
        }
        _ => {}
    }
}

/// The member at fault, where the message names one of ours: `invalid request: temperature must be …`.
fn param(message: &str) -> Option<String> {
    let words = message.strip_prefix("invalid request:").unwrap_or(message);
    let mut words = words.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let first = words.find(|word| !word.is_empty())?;
    params::find(&PARAMS, first).map(|row| row.member.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn failure(status: u16, message: &str) -> Failure {
        let body = format!(r#"{{"id":"x","message":"{message}"}}"#);
        of_status(status, &[("retry-after", "2")], body.as_bytes())
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases is one table")]
    fn errors_mean_what_the_provider_says() {
        let wait = Again::After(Duration::from_secs(2));
        let table = [
            (
                400,
                "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292.",
                Code::ContextLengthExceeded,
                Fault::Context,
                Again::No,
            ),
            (
                400,
                "too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model - received 8192.",
                Code::InvalidRequest,
                Fault::Client,
                Again::No,
            ),
            (
                400,
                "invalid request: all elements in history must have a message.",
                Code::InvalidRequest,
                Fault::Client,
                Again::No,
            ),
            (
                401,
                "invalid api token",
                Code::UpstreamAuthError,
                Fault::Gateway,
                Again::No,
            ),
            (
                402,
                "Please add or update your payment method",
                Code::InsufficientQuota,
                Fault::Gateway,
                Again::No,
            ),
            (
                404,
                "model 'x' not found, make sure the correct model ID was used",
                Code::ModelNotFound,
                Fault::Provider,
                Again::No,
            ),
            (
                422,
                "invalid request",
                Code::InvalidRequest,
                Fault::Client,
                Again::No,
            ),
            (
                429,
                "You are using a Trial key, which is limited to 40 API calls / minute.",
                Code::RateLimitExceeded,
                Fault::Provider,
                wait,
            ),
            (
                429,
                "You are using a Trial key, which is limited to 1000 API calls / month.",
                Code::InsufficientQuota,
                Fault::Gateway,
                Again::No,
            ),
            (
                498,
                "blocked output",
                Code::ContentFilter,
                Fault::Policy,
                Again::No,
            ),
            (
                499,
                "request cancelled",
                Code::UpstreamTimeout,
                Fault::Provider,
                wait,
            ),
            (
                500,
                "internal server error",
                Code::UpstreamError,
                Fault::Provider,
                wait,
            ),
            (
                503,
                "service unavailable",
                Code::Overloaded,
                Fault::Provider,
                wait,
            ),
        ];
        for (status, message, code, fault, again) in table {
            let failure = failure(status, message);
            let found = (failure.code, failure.fault, failure.again);
            assert_eq!(found, (code, fault, again), "{message}");
            assert_eq!(failure.message, message);
        }
    }

    #[test]
    fn members_at_fault_are_named_and_pages_are_told_apart() {
        let long = failure(400, "too many tokens: max tokens must be less");
        assert_eq!(long.param.as_deref(), Some("max_tokens"));
        let value = failure(400, "invalid request: temperature must be at most 2");
        assert_eq!(value.param.as_deref(), Some("temperature"));
        let page = of_status(502, &[("a", "b")], b"<html>bad gateway</html>");
        let found = (page.code, page.message.as_str());
        assert_eq!(found, (Code::Overloaded, "upstream returned HTML (502)"));
    }
}
