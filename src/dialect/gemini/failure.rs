//! What the provider's errors mean: statuses, and `google.rpc` details
//! (<https://cloud.google.com/apis/design/errors>).

use std::time::Duration;

use crate::chat::Code;
use crate::chat::json::{Members, elements, whole_number};
use crate::dialect::codec::{Again, Failure, Fault, Headers};
use crate::dialect::signals::{by_status, page_message};

/// The longest message that is passed on.
const MAX_MESSAGE: usize = 1_000;
/// The longest wait that is believed.
const MAX_WAIT: f64 = 86_400.0;

/// Reads the body of an answer that is no success.
pub(super) fn read(status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
    let said = std::str::from_utf8(body).ok().and_then(error_of);
    match said {
        Some(error) => judge(status, &error, headers),
        None => by_status(status, scrub(&page_message(status, body)), headers),
    }
}

/// Reads an error object within an answer that began as a success.
pub(super) fn within(json: &str) -> Failure {
    let nothing: [(&str, &str); 0] = [];
    match Members::parse(json) {
        Ok(error) => judge(status_of(&error), &error, &nothing),
        Err(_) => by_status(500, "the provider failed".to_owned(), &nothing),
    }
}

/// The account may not use the model.
pub(super) fn disabled(word: &str) -> Failure {
    Failure {
        code: Code::UpstreamAuthError,
        message: format!("the provider limits this account ({word})"),
        param: None,
        fault: Fault::Gateway,
        again: Again::No,
    }
}

/// The `error` member of an object, or of the one object in an array, as Vertex sends them in streams.
fn error_of(body: &str) -> Option<Members<'_>> {
    let body = body.trim();
    let object = if body.starts_with('[') {
        let list: Vec<&serde_json::value::RawValue> = serde_json::from_str(body).ok()?;
        list.first()?.get()
    } else {
        body
    };
    Members::parse(Members::parse(object).ok()?.find("error")?.get()).ok()
}

/// The HTTP status that an error within an answer stands for.
fn status_of(error: &Members<'_>) -> u16 {
    let code = error
        .count("code")
        .and_then(|code| u16::try_from(code).ok());
    if let Some(code) = code.filter(|code| (400..600).contains(code)) {
        return code;
    }
    match error.text("status").as_deref() {
        Some("INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE") => 400,
        Some("UNAUTHENTICATED") => 401,
        Some("PERMISSION_DENIED") => 403,
        Some("NOT_FOUND") => 404,
        Some("RESOURCE_EXHAUSTED") => 429,
        Some("CANCELLED") => 499,
        Some("UNIMPLEMENTED") => 501,
        Some("UNAVAILABLE") => 503,
        Some("DEADLINE_EXCEEDED") => 504,
        _ => 500,
    }
}

fn judge(status: u16, error: &Members<'_>, headers: &dyn Headers) -> Failure {
    let message = error.text("message").unwrap_or_default();
    let message = if message.trim().is_empty() {
        format!("the provider answered {status}")
    } else {
        scrub(&message)
    };
    let word = error.text("status").unwrap_or_default();
    let details = Details::read(error);
    let failure = by_status(status, message, headers);
    match status {
        400 if details.bad_key || failure.message.contains("API key not valid") => Failure {
            code: Code::UpstreamAuthError,
            fault: Fault::Gateway,
            again: Again::No,
            ..failure
        },
        // Location and billing: nothing the client can mend, and another provider may answer.
        400 if word == "FAILED_PRECONDITION" => Failure {
            code: Code::InvalidRequest,
            fault: Fault::Gateway,
            again: Again::No,
            ..failure
        },
        429 => exhausted(failure, &details),
        _ => failure,
    }
}

/// The text of a per-minute refusal speaks of plan and billing too: only the details tell.
fn exhausted(failure: Failure, details: &Details) -> Failure {
    let spent = ["credits are depleted", "spending cap", "spend cap"];
    let is_spent = spent.iter().any(|sign| failure.message.contains(sign));
    if details.per_day || is_spent {
        return Failure {
            code: Code::InsufficientQuota,
            fault: Fault::Gateway,
            again: Again::No,
            ..failure
        };
    }
    let told = details.wait.or_else(|| wait_in_words(&failure.message));
    let again = match (told, failure.again) {
        (Some(wait), _) | (None, Again::After(wait)) => Again::After(wait),
        (None, Again::No | Again::Soon) => Again::Soon,
    };
    Failure {
        code: Code::RateLimitExceeded,
        fault: Fault::Provider,
        again,
        ..failure
    }
}

/// What the `details` of an error say.
#[derive(Debug, Default)]
struct Details {
    bad_key: bool,
    per_day: bool,
    wait: Option<Duration>,
}

impl Details {
    fn read(error: &Members<'_>) -> Self {
        let mut details = Self::default();
        let list = error.find("details").and_then(elements).unwrap_or_default();
        for item in list.iter().filter_map(|raw| Members::parse(raw.get()).ok()) {
            let kind = item.text("@type").unwrap_or_default();
            let kind = kind.rsplit('.').next().unwrap_or_default();
            match kind {
                "ErrorInfo" => {
                    details.bad_key |= item.text("reason").as_deref() == Some("API_KEY_INVALID");
                }
                "RetryInfo" => details.wait = wait(&item),
                "QuotaFailure" => details.per_day |= names_a_day(&item),
                _ => {}
            }
        }
        details
    }
}

fn names_a_day(item: &Members<'_>) -> bool {
    let violations = item
        .find("violations")
        .and_then(elements)
        .unwrap_or_default();
    violations
        .iter()
        .filter_map(|raw| Members::parse(raw.get()).ok())
        .any(|violation| {
            violation
                .text("quotaId")
                .is_some_and(|id| id.contains("PerDay"))
        })
}

/// `"34.4s"`, or `{"seconds": 34, "nanos": 400000000}`.
fn wait(item: &Members<'_>) -> Option<Duration> {
    if let Some(text) = item.text("retryDelay") {
        return seconds(text.strip_suffix('s')?);
    }
    let parts = Members::parse(item.find("retryDelay")?.get()).ok()?;
    let whole = parts.count("seconds").or_else(|| {
        let text = parts.text("seconds")?;
        whole_number(&text)
    });
    let nanos = parts.count("nanos").unwrap_or_default();
    let nanos = u32::try_from(nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000);
    let whole = whole.unwrap_or_default().min(86_400);
    Some(Duration::new(whole, nanos.unwrap_or_default()))
}

/// `Please retry in 34.4s.`
fn wait_in_words(message: &str) -> Option<Duration> {
    let (_, after) = message.split_once("retry in ")?;
    let (number, _) = after.split_once('s')?;
    seconds(number)
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds.clamp(0.0, MAX_WAIT)).ok()
}

/// A message without keys and project numbers, on one line, at most as long as is passed on.
fn scrub(message: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in message.split_whitespace() {
        let word = hide(word, "AIza", |c| {
            c.is_ascii_alphanumeric() || c == '_' || c == '-'
        });
        let word = hide(&word, "projects/", |c| c.is_ascii_digit());
        words.push(hide(&word, "project_number:", |c| c.is_ascii_digit()));
    }
    let text = words.join(" ");
    let mut end = text.len().min(MAX_MESSAGE);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default().to_owned()
}

fn hide(word: &str, mark: &str, secret: fn(char) -> bool) -> String {
    let Some((before, after)) = word.split_once(mark) else {
        return word.to_owned();
    };
    let rest = after.trim_start_matches(secret);
    if rest.len() == after.len() {
        return word.to_owned();
    }
    format!("{before}{mark}…{rest}")
}
