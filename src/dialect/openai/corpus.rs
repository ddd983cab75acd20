//! Every recorded exchange with an OpenAI-shaped provider, decoded at every kind of cut and compared with what
//! the provider's own SDK made of it.
//!
//! The recordings are found by `WAYPOST_WIRE`; without it this test says so and does nothing.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::chat::chunk::{Extras, Identity, UsageChunk};
use crate::chat::{ChunkWriter, Error, Sink, WholeWriter};
use crate::dialect::{Caps, Dialect, Quirks, Reply, Shape, Stop, Target};

use super::OpenAi;

/// What a client would make of our answer.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    text: String,
    reasoning: String,
    calls: Vec<(String, String)>,
    finish: Option<String>,
    usage: Option<Value>,
    failed: Option<String>,
}

fn identity() -> Identity {
    Identity {
        id: "chatcmpl-x".into(),
        model: "m".into(),
        created: 1,
    }
}

fn decode(
    pieces: &[&[u8]],
    stream: bool,
    sink: &mut dyn Sink,
    quirks: &Quirks,
) -> Result<(), Stop> {
    let caps = Caps::default();
    let target = Target {
        model: "m",
        quirks,
        caps: &caps,
    };
    let reply = Reply {
        stream,
        include_usage: stream,
        ..Reply::default()
    };
    let shape = if stream { Shape::Stream } else { Shape::Whole };
    let mut decoder = OpenAi.decoder(&target, shape, reply);
    for piece in pieces {
        decoder.push(piece, sink)?;
    }
    decoder.finish(sink)?;
    assert!(decoder.done());
    Ok(())
}

fn message_of(stop: &Stop) -> String {
    match stop {
        Stop::Failed(failure) => failure.message.clone(),
        Stop::Truncated => "truncated".into(),
        Stop::Malformed(what) => what.clone(),
    }
}

fn see(pieces: &[&[u8]], stream: bool, quirks: &Quirks) -> Seen {
    if !stream {
        let mut writer = WholeWriter::new(identity(), Extras::Shown);
        return match decode(pieces, false, &mut writer, quirks) {
            Ok(()) => read_whole(&writer.close(None)),
            Err(stop) => Seen {
                failed: Some(message_of(&stop)),
                ..Seen::default()
            },
        };
    }
    let mut writer = ChunkWriter::new(identity(), UsageChunk::Asked, Extras::Shown);
    let outcome = decode(pieces, true, &mut writer, quirks);
    match &outcome {
        Ok(()) => writer.close(None),
        Err(_) => writer.error(&Error::new(crate::chat::Code::Internal, "x")),
    }
    let mut seen = read_stream(std::str::from_utf8(&writer.take()).unwrap());
    seen.failed = outcome.err().map(|stop| message_of(&stop));
    seen
}

fn read_whole(body: &[u8]) -> Seen {
    let value: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(value["object"], "chat.completion");
    let choice = &value["choices"][0];
    let message = &choice["message"];
    let calls = message["tool_calls"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let call = |call: &Value| {
        assert!(!call["id"].as_str().unwrap().is_empty());
        assert_eq!(call["type"], "function");
        let function = &call["function"];
        let text = |name: &str| function[name].as_str().unwrap().to_owned();
        (text("name"), text("arguments"))
    };
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    Seen {
        text: text("content"),
        reasoning: text("reasoning_content"),
        calls: calls.iter().map(call).collect(),
        finish: choice["finish_reason"].as_str().map(str::to_owned),
        usage: value.get("usage").cloned(),
        failed: None,
    }
}

/// Reads our stream as a strict client would.
fn read_stream(body: &str) -> Seen {
    let mut seen = Seen::default();
    let mut first: Option<(Value, Value, Value)> = None;
    let mut roles = 0_u32;
    for event in body.split("\n\n").filter(|event| !event.is_empty()) {
        let data = event.strip_prefix("data: ").unwrap();
        if data == "[DONE]" {
            continue;
        }
        let value: Value = serde_json::from_str(data).unwrap();
        if value.get("error").is_some() {
            continue;
        }
        assert_eq!(value["object"], "chat.completion.chunk", "{data}");
        let identity = (
            value["id"].clone(),
            value["created"].clone(),
            value["model"].clone(),
        );
        assert_eq!(first.get_or_insert_with(|| identity.clone()), &identity);
        let usage = value
            .as_object()
            .unwrap()
            .get("usage")
            .expect("a usage key");
        let Some(choice) = value["choices"].as_array().unwrap().first() else {
            seen.usage = Some(usage.clone());
            continue;
        };
        assert!(usage.is_null(), "{data}");
        if choice["index"] != 0 {
            continue;
        }
        assert_eq!(seen.finish, None, "nothing follows the finish: {data}");
        let delta = &choice["delta"];
        if delta.get("role").is_some() {
            roles = roles.saturating_add(1);
        }
        assert!(roles == 1, "the role comes first and once: {data}");
        seen.text
            .push_str(delta["content"].as_str().unwrap_or_default());
        seen.reasoning
            .push_str(delta["reasoning_content"].as_str().unwrap_or_default());
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            read_fragment(call, &mut seen);
        }
        seen.finish = choice["finish_reason"].as_str().map(str::to_owned);
    }
    seen
}

fn read_fragment(call: &Value, seen: &mut Seen) {
    let at = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
    let function = &call["function"];
    if at == seen.calls.len() {
        assert!(!call["id"].as_str().unwrap().is_empty());
        seen.calls
            .push((function["name"].as_str().unwrap().to_owned(), String::new()));
    }
    let arguments = function["arguments"].as_str().unwrap();
    seen.calls[at].1.push_str(arguments);
}

/// Cuts bytes at every line, at pseudo-random places, and everywhere.
fn cuts(body: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut seed = 7_usize;
    let mut random = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (piece, tail) = rest.split_at((seed >> 33).rem_euclid(97).max(1).min(rest.len()));
        random.push(piece);
        rest = tail;
    }
    vec![
        body.split_inclusive(|byte| *byte == b'\n').collect(),
        random,
        body.chunks(1).collect(),
    ]
}

#[expect(clippy::too_many_lines, reason = "one check after another")]
fn compare(expect: &Value, seen: &Seen, stream: bool) -> Vec<String> {
    let ambiguous: Vec<&str> = expect["ambiguous"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut wrong = Vec::new();
    let mut check = |name: &str, theirs: String, ours: String| {
        if theirs != ours && !ambiguous.contains(&name) {
            wrong.push(format!("{name}: expected {theirs:?}, found {ours:?}"));
        }
    };
    check(
        "error",
        expect["error"].is_object().to_string(),
        seen.failed.is_some().to_string(),
    );
    let is_error = expect["error"].is_object();
    if is_error && !stream {
        return wrong;
    }
    check("text", text(&expect["text"]), seen.text.clone());
    check(
        "reasoning_text",
        text(&expect["reasoning_text"]),
        seen.reasoning.clone(),
    );
    let calls = expect["tool_calls"].as_array().unwrap().iter();
    let calls: Vec<(String, Value)> = calls
        .map(|call| (text(&call["name"]), call["arguments"].clone()))
        .collect();
    let ours = seen.calls.iter().map(|(name, json)| {
        let value = serde_json::from_str(json).unwrap_or(Value::String(json.clone()));
        (name.clone(), value)
    });
    check(
        "tool_calls",
        format!("{calls:?}"),
        format!("{:?}", ours.collect::<Vec<_>>()),
    );
    if is_error {
        return wrong;
    }
    check(
        "finish",
        text(&expect["finish"]),
        seen.finish.clone().unwrap_or_default(),
    );
    let null = Value::Null;
    let usage = seen.usage.as_ref().unwrap_or(&null);
    let pairs = [
        ("prompt_tokens", &usage["prompt_tokens"]),
        ("completion_tokens", &usage["completion_tokens"]),
        (
            "cached_tokens",
            &usage["prompt_tokens_details"]["cached_tokens"],
        ),
        (
            "reasoning_tokens",
            &usage["completion_tokens_details"]["reasoning_tokens"],
        ),
    ];
    for (name, ours) in pairs {
        let theirs = expect["usage"][name].as_u64().unwrap_or_default();
        if !ambiguous.contains(&"usage") {
            check(
                &format!("usage.{name}"),
                theirs.to_string(),
                ours.as_u64().unwrap_or_default().to_string(),
            );
        }
    }
    wrong
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn exchanges(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.with_extension("expect.json").exists())
        .filter(|path| !path.to_string_lossy().ends_with(".expect.json"))
        .collect();
    files.sort();
    files
}

#[expect(
    clippy::disallowed_methods,
    reason = "the recordings are outside of the project"
)]
fn folder() -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var("WAYPOST_WIRE").ok()?).join("openai"))
}

#[expect(clippy::print_stderr, reason = "a test that skips says so")]
#[test]
fn every_recorded_exchange_is_read_as_its_sdk_reads_it() {
    let Some(folder) = folder() else {
        eprintln!("SKIPPED: WAYPOST_WIRE is not set, so no recorded exchange was decoded");
        return;
    };
    let mut wrong = Vec::new();
    let files = exchanges(&folder);
    assert!(files.len() > 100, "{} exchanges", files.len());
    for file in &files {
        let exchange: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let expect: Value =
            serde_json::from_slice(&std::fs::read(file.with_extension("expect.json")).unwrap())
                .unwrap();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        for fault in one(&exchange, &expect) {
            wrong.push(format!("{name}: {fault}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn one(exchange: &Value, expect: &Value) -> Vec<String> {
    let response = &exchange["response"];
    let body = response["body"].as_str().unwrap().as_bytes();
    let status = response["status"].as_u64().unwrap();
    if !(200..300).contains(&status) {
        let status = u16::try_from(status).unwrap();
        let none: [(&str, &str); 0] = [];
        let failure = OpenAi.failure(status, &none, body);
        let theirs = text(&expect["error"]["message"]);
        // An aggregator's own words say nothing: what its provider said stands in their place.
        let heard = theirs == "Provider returned error" || failure.message.contains(&theirs);
        return if heard {
            Vec::new()
        } else {
            vec![format!("{theirs:?} was read as {failure:?}")]
        };
    }
    let stream = exchange["stream"].as_bool().unwrap();
    let quirks = Quirks::default();
    let whole = see(&[body], stream, &quirks);
    let mut wrong = compare(expect, &whole, stream);
    for pieces in cuts(body) {
        if see(&pieces, stream, &quirks) != whole {
            wrong.push(format!("differs when cut into {} pieces", pieces.len()));
        }
    }
    wrong
}
