//! Recordings of a format whose streams end with the whole answer: what they say is read from that last word, which the
//! pieces before it must add up to.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{Case, said};

/// Every recording in a folder, with the record that its own last word makes.
pub(crate) fn read(folder: &Path, provider: &'static str) -> Vec<Case> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| case(path, provider)).collect()
}

fn case(path: &Path, provider: &'static str) -> Case {
    let record: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let stream = record["stream"] == true;
    let body = record["response"]["body"].as_str().unwrap();
    Case {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        provider,
        // Models of this name answer in that format only.
        family: "codex-",
        stream,
        expected: expected(&last_word(body, stream)),
        response: record["response"].clone(),
    }
}

/// The whole answer in a recording.
fn last_word(body: &str, stream: bool) -> Value {
    if !stream {
        return serde_json::from_str(body).unwrap();
    }
    let data = body.lines().filter_map(|line| line.strip_prefix("data:"));
    let mut events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let last = events.find(|event| event["type"] == "response.completed");
    last.unwrap()["response"].take()
}

/// The answer as records say it.
fn expected(answer: &Value) -> Value {
    let items = answer["output"].as_array().unwrap();
    let of = |kind: &'static str| items.iter().filter(move |item| item["type"] == kind);
    let texts = |list: &Value| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(|part| part["text"].as_str().map(str::to_owned))
            .collect()
    };
    let text: String = of("message")
        .flat_map(|item| texts(&item["content"]))
        .collect();
    let thoughts = of("reasoning").flat_map(|item| {
        let own = texts(&item["content"]);
        if own.is_empty() {
            texts(&item["summary"])
        } else {
            own
        }
    });
    let calls = of("function_call").map(|call| {
        let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
        json!({"name": call["name"], "arguments": arguments})
    });
    let calls: Vec<Value> = calls.collect();
    let (input, output) = (
        &answer["usage"]["input_tokens"],
        &answer["usage"]["output_tokens"],
    );
    json!({
        "text": text,
        "reasoning_text": thoughts.collect::<Vec<_>>().join("\n\n"),
        "finish": if calls.is_empty() { "stop" } else { "tool_calls" },
        "tool_calls": calls,
        "usage": said::usage(&json!({
            "prompt_tokens": input,
            "completion_tokens": output,
            "prompt_tokens_details": answer["usage"]["input_tokens_details"],
            "completion_tokens_details": answer["usage"]["output_tokens_details"],
        })),
        "error": null,
        "ambiguous": [],
    })
}
