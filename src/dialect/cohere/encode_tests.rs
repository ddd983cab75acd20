//! What becomes of requests: one row per rule.
#![expect(
    clippy::needless_pass_by_value,
    reason = "requests are written where they are used"
)]

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::caps::{Kind, Reasoning};
use super::super::codec::{Context, Dialect, Encoded, Forgetful, Mode, Recall, Target};
use super::super::{Caps, Quirks};
use super::Cohere;
use crate::chat::{Code, Error, Request};

pub(super) fn caps(kind: Kind) -> Caps {
    Caps {
        max_output: Some(8000),
        vision: Some(false),
        prefill: Some(false),
        reasoning: Reasoning {
            kind,
            ..Reasoning::default()
        },
        ..Caps::default()
    }
}

fn encoded(
    request: Value,
    caps: &Caps,
    mode: Mode,
    recall: &dyn Recall,
) -> Result<(Value, Encoded), Error> {
    let request = Request::parse(request.to_string().into_bytes())?;
    let quirks = Quirks::default();
    let target = Target {
        model: "command-x",
        quirks: &quirks,
        caps,
    };
    let context = Context { mode, recall };
    let mut out = Vec::new();
    let encoded = Cohere.encode(&request, &target, &context, &mut out)?;
    Ok((serde_json::from_slice(&out).unwrap(), encoded))
}

fn body(request: Value) -> (Value, Encoded) {
    encoded(request, &caps(Kind::None), Mode::Emulate, &Forgetful).unwrap()
}

/// A request of one user message and these members.
fn with(members: Value) -> Value {
    let mut request = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    let all = request.as_object_mut().unwrap();
    all.extend(members.as_object().unwrap().clone());
    request
}

#[test]
fn members_have_their_names_and_bounds() {
    let (body, encoded) = body(with(json!({
        "max_completion_tokens": 9000, "temperature": 0, "top_p": 1, "top_k": 600, "frequency_penalty": -1,
        "seed": 7, "stop": "x", "logprobs": true, "user": "u", "stream": true,
        "documents": ["d"], "citation_options": {"mode": "OFF"}, "safety_mode": "STRICT",
    })));
    let expected = json!({
        "model": "command-x", "stream": true, "max_tokens": 8000, "temperature": 0, "p": 0.99, "k": 500,
        "frequency_penalty": 0, "seed": 7, "logprobs": true, "stop_sequences": ["x"],
        "documents": ["d"], "citation_options": {"mode": "OFF"}, "safety_mode": "STRICT",
        "messages": [{"role": "user", "content": "Hi"}],
    });
    assert_eq!(body, expected);
    assert_eq!(encoded.path, "/v2/chat");
    let clamped = [
        "max_completion_tokens",
        "top_p",
        "top_k",
        "frequency_penalty",
    ];
    assert_eq!(encoded.report.clamped, clamped);
    assert_eq!(encoded.report.dropped, ["user"]);
}

#[test]
fn two_penalties_and_a_negative_seed_are_one_and_none() {
    let (body, encoded) = body(with(
        json!({"frequency_penalty": 0.5, "presence_penalty": 0.5, "seed": -1, "stop": ["a", "", "b", "c", "d", "e", "f"]}),
    ));
    assert_eq!(body["frequency_penalty"], 0.5);
    assert_eq!(body["presence_penalty"], Value::Null);
    assert_eq!(body["stop_sequences"], json!(["a", "b", "c", "d", "e"]));
    assert_eq!(encoded.report.dropped, ["presence_penalty", "seed"]);
    assert_eq!(encoded.report.clamped, ["stop"]);
}

#[test]
fn what_cannot_be_is_refused() {
    let table = [
        (json!({"n": 2}), "n"),
        (json!({"modalities": ["audio"]}), "modalities"),
        (json!({"audio": {}}), "audio"),
        (
            json!({"tools": [{"type": "web_search_20250305", "name": "s"}]}),
            "tools[0].type",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]}]}),
            "messages[0].content[0].image_url",
        ),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "x"}}]}]}),
            "messages[0].content[0].file",
        ),
    ];
    for (members, param) in table {
        let caps = caps(Kind::None);
        let error = encoded(with(members), &caps, Mode::Emulate, &Forgetful).unwrap_err();
        assert_eq!(
            (error.code, error.param.as_deref()),
            (Code::UnsupportedParameter, Some(param))
        );
    }
    let strict = encoded(
        with(json!({"top_p": 1})),
        &caps(Kind::None),
        Mode::Strict,
        &Forgetful,
    );
    assert_eq!(strict.unwrap_err().param.as_deref(), Some("top_p"));
}

fn tool(name: &str, strict: Value) -> Value {
    let schema =
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]});
    json!({"type": "function", "function": {"name": name, "parameters": schema, "strict": strict}})
}

#[test]
fn choices_are_words_or_fewer_tools() {
    let named = json!({"type": "function", "function": {"name": "g"}});
    let allowed = json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}});
    let none: &[&str] = &[];
    let table = [
        (Value::Null, Value::Null, &["f", "g"][..], none),
        (json!("auto"), Value::Null, &["f", "g"], none),
        (json!("none"), json!("NONE"), &["f", "g"], none),
        (json!("required"), json!("REQUIRED"), &["f", "g"], none),
        (named, json!("REQUIRED"), &["g"], &["tool_choice"]),
        (allowed, Value::Null, &["f"], &["tool_choice"]),
    ];
    for (choice, word, names, emulated) in table {
        let tools = json!([tool("f", Value::Null), tool("g", Value::Null)]);
        let (body, encoded) = body(with(json!({"tools": tools, "tool_choice": choice})));
        let offered: Vec<&str> = body["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["function"]["name"].as_str().unwrap())
            .collect();
        assert_eq!((&body["tool_choice"], offered.as_slice()), (&word, names));
        assert_eq!(encoded.report.emulated, emulated, "{choice}");
    }
}

#[test]
fn strictness_holds_for_all_or_none() {
    let table = [
        (
            json!([tool("f", json!(true)), tool("g", json!(true))]),
            json!(true),
            &[][..],
        ),
        (
            json!([tool("f", json!(true)), tool("g", json!(false))]),
            Value::Null,
            &["tools[0].function.strict"],
        ),
        (
            json!([{"type": "function", "function": {"name": "f", "strict": true}}]),
            Value::Null,
            &["tools[0].function.strict"],
        ),
    ];
    for (tools, strict, dropped) in table {
        let (body, encoded) = body(with(json!({"tools": tools})));
        assert_eq!(body["strict_tools"], strict);
        assert_eq!(encoded.report.dropped, dropped);
    }
}

#[test]
fn odd_tools_are_fitted_and_undone() {
    let (body, encoded) = body(with(json!({"parallel_tool_calls": false, "tools": [
        {"type": "function", "function": {"name": "a-b"}},
        {"type": "function", "function": {"name": "list", "parameters": {"type": "array"}}},
        {"type": "custom", "custom": {"name": "free", "description": "Any."}},
    ]})));
    let names: Vec<&Value> = body["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["function"]["name"])
        .collect();
    assert_eq!(names, ["a_b", "list", "free"]);
    assert_eq!(
        body["tools"][0]["function"]["parameters"],
        json!({"type": "object", "properties": {}})
    );
    assert_eq!(encoded.reply.names, [("a_b".to_owned(), "a-b".to_owned())]);
    assert_eq!(encoded.reply.wrapped_tools, ["list"]);
    assert_eq!(encoded.reply.custom_tools, ["free"]);
    assert_eq!(encoded.report.dropped, ["parallel_tool_calls"]);
}

#[test]
fn json_is_native_alone_and_asked_for_beside_tools() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": true}});
    let (alone, encoded) = body(with(json!({"response_format": format})));
    assert_eq!(
        alone["response_format"],
        json!({"type": "json_object", "json_schema": schema})
    );
    assert!(!encoded.reply.strip_fences);
    let tools = json!([tool("f", Value::Null)]);
    let (beside, encoded) = body(with(json!({"response_format": format, "tools": tools})));
    assert_eq!(beside["response_format"], Value::Null);
    assert!(encoded.reply.strip_fences);
    assert_eq!(encoded.report.emulated, ["response_format"]);
    let system = &beside["messages"][0];
    assert_eq!(system["role"], "system");
    let line = system["content"][0]["text"].as_str().unwrap();
    assert!(
        line.starts_with("Reply with one JSON object only")
            && line.contains(r#"{"type":"object","properties":{"a""#),
        "{line}"
    );
}

#[test]
fn the_system_prompt_is_one_and_late_ones_are_the_users() {
    let (body, encoded) = body(json!({"model": "m", "messages": [
        {"role": "system", "content": "S"}, {"role": "developer", "content": [{"type": "text", "text": "D"}]},
        {"role": "user", "content": ""}, {"role": "system", "content": "L"},
        {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "b"}]},
    ]}));
    let expected = json!([
        {"role": "system", "content": [{"type": "text", "text": "S"}, {"type": "text", "text": "D"}]},
        {"role": "user", "content": "."},
        {"role": "user", "content": "[Instruction from the operator] L"},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    ]);
    assert_eq!(body["messages"], expected);
    assert_eq!(encoded.report.emulated, ["messages[3].role"]);
    assert_eq!(encoded.report.dropped, ["cache_control"]);
}

fn call(id: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}})
}

#[test]
fn results_stand_after_their_calls_whatever_came_between() {
    let (body, encoded) = body(json!({"model": "m", "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": null, "tool_calls": [call("a", ""), call("a", "[1]")]},
        {"role": "tool", "tool_call_id": "a", "content": ""},
        {"role": "user", "content": "Wait."},
        {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "two"}]},
        {"role": "assistant", "tool_calls": [call("b", "{}")]},
        {"role": "user", "content": "Never mind."},
        {"role": "tool", "tool_call_id": "z", "content": "lost"},
    ]}));
    let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}});
    let expected = json!([
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "tool_calls": [call("a", "{}"), call("a_2", r#"{"_raw":"[1]"}"#)]},
        {"role": "tool", "tool_call_id": "a", "content": "(no output)"},
        {"role": "tool", "tool_call_id": "a_2", "content": [{"type": "text", "text": "two"}]},
        {"role": "user", "content": "Wait."},
        {"role": "assistant", "tool_calls": [call("b", "{}")]},
        {"role": "tool", "tool_call_id": "b", "content": "no result"},
        {"role": "user", "content": "Never mind."},
        {"role": "user", "content": "[tool result z] lost"},
    ]);
    assert_eq!(body["messages"], expected);
    assert_eq!(encoded.report.emulated, ["messages[7]", "messages"]);
}

#[test]
fn a_last_word_of_the_assistant_is_gone_on_from() {
    let (body, encoded) = body(json!({"model": "m", "messages": [
        {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Well"}]}));
    assert_eq!(body["messages"][2]["role"], "user");
    assert_eq!(encoded.report.emulated, ["messages[1]"]);
}

#[derive(Debug)]
struct Known(&'static str);

impl Recall for Known {
    fn recall(&self, key: &str) -> Option<Arc<str>> {
        (key == "call:a").then(|| self.0.into())
    }
}

#[test]
fn reasoning_goes_back_where_it_came_from() {
    let turn = |members: Value| {
        let mut assistant = json!({"role": "assistant", "content": "Well."});
        let all = assistant.as_object_mut().unwrap();
        all.extend(members.as_object().unwrap().clone());
        json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}, assistant, {"role": "user", "content": "So?"}]})
    };
    let thinks = caps(Kind::Budget);
    let (body, _) = encoded(
        turn(json!({"reasoning_content": "T"})),
        &thinks,
        Mode::Emulate,
        &Forgetful,
    )
    .unwrap();
    let parts = json!([{"type": "thinking", "thinking": "T"}, {"type": "text", "text": "Well."}]);
    assert_eq!(body["messages"][1]["content"], parts);
    let plain = caps(Kind::None);
    let called =
        turn(json!({"content": null, "reasoning_content": "P", "tool_calls": [call("a", "{}")]}));
    let (body, _) = encoded(called.clone(), &plain, Mode::Emulate, &Forgetful).unwrap();
    assert_eq!(body["messages"][1]["tool_plan"], "P");
    assert_eq!(body["messages"][1]["content"], Value::Null);
    let (_, lost) = encoded(
        turn(json!({"reasoning_content": "T"})),
        &plain,
        Mode::Emulate,
        &Forgetful,
    )
    .unwrap();
    assert_eq!(lost.report.dropped, ["messages[1].reasoning_content"]);
    // What the proxy remembers tells the two apart.
    let known = Known(r#"{"model":"command-x","thinking":"T","plan":"P"}"#);
    let (body, _) = encoded(called, &thinks, Mode::Emulate, &known).unwrap();
    assert_eq!(body["messages"][1]["tool_plan"], "P");
    assert_eq!(
        body["messages"][1]["content"],
        json!([{"type": "thinking", "thinking": "T"}])
    );
}
