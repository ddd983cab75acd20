//! What the error bodies of OpenAI-shaped providers mean, whole or within an answer: all of that vendor's formats
//! share them.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::chat::json::{Members, elements};
use crate::chat::{Code, Escaped};

use super::codec::{Again, Failure, Fault, Headers};
use super::signals;

/// An answer whose head is not known or says nothing.
const NO_HEADERS: [(&str, &str); 0] = [];

/// What a body says, whatever its shape.
#[derive(Debug, Default)]
struct Told {
    message: String,
    code: String,
    kind: String,
    param: Option<String>,
    /// A status within the body.
    status: Option<u16>,
}

/// Reads an answer with a status other than 2xx.
pub(crate) fn read(status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
    let told = std::str::from_utf8(body).ok().and_then(told);
    let Some(told) = told else {
        return signals::by_status(status, signals::page_message(status, body), headers);
    };
    classify(status, told, headers)
}

/// Reads a JSON document that came with 200 (or within a stream): `None` where it is no error.
pub(crate) fn within(text: &str) -> Option<Failure> {
    let told = told(text)?;
    let status = told.status.unwrap_or_else(|| status_of(&told));
    Some(classify(status, told, &NO_HEADERS))
}

/// Reads an error that is text only.
pub(crate) fn from_text(message: &str) -> Failure {
    let told = Told {
        message: message.to_owned(),
        ..Told::default()
    };
    classify(status_of(&told), told, &NO_HEADERS)
}

fn told(text: &str) -> Option<Told> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('[') {
        let list: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        return told(list.first()?.get());
    }
    let members = Members::parse(text).ok()?;
    if let Some(error) = members.find("error") {
        return Some(enveloped(error, &members));
    }
    let is_flat = members.text("object").as_deref() == Some("error");
    let has_choices = members.find("choices").is_some();
    if let Some(detail) = members.find("detail").filter(|_| !has_choices) {
        return Some(details(detail));
    }
    let message = members
        .find("message")
        .filter(|_| is_flat || !has_choices)?;
    if let Ok(inner) = Members::parse(message.get()) {
        return inner.find("detail").map(details);
    }
    Some(flat(&members))
}

/// `{"error": …}`: an object, or (xAI, Fireworks, Ollama) text with a `code` beside it.
fn enveloped(error: &RawValue, outer: &Members<'_>) -> Told {
    let Ok(inner) = Members::parse(error.get()) else {
        let message = Escaped::token(error)
            .map_or_else(|| error.get().to_owned(), |text| text.decode().into_owned());
        return Told {
            message,
            code: outer.text("code").unwrap_or_default().into_owned(),
            ..Told::default()
        };
    };
    let mut told = flat(&inner);
    if let Some(metadata) = inner.find("metadata").map(|raw| Members::parse(raw.get())) {
        told.aggregated(&metadata.unwrap_or_default());
    }
    if let Some(filter) = inner
        .find("innererror")
        .map(|raw| Members::parse(raw.get()))
    {
        told.filtered(&filter.unwrap_or_default());
    }
    if let Some(generation) = inner.text("failed_generation") {
        let start: String = generation.chars().take(300).collect();
        told.message = format!("{} (generated: {start})", told.message);
    }
    told
}

impl Told {
    /// OpenRouter says what its own provider said in `metadata.raw`.
    fn aggregated(&mut self, metadata: &Members<'_>) {
        let Some(raw) = metadata.text("raw").filter(|raw| !raw.trim().is_empty()) else {
            return;
        };
        let inner = told(&raw);
        self.message = match inner {
            Some(inner) if !inner.message.is_empty() => inner.message,
            _ => raw.chars().take(500).collect(),
        };
        if let Some(name) = metadata.text("provider_name") {
            self.message = format!("{} ({name})", self.message);
        }
    }

    /// Azure says in `innererror` that its filter spoke, and of what
    /// (<https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter>).
    fn filtered(&mut self, inner: &Members<'_>) {
        let Some(code) = inner.text("code").filter(|code| !code.is_empty()) else {
            return;
        };
        if self.kind.is_empty() {
            self.kind = code.into_owned();
        }
        let results = ["content_filter_result", "content_filter_results"];
        let results = results.into_iter().find_map(|name| inner.find(name));
        let results = results.and_then(|raw| Members::parse(raw.get()).ok());
        let spoke = |raw: &RawValue| {
            let result = Members::parse(raw.get()).unwrap_or_default();
            let filtered = result.find("filtered");
            filtered.is_some_and(|filtered| filtered.get() == "true")
        };
        let names: Vec<&str> = results
            .iter()
            .flat_map(|results| &results.0)
            .filter(|(_, raw)| spoke(raw))
            .map(|(name, _)| name.as_ref())
            .collect();
        if !names.is_empty() {
            self.message = format!("{} (filtered: {})", self.message, names.join(", "));
        }
    }

    /// Whether any of the words stands in `code` or `type`.
    fn is(&self, words: &[&str]) -> bool {
        words
            .iter()
            .any(|word| self.code == *word || self.kind == *word)
    }
}

fn flat(members: &Members<'_>) -> Told {
    let code = members.find("code").map(RawValue::get).unwrap_or_default();
    let word = Escaped::quoted(code).map_or_else(|| code.into(), Escaped::decode);
    let number = |name: &str| members.find(name).map(|raw| raw.get().trim_matches('"'));
    let status = ["status", "status_code", "statusCode", "code"]
        .into_iter()
        .filter_map(number)
        .find_map(|text| text.parse::<u16>().ok().filter(|n| (400..600).contains(n)));
    let message = members
        .text("message")
        .or_else(|| members.text("msg"))
        .map_or_else(String::new, Cow::into_owned);
    Told {
        message,
        code: word.into_owned(),
        kind: members.text("type").unwrap_or_default().into_owned(),
        param: members.text("param").map(Cow::into_owned),
        status,
    }
}

/// Mistral's and `FastAPI`'s `detail`: text, or a list of `{loc, msg}`.
fn details(detail: &RawValue) -> Told {
    if let Some(text) = Escaped::token(detail) {
        return Told {
            message: text.decode().into_owned(),
            ..Told::default()
        };
    }
    let mut told = Told::default();
    for item in elements(detail).unwrap_or_default() {
        let item = Members::parse(item.get()).unwrap_or_default();
        let place: Vec<String> = item
            .find("loc")
            .and_then(elements)
            .unwrap_or_default()
            .iter()
            .map(|raw| step(raw))
            .collect();
        let place: Vec<&str> = place
            .iter()
            .map(String::as_str)
            .filter(|step| *step != "body")
            .collect();
        let path = place.join(".");
        if !told.message.is_empty() {
            told.message.push_str("; ");
        }
        if !path.is_empty() {
            told.message.push_str(&path);
            told.message.push_str(": ");
            told.param.get_or_insert(path);
        }
        told.message.push_str(&item.text("msg").unwrap_or_default());
    }
    "invalid_request_error".clone_into(&mut told.kind);
    told
}

fn step(raw: &RawValue) -> String {
    Escaped::token(raw).map_or_else(|| raw.get().to_owned(), |text| text.decode().into_owned())
}

/// Words in an error within a 200, and the status they would have had.
const STATUSES: [(&[&str], u16); 7] = [
    (
        &[
            "rate_limit",
            "rate limit",
            "too many requests",
            "resource_exhausted",
        ],
        429,
    ),
    (&["insufficient"], 402),
    (
        &[
            "invalid_api_key",
            "unauthorized",
            "authentication",
            "incorrect api key",
        ],
        401,
    ),
    (&["permission", "forbidden"], 403),
    (
        &[
            "currently unavailable",
            "overloaded",
            "at capacity",
            "capacity",
            "timed out",
            "unavailable",
        ],
        503,
    ),
    (&["model_not_found", "not_found_error"], 404),
    (
        &[
            "invalid_request",
            "invalid argument",
            "bad_request",
            "badrequest",
            "content_filter",
            "invalid_prompt",
            "invalid_image",
            "invalid_base64_image",
            "image_too_",
            "image_file_",
            "image_parse_error",
            "empty_image_file",
            "unsupported_image_media_type",
            "failed_to_download_image",
            "_policy",
        ],
        400,
    ),
];

/// The status an error within a 200 would have had.
fn status_of(told: &Told) -> u16 {
    let words = format!("{} {} {}", told.code, told.kind, told.message).to_ascii_lowercase();
    STATUSES
        .iter()
        .find(|(signs, _)| signs.iter().any(|sign| words.contains(sign)))
        .map_or(500, |(_, status)| *status)
}

fn classify(status: u16, told: Told, headers: &dyn Headers) -> Failure {
    let message = if told.message.is_empty() {
        format!("the provider answered {status} without a message")
    } else {
        told.message.clone()
    };
    // The shared rules look at the text only, so the code word stands in it for them.
    let seen = format!("{message} {}", told.code);
    let mut failure = signals::by_status(status, seen, headers);
    // Azure's gateway says how long to wait in words alone.
    if failure.code == Code::RateLimitExceeded && failure.again == Again::Soon {
        failure.again = signals::wait_in_words(&message).map_or(Again::Soon, Again::After);
    }
    let Some((code, fault, again)) = by_word(status, &told) else {
        failure.message = message;
        failure.param = told.param;
        return failure;
    };
    let obeys = headers.get("x-should-retry").is_some();
    let again = match (again, failure.again) {
        (_, advised) if obeys => advised,
        (Again::Soon, Again::After(wait)) => Again::After(wait),
        (Again::Soon, _) => signals::retry_after(headers).map_or(Again::Soon, Again::After),
        (again, _) => again,
    };
    Failure {
        code,
        message,
        param: told.param,
        fault,
        again,
    }
}

/// What code and type say where they say more than the status.
fn by_word(status: u16, told: &Told) -> Option<(Code, Fault, Again)> {
    let message = told.message.to_ascii_lowercase();
    if told.is(&["context_length_exceeded"])
        || (status == 400 && signals::is_context_overflow(&message))
    {
        return Some((Code::ContextLengthExceeded, Fault::Context, Again::No));
    }
    if told.is(&[
        "content_filter",
        "content_policy_violation",
        "ResponsibleAIPolicyViolation",
        "image_content_policy_violation",
        "bio_policy",
        "misalignment_policy_violation",
    ]) || (told.is(&["invalid_prompt"]) && message.contains("usage polic"))
    {
        return Some((Code::ContentFilter, Fault::Policy, Again::No));
    }
    if told.is(&["insufficient_quota", "billing_hard_limit_reached"]) {
        return Some((Code::InsufficientQuota, Fault::Gateway, Again::No));
    }
    // The model's own output was refused by the provider: another sample may pass.
    if told.is(&["tool_use_failed", "json_validate_failed"]) {
        return Some((Code::UpstreamMalformedOutput, Fault::Provider, Again::Soon));
    }
    if told.is(&[
        "model_not_found",
        "model_decommissioned",
        "DeploymentNotFound",
    ]) {
        return Some((Code::ModelNotFound, Fault::Provider, Again::No));
    }
    if told.is(&["invalid_api_key"]) || (status == 400 && message.contains("incorrect api key")) {
        return Some((Code::UpstreamAuthError, Fault::Gateway, Again::No));
    }
    // Groq answers 413 where one request alone is over the tokens of a minute.
    if status == 413 && message.contains("tokens per minute") {
        return Some((Code::RateLimitExceeded, Fault::Provider, Again::Soon));
    }
    None
}

#[cfg(test)]
#[path = "complaint_tests.rs"]
mod complaint_tests;
