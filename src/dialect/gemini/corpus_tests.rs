//! Every recorded exchange, cut every way, against what the provider's own SDK reads of it.
//!
//! The recordings are found by `WAYPOST_WIRE`; without it the test says aloud that it skips.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::chat::chunk::{Extras, Identity};
use crate::chat::{Event, Sink, WholeWriter};
use crate::dialect::codec::{Dialect, Reply, Shape, Stop, Target};
use crate::dialect::gemini::Gemini;
use crate::dialect::{Caps, Quirks};

/// An answer as the records tell it.
fn read(shape: Shape, pieces: &[&[u8]]) -> Result<Value, Stop> {
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "m",
        quirks: &quirks,
        caps: &caps,
    };
    let mut decoder = Gemini.decoder(&target, shape, Reply::default());
    let mut seen = Seen {
        writer: WholeWriter::new(
            Identity {
                id: String::new(),
                model: String::new(),
                created: 0,
            },
            Extras::Shown,
        ),
        log: Vec::new(),
    };
    for piece in pieces {
        decoder.push(piece, &mut seen)?;
    }
    decoder.finish(&mut seen)?;
    assert_eq!(decoder.skipped(), 0);
    let whole: Value = serde_json::from_slice(&seen.writer.close(None)).unwrap();
    Ok(json!({"record": record(&whole), "log": seen.log}))
}

/// The writer, and every event, so that cuts can be compared event by event.
struct Seen {
    writer: WholeWriter,
    log: Vec<String>,
}

impl Sink for Seen {
    fn event(&mut self, event: Event<'_>) {
        self.log.event(event);
        self.writer.event(event);
    }
}

fn record(whole: &Value) -> Value {
    let message = &whole["choices"][0]["message"];
    let calls: Vec<Value> = message["tool_calls"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|call| {
            let arguments = call["function"]["arguments"].as_str().unwrap();
            json!({"name": call["function"]["name"], "arguments": serde_json::from_str::<Value>(arguments).unwrap()})
        })
        .collect();
    let usage = &whole["usage"];
    let count = |raw: &Value| raw.as_u64().unwrap_or(0);
    let usage = usage.is_object().then(|| {
        json!({
            "prompt_tokens": usage["prompt_tokens"],
            "completion_tokens": usage["completion_tokens"],
            "cached_tokens": count(&usage["prompt_tokens_details"]["cached_tokens"]),
            "reasoning_tokens": count(&usage["completion_tokens_details"]["reasoning_tokens"]),
        })
    });
    json!({
        "text": message["content"].as_str().unwrap_or(""),
        "reasoning_text": message["reasoning_content"].as_str().unwrap_or(""),
        "tool_calls": calls,
        "finish": whole["choices"][0]["finish_reason"],
        "usage": usage,
        "error": null,
    })
}

fn compare(name: &str, mut found: Value, expected: &Value) {
    let ambiguous: Vec<&str> = expected["ambiguous"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for field in [
        "text",
        "reasoning_text",
        "tool_calls",
        "finish",
        "usage",
        "error",
    ] {
        let is_open = ambiguous
            .iter()
            .any(|path| path.split('.').next() == Some(field));
        if !is_open {
            assert_eq!(found[field].take(), expected[field], "{name}: {field}");
        }
    }
}

/// Cuts bytes at the given places.
fn cut<'a>(bytes: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut from = 0;
    let mut pieces = Vec::new();
    for &at in places {
        pieces.push(&bytes[from..at]);
        from = at;
    }
    pieces.push(&bytes[from..]);
    pieces
}

/// The same places for the same exchange, whatever the machine.
fn scattered(length: usize, seed: u64) -> Vec<usize> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
    let mut places: Vec<usize> = (0..20)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state.checked_rem(length as u64).unwrap_or(0)).unwrap()
        })
        .collect();
    places.sort_unstable();
    places
}

fn exchange(path: &Path) {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let value = |path: &Path| -> Value {
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let recorded = value(path);
    let expected = value(&path.with_extension("expect.json"));
    let body = recorded["response"]["body"].as_str().unwrap().as_bytes();
    let status = u16::try_from(recorded["response"]["status"].as_u64().unwrap()).unwrap();
    if status != 200 {
        let failure = Gemini.failure(status, &[("x", "y")], body);
        assert_eq!(expected["error"]["status"], status, "{name}");
        assert_eq!(expected["error"]["message"], failure.message, "{name}");
        return;
    }
    let shape = if recorded["stream"] == true {
        Shape::Stream
    } else {
        Shape::Whole
    };
    let whole = read(shape, &[body]).unwrap_or_else(|stop| panic!("{name}: {stop:?}"));
    compare(&name, whole["record"].clone(), &expected);
    let lines: Vec<&[u8]> = body.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(read(shape, &lines).unwrap(), whole, "{name} by lines");
    for seed in 0..8 {
        let pieces = cut(body, &scattered(body.len(), seed));
        assert_eq!(
            read(shape, &pieces).unwrap(),
            whole,
            "{name} at random, {seed}"
        );
    }
    let bytes: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(read(shape, &bytes).unwrap(), whole, "{name} by bytes");
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped corpus must be seen")]
fn every_recorded_exchange_is_read_as_the_records_say() {
    #[expect(clippy::disallowed_methods, reason = "tests find the recordings by it")]
    let Ok(root) = std::env::var("WAYPOST_WIRE") else {
        eprintln!("SKIPPED: WAYPOST_WIRE is not set, no recorded exchange was read");
        return;
    };
    let folder = PathBuf::from(root).join("gemini");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| !path.to_string_lossy().ends_with(".expect.json"))
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    assert!(files.len() >= 60, "only {} recordings", files.len());
    for path in &files {
        exchange(path);
    }
}
