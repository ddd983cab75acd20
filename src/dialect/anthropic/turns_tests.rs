//! What becomes of a request's messages: turns, media, cache marks, reasoning.
#![expect(
    clippy::needless_pass_by_value,
    reason = "requests are written where they are used"
)]
#![expect(clippy::too_many_lines, reason = "a table of cases is one table")]

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::Caps;
use super::super::codec::{Forgetful, Mode, Recall, turn_key};
use super::encode_tests::{call, encode, encode_with, haiku_4_5, opus_5_5, plain, sonnet_4_6};
use super::state;
use crate::chat::Escaped;

fn messages(messages: Value, caps: &Caps) -> Value {
    encode(
        &json!({"model": "m", "max_tokens": 4000, "messages": messages}),
        caps,
    )
    .0["messages"]
        .clone()
}

#[test]
fn turns_alternate_and_results_come_first() {
    let calls = json!({"role": "assistant", "tool_calls": [call("a", "f", "{}"), call("a", "f", "[1]"), call("b", "g", "not json")]});
    let history = json!([{"role": "assistant", "content": "Hello"}, {"role": "assistant", "content": " "}, {"role": "user", "content": ""},
        calls, {"role": "user", "content": "x"}, {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "2"}]}, {"role": "tool", "tool_call_id": "z", "content": "?"}]);
    // E-22, E-25, E-30, and the rows of A.4.2: placeholder, duplicate ids, orphan, missing result.
    let expected = json!([
        {"role": "user", "content": [{"type": "text", "text": "."}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]},
        {"role": "user", "content": [{"type": "text", "text": "."}]},
        {"role": "assistant", "content": [
            {"type": "tool_use", "id": "a", "name": "f", "input": {}},
            {"type": "tool_use", "id": "a_2", "name": "f", "input": {"_raw": "[1]"}},
            {"type": "tool_use", "id": "b", "name": "g", "input": {"_raw": "not json"}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": "1"},
            {"type": "tool_result", "tool_use_id": "a_2", "content": [{"type": "text", "text": "2"}]},
            {"type": "tool_result", "tool_use_id": "b", "content": "no result", "is_error": true},
            {"type": "text", "text": "x"},
            {"type": "text", "text": "[tool result z] ?"}]}]);
    assert_eq!(messages(history, &sonnet_4_6()), expected);
}

#[test]
fn late_system_messages_stay_in_place() {
    // E-76.
    let history = |role: &str| json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": role, "content": "S"}]);
    let user = |text: &str| json!({"role": "user", "content": [{"type": "text", "text": text}]});
    let sent = messages(history("system"), &opus_5_5());
    assert_eq!(
        sent[2],
        user("S"),
        "a system message may not follow the assistant"
    );
    assert_eq!(
        messages(history("developer"), &haiku_4_5())[2],
        user("[Instruction from the operator] S")
    );
    let between = json!([{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [call("c", "f", "")]},
        {"role": "system", "content": "S"}, {"role": "tool", "tool_call_id": "c", "content": "r"}]);
    let sent = messages(between, &opus_5_5());
    assert_eq!(
        (&sent[2]["role"], &sent[3]["role"]),
        (&json!("user"), &json!("system"))
    );
    assert_eq!(sent[2]["content"][0]["tool_use_id"], "c");
}

#[test]
fn a_last_message_of_the_assistant_is_gone_on_from_or_asked_about() {
    let history =
        json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "So: \n"}]);
    let sent = messages(history.clone(), &haiku_4_5());
    assert_eq!(sent[1]["content"][0]["text"], "So:");
    let sent = messages(history, &opus_5_5());
    assert_eq!(
        (sent[2]["role"].as_str(), sent.as_array().unwrap().len()),
        (Some("user"), 3)
    );
}

#[test]
fn media_are_told_by_what_they_are() {
    let part = |part: Value| json!([{"role": "user", "content": [part]}]);
    let pdf = json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"}});
    let mut titled = pdf.clone();
    titled["title"] = "a.pdf".into();
    let table = [
        (
            json!({"type": "image_url", "image_url": {"url": "https://x/y.png"}}),
            json!({"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}),
        ),
        (
            json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,JVBERi0xLjQK"}}),
            pdf,
        ), // E-93
        (
            json!({"type": "file", "file": {"file_data": "JVBERi0xLjQK", "filename": "a.pdf"}}),
            titled,
        ),
        (
            json!({"type": "file", "file": {"file_data": "data:text/csv;base64,YSxi", "filename": "a.csv"}}),
            json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a,b"}, "title": "a.csv"}),
        ),
        (
            json!({"type": "file", "file": {"file_id": "file_011"}}),
            json!({"type": "document", "source": {"type": "file", "file_id": "file_011"}}),
        ),
    ];
    for (sent, expected) in table {
        let (body, encoded) = encode(
            &plain(json!({"messages": part(sent.clone())})),
            &sonnet_4_6(),
        );
        assert_eq!(body["messages"][0]["content"][0], expected, "{sent}");
        assert_eq!(
            encoded.headers.len(),
            if sent.to_string().contains("file_011") {
                2
            } else {
                1
            }
        );
    }
}

#[test]
fn cache_marks_are_four_at_most_and_the_oldest_go() {
    let mark = json!({"type": "ephemeral"});
    let text =
        |text: &str, mark: &Value| json!({"type": "text", "text": text, "cache_control": mark});
    let history = json!([{"role": "system", "content": [text("s", &mark)]}, {"role": "user", "content": [text("a", &mark), text("b", &mark)]},
        {"role": "assistant", "content": "c"}, {"role": "user", "content": "d", "cache_control": mark},
        {"role": "user", "content": [{"type": "text", "text": "e", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}]}]);
    let (body, encoded) = encode(&plain(json!({"messages": history})), &sonnet_4_6());
    assert_eq!(body["system"][0].get("cache_control"), None);
    assert_eq!(body.to_string().matches("cache_control").count(), 4);
    assert_eq!(
        body["messages"][2]["content"][1]["cache_control"],
        json!({"type": "ephemeral", "ttl": "1h"})
    );
    assert_eq!(encoded.report.dropped, ["cache_control"]);
}

/// A memory of one turn.
#[derive(Debug)]
struct Memory(String, Arc<str>);

impl Recall for Memory {
    fn recall(&self, key: &str) -> Option<Arc<str>> {
        (key == self.0).then(|| Arc::clone(&self.1))
    }
}

#[test]
fn reasoning_goes_back_in_order_to_the_model_that_thought_it() {
    let items = [
        state::signed(
            Escaped::trusted("plan"),
            Escaped::trusted("S1"),
            (state::Format::Claude, 0),
        ),
        state::signed(
            Escaped::trusted("more"),
            Escaped::trusted("S2"),
            (state::Format::Claude, 2),
        ),
    ];
    let memory = |model: &str| {
        Memory(
            turn_key(Some("c"), None).unwrap(),
            state::write(model, &items).into(),
        )
    };
    let history = |more: Value| {
        let mut turn = json!({"role": "assistant", "content": "t", "tool_calls": [call("c", "f", ""), call("d", "f", "")]});
        turn.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        plain(
            json!({"reasoning_effort": "high", "max_tokens": 20_000, "tools": [{"type": "function", "function": {"name": "f"}}],
            "messages": [{"role": "user", "content": "a"}, turn,
                {"role": "tool", "tool_call_id": "c", "content": "r"}, {"role": "tool", "tool_call_id": "d", "content": "r"}]}),
        )
    };
    let kinds = |body: &Value| -> Vec<String> {
        let blocks = body["messages"][1]["content"].as_array().unwrap();
        blocks
            .iter()
            .map(|block| block["type"].as_str().unwrap().to_owned())
            .collect()
    };
    let full = ["thinking", "text", "thinking", "tool_use", "tool_use"];
    let bare = ["text", "tool_use", "tool_use"];
    let details = json!({"reasoning_details": items.iter().map(|i| serde_json::from_str::<Value>(i).unwrap()).collect::<Vec<_>>()});
    let unsigned = json!({"reasoning_content": "plan"});
    let run = |more: Value, recall: &dyn Recall, caps: &Caps| {
        encode_with(&history(more), caps, Mode::Emulate, recall).unwrap()
    };
    for caps in [haiku_4_5(), sonnet_4_6(), opus_5_5()] {
        assert_eq!(kinds(&run(json!({}), &memory("claude-x"), &caps).0), full);
        assert_eq!(
            kinds(&run(json!({}), &memory("claude-y"), &caps).0),
            bare,
            "another model's"
        );
        assert_eq!(kinds(&run(details.clone(), &Forgetful, &caps).0), full);
        assert_eq!(
            kinds(&run(details.clone(), &memory("claude-y"), &caps).0),
            bare,
            "known to be another model's"
        );
        assert_eq!(
            kinds(&run(unsigned.clone(), &Forgetful, &caps).0),
            bare,
            "E-77"
        );
    }
    // E-78: a budget thinker refuses a tool turn without its thoughts, so it does not think this time.
    let (body, encoded) = run(json!({}), &Forgetful, &haiku_4_5());
    assert_eq!(
        (body.get("thinking"), encoded.report.dropped[0].as_ref()),
        (None, "reasoning_effort")
    );
    assert!(
        run(json!({}), &Forgetful, &sonnet_4_6())
            .0
            .get("thinking")
            .is_some()
    );
}

#[test]
fn deprecated_functions_are_tools() {
    let history = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "r"}]);
    let (body, encoded) = encode(
        &plain(json!({"messages": history, "functions": [{"name": "f"}], "function_call": "auto"})),
        &sonnet_4_6(),
    );
    assert_eq!(
        body["messages"][2]["content"][0]["tool_use_id"],
        body["messages"][1]["content"][0]["id"]
    );
    assert!(encoded.reply.legacy_functions);
}
