//! What becomes of requests, member by member.
#![expect(
    clippy::needless_pass_by_value,
    reason = "requests are written where they are used"
)]

use serde_json::{Value, json};

use super::super::caps::{Caps, Effort, Kind, Reasoning, Sampling};
use super::super::codec::{Context, Dialect, Encoded, Forgetful, Mode, Recall, Target};
use super::super::quirks::Quirks;
use super::Responses;
use crate::chat::{Code, Error, Request};

/// What a model of the newest family takes.
pub(super) fn newest() -> Caps {
    Caps {
        sampling: Sampling::EffortNoneOnly,
        reasoning: Reasoning {
            kind: Kind::Effort,
            levels: vec![Effort::None, Effort::Low, Effort::High],
            can_disable: Some(true),
            on_by_default: Some(true),
            ..Reasoning::default()
        },
        ..Caps::default()
    }
}

/// A model that does not reason.
fn plain() -> Caps {
    Caps {
        reasoning: Reasoning {
            kind: Kind::None,
            ..Reasoning::default()
        },
        ..Caps::default()
    }
}

pub(super) fn encode_with(
    request: &Value,
    caps: &Caps,
    mode: Mode,
    recall: &dyn Recall,
) -> Result<(Value, Encoded), Error> {
    let (text, encoded) = encode_text(request, caps, mode, recall)?;
    Ok((serde_json::from_str(&text).unwrap(), encoded))
}

pub(super) fn encode_text(
    request: &Value,
    caps: &Caps,
    mode: Mode,
    recall: &dyn Recall,
) -> Result<(String, Encoded), Error> {
    let request = Request::parse(request.to_string().into_bytes())?;
    let quirks = Quirks::default();
    let target = Target {
        model: "theirs",
        quirks: &quirks,
        caps,
    };
    let mut out = Vec::new();
    let encoded = Responses.encode(&request, &target, &Context { mode, recall }, &mut out)?;
    Ok((String::from_utf8(out).unwrap(), encoded))
}

/// A request with further members.
fn asked(members: Value) -> Value {
    let mut request = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in members.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

fn encode(members: Value, caps: &Caps) -> (Value, Encoded) {
    encode_with(&asked(members), caps, Mode::Emulate, &Forgetful).unwrap()
}

fn refusal(members: Value, mode: Mode) -> (Code, Option<String>) {
    let error = encode_with(&asked(members), &newest(), mode, &Forgetful).unwrap_err();
    (error.code, error.param)
}

#[test]
fn a_plain_request_is_stored_nowhere_and_asks_for_its_reasoning() {
    let (body, encoded) = encode(json!({}), &newest());
    let expected = json!({"model": "theirs", "store": false, "include": ["reasoning.encrypted_content"],
        "input": [{"type": "message", "role": "user", "content": "hi"}]});
    assert_eq!(body, expected);
    assert_eq!(encoded.path, "/responses");
    let (body, _) = encode(json!({"stream": true}), &plain());
    assert_eq!(
        (&body["include"], &body["stream"]),
        (&Value::Null, &json!(true))
    );
}

#[test]
fn what_has_no_place_goes_by_mode() {
    let lost = json!({"stop": "x", "seed": 1, "presence_penalty": 0.5, "frequency_penalty": 0, "logit_bias": {"5": 1},
        "prediction": {"type": "content", "content": "x"}, "store": true, "top_k": 3, "unheard_of": 1});
    let (body, encoded) = encode(lost.clone(), &newest());
    let mut dropped = encoded.report.dropped;
    dropped.sort();
    let expected = [
        "logit_bias",
        "prediction",
        "presence_penalty",
        "seed",
        "stop",
        "store",
        "top_k",
        "unheard_of",
    ];
    assert_eq!(dropped, expected);
    assert_eq!(body.as_object().unwrap().len(), 4, "{body}");
    let neutral = json!({"frequency_penalty": 0, "store": false, "logit_bias": {}});
    encode_with(&asked(neutral), &newest(), Mode::Strict, &Forgetful).unwrap();
    for (name, value) in lost.as_object().unwrap() {
        if name != "frequency_penalty" {
            let found = refusal(json!({name.as_str(): value}), Mode::Strict);
            assert_eq!(found, (Code::UnsupportedParameter, Some(name.clone())));
        }
    }
    for (members, name) in [
        (json!({"n": 2}), "n"),
        (json!({"audio": {"voice": "x", "format": "wav"}}), "audio"),
        (json!({"modalities": ["text", "audio"]}), "modalities"),
    ] {
        let found = refusal(members, Mode::Drop);
        assert_eq!(found, (Code::UnsupportedParameter, Some(name.to_owned())));
    }
}

#[test]
fn limits_below_the_least_are_raised() {
    let (body, encoded) = encode(json!({"max_tokens": 15}), &newest());
    assert_eq!(body["max_output_tokens"], 16);
    assert_eq!(encoded.report.clamped, ["max_tokens"]);
    let (body, encoded) = encode(
        json!({"max_tokens": 3, "max_completion_tokens": 17.0}),
        &newest(),
    );
    assert_eq!(body["max_output_tokens"], 17);
    assert!(encoded.report.clamped.is_empty());
}

#[expect(clippy::too_many_lines, reason = "a table of cases is one table")]
#[test]
fn reasoning_is_asked_for_in_every_way_there_is() {
    let table = [
        (
            json!({"reasoning_effort": "high"}),
            json!({"effort": "high"}),
            "",
        ),
        (
            json!({"reasoning_effort": "medium"}),
            json!({"effort": "low"}),
            "reasoning_effort",
        ),
        (
            json!({"reasoning_effort": "none"}),
            json!({"effort": "none"}),
            "",
        ),
        (
            json!({"reasoning_effort": "someday"}),
            json!({"effort": "someday"}),
            "",
        ),
        (
            json!({"reasoning_effort": {"effort": "high", "summary": "detailed"}}),
            json!({"effort": "high", "summary": "detailed"}),
            "",
        ),
        (
            json!({"reasoning": {"effort": "low"}}),
            json!({"effort": "low", "summary": "auto"}),
            "",
        ),
        (
            json!({"reasoning": {"effort": "low", "exclude": true}}),
            json!({"effort": "low"}),
            "",
        ),
        (
            json!({"reasoning": {"enabled": false}}),
            json!({"effort": "none"}),
            "",
        ),
        (
            json!({"reasoning": {"context": "all_turns", "mode": "pro"}}),
            json!({"context": "all_turns", "mode": "pro", "summary": "auto"}),
            "",
        ),
        (
            json!({"include_reasoning": true}),
            json!({"summary": "auto"}),
            "",
        ),
        (
            json!({"include_reasoning": true, "reasoning_effort": "none"}),
            json!({"effort": "none"}),
            "",
        ),
    ];
    for (members, expected, clamped) in table {
        let (body, encoded) = encode(members.clone(), &newest());
        assert_eq!(body["reasoning"], expected, "{members}");
        assert_eq!(encoded.report.clamped.concat(), clamped, "{members}");
    }
    let (body, encoded) = encode(json!({"reasoning_effort": "low"}), &plain());
    assert_eq!(
        (&body["reasoning"], encoded.report.dropped),
        (&Value::Null, vec!["reasoning_effort".into()])
    );
    let found = refusal(json!({"reasoning_effort": 3}), Mode::Emulate);
    assert_eq!(
        found,
        (Code::InvalidValue, Some("reasoning_effort".to_owned()))
    );
}

#[test]
fn sampling_is_sent_where_the_model_takes_it() {
    let members = json!({"temperature": 0.2, "top_p": 1, "logprobs": true, "top_logprobs": 2});
    let (body, encoded) = encode(members.clone(), &newest());
    assert_eq!(
        (&body["temperature"], &body["top_logprobs"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        encoded.report.dropped,
        ["logprobs", "top_logprobs", "temperature"]
    );
    let mut quiet = members;
    quiet["reasoning_effort"] = "none".into();
    let (body, encoded) = encode(quiet, &newest());
    assert_eq!(body["temperature"], 0.2);
    assert_eq!(
        body["include"],
        json!([
            "reasoning.encrypted_content",
            "message.output_text.logprobs"
        ])
    );
    assert_eq!(body["top_logprobs"], 2);
    assert!(encoded.report.dropped.is_empty());
}

#[test]
fn formats_are_flat() {
    let nested =
        json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}});
    let flat =
        json!({"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": false});
    let (body, _) = encode(
        json!({"response_format": nested, "verbosity": "low"}),
        &newest(),
    );
    assert_eq!(body["text"], json!({"format": flat, "verbosity": "low"}));
    for kind in ["text", "json_object"] {
        let (body, _) = encode(json!({"response_format": {"type": kind}}), &newest());
        assert_eq!(body["text"], json!({"format": {"type": kind}}));
    }
    let found = refusal(
        json!({"response_format": {"type": "json_schema"}}),
        Mode::Emulate,
    );
    assert_eq!(
        found,
        (
            Code::InvalidValue,
            Some("response_format.json_schema".to_owned())
        )
    );
}

#[test]
fn tools_are_flat_and_their_strictness_is_said() {
    let tools = json!([
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true}},
        {"type": "function", "function": {"name": "g", "parameters": null}},
        {"type": "custom", "custom": {"name": "c", "format": {"type": "text"}}},
        {"type": "file_search", "vector_store_ids": ["v"]}]);
    let (body, _) = encode(
        json!({"tools": tools, "parallel_tool_calls": false}),
        &newest(),
    );
    let expected = json!([
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": true},
        {"type": "function", "name": "g", "strict": false,
            "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": false}},
        {"type": "custom", "name": "c", "format": {"type": "text"}},
        {"type": "file_search", "vector_store_ids": ["v"]}]);
    assert_eq!(body["tools"], expected);
    assert_eq!(body["parallel_tool_calls"], false);
    let table = [
        (json!("required"), json!("required")),
        (
            json!({"type": "function", "function": {"name": "f"}}),
            json!({"type": "function", "name": "f"}),
        ),
        (
            json!({"type": "custom", "custom": {"name": "c"}}),
            json!({"type": "custom", "name": "c"}),
        ),
        (
            json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "custom", "custom": {"name": "c"}}]}}),
            json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "custom", "name": "c"}]}),
        ),
    ];
    for (choice, expected) in table {
        let (body, _) = encode(json!({"tools": tools, "tool_choice": choice}), &newest());
        assert_eq!(body["tool_choice"], expected);
    }
    let gentle = Caps {
        forced_tool_choice: Some(false),
        ..newest()
    };
    let (body, encoded) = encode(json!({"tools": tools, "tool_choice": "required"}), &gentle);
    assert_eq!(
        (&body["tool_choice"], encoded.report.emulated),
        (&json!("auto"), vec!["tool_choice".into()])
    );
    let (body, encoded) = encode(json!({"tools": [], "tool_choice": "auto"}), &newest());
    assert_eq!(
        (&body["tool_choice"], encoded.report.dropped),
        (&Value::Null, vec!["tool_choice".into()])
    );
}
