//! What becomes of a conversation: items, media, and the reasoning that comes back.
#![expect(
    clippy::needless_pass_by_value,
    reason = "conversations are written where they are used"
)]

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::codec::{Encoded, Forgetful, Mode, Recall};
use super::encode_tests::{encode_text, encode_with, newest};
use super::state::{Item, write};
use crate::chat::{Code, Error};

fn sent(messages: Value, recall: &dyn Recall) -> Result<(Value, Encoded), Error> {
    let request = json!({"model": "m", "messages": messages});
    let (body, encoded) = encode_with(&request, &newest(), Mode::Emulate, recall)?;
    Ok((body["input"].clone(), encoded))
}

fn input(messages: Value) -> Value {
    sent(messages, &Forgetful).unwrap().0
}

fn call(id: &str, name: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}})
}

fn made(id: &str, name: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": name, "arguments": "{}"})
}

fn thought(id: &str) -> Value {
    json!({"type": "reasoning", "id": id, "summary": [], "encrypted_content": format!("{id}==")})
}

/// The details of two items of reasoning: before the text, and before the first call.
fn details() -> Vec<String> {
    let item = |id: &str| Item {
        id: id.to_owned(),
        data: format!("{id}=="),
        summary: Vec::new(),
    };
    [item("rs_1").details(0), item("rs_2").details(2)].concat()
}

/// Remembers one turn.
#[derive(Debug)]
struct Known(&'static str, String);

impl Recall for Known {
    fn recall(&self, key: &str) -> Option<Arc<str>> {
        (key == self.0).then(|| Arc::from(self.1.as_str()))
    }
}

#[test]
fn every_role_has_its_item() {
    let history = json!([{"role": "system", "content": "S"}, {"role": "developer", "content": [{"type": "text", "text": "D"}]},
        {"role": "user", "content": "u"}, {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "b"}]},
        {"role": "assistant", "content": ""}, {"role": "system", "content": "late"}]);
    let expected = json!([
        {"type": "message", "role": "system", "content": "S"},
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "D"}]},
        {"type": "message", "role": "user", "content": "u"},
        {"type": "message", "role": "assistant", "content": "ab"},
        {"type": "message", "role": "system", "content": "late"}]);
    assert_eq!(input(history), expected);
}

#[test]
fn results_follow_the_kind_of_their_calls() {
    let long = "x".repeat(65);
    let custom = json!({"id": "c", "type": "custom", "custom": {"name": "k", "input": "go"}});
    let history = json!([{"role": "assistant", "tool_calls": [call("a", "f"), custom, call(&long, "g")]},
        {"role": "tool", "tool_call_id": "a"}, {"role": "tool", "tool_call_id": "c", "content": "went"},
        {"role": "tool", "tool_call_id": long, "content": [{"type": "text", "text": "t"}]}]);
    let items = input(history);
    assert_eq!(
        items[1],
        json!({"type": "custom_tool_call", "call_id": "c", "name": "k", "input": "go"})
    );
    assert_eq!(
        items[3],
        json!({"type": "function_call_output", "call_id": "a", "output": ""})
    );
    assert_eq!(
        items[4],
        json!({"type": "custom_tool_call_output", "call_id": "c", "output": "went"})
    );
    let id = items[2]["call_id"].as_str().unwrap();
    assert!(id.len() <= 64 && items[5]["call_id"] == id, "{items}");
    assert_eq!(
        items[5]["output"],
        json!([{"type": "input_text", "text": "t"}])
    );
}

#[test]
fn calls_of_the_deprecated_form_are_matched_by_name() {
    let old = |name: &str| json!({"role": "assistant", "function_call": {"name": name, "arguments": "{}"}});
    let result = |name: &str| json!({"role": "function", "name": name, "content": "r"});
    let items = input(json!([old("f"), old("g"), result("g"), result("f")]));
    assert_ne!(items[0]["call_id"], items[1]["call_id"]);
    assert_eq!(
        (&items[2]["call_id"], &items[3]["call_id"]),
        (&items[1]["call_id"], &items[0]["call_id"])
    );
}

#[test]
fn media_have_their_parts_and_audio_has_none() {
    let part = |part: Value| json!([{"role": "user", "content": [part]}]);
    let table = [
        (
            json!({"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "high"}}),
            json!({"type": "input_image", "image_url": "https://x/y.png", "detail": "high"}),
        ),
        (
            json!({"type": "file", "file": {"file_id": "file-1"}}),
            json!({"type": "input_file", "file_id": "file-1"}),
        ),
        (
            json!({"type": "file", "file": {"file_data": "JVBERi0xLjQK", "filename": "a.pdf"}}),
            json!({"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0xLjQK"}),
        ),
        (
            json!({"type": "text", "text": "t", "prompt_cache_breakpoint": {"mode": "explicit"}}),
            json!({"type": "input_text", "text": "t", "prompt_cache_breakpoint": {"mode": "explicit"}}),
        ),
    ];
    for (chat, expected) in table {
        assert_eq!(input(part(chat))[0]["content"][0], expected);
    }
    let marked = json!({"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}});
    let (_, encoded) = sent(part(marked), &Forgetful).unwrap();
    assert_eq!(
        encoded.report.dropped,
        ["messages[0].content[0].cache_control"]
    );
    let own = json!({"mode": "explicit"});
    let whole = json!([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "prompt_cache_breakpoint": own},
        {"role": "user", "content": "c", "prompt_cache_breakpoint": own}, {"role": "assistant", "content": "d", "prompt_cache_breakpoint": own}]);
    let (items, encoded) = sent(whole, &Forgetful).unwrap();
    assert_eq!(
        items[0]["content"][0]["prompt_cache_breakpoint"],
        Value::Null
    );
    assert_eq!(items[0]["content"][1]["prompt_cache_breakpoint"], own);
    assert_eq!(items[1]["content"][0]["prompt_cache_breakpoint"], own);
    assert_eq!(
        encoded.report.dropped,
        ["messages[2].prompt_cache_breakpoint"]
    );
    let audio = json!({"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}});
    let error = sent(part(audio), &Forgetful).unwrap_err();
    assert_eq!(error.code, Code::UnsupportedParameter);
    assert_eq!(
        error.param.as_deref(),
        Some("messages[0].content[0].input_audio")
    );
}

#[test]
fn a_turn_the_client_kept_nothing_of_comes_back_from_memory() {
    let state = write("theirs", &details(), Some("commentary"));
    let history = json!([{"role": "user", "content": "u"},
        {"role": "assistant", "content": "t", "tool_calls": [call("a", "f"), call("b", "g")]},
        {"role": "tool", "tool_call_id": "a", "content": "1"}, {"role": "tool", "tool_call_id": "b", "content": "2"}]);
    let (items, _) = sent(history.clone(), &Known("call:a", state)).unwrap();
    let text =
        json!({"type": "message", "role": "assistant", "content": "t", "phase": "commentary"});
    let expected = [
        thought("rs_1"),
        text,
        thought("rs_2"),
        made("a", "f"),
        made("b", "g"),
    ];
    assert_eq!(items.as_array().unwrap()[1..6], expected);
    // Another model's reasoning cannot be read by this one.
    let foreign = Known("call:a", write("other", &details(), None));
    assert_eq!(sent(history, &foreign).unwrap().0[1]["type"], "message");
}

#[test]
fn what_the_client_kept_wins_and_never_stands_alone() {
    let kept: Vec<Value> = details()
        .iter()
        .map(|item| serde_json::from_str(item).unwrap())
        .collect();
    let state = write("theirs", &details()[..1], None);
    let mut turn = json!({"role": "assistant", "content": "t", "reasoning_details": kept, "tool_calls": [call("a", "f")]});
    let with = |turn: &Value| {
        sent(json!([turn]), &Known("call:a", state.clone()))
            .unwrap()
            .0
    };
    assert_eq!(with(&turn)[2], thought("rs_2"));
    // Text that the client lost: its reasoning goes before the call that is left.
    turn["content"] = Value::Null;
    assert_eq!(
        with(&turn),
        json!([thought("rs_1"), thought("rs_2"), made("a", "f")])
    );
    // Nothing left: a reasoning item without its following item is refused.
    let alone = json!([{"role": "assistant", "content": "", "reasoning_details": kept}]);
    assert_eq!(input(alone), json!([]));
}

#[test]
fn reasoning_that_is_text_only_is_reported() {
    let history = json!([{"role": "assistant", "content": "a", "reasoning_content": "I think"}]);
    let (_, encoded) = sent(history, &Forgetful).unwrap();
    assert_eq!(encoded.report.dropped, ["messages[0].reasoning_content"]);
}

/// R1: turn N's body lies within turn N+1's.
#[test]
fn a_longer_conversation_begins_with_the_shorter() {
    let mut history = vec![json!({"role": "user", "content": "u"})];
    let body = |history: &[Value]| {
        let request = json!({"model": "m", "messages": history, "max_tokens": 99});
        encode_text(&request, &newest(), Mode::Emulate, &Forgetful)
            .unwrap()
            .0
    };
    let mut before = body(&history);
    for more in [
        json!({"role": "assistant", "content": "t", "tool_calls": [call("a", "f")]}),
        json!({"role": "tool", "tool_call_id": "a", "content": "1"}),
        json!({"role": "system", "content": "late"}),
    ] {
        history.push(more);
        let after = body(&history);
        let start = before.strip_suffix("]}").unwrap();
        assert!(after.starts_with(start), "{before}\n{after}");
        before = after;
    }
}
