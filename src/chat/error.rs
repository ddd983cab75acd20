//! The OpenAI error object and the one closed table of every error this proxy can answer with.

use std::fmt;

use super::json;

/// An error as the client sees it: `{"error":{"message","type","param","code"}}` and a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Which row of the table it is.
    pub code: Code,
    /// What happened, what was tried, what to do.
    pub message: String,
    /// The field at fault, in the request's own words.
    pub param: Option<String>,
}

impl Error {
    /// An error of a kind, with its message.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            param: None,
        }
    }

    /// A bad value of a field of the request.
    #[must_use]
    pub fn value(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Code::InvalidValue, message).at(param)
    }

    /// Names the field at fault.
    #[must_use]
    pub fn at(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Writes the error object as OpenAI writes it, all four keys.
    pub fn write(&self, out: &mut Vec<u8>) {
        let row = self.code.row();
        out.extend_from_slice(b"{\"error\":{\"message\":");
        json::quote(&self.message, out);
        out.extend_from_slice(b",\"type\":");
        json::quote(row.kind, out);
        out.extend_from_slice(b",\"param\":");
        match &self.param {
            Some(param) => json::quote(param, out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"code\":");
        json::quote(row.code, out);
        out.extend_from_slice(b"}}");
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// One line of the table: what the client gets for a [`Code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The HTTP status.
    pub status: u16,
    /// OpenAI's `type`.
    pub kind: &'static str,
    /// OpenAI's `code`.
    pub code: &'static str,
    /// Whether a client may send the request again, provided that no attempt went upstream.
    pub retry: bool,
}

macro_rules! codes {
    ($($name:ident $status:literal $kind:literal $code:literal $retry:literal $doc:literal;)*) => {
        /// Every error that this proxy answers with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $doc] $name,)* }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// Status, type, code and retry advice.
            #[must_use]
            pub const fn row(self) -> Row {
                match self { $(Code::$name => Row { status: $status, kind: $kind, code: $code, retry: $retry },)* }
            }
        }
    };
}

codes! {
    InvalidJson 400 "invalid_request_error" "invalid_json" false "The body is not valid JSON.";
    DuplicateKey 400 "invalid_request_error" "duplicate_key" false "A governed member stands twice, or in disguise.";
    JsonTooDeep 400 "invalid_request_error" "json_too_deep" false "More than 128 levels.";
    InvalidValue 400 "invalid_request_error" "invalid_value" false "A field has a value that cannot be.";
    AmbiguousCredentials 400 "invalid_request_error" "ambiguous_credentials" false "Two different keys in one request.";
    BadFraming 400 "invalid_request_error" "bad_framing" false "The HTTP message is not well formed.";
    UnsupportedParameter 400 "invalid_request_error" "unsupported_parameter" false "The target cannot honour a parameter.";
    UnsupportedHint 400 "invalid_request_error" "unsupported_hint" false "A hint that is unknown or not built yet.";
    ContextLengthExceeded 400 "invalid_request_error" "context_length_exceeded" false "The prompt is too long for the model.";
    ContentFilter 400 "invalid_request_error" "content_filter" false "The provider's content policy refused the request.";
    InvalidRequest 400 "invalid_request_error" "invalid_request" false "The provider refused the request.";
    InvalidApiKey 401 "invalid_request_error" "invalid_api_key" false "The client's key is unknown.";
    MaxCostUnreachable 402 "invalid_request_error" "max_cost_unreachable" false "Nothing fits under the cap.";
    ModelNotFound 404 "invalid_request_error" "model_not_found" false "No such model, or not for this caller.";
    UnknownUrl 404 "invalid_request_error" "unknown_url" false "No such route.";
    ReplayMiss 404 "invalid_request_error" "replay_miss" false "No recorded exchange matches.";
    MethodNotAllowed 405 "invalid_request_error" "method_not_allowed" false "The route has another method.";
    RequestTimeout 408 "invalid_request_error" "request_timeout" true "The body came too slowly.";
    IdempotencyResultLost 409 "invalid_request_error" "idempotency_result_lost" false "The first call's answer is gone.";
    IdempotencyKeyReused 422 "invalid_request_error" "idempotency_key_reused" false "The key was used for another request.";
    RequestTooLarge 413 "invalid_request_error" "request_too_large" false "The body is over the limit.";
    UriTooLong 414 "invalid_request_error" "uri_too_long" false "The path is over the limit.";
    UnsupportedMediaType 415 "invalid_request_error" "unsupported_media_type" false "Not JSON, or encoded.";
    HeadersTooLarge 431 "invalid_request_error" "headers_too_large" false "The head is over the limit.";
    InsufficientQuota 429 "insufficient_quota" "insufficient_quota" false "A budget or the provider's credit is spent.";
    RateLimitExceeded 429 "requests" "rate_limit_exceeded" true "Too many requests or tokens.";
    Internal 500 "server_error" "internal_error" false "A defect of ours.";
    UpstreamConnectError 502 "server_error" "upstream_connect_error" true "No connection to the provider.";
    UpstreamClosed 502 "server_error" "upstream_closed" false "The provider closed before answering.";
    UpstreamProtocolError 502 "server_error" "upstream_protocol_error" false "The provider's HTTP is broken.";
    UpstreamTruncated 502 "server_error" "upstream_truncated" false "The answer ended too early.";
    UpstreamInvalidResponse 502 "server_error" "upstream_invalid_response" false "The answer is not what the format says.";
    UpstreamMalformedOutput 502 "server_error" "upstream_malformed_output" false "The model produced an unusable call.";
    UpstreamAuthError 502 "server_error" "upstream_auth_error" false "The provider refused our credential.";
    UpstreamRedirect 502 "server_error" "upstream_redirect" false "The provider answered with a redirect.";
    UpstreamTlsError 502 "server_error" "upstream_tls_error" false "No trusted connection to the provider.";
    UpstreamAddressDenied 502 "server_error" "upstream_address_denied" false "The address is not allowed.";
    UpstreamError 502 "server_error" "upstream_error" false "The provider failed.";
    ToolUseFailed 502 "server_error" "tool_use_failed" false "The model failed to form a tool call.";
    Overloaded 503 "server_error" "overloaded" true "Too much load, here or at the provider.";
    NoHealthyUpstream 503 "server_error" "no_healthy_upstream" true "No target is usable.";
    NotConfigured 503 "server_error" "no_provider_configured" false "No provider has a key.";
    LedgerUnavailable 503 "server_error" "ledger_unavailable" true "The ledger is away.";
    ServerShuttingDown 503 "server_error" "server_shutting_down" true "The proxy is draining.";
    UpstreamConnectTimeout 504 "server_error" "upstream_connect_timeout" true "No connection in time.";
    UpstreamTimeout 504 "server_error" "upstream_timeout" false "No answer in time.";
    StreamTruncated 502 "server_error" "upstream_stream_truncated" false "A stream broke off.";
    StreamIdle 504 "server_error" "upstream_idle_timeout" false "A stream fell silent.";
    StreamTotal 504 "server_error" "stream_total_timeout" false "A stream took longer than allowed.";
    BudgetExhausted 429 "server_error" "budget_exhausted" false "The budget ran out within a stream.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_four_keys_are_always_there() {
        let mut out = Vec::new();
        Error::value("n", "'n' must be \"1\"").write(&mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            r#"{"error":{"message":"'n' must be \"1\"","type":"invalid_request_error","param":"n","code":"invalid_value"}}"#
        );
    }

    #[test]
    fn no_two_rows_share_a_code() {
        let mut seen: Vec<_> = Code::ALL.iter().map(|code| code.row().code).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), Code::ALL.len());
    }
}
