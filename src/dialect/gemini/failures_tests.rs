//! What the provider's errors mean.

use std::time::Duration;

use crate::chat::Code;
use crate::dialect::codec::{Again, Dialect, Fault};
use crate::dialect::gemini::Gemini;

const NO_HEADERS: [(&str, &str); 0] = [];

fn error(code: u16, status: &str, message: &str, details: &str) -> String {
    format!(
        r#"{{"error":{{"code":{code},"message":"{message}","status":"{status}","details":[{details}]}}}}"#
    )
}

/// What is made of an error, alone and in the array that Vertex wraps it in now and then.
fn check(said: (u16, &str, &str), details: &str, expected: (Code, Fault, Again)) {
    let (status, word, message) = said;
    let object = error(status, word, message, details);
    for body in [object.clone(), format!("[{object}\n]")] {
        let failure = Gemini.failure(status, &NO_HEADERS, body.as_bytes());
        let made = (failure.code, failure.fault, failure.again);
        assert_eq!(made, expected, "{body}");
        assert_eq!(failure.message, message);
    }
}

fn quota(id: &str) -> String {
    let retry = r#"{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}"#;
    format!(
        r#"{{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{"quotaId":"{id}"}}]}},{retry}"#
    )
}

#[test]
fn e94_quotas_are_told_apart_by_their_details() {
    // The message of a per-minute quota speaks of plan and billing all the same (H.12).
    let said = "You exceeded your current quota, please check your plan and billing details.";
    let after = Again::After(Duration::from_millis(34_400));
    let slow = |again| (Code::RateLimitExceeded, Fault::Provider, again);
    let spent = (Code::InsufficientQuota, Fault::Gateway, Again::No);
    let word = "RESOURCE_EXHAUSTED";
    check(
        (429, word, said),
        &quota("RequestsPerMinutePerProject"),
        slow(after),
    );
    check(
        (429, word, said),
        &quota("RequestsPerDayPerProject-FreeTier"),
        spent,
    );
    check((429, word, "Please retry in 34.4s."), "", slow(after));
    check((429, word, "Slow down."), "", slow(Again::Soon));
    check(
        (429, word, "Your prepayment credits are depleted."),
        "",
        spent,
    );
}

#[test]
fn requests_at_fault_are_told_from_keys_and_places() {
    let bad = |message| (400, "INVALID_ARGUMENT", message);
    let ours = |code| (code, Fault::Gateway, Again::No);
    let reason =
        r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}"#;
    check(bad("Bad key."), reason, ours(Code::UpstreamAuthError));
    check(
        (401, "UNAUTHENTICATED", "Who?"),
        "",
        ours(Code::UpstreamAuthError),
    );
    check(
        (403, "PERMISSION_DENIED", "No."),
        "",
        ours(Code::UpstreamAuthError),
    );
    let place = (
        400,
        "FAILED_PRECONDITION",
        "User location is not supported.",
    );
    check(place, "", ours(Code::InvalidRequest));
    let overflow =
        "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).";
    let too_long = (Code::ContextLengthExceeded, Fault::Context, Again::No);
    check(bad(overflow), "", too_long);
    check(
        bad("Bad field."),
        "",
        (Code::InvalidRequest, Fault::Client, Again::No),
    );
}

#[test]
fn the_providers_own_failures() {
    let theirs = |code, again| (code, Fault::Provider, again);
    check(
        (404, "NOT_FOUND", "No model."),
        "",
        theirs(Code::ModelNotFound, Again::No),
    );
    check(
        (500, "INTERNAL", "Oops."),
        "",
        theirs(Code::UpstreamError, Again::Soon),
    );
    check(
        (501, "UNIMPLEMENTED", "Not yet."),
        "",
        theirs(Code::InvalidRequest, Again::No),
    );
    check(
        (503, "UNAVAILABLE", "Overloaded."),
        "",
        theirs(Code::Overloaded, Again::Soon),
    );
    check(
        (504, "DEADLINE_EXCEEDED", "Late."),
        "",
        theirs(Code::UpstreamTimeout, Again::Soon),
    );
}

#[test]
fn pages_and_headers_are_understood_too() {
    let html = Gemini.failure(502, &NO_HEADERS, b"<html>bad gateway</html>");
    assert_eq!(html.message, "upstream returned HTML (502)");
    assert_eq!(html.code.row().status, 503);
    let headed = Gemini.failure(429, &[("retry-after", "7")], b"{}");
    assert_eq!(headed.again, Again::After(Duration::from_secs(7)));
    let empty = Gemini.failure(500, &NO_HEADERS, b"");
    assert_eq!(empty.message, "the provider answered 500 without a body");
    let parts = r#"{"@type":"x.RetryInfo","retryDelay":{"seconds":"2","nanos":500000000}}"#;
    let body = error(429, "RESOURCE_EXHAUSTED", "m", parts);
    let failure = Gemini.failure(429, &NO_HEADERS, body.as_bytes());
    assert_eq!(failure.again, Again::After(Duration::from_millis(2_500)));
}

#[test]
fn keys_and_project_numbers_stay_here() {
    let message =
        "Consumer 'api_key:AIzaSyD-abc_123' of projects/123456789 is suspended: project_number:42.";
    let body = error(403, "PERMISSION_DENIED", message, "");
    let failure = Gemini.failure(403, &NO_HEADERS, body.as_bytes());
    assert_eq!(
        failure.message,
        "Consumer 'api_key:AIza…' of projects/… is suspended: project_number:…."
    );
}
