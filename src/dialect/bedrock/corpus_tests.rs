//! Every recorded exchange, at every kind of split, held to what an independent reader makes of it: whole answers are
//! read as the JSON they are, streams by a reader of frames that knows nothing of ours.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "a test may fail by overflow"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::codec::{Dialect, Shape};
use super::super::corpus_tests::{CUTS, decode, exchanges, pieces, read};
use super::Bedrock;

/// The body of a recording.
fn body(exchange: &Value) -> Vec<u8> {
    let response = &exchange["response"];
    match response["body_base64"].as_str() {
        Some(base64) => STANDARD.decode(base64).unwrap(),
        None => response["body"].as_str().unwrap().as_bytes().to_vec(),
    }
}

/// Every event of a stream: its type and payload. Checksums are not looked at.
fn events(mut bytes: &[u8]) -> Vec<(String, Value)> {
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
    let mut out = Vec::new();
    while !bytes.is_empty() {
        let (total, headers) = (number(bytes), number(&bytes[4..]));
        let mut head = &bytes[12..12 + headers];
        let mut kind = String::new();
        while !head.is_empty() {
            let name = usize::from(head[0]);
            let length = usize::from(u16::from_be_bytes([head[name + 2], head[name + 3]]));
            let value = &head[name + 4..name + 4 + length];
            if &head[1..=name] == b":event-type" {
                kind = String::from_utf8(value.to_vec()).unwrap();
            }
            head = &head[name + 4 + length..];
        }
        let payload = &bytes[12 + headers..total - 4];
        out.push((kind, serde_json::from_slice(payload).unwrap()));
        bytes = &bytes[total..];
    }
    out
}

/// A stream's events as the whole answer they stand for.
fn folded(events: &[(String, Value)]) -> Value {
    let mut blocks: Vec<Map<String, Value>> = Vec::new();
    let mut answer = json!({});
    for (kind, event) in events {
        let at = usize::try_from(event["contentBlockIndex"].as_u64().unwrap_or(0)).unwrap();
        if blocks.len() <= at {
            blocks.resize(at + 1, Map::new());
        }
        let parts = if kind == "contentBlockStart" {
            &event["start"]
        } else {
            &event["delta"]
        };
        for (name, part) in parts.as_object().into_iter().flatten() {
            grow(blocks[at].entry(name).or_insert(Value::Null), part);
        }
        if kind == "messageStop" || kind == "metadata" {
            for (name, value) in event.as_object().unwrap() {
                answer[name.as_str()] = value.clone();
            }
        }
    }
    answer["output"]["message"]["content"] = blocks
        .into_iter()
        .filter(|block| !block.is_empty())
        .map(Value::Object)
        .collect();
    answer
}

/// Adds a piece to what is there: strings grow, objects are laid over each other.
fn grow(there: &mut Value, piece: &Value) {
    match (there, piece) {
        (Value::String(there), Value::String(piece)) => there.push_str(piece),
        (Value::Object(there), Value::Object(piece)) => {
            for (name, value) in piece {
                grow(there.entry(name).or_insert(Value::Null), value);
            }
        }
        (there, piece) => *there = piece.clone(),
    }
}

/// What chat completions make of an answer, by hand.
fn expected(answer: &Value) -> Value {
    let blocks = answer["output"]["message"]["content"].as_array().unwrap();
    let texts = blocks.iter().filter_map(|block| block["text"].as_str());
    let thoughts = blocks.iter().map(|block| &block["reasoningContent"]);
    let thoughts: Vec<&Value> = thoughts.filter(|thought| !thought.is_null()).collect();
    // A whole block has its words one level deeper than a stream's pieces have.
    let of = |name: &'static str| {
        move |thought: &&Value| {
            let thought: &Value = thought;
            let inner = &thought["reasoningText"];
            let inner = if inner.is_null() { thought } else { inner };
            inner[name].as_str().map(str::to_owned)
        }
    };
    let calls = blocks.iter().map(|block| &block["toolUse"]);
    let calls = calls.filter(|call| !call.is_null() && call["type"] != "server_tool_use");
    let calls: Vec<Value> = calls
        .map(|call| {
            let input = match &call["input"] {
                Value::String(text) => serde_json::from_str(text).unwrap(),
                Value::Null => json!({}),
                whole => whole.clone(),
            };
            json!([call["toolUseId"], call["name"], input])
        })
        .collect();
    let usage = &answer["usage"];
    let count = |name: &str| usage[name].as_u64().unwrap_or(0);
    let prompt =
        count("inputTokens") + count("cacheReadInputTokens") + count("cacheWriteInputTokens");
    json!({
        "text": texts.collect::<String>(),
        "reasoning": thoughts.iter().filter_map(of("text")).collect::<String>(),
        "signatures": thoughts.iter().filter_map(of("signature")).collect::<Vec<_>>(),
        "redacted": thoughts.iter().filter(|thought| thought["redactedContent"].is_string()).count(),
        "calls": calls,
        "finish": match answer["stopReason"].as_str().unwrap() {
            "tool_use" => "tool_calls",
            "max_tokens" => "length",
            "guardrail_intervened" => "content_filter",
            _ => "stop",
        },
        "usage": if usage.is_null() { Value::Null } else { json!([prompt, count("outputTokens")]) },
    })
}

/// The same of what we made.
fn told(answer: &Value) -> Value {
    let choice = &answer["choices"][0];
    let message = &choice["message"];
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    let details = message["reasoning_details"].as_array();
    let details: Vec<&Value> = details.into_iter().flatten().collect();
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    let calls = calls.map(|call| {
        let arguments = call["function"]["arguments"].as_str().unwrap();
        let parsed: Value = serde_json::from_str(arguments).unwrap();
        json!([call["id"], call["function"]["name"], parsed])
    });
    let usage = &answer["usage"];
    json!({
        "text": text("content"),
        "reasoning": text("reasoning_content"),
        "signatures": details.iter().filter_map(|item| item["signature"].as_str()).collect::<Vec<_>>(),
        "redacted": details.iter().filter(|item| item["type"] == "reasoning.encrypted").count(),
        "calls": calls.collect::<Vec<_>>(),
        "finish": choice["finish_reason"],
        "usage": if usage.is_null() { Value::Null } else {
            json!([usage["prompt_tokens"], usage["completion_tokens"]])
        },
    })
}

#[test]
fn every_recorded_exchange_is_read_the_same_at_every_split() {
    let Some(paths) = exchanges("bedrock") else {
        return;
    };
    for path in paths {
        let exchange = read(&path);
        let name = path.file_stem().unwrap().to_string_lossy();
        let body = body(&exchange);
        let status = exchange["response"]["status"].as_u64().unwrap();
        if status >= 400 {
            let failure = Bedrock.failure(status.try_into().unwrap(), &[("a", "b")], &body);
            let said: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(failure.message, said["message"].as_str().unwrap(), "{name}");
            continue;
        }
        let (shape, answer) = if exchange["stream"] == true {
            (Shape::Stream, folded(&events(&body)))
        } else {
            (Shape::Whole, serde_json::from_slice(&body).unwrap())
        };
        for cut in CUTS {
            let (found, error) = decode(&Bedrock, shape, &pieces(&body, cut));
            assert_eq!(error, None, "{name} ({cut:?})");
            assert_eq!(told(&found), expected(&answer), "{name} ({cut:?})");
        }
    }
}

#[test]
fn a_flipped_byte_of_a_recorded_stream_is_never_an_answer() {
    let Some(paths) = exchanges("bedrock") else {
        return;
    };
    let exchanges = paths.iter().map(|path| read(path));
    for exchange in exchanges.filter(|exchange| exchange["stream"] == true) {
        let body = body(&exchange);
        for at in (0..body.len()).step_by(61) {
            let mut bad = body.clone();
            bad[at] ^= 0x20;
            let (_, error) = decode(&Bedrock, Shape::Stream, &[&bad]);
            assert!(error.is_some(), "byte {at} of {}", exchange["source"]);
        }
    }
}
