//! Decodes every recorded exchange of a dialect, at every kind of split, and compares it with what the provider's own
//! SDK read. The recordings are found by `WAYPOST_WIRE`; without it the tests say aloud that they skip.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::codec::{Dialect, Reply, Shape, Stop, Target};
use super::{Caps, Quirks};
use crate::chat::chunk::{Extras, Identity};
use crate::chat::{Sink, WholeWriter};

/// How the bytes of an answer are cut before they are decoded.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cut {
    Whole,
    Lines,
    Random(u64),
    Bytes,
}

pub(super) const CUTS: [Cut; 6] = [
    Cut::Whole,
    Cut::Lines,
    Cut::Random(1),
    Cut::Random(2),
    Cut::Random(3),
    Cut::Bytes,
];

/// What was read of one answer, in the words of the records.
pub(super) type Found = (Value, Option<(u16, String)>);

/// Checks every exchange in a folder of the recordings; gives back what differs, or `None` where there are none.
pub(super) fn differences(dialect: &dyn Dialect, folder: &str) -> Option<Vec<String>> {
    let names = exchanges(folder)?;
    Some(names.iter().flat_map(|path| check(dialect, path)).collect())
}

/// Every exchange in a folder of the recordings, or `None` where there are no recordings.
pub(super) fn exchanges(folder: &str) -> Option<Vec<PathBuf>> {
    let Some(wire) = std::env::var_os("WAYPOST_WIRE") else {
        skip(folder);
        return None;
    };
    let folder = PathBuf::from(wire).join(folder);
    let mut names: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| is_exchange(path))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "no exchange in {}", folder.display());
    Some(names)
}

#[expect(clippy::print_stderr, reason = "a test that does not run must say so")]
fn skip(folder: &str) {
    eprintln!("SKIPPED: set WAYPOST_WIRE to the recorded exchanges to check {folder}");
}

fn is_exchange(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.ends_with(".json") && !name.ends_with(".expect.json")
}

pub(super) fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn check(dialect: &dyn Dialect, path: &Path) -> Vec<String> {
    let exchange = read(path);
    let expected = read(&path.with_extension("expect.json"));
    let response = &exchange["response"];
    let body = response["body"].as_str().unwrap().as_bytes();
    let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
    let shape = if exchange["stream"] == true {
        Shape::Stream
    } else {
        Shape::Whole
    };
    let name = path.file_stem().unwrap().to_string_lossy();
    let mut out = Vec::new();
    for cut in CUTS {
        let found = if status >= 400 {
            let failure = dialect.failure(status, &[("content-type", "application/json")], body);
            (Value::Null, Some((status, failure.message)))
        } else {
            decode(dialect, shape, &pieces(body, cut))
        };
        out.extend(compare(&found, &expected).map(|what| format!("{name} ({cut:?}): {what}")));
    }
    out
}

pub(super) fn pieces(body: &[u8], cut: Cut) -> Vec<&[u8]> {
    match cut {
        Cut::Whole => vec![body],
        Cut::Lines => body.split_inclusive(|byte| *byte == b'\n').collect(),
        Cut::Bytes => body.chunks(1).collect(),
        Cut::Random(seed) => {
            let (mut state, mut rest, mut out) = (seed, body, Vec::new());
            while !rest.is_empty() {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let len = usize::try_from(state >> 33).unwrap() % 97;
                let (piece, tail) = rest.split_at(len.clamp(1, rest.len()));
                out.push(piece);
                rest = tail;
            }
            out
        }
    }
}

pub(super) fn decode(dialect: &dyn Dialect, shape: Shape, pieces: &[&[u8]]) -> Found {
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "recorded",
        quirks: &quirks,
        caps: &caps,
    };
    let identity = Identity {
        id: "chatcmpl-x".into(),
        model: "m".into(),
        created: 0,
    };
    let mut writer = WholeWriter::new(identity, Extras::Shown);
    let mut decoder = dialect.decoder(&target, shape, Reply::default());
    let sink: &mut dyn Sink = &mut writer;
    let mut result = Ok(());
    for piece in pieces {
        result = result.and_then(|()| decoder.push(piece, sink));
        if result.is_err() || decoder.done() {
            break;
        }
    }
    result = result.and_then(|()| decoder.finish(sink));
    let error = result.err().map(|stop| match stop {
        Stop::Failed(failure) => (failure.code.row().status, failure.message),
        Stop::Truncated => (502, "truncated".to_owned()),
        Stop::Malformed(what) => (502, what),
    });
    (serde_json::from_slice(&writer.close(None)).unwrap(), error)
}

fn compare((found, error): &Found, expected: &Value) -> Option<String> {
    let ambiguous: Vec<&str> = expected["ambiguous"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let firm = |name: &str| !ambiguous.contains(&name);
    if let Some(message) = expected["error"]["message"].as_str() {
        let told = error.as_ref().map(|(_, told)| told.as_str());
        let same = told.is_some_and(|told| told.contains(message) || message.contains(told));
        return (firm("error") && !same).then(|| format!("error {told:?}, not {message:?}"));
    }
    if let Some(error) = error {
        return firm("error").then(|| format!("failed with {error:?}"));
    }
    let message = &found["choices"][0]["message"];
    let text = |name: &str| Value::from(message[name].as_str().unwrap_or_default());
    let finish = found["choices"][0]["finish_reason"].clone();
    let rows = [
        ("text", text("content"), expected["text"].clone()),
        (
            "reasoning_text",
            text("reasoning_content"),
            expected["reasoning_text"].clone(),
        ),
        ("tool_calls", calls(message), expected["tool_calls"].clone()),
        ("finish", finish, expected["finish"].clone()),
    ];
    let row = rows
        .into_iter()
        .find(|(name, found, expected)| firm(name) && found != expected);
    if let Some((name, found, expected)) = row {
        return Some(format!("{name} is {found}, not {expected}"));
    }
    usage(&found["usage"], &expected["usage"], firm)
}

fn calls(message: &Value) -> Value {
    let Some(list) = message["tool_calls"].as_array() else {
        return Value::Array(Vec::new());
    };
    let one = |call: &Value| {
        let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
        let parsed: Value = serde_json::from_str(arguments).unwrap_or_else(|_| arguments.into());
        serde_json::json!({"name": call["function"]["name"], "arguments": parsed})
    };
    list.iter().map(one).collect()
}

fn usage(found: &Value, expected: &Value, firm: impl Fn(&str) -> bool) -> Option<String> {
    if !firm("usage") || expected.is_null() {
        return None;
    }
    let rows = [
        ("prompt_tokens", &found["prompt_tokens"]),
        ("completion_tokens", &found["completion_tokens"]),
        (
            "cached_tokens",
            &found["prompt_tokens_details"]["cached_tokens"],
        ),
        (
            "reasoning_tokens",
            &found["completion_tokens_details"]["reasoning_tokens"],
        ),
    ];
    let count = |value: &Value| value.as_u64().unwrap_or_default();
    rows.into_iter()
        .find(|(name, found)| {
            firm(&format!("usage.{name}")) && count(found) != count(&expected[*name])
        })
        .map(|(name, found)| format!("usage.{name} is {found}, not {}", expected[name]))
}

#[test]
fn anthropic_is_read_as_its_own_sdk_reads_it() {
    if let Some(differences) = differences(&super::anthropic::Anthropic, "anthropic") {
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }
}
