//! How providers refuse, in their own words: for rehearsals, where nobody refuses by himself.

use serde_json::{Value, json};

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusing {
    /// Too many requests.
    Limited,
    /// A defect of the provider's.
    Broken,
    /// Too much load.
    Overloaded,
    /// The prompt is too long.
    TooLong,
    /// A content policy.
    Filtered,
    /// The last message is the assistant's.
    Prefilled,
}

/// A status and a body as a provider that speaks a dialect sends them; `None` where nobody has written down how that
/// dialect refuses.
#[must_use]
pub fn refusing(dialect: &str, why: Refusing) -> Option<(u16, String)> {
    let (status, body) = match dialect {
        "openai" | "openai-responses" => openai(why),
        "anthropic" | "anthropic-vertex" => anthropic(why),
        "gemini" => gemini(why),
        _ => return None,
    };
    Some((status, body.to_string()))
}

const fn words(why: Refusing) -> &'static str {
    match why {
        Refusing::Limited => "Rehearsed: too many requests.",
        Refusing::Broken => "Rehearsed: an internal error.",
        Refusing::Overloaded => "Rehearsed: overloaded, try again later.",
        Refusing::TooLong => {
            "Rehearsed: the prompt is too long; this model's maximum context length is 8192 tokens."
        }
        Refusing::Filtered => "Rehearsed: blocked by content filtering policy.",
        Refusing::Prefilled => {
            "Rehearsed: this model takes no prefill; the last message must be a user's."
        }
    }
}

const fn status(why: Refusing) -> u16 {
    match why {
        Refusing::Limited => 429,
        Refusing::Broken => 500,
        Refusing::Overloaded => 503,
        Refusing::TooLong | Refusing::Filtered | Refusing::Prefilled => 400,
    }
}

fn openai(why: Refusing) -> (u16, Value) {
    let (kind, code) = match why {
        Refusing::Limited => ("requests", "rate_limit_exceeded"),
        Refusing::Broken => ("server_error", "server_error"),
        Refusing::Overloaded => ("server_error", "overloaded"),
        Refusing::TooLong => ("invalid_request_error", "context_length_exceeded"),
        Refusing::Filtered => ("invalid_request_error", "content_policy_violation"),
        Refusing::Prefilled => ("invalid_request_error", "invalid_prefill"),
    };
    let error = json!({"message": words(why), "type": kind, "param": null, "code": code});
    (status(why), json!({ "error": error }))
}

fn anthropic(why: Refusing) -> (u16, Value) {
    let kind = match why {
        Refusing::Limited => "rate_limit_error",
        Refusing::Broken => "api_error",
        Refusing::Overloaded => "overloaded_error",
        Refusing::TooLong | Refusing::Filtered | Refusing::Prefilled => "invalid_request_error",
    };
    let status = if why == Refusing::Overloaded {
        529
    } else {
        status(why)
    };
    let message = match why {
        // The words that this vendor has for it.
        Refusing::TooLong => "prompt is too long: 9631 tokens > 8192 maximum (rehearsed)",
        Refusing::Limited
        | Refusing::Broken
        | Refusing::Overloaded
        | Refusing::Filtered
        | Refusing::Prefilled => words(why),
    };
    (
        status,
        json!({"type": "error", "error": {"type": kind, "message": message}}),
    )
}

fn gemini(why: Refusing) -> (u16, Value) {
    if why == Refusing::Filtered {
        // A prompt that a policy blocks is no error here, but an answer without candidates.
        return (
            200,
            json!({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}),
        );
    }
    let (status, word) = match why {
        Refusing::Limited => (429, "RESOURCE_EXHAUSTED"),
        Refusing::Broken => (500, "INTERNAL"),
        Refusing::Overloaded => (503, "UNAVAILABLE"),
        Refusing::TooLong | Refusing::Filtered | Refusing::Prefilled => (400, "INVALID_ARGUMENT"),
    };
    let message = if why == Refusing::TooLong {
        "Rehearsed: the input token count (9631) exceeds the maximum number of tokens allowed (8192)."
    } else {
        words(why)
    };
    (
        status,
        json!({"error": {"code": status, "message": message, "status": word}}),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Code;
    use crate::dialect::{Fault, find};

    /// What is rehearsed means to each dialect what it should.
    #[test]
    fn each_dialect_understands_its_own_refusals() {
        let rows = [
            (Refusing::Limited, Code::RateLimitExceeded, Fault::Provider),
            (Refusing::Broken, Code::UpstreamError, Fault::Provider),
            (Refusing::Overloaded, Code::Overloaded, Fault::Provider),
            (
                Refusing::TooLong,
                Code::ContextLengthExceeded,
                Fault::Context,
            ),
            (Refusing::Filtered, Code::ContentFilter, Fault::Policy),
            (Refusing::Prefilled, Code::InvalidRequest, Fault::Client),
        ];
        for name in ["openai", "anthropic", "gemini"] {
            let dialect = find(name).unwrap();
            for (why, code, fault) in rows {
                let (status, body) = refusing(name, why).unwrap();
                if status == 200 {
                    continue;
                }
                let failure = dialect.failure(status, &[("a", "b")], body.as_bytes());
                assert_eq!(
                    (failure.code, failure.fault),
                    (code, fault),
                    "{name} {why:?}: {body}"
                );
            }
        }
        assert_eq!(refusing("cohere", Refusing::Broken), None);
    }
}
