//! What statuses and texts of providers mean, as data: the part of failures that all dialects share.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Duration;

use crate::chat::Code;

use super::codec::{Again, Failure, Fault, Headers};

/// Texts (lower case) that mean the prompt is too long, as seen of OpenAI, Anthropic, Google, Groq, Mistral,
/// xAI, Cerebras, Fireworks, Together, vLLM, llama.cpp and Ollama up to November 2026.
const TOO_LONG: [&str; 23] = [
    "context_length_exceeded",
    "maximum context length",
    "context length is",
    "input tokens exceed the configured limit",
    "exceeds the context window",
    "exceed context limit",
    "prompt is too long",
    "prompt too long",
    "input token count",
    "input is too long for requested model",
    "too many tokens",
    "reduce the length of the messages",
    "longer than the model's context length",
    "`inputs` tokens + `max_new_tokens` must be",
    "prompt contains",
    "too large for model with",
    "prompt has too many tokens",
    "maximum prompt length is",
    "current length is",
    "exceeds the available context size",
    "exceeds maximum context",
    "context window exceeded",
    "token limit exceeded",
];

/// Whether a message says that the prompt is too long.
#[must_use]
pub fn is_context_overflow(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    !message.contains("string_above_max_length")
        && TOO_LONG.iter().any(|sign| message.contains(sign))
}

/// Whether a message says that the credit is spent, not that a rate is exceeded.
#[must_use]
pub fn is_spent(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let signs = [
        "insufficient_quota",
        "insufficient balance",
        "credit balance",
        "billing",
        "spend_limit",
        "spend limit",
        "insufficient credits",
        "perday",
        "exceeded your current quota, please check your plan and billing",
    ];
    signs.iter().any(|sign| message.contains(sign))
}

/// What a status means where the body says no more.
#[must_use]
pub fn by_status(status: u16, message: String, headers: &dyn Headers) -> Failure {
    let (code, fault, again) = match status {
        401 | 403 => (Code::UpstreamAuthError, Fault::Gateway, Again::No),
        402 => (Code::InsufficientQuota, Fault::Gateway, Again::No),
        404 | 410 => (Code::ModelNotFound, Fault::Provider, Again::No),
        405 | 415 => (Code::UpstreamError, Fault::Gateway, Again::No),
        408 | 499 | 504 => (Code::UpstreamTimeout, Fault::Provider, Again::Soon),
        409 | 498 | 502 | 503 | 520..=529 => (Code::Overloaded, Fault::Provider, Again::Soon),
        413 => (Code::RequestTooLarge, Fault::Context, Again::No),
        429 if is_spent(&message) => (Code::InsufficientQuota, Fault::Gateway, Again::No),
        429 => (Code::RateLimitExceeded, Fault::Provider, Again::Soon),
        300..=399 => (Code::UpstreamRedirect, Fault::Gateway, Again::No),
        400..=428 | 430..=497 if is_context_overflow(&message) => {
            (Code::ContextLengthExceeded, Fault::Context, Again::No)
        }
        501 => (Code::InvalidRequest, Fault::Provider, Again::No),
        400..=499 => (Code::InvalidRequest, Fault::Client, Again::No),
        _ => (Code::UpstreamError, Fault::Provider, Again::Soon),
    };
    let again = match (again, retry_after(headers)) {
        (Again::Soon, Some(wait)) => Again::After(wait),
        (again, _) => again,
    };
    Failure {
        code,
        message,
        param: None,
        fault,
        again: obey(again, headers),
    }
}

/// A provider's own advice stands over ours.
fn obey(again: Again, headers: &dyn Headers) -> Again {
    match headers.get("x-should-retry") {
        Some("false") => Again::No,
        Some("true") if again == Again::No => Again::Soon,
        _ => again,
    }
}

/// How long a provider asks to wait: `retry-after-ms`, else `retry-after` in seconds. Dates are the caller's, as
/// they need a clock.
#[must_use]
pub fn retry_after(headers: &dyn Headers) -> Option<Duration> {
    let number = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.trim().parse::<f64>().ok())
    };
    let seconds = number("retry-after-ms")
        .map(|ms| ms / 1000.0)
        .or_else(|| number("retry-after"))?;
    Duration::try_from_secs_f64(seconds.clamp(0.0, 86_400.0)).ok()
}

/// How long a message asks to wait: "Try again in 5 seconds", "Please retry after 17 seconds", "try again in 1.2s".
#[must_use]
pub fn wait_in_words(message: &str) -> Option<Duration> {
    let message = message.to_ascii_lowercase();
    let signs = ["try again in ", "retry after ", "retry in "];
    let rest = signs
        .iter()
        .find_map(|sign| message.split_once(sign).map(|(_, rest)| rest))?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = rest.split_at_checked(end)?;
    let number = number.parse::<f64>().ok()?;
    let unit = unit.trim_start();
    let seconds = if unit.starts_with("ms") || unit.starts_with("milli") {
        number / 1000.0
    } else if unit.starts_with('s') {
        number
    } else {
        return None;
    };
    Duration::try_from_secs_f64(seconds.clamp(0.0, 86_400.0)).ok()
}

/// What an HTML or empty error page is called.
#[must_use]
pub fn page_message(status: u16, body: &[u8]) -> String {
    let start = body.trim_ascii_start();
    if start.is_empty() {
        return format!("the provider answered {status} without a body");
    }
    if start.first() == Some(&b'<') {
        return format!("upstream returned HTML ({status})");
    }
    let text = String::from_utf8_lossy(start.get(..start.len().min(200)).unwrap_or_default());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The longest provider message that is passed on, in characters.
const LONGEST_MESSAGE: usize = 1_000;

/// A provider's message without keys, tokens and account ids, and not longer than a message should be.
#[must_use]
pub fn scrub(message: &str) -> String {
    static SECRETS: LazyLock<Option<regex_lite::Regex>> = LazyLock::new(|| {
        regex_lite::Regex::new(concat!(
            r"(?i)bearer\s+[A-Za-z0-9._~+/=-]{8,}",
            r"|\b(?:sk|pk|rk|gsk|xai|org|csk|nvapi)[-_][A-Za-z0-9_*.-]*[A-Za-z0-9_*]{8,}",
            r"|\bAIza[0-9A-Za-z_-]{10,}|\bya29\.[0-9A-Za-z_.-]{10,}",
            r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
        ))
        .ok()
    });
    let clean = match &*SECRETS {
        Some(secrets) => secrets.replace_all(message, "[redacted]"),
        None => Cow::Borrowed("the provider's message could not be cleaned of secrets"),
    };
    clean.chars().take(LONGEST_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_pass() {
        let table = [
            (
                "Incorrect API key provided: sk-proj-abc***wxyz12345.",
                "Incorrect API key provided: [redacted].",
            ),
            (
                "for org org-AbCdEf123456 on rate",
                "for org [redacted] on rate",
            ),
            ("Bearer abcdefghij.klm refused", "[redacted] refused"),
            ("key AIzaSyA1234567890abc is bad", "key [redacted] is bad"),
            (
                "(org: 01234567-89ab-cdef-0123-456789abcdef)",
                "(org: [redacted])",
            ),
            (
                "max_tokens: 9 > 8, see the key-value docs",
                "max_tokens: 9 > 8, see the key-value docs",
            ),
        ];
        for (message, expected) in table {
            assert_eq!(scrub(message), expected);
        }
    }

    #[test]
    fn statuses_mean_what_the_table_says() {
        let table = [
            (400, "bad", Code::InvalidRequest, Fault::Client),
            (
                400,
                "This model's maximum context length is 8192 tokens",
                Code::ContextLengthExceeded,
                Fault::Context,
            ),
            (401, "no", Code::UpstreamAuthError, Fault::Gateway),
            (429, "slow down", Code::RateLimitExceeded, Fault::Provider),
            (
                429,
                "You exceeded your current quota: insufficient_quota",
                Code::InsufficientQuota,
                Fault::Gateway,
            ),
            (500, "oops", Code::UpstreamError, Fault::Provider),
            (529, "Overloaded", Code::Overloaded, Fault::Provider),
            (404, "no such model", Code::ModelNotFound, Fault::Provider),
        ];
        for (status, message, code, fault) in table {
            let failure = by_status(status, message.to_owned(), &[("a", "b")]);
            assert_eq!(
                (failure.code, failure.fault),
                (code, fault),
                "{status} {message}"
            );
        }
    }

    #[test]
    fn waits_are_read_in_both_units() {
        assert_eq!(
            retry_after(&[("retry-after", "1.5")]),
            Some(Duration::from_millis(1500))
        );
        assert_eq!(
            retry_after(&[("retry-after-ms", "250"), ("retry-after", "9")]),
            Some(Duration::from_millis(250))
        );
        assert_eq!(retry_after(&[("retry-after", "-1")]), Some(Duration::ZERO));
        assert_eq!(retry_after(&[("retry-after", "soon")]), None);
        let table = [
            (
                "Rate limit is exceeded. Try again in 5 seconds.",
                Some(5000),
            ),
            ("tier. Please retry after 17 seconds. Ask", Some(17_000)),
            ("Please try again in 1.25s. Visit", Some(1250)),
            ("Please try again in 20ms.", Some(20)),
            ("Try again in 2 minutes.", None),
            ("Try again in a moment.", None),
            ("Slow down.", None),
        ];
        for (words, ms) in table {
            assert_eq!(
                wait_in_words(words),
                ms.map(Duration::from_millis),
                "{words}"
            );
        }
    }
}
