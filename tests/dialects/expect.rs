//! What a client gets, held against `expected.sse` or `expected.json` and `expected.status`; and written there.

use std::fs;
use std::path::Path;

use serde_json::Value;
use waypost::fixture::diff::differences;
use waypost::fixture::{Cassette, cassette::Expected};

use crate::decode::Got;

/// What of an answer is not as it is expected.
pub(crate) fn compare(case: &Cassette, got: &Got) -> Vec<String> {
    match (&case.expected, got) {
        (Some(Expected::Events(wanted)), Got::Events(got)) => {
            let status =
                (case.status != 200).then(|| "expected.status: a stream has 200".to_owned());
            let wanted = String::from_utf8_lossy(wanted);
            status
                .into_iter()
                .chain(compare_events(&wanted, got))
                .collect()
        }
        (Some(Expected::Json(wanted)), Got::Document(status, got)) => {
            let mut wrong = Vec::new();
            if case.status != *status {
                wrong.push(format!(
                    "expected.status: {}, but it is {status}",
                    case.status
                ));
            }
            let wanted = String::from_utf8_lossy(wanted);
            wrong.extend(compare_values("expected.json", &wanted, got));
            wrong
        }
        (Some(Expected::Events(_)), Got::Document(status, got)) => {
            vec![format!(
                "expected.sse, but it is a document ({status}): {got}"
            )]
        }
        (Some(Expected::Json(_)), Got::Events(got)) => {
            vec![format!("expected.json, but it is a stream: {got}")]
        }
        (None, _) => vec!["neither expected.sse nor expected.json is there".to_owned()],
    }
}

/// Number, order and values of events; between them only blank lines.
pub(crate) fn compare_events(wanted: &str, got: &str) -> Vec<String> {
    let (wanted, got) = match (events(wanted), events(got)) {
        (Ok(wanted), Ok(got)) => (wanted, got),
        (Err(why), _) => return vec![format!("expected.sse: {why}")],
        (_, Err(why)) => return vec![format!("the stream: {why}")],
    };
    let mut wrong = Vec::new();
    if wanted.len() != got.len() {
        let counts = (wanted.len(), got.len());
        wrong.push(format!(
            "expected.sse: {} events, but there are {}",
            counts.0, counts.1
        ));
    }
    for (at, (wanted, got)) in wanted.iter().zip(&got).enumerate() {
        if (*wanted == "[DONE]") == (*got == "[DONE]") && *wanted != "[DONE]" {
            wrong.extend(compare_values(
                &format!("expected.sse: event {at}"),
                wanted,
                got,
            ));
        } else if wanted != got {
            wrong.push(format!(
                "expected.sse: event {at} is {wanted}, but it is {got}"
            ));
        }
    }
    wrong
}

fn events(text: &str) -> Result<Vec<&str>, String> {
    let blocks = text.split("\n\n").filter(|block| !block.trim().is_empty());
    let event = |block: &'_ str| format!("not one data line: {block:?}");
    blocks
        .map(|block| {
            let data = block.trim_matches('\n').strip_prefix("data: ");
            data.filter(|data| !data.contains('\n'))
                .ok_or_else(|| event(block))
        })
        .collect()
}

fn compare_values(what: &str, wanted: &str, got: &str) -> Vec<String> {
    let parse = |text: &str| serde_json::from_str::<Value>(text);
    let (mut wanted, mut got) = match (parse(wanted), parse(got)) {
        (Ok(wanted), Ok(got)) => (wanted, got),
        (Err(error), _) => return vec![format!("{what} is no JSON: {error}")],
        (_, Err(error)) => {
            return vec![format!("{what}: what is there is no JSON: {error}: {got}")];
        }
    };
    let mut wrong = compare_messages(what, &mut wanted, &mut got);
    wrong.extend(differences(&wanted, &got).iter().map(|one| {
        let (path, left, right) = (&one.path, &one.left, &one.right);
        format!("{what}: {path} is {left}, but it is {right}")
    }));
    wrong
}

/// Takes the messages out of two errors. The gateway words them; what the dialect said must be in the words, but for
/// what a provider says of our credential, which no client is told.
fn compare_messages(what: &str, wanted: &mut Value, got: &mut Value) -> Vec<String> {
    let code = got.pointer("/error/code").cloned().unwrap_or_default();
    let take = |value: &mut Value| {
        let message = value.pointer_mut("/error/message").map(Value::take);
        message.and_then(|message| message.as_str().map(str::to_owned))
    };
    let (Some(wanted), Some(got)) = (take(wanted), take(got)) else {
        return Vec::new();
    };
    let hidden = code == "upstream_auth_error";
    let mut wrong = Vec::new();
    if hidden == wanted.contains(&got) && !got.is_empty() {
        let rule = if hidden { "must not be" } else { "is not" };
        wrong.push(format!(
            "{what}: the dialect's words {got:?} {rule} in {wanted:?}"
        ));
    }
    if wanted.is_empty() {
        wrong.push(format!("{what}: an error without a message"));
    }
    wrong
}

/// Writes what a client gets as what is expected. The gateway's words of an error are kept where they are right.
pub(crate) fn bless(folder: &Path, case: &Cassette, got: &Got) {
    if compare(case, got).is_empty() {
        return;
    }
    for name in ["expected.sse", "expected.json", "expected.status"] {
        let _ = fs::remove_file(folder.join(name));
    }
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("writable");
    match got {
        Got::Events(text) => {
            let events = text.split_inclusive("\n\n");
            let worded: String = events
                .map(|event| worded_event(&case.provider, event))
                .collect();
            write("expected.sse", &worded);
        }
        Got::Document(status, text) => {
            write(
                "expected.json",
                &format!("{}\n", worded(&case.provider, text)),
            );
            if *status != 200 {
                write("expected.status", &format!("{status}\n"));
            }
        }
    }
}

fn worded_event(provider: &str, event: &str) -> String {
    let data = event.trim_end().strip_prefix("data: ").unwrap_or_default();
    match serde_json::from_str::<Value>(data) {
        Ok(value) if value.get("error").is_some() => {
            format!("data: {}\n\n", worded(provider, data))
        }
        _ => event.to_owned(),
    }
}

/// An error as the gateway words it; any other document as it stands.
fn worded(provider: &str, text: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return text.to_owned();
    };
    let code = value.pointer("/error/code").cloned().unwrap_or_default();
    let Some(message) = value.pointer_mut("/error/message") else {
        return text.to_owned();
    };
    let said = message.as_str().unwrap_or_default().to_owned();
    let words = match code.as_str().unwrap_or_default() {
        "upstream_auth_error" => format!(
            "The provider '{provider}' refused our credential. Check its key in the environment or waypost.toml."
        ),
        "upstream_stream_truncated" => format!(
            "The answer of '{provider}' broke off. What came before this event is not the whole."
        ),
        "upstream_truncated" => format!("The answer of '{provider}' ended before it was complete."),
        "upstream_invalid_response" => {
            format!("The answer of '{provider}' is not what its format says: {said}.")
        }
        _ => format!("{provider}: {said}"),
    };
    *message = Value::String(words);
    value.to_string()
}
