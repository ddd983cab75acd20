//! Every recorded exchange through the whole proxy over real sockets: in one piece, split at every line, at random
//! places and one byte at a time, each time to what the provider's own SDK read from it.
//!
//! The recordings are found by `WAYPOST_WIRE`; without it the test says that it skips.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test panics where it fails, says aloud what it skips, and finds the recordings by a variable"
)]

#[path = "corpus/own_words.rs"]
mod own_words;
#[path = "corpus/said.rs"]
mod said;
mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use waypost::app::App;
use waypost::fixture::{Answer, End, Exchange, Framing, Piece};

use said::{Said, said_at_once, said_in_stream, usage};
use support::Reply;

/// A recording and what is to be read from it.
struct Case {
    name: String,
    provider: &'static str,
    /// What the names of its models begin with, where that says in which format they are asked.
    family: &'static str,
    stream: bool,
    response: Value,
    expected: Value,
}

/// How an answer's bytes are cut.
#[derive(Clone, Copy, Debug)]
enum Cut {
    Whole,
    Lines,
    Random(u64),
    Bytes,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recording_decodes_to_its_record() {
    let Ok(folder) = std::env::var("WAYPOST_WIRE") else {
        eprintln!("SKIPPED: WAYPOST_WIRE is not set, so that no recording is decoded");
        return;
    };
    let mut cases = Vec::new();
    for (dialect, provider) in [
        ("openai", "openai"),
        ("anthropic", "anthropic"),
        ("gemini", "google"),
    ] {
        cases.extend(read(&Path::new(&folder).join(dialect), provider));
    }
    let folder = Path::new(&folder).join("openai-responses");
    cases.extend(own_words::read(&folder, "openai"));
    assert!(cases.len() > 250, "only {} recordings found", cases.len());
    let cuts = [
        Cut::Whole,
        Cut::Lines,
        Cut::Random(1),
        Cut::Random(2),
        Cut::Bytes,
    ];
    let mut wrong = Vec::new();
    for cut in cuts {
        wrong.extend(run(&cases, cut).await);
    }
    let all = cases.len() * cuts.len();
    eprintln!(
        "{} problems in {all} ({} recordings, {} cuts)",
        wrong.len(),
        cases.len(),
        cuts.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Plays every case under one cut; gives back what is wrong.
async fn run(cases: &[Case], cut: Cut) -> Vec<String> {
    let model = |at: usize, case: &Case| format!("{}case-{at}", case.family);
    let exchanges = cases.iter().enumerate();
    let exchanges = exchanges
        .map(|(at, case)| Exchange::model(case.provider, model(at, case), answer(case, cut)))
        .collect();
    let app = support::app(exchanges).await;
    let mut wrong = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let reply = ask(&app, case, &model(at, case)).await;
        for problem in compare(case, &reply) {
            wrong.push(format!("{} ({cut:?}): {problem}", case.name));
        }
    }
    app.stop().await;
    wrong
}

async fn ask(app: &App, case: &Case, model: &str) -> Reply {
    let mut body = json!({
        "model": format!("{}/{model}", case.provider),
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": case.stream,
        "reasoning_effort": "low",
    });
    if case.stream {
        body["stream_options"] = json!({"include_usage": true});
    }
    support::post(app.addr(), "/v1/chat/completions", &[], &body).await
}

fn read(folder: &Path, provider: &'static str) -> Vec<Case> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.retain(|path| path.to_string_lossy().ends_with(".expect.json"));
    names.sort();
    let load =
        |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let case = |path: PathBuf| {
        let record = load(&PathBuf::from(
            path.to_string_lossy().replace(".expect.json", ".json"),
        ));
        Case {
            name: path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .replace(".expect.json", ""),
            provider,
            family: "",
            stream: record["stream"] == true,
            response: record["response"].clone(),
            expected: load(&path),
        }
    };
    names.into_iter().map(case).collect()
}

fn answer(case: &Case, cut: Cut) -> Answer {
    let body = case.response["body"]
        .as_str()
        .unwrap_or_default()
        .as_bytes();
    let headers = case.response["headers"].as_object().unwrap().iter();
    Answer {
        status: u16::try_from(case.response["status"].as_u64().unwrap()).unwrap(),
        headers: headers
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect(),
        wait: Duration::ZERO,
        pieces: pieces(body, cut)
            .into_iter()
            .map(|bytes| Piece::now(Bytes::copy_from_slice(bytes)))
            .collect(),
        framing: Framing::Chunked,
        end: End::Clean,
    }
}

fn pieces(body: &[u8], cut: Cut) -> Vec<&[u8]> {
    match cut {
        Cut::Whole => vec![body],
        Cut::Lines => body.split_inclusive(|byte| *byte == b'\n').collect(),
        Cut::Bytes => body.chunks(1).collect(),
        Cut::Random(seed) => {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut rest = body;
            let mut pieces = Vec::new();
            while !rest.is_empty() {
                let (piece, more) = rest.split_at(random.usize(1..=rest.len().min(200)));
                pieces.push(piece);
                rest = more;
            }
            pieces
        }
    }
}

fn compare(case: &Case, reply: &Reply) -> Vec<String> {
    let said = if case.stream && reply.status == 200 {
        said_in_stream(reply)
    } else {
        said_at_once(reply)
    };
    let said = match said {
        Ok(said) => said,
        Err(problem) => return vec![problem],
    };
    let mut wrong = Vec::new();
    if !case.expected["error"].is_null() {
        wrong.extend(compare_error(case, reply, &said));
        // A failure that came before anything was sent on is an answer of its own, with its status.
        if reply.status != 200 {
            return wrong;
        }
    } else if let Some(error) = &said.error {
        // Two answers spliced into one: the SDKs disagree on what it says, and we refuse to guess.
        if ambiguous(case, "error") && !(reply.clean && reply.status == 200) {
            return Vec::new();
        }
        return vec![format!("an error where there was none: {error}")];
    }
    let got = [
        ("text", json!(said.text)),
        ("reasoning_text", json!(said.reasoning)),
        ("tool_calls", calls(&said.calls)),
        ("finish", said.finish.clone()),
        ("usage", said.usage.clone()),
    ];
    for (field, got) in got {
        // An error ends an answer: its finish and its usage are not shown as those of a good one.
        let ends_in_error = said.error.is_some() && matches!(field, "finish" | "usage");
        if ambiguous(case, field) || ends_in_error {
            continue;
        }
        let mut expected = without_ambiguous(case, field);
        if field == "usage" && expected.is_null() && case.stream {
            // A client that asked for usage gets zeros where the provider told none.
            expected = usage(&json!({"prompt_tokens": 0, "completion_tokens": 0}));
        }
        let got = keep_known(&expected, got);
        if got != expected {
            wrong.push(format!("{field}: {got} but expected {expected}"));
        }
    }
    wrong
}

fn ambiguous(case: &Case, field: &str) -> bool {
    case.expected["ambiguous"]
        .as_array()
        .unwrap()
        .iter()
        .any(|name| name == field)
}

/// What is expected, without the parts for which more than one value can be defended.
fn without_ambiguous(case: &Case, field: &str) -> Value {
    let mut expected = case.expected[field].clone();
    for name in case.expected["ambiguous"].as_array().unwrap() {
        if let Some((outer, inner)) = name.as_str().unwrap().split_once('.')
            && outer == field
            && let Some(object) = expected.as_object_mut()
        {
            object.remove(inner);
        }
    }
    expected
}

/// The members of `got` that `expected` has.
fn keep_known(expected: &Value, mut got: Value) -> Value {
    if let (Some(expected), Some(got)) = (expected.as_object(), got.as_object_mut()) {
        got.retain(|name, _| expected.contains_key(name));
    }
    got
}

fn compare_error(case: &Case, reply: &Reply, said: &Said) -> Vec<String> {
    let mut wrong = Vec::new();
    let expected = &case.expected["error"];
    let Some(error) = &said.error else {
        return vec!["no error where there was one".to_owned()];
    };
    let message = error["message"].as_str().unwrap_or_default();
    let theirs = expected["message"].as_str().unwrap_or_default();
    let is_ours = theirs.starts_with("a 2xx answer") || theirs == "Provider returned error";
    if !is_ours && !message.contains(theirs) {
        wrong.push(format!("message: {message:?} does not contain {theirs:?}"));
    }
    let status = case.response["status"].as_u64().unwrap();
    let shown =
        expected["in_stream"] == true && !(said.text.is_empty() && said.reasoning.is_empty());
    if shown && (reply.clean || reply.text().contains("[DONE]")) {
        wrong.push("a stream that ends in an error ended as if it were good".to_owned());
    }
    if !shown && reply.status == 200 {
        wrong.push("an error was answered with 200".to_owned());
    }
    let generation_failed =
        message.contains("ool call validation failed") || message.contains("did not call a tool");
    if matches!(status, 400 | 404 | 429) && !generation_failed && u64::from(reply.status) != status
    {
        wrong.push(format!("status: {} for {status}", reply.status));
    }
    if reply.status != 200 && reply.header("x-should-retry") != Some("false") {
        wrong.push("x-should-retry is not false".to_owned());
    }
    wrong
}

fn calls(calls: &[(String, String)]) -> Value {
    let call = |(name, arguments): &(String, String)| {
        let parsed: Value = serde_json::from_str(arguments).unwrap_or_else(|_| json!(arguments));
        json!({"name": name, "arguments": parsed})
    };
    calls.iter().map(call).collect()
}
