//! What the shapes of error bodies are read as.

use std::time::Duration;

use super::*;

#[expect(
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "a table is read as a table"
)]
#[test]
fn every_shape_of_body_is_read() {
    use Code as C;
    use Fault as F;
    let table: [(u16, &str, Code, Fault, &str, Option<&str>); 22] = [
        (
            400,
            r#"{"error":{"message":"bad n","type":"invalid_request_error","param":"n","code":null}}"#,
            C::InvalidRequest,
            F::Client,
            "bad n",
            Some("n"),
        ),
        (
            400,
            r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#,
            C::ContextLengthExceeded,
            F::Context,
            "too long",
            None,
        ),
        (
            400,
            r#"{"error":{"message":"Invalid 'x': string too long","code":"string_above_max_length"}}"#,
            C::InvalidRequest,
            F::Client,
            "Invalid 'x': string too long",
            None,
        ),
        (
            400,
            r#"{"object":"error","message":"This model's maximum context length is 8192 tokens","type":"BadRequestError","code":400}"#,
            C::ContextLengthExceeded,
            F::Context,
            "This model's maximum context length is 8192 tokens",
            None,
        ),
        (
            401,
            r#"{"error":{"message":"Incorrect API key","code":"invalid_api_key"}}"#,
            C::UpstreamAuthError,
            F::Gateway,
            "Incorrect API key",
            None,
        ),
        (
            401,
            r#"{"detail":"Unauthorized"}"#,
            C::UpstreamAuthError,
            F::Gateway,
            "Unauthorized",
            None,
        ),
        (
            402,
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error"}}"#,
            C::InsufficientQuota,
            F::Gateway,
            "Insufficient Balance",
            None,
        ),
        (
            422,
            r#"{"detail":[{"loc":["body","name"],"msg":"Extra inputs are not permitted"}]}"#,
            C::InvalidRequest,
            F::Client,
            "name: Extra inputs are not permitted",
            Some("name"),
        ),
        (
            422,
            r#"{"object":"error","message":{"detail":[{"loc":["body","messages",0],"msg":"no"}]},"type":"invalid_request_error"}"#,
            C::InvalidRequest,
            F::Client,
            "messages.0: no",
            Some("messages.0"),
        ),
        (
            429,
            r#"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            C::InsufficientQuota,
            F::Gateway,
            "m",
            None,
        ),
        (
            429,
            r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#,
            C::RateLimitExceeded,
            F::Provider,
            "Rate limit reached",
            None,
        ),
        (
            429,
            r#"{"statusCode":429,"message":"Rate limit is exceeded. Try again in 5 seconds."}"#,
            C::RateLimitExceeded,
            F::Provider,
            "Rate limit is exceeded. Try again in 5 seconds.",
            None,
        ),
        (
            429,
            r#"{"error":{"code":429,"message":"Provider returned error","metadata":{"raw":"slow down","provider_name":"Google"}}}"#,
            C::RateLimitExceeded,
            F::Provider,
            "slow down (Google)",
            None,
        ),
        (
            400,
            r#"{"error":{"code":"content_filter","message":"filtered","param":"prompt","innererror":{}}}"#,
            C::ContentFilter,
            F::Policy,
            "filtered",
            Some("prompt"),
        ),
        (
            400,
            r#"{"error":{"message":"Failed to call a function.","code":"tool_use_failed","failed_generation":"<f>"}}"#,
            C::UpstreamMalformedOutput,
            F::Provider,
            "Failed to call a function. (generated: <f>)",
            None,
        ),
        (
            413,
            r#"{"error":{"message":"Request too large: tokens per minute (TPM)","code":"rate_limit_exceeded"}}"#,
            C::RateLimitExceeded,
            F::Provider,
            "Request too large: tokens per minute (TPM)",
            None,
        ),
        (
            498,
            r#"{"error":{"message":"flex capacity"}}"#,
            C::Overloaded,
            F::Provider,
            "flex capacity",
            None,
        ),
        (
            400,
            r#"{"error":{"message":"gone","code":"model_decommissioned"}}"#,
            C::ModelNotFound,
            F::Provider,
            "gone",
            None,
        ),
        (
            500,
            r#"{"error":"text only"}"#,
            C::UpstreamError,
            F::Provider,
            "text only",
            None,
        ),
        (
            400,
            r#"{"code":"invalid-argument","error":"Incorrect API key provided"}"#,
            C::UpstreamAuthError,
            F::Gateway,
            "Incorrect API key provided",
            None,
        ),
        (
            503,
            r#"[{"error":{"code":503,"status":"UNAVAILABLE","message":"overloaded"}}]"#,
            C::Overloaded,
            F::Provider,
            "overloaded",
            None,
        ),
        (
            502,
            "<html>bad gateway</html>",
            C::Overloaded,
            F::Provider,
            "upstream returned HTML (502)",
            None,
        ),
    ];
    for (status, body, code, fault, message, param) in table {
        let failure = read(status, &NO_HEADERS, body.as_bytes());
        assert_eq!((failure.code, failure.fault), (code, fault), "{body}");
        assert_eq!(failure.message, message, "{body}");
        assert_eq!(failure.param.as_deref(), param, "{body}");
    }
}

#[test]
fn errors_within_a_200_are_classified() {
    let table = [
        // E-59.
        (
            r#"{"code":"The service is currently unavailable","error":"Timed out waiting for first token"}"#,
            Code::Overloaded,
        ),
        (
            r#"{"error":{"message":"x","code":"content_filter","status":400}}"#,
            Code::ContentFilter,
        ),
        (
            r#"{"error":{"message":"boom","type":"server_error"}}"#,
            Code::UpstreamError,
        ),
        (
            r#"{"error":{"code":429,"message":"slow"}}"#,
            Code::RateLimitExceeded,
        ),
        (
            r#"{"detail":[{"loc":["body"],"msg":"no"}]}"#,
            Code::InvalidRequest,
        ),
        // The Responses API: an event of its own, and an answer that failed.
        (
            r#"{"type":"error","code":"rate_limit_exceeded","message":"slow","param":null,"sequence_number":3}"#,
            Code::RateLimitExceeded,
        ),
        (
            r#"{"status":"failed","error":{"code":"server_error","message":"boom"}}"#,
            Code::UpstreamError,
        ),
        (
            r#"{"status":"failed","error":{"code":"image_too_large","message":"no"}}"#,
            Code::InvalidRequest,
        ),
        (
            r#"{"status":"failed","error":{"code":"bio_policy","message":"no"}}"#,
            Code::ContentFilter,
        ),
        (
            r#"{"status":"failed","error":{"code":"invalid_prompt","message":"flagged by our usage policy"}}"#,
            Code::ContentFilter,
        ),
        (
            r#"{"status":"failed","error":{"code":"invalid_prompt","message":"no"}}"#,
            Code::InvalidRequest,
        ),
    ];
    for (body, code) in table {
        assert_eq!(within(body).unwrap().code, code, "{body}");
    }
    assert_eq!(within(r#"{"choices":[],"error":null}"#), None);
    assert_eq!(
        within(r#"{"choices":[{"message":{}}],"message":"x"}"#),
        None
    );
}

#[test]
fn waits_and_advice_are_obeyed() {
    let rate = br#"{"error":{"message":"slow","code":"rate_limit_exceeded"}}"#;
    let failure = read(429, &[("retry-after", "2")], rate);
    assert_eq!(failure.again, Again::After(Duration::from_secs(2)));
    let failure = read(429, &[("x-should-retry", "false")], rate);
    assert_eq!(failure.again, Again::No);
    let tool = br#"{"error":{"message":"x","code":"tool_use_failed"}}"#;
    assert_eq!(read(400, &NO_HEADERS, tool).again, Again::Soon);
    assert_eq!(
        read(400, &[("x-should-retry", "false")], tool).again,
        Again::No
    );
}

#[test]
fn azures_gateway_waits_in_words_and_its_filter_says_of_what() {
    let gateway =
        br#"{"statusCode":429,"message":"Rate limit is exceeded. Try again in 5 seconds."}"#;
    let wait = |headers: &dyn Headers| read(429, headers, gateway).again;
    assert_eq!(wait(&NO_HEADERS), Again::After(Duration::from_secs(5)));
    assert_eq!(
        wait(&[("retry-after-ms", "900")]),
        Again::After(Duration::from_millis(900))
    );
    assert_eq!(wait(&[("x-should-retry", "false")]), Again::No);
    let filter = |code: &str| {
        format!(
            r#"{{"error":{{"message":"Filtered.","type":null,"param":"prompt","code":{code},"status":400,"innererror":{{"code":"ResponsibleAIPolicyViolation","content_filter_result":{{"hate":{{"filtered":true,"severity":"high"}},"jailbreak":{{"filtered":false,"detected":false}},"violence":{{"filtered":true,"severity":"medium"}}}}}}}}}}"#
        )
    };
    for code in ["\"content_filter\"", "null"] {
        let failure = read(400, &NO_HEADERS, filter(code).as_bytes());
        assert_eq!(
            (failure.code, failure.fault, failure.message.as_str()),
            (
                Code::ContentFilter,
                Fault::Policy,
                "Filtered. (filtered: hate, violence)"
            ),
            "{code}"
        );
    }
    let unsaid = br#"{"error":{"code":"x","message":"m","innererror":{}}}"#;
    assert_eq!(read(400, &NO_HEADERS, unsaid).message, "m");
}
