//! What Anthropic's errors mean, by their type and error code: the wording of messages is not stable.

use serde_json::value::RawValue;

use crate::chat::Code;
use crate::chat::json::Members;

use super::super::codec::{Again, Failure, Fault, Headers};
use super::super::params;
use super::super::signals;
use super::params::PARAMS;

/// An error within an answer whose status said 200.
pub(super) fn in_answer(error: Option<&RawValue>) -> Failure {
    let none: [(&str, &str); 0] = [];
    let Some(error) = error.and_then(Told::read) else {
        return Failure::provider(
            Code::UpstreamError,
            "the provider sent an error without words",
        );
    };
    let status = error.status().unwrap_or(500);
    error.failure(status, &none)
}

/// An answer with a status other than 2xx.
pub(super) fn of_status(status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let error = Members::parse(text)
        .ok()
        .and_then(|body| body.find("error"))
        .and_then(Told::read);
    if let Some(error) = error {
        return error.failure(error.status().unwrap_or(status), headers);
    }
    let message = signals::scrub(&signals::page_message(status, body));
    signals::by_status(status, message, headers)
}

/// What an error object tells.
struct Told {
    kind: String,
    message: String,
    code: Option<String>,
}

impl Told {
    fn read(raw: &RawValue) -> Option<Self> {
        let error = Members::parse(raw.get()).ok()?;
        let details = error
            .find("details")
            .and_then(|raw| Members::parse(raw.get()).ok());
        let code = details
            .as_ref()
            .and_then(|details| details.text("error_code"));
        let kind = error.text("type").unwrap_or_default().into_owned();
        let message = error.text("message").unwrap_or_default();
        let message = if message.is_empty() {
            kind.clone()
        } else {
            message.into_owned()
        };
        Some(Self {
            kind,
            message: signals::scrub(&message),
            code: code.map(std::borrow::Cow::into_owned),
        })
    }

    /// The status that goes with the type (Anthropic's page on errors).
    fn status(&self) -> Option<u16> {
        let status = match self.kind.as_str() {
            "invalid_request_error" => 400,
            "authentication_error" => 401,
            "billing_error" => 402,
            "permission_error" => 403,
            "not_found_error" => 404,
            "conflict_error" => 409,
            "request_too_large" => 413,
            "rate_limit_error" => 429,
            "api_error" => 500,
            "timeout_error" => 504,
            "overloaded_error" => 529,
            _ => return None,
        };
        Some(status)
    }

    fn failure(&self, status: u16, headers: &dyn Headers) -> Failure {
        let spent = matches!(
            self.code.as_deref(),
            Some("enforced_spend_limit_reached" | "contract_spend_limit_reached")
        );
        // A spent credit comes as a 400: "Your credit balance is too low to access the Anthropic API."
        let status = if spent || (status == 400 && signals::is_spent(&self.message)) {
            402
        } else {
            status
        };
        let mut failure = signals::by_status(status, self.message.clone(), headers);
        let low = self.message.to_ascii_lowercase();
        let bound = low.contains("bound to a different conversation")
            || (low.contains("signature") && low.contains("thinking"));
        if failure.code != Code::InvalidRequest {
            return failure;
        }
        if low.contains("content filtering policy") {
            failure.code = Code::ContentFilter;
            failure.fault = Fault::Policy;
        } else if bound {
            // Reasoning that this model does not take back; another target gets the request without it.
            failure.fault = Fault::Provider;
            failure.again = Again::No;
        } else {
            failure.param = self.param();
        }
        failure
    }

    /// The member at fault, where the message starts with its name (`temperature: …`) and it is the client's too.
    fn param(&self) -> Option<String> {
        let (name, _) = self.message.split_once(": ")?;
        params::find(&PARAMS, name).map(|row| row.member.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn failure(status: u16, error: &str) -> Failure {
        let body = format!(r#"{{"type":"error","error":{error},"request_id":"req_1"}}"#);
        of_status(status, &[("retry-after", "2")], body.as_bytes())
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases is one table")]
    fn errors_mean_what_the_table_says() {
        let wait = Again::After(Duration::from_secs(2));
        let table = [
            (
                400,
                r#"{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}"#,
                Code::ContextLengthExceeded,
                Fault::Context,
                Again::No,
            ),
            (
                400,
                r#"{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 9 + 9 > 10"}"#,
                Code::ContextLengthExceeded,
                Fault::Context,
                Again::No,
            ),
            (
                400,
                r#"{"type":"invalid_request_error","message":"Your credit balance is too low."}"#,
                Code::InsufficientQuota,
                Fault::Gateway,
                Again::No,
            ),
            (
                400,
                r#"{"type":"invalid_request_error","message":"messages.1: the block is bound to a different conversation"}"#,
                Code::InvalidRequest,
                Fault::Provider,
                Again::No,
            ),
            (
                400,
                r#"{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}"#,
                Code::ContentFilter,
                Fault::Policy,
                Again::No,
            ),
            (
                400,
                r#"{"type":"invalid_request_error","message":"what?"}"#,
                Code::InvalidRequest,
                Fault::Client,
                Again::No,
            ),
            (
                401,
                r#"{"type":"authentication_error","message":"invalid x-api-key"}"#,
                Code::UpstreamAuthError,
                Fault::Gateway,
                Again::No,
            ),
            (
                403,
                r#"{"type":"permission_error","message":"no"}"#,
                Code::UpstreamAuthError,
                Fault::Gateway,
                Again::No,
            ),
            (
                404,
                r#"{"type":"not_found_error","message":"model: x"}"#,
                Code::ModelNotFound,
                Fault::Provider,
                Again::No,
            ),
            (
                413,
                r#"{"type":"request_too_large","message":"big"}"#,
                Code::RequestTooLarge,
                Fault::Context,
                Again::No,
            ),
            (
                429,
                r#"{"type":"rate_limit_error","message":"slow"}"#,
                Code::RateLimitExceeded,
                Fault::Provider,
                wait,
            ),
            (
                429,
                r#"{"type":"rate_limit_error","message":"slow","details":{"error_code":"ramp_limit_exceeded"}}"#,
                Code::RateLimitExceeded,
                Fault::Provider,
                wait,
            ),
            // H.12: the type is that of a rate limit, and waiting does not help.
            (
                429,
                r#"{"type":"rate_limit_error","message":"m","details":{"error_code":"enforced_spend_limit_reached"}}"#,
                Code::InsufficientQuota,
                Fault::Gateway,
                Again::No,
            ),
            (
                500,
                r#"{"type":"api_error","message":"Internal server error"}"#,
                Code::UpstreamError,
                Fault::Provider,
                wait,
            ),
            (
                504,
                r#"{"type":"timeout_error","message":"late"}"#,
                Code::UpstreamTimeout,
                Fault::Provider,
                wait,
            ),
            (
                529,
                r#"{"type":"overloaded_error","message":"Overloaded"}"#,
                Code::Overloaded,
                Fault::Provider,
                wait,
            ),
        ];
        for (status, error, code, fault, again) in table {
            let failure = failure(status, error);
            assert_eq!(
                (failure.code, failure.fault, failure.again),
                (code, fault, again),
                "{error}"
            );
        }
    }

    #[test]
    fn the_type_holds_over_the_status_and_pages_are_told_apart() {
        let error = in_answer(Some(
            &RawValue::from_string(
                r#"{"type":"overloaded_error","message":"Overloaded"}"#.to_owned(),
            )
            .unwrap(),
        ));
        assert_eq!(
            (error.code, error.message.as_str(), error.again),
            (Code::Overloaded, "Overloaded", Again::Soon)
        );
        let page = of_status(502, &[("a", "b")], b"<html>bad gateway</html>");
        assert_eq!(
            (page.code, page.message.as_str()),
            (Code::Overloaded, "upstream returned HTML (502)")
        );
        let named = failure(
            400,
            r#"{"type":"invalid_request_error","message":"temperature: range: 0..1"}"#,
        );
        assert_eq!(named.param.as_deref(), Some("temperature"));
        let secret = failure(
            401,
            r#"{"type":"authentication_error","message":"key sk-ant-api03-abcdefgh is bad"}"#,
        );
        assert_eq!(secret.message, "key [redacted] is bad");
    }
}
