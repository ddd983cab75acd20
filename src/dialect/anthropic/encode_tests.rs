//! What becomes of requests: the golden vectors and one row per rule.
#![expect(
    clippy::needless_pass_by_value,
    reason = "requests are written where they are used"
)]
#![expect(clippy::too_many_lines, reason = "a table of cases is one table")]

use serde_json::{Value, json};

use super::super::caps::{Effort, Kind, Reasoning, Sampling};
use super::super::codec::{Context, Dialect, Encoded, Forgetful, Mode, Recall, Shape, Target};
use super::super::{Caps, Quirks, ids};
use super::Anthropic;
use crate::chat::{Code, Error, Request};

/// Claude Sonnet 4.6 as the catalogue has it.
pub(super) fn sonnet_4_6() -> Caps {
    Caps {
        max_output: Some(128_000),
        forced_tool_choice: Some(true),
        json_schema: Some(true),
        prefill: Some(false),
        late_system: Some(false),
        reasoning: Reasoning {
            kind: Kind::Adaptive,
            levels: vec![Effort::Low, Effort::Medium, Effort::High, Effort::Max],
            can_disable: Some(true),
            on_by_default: Some(false),
            ..Reasoning::default()
        },
        ..Caps::default()
    }
}

/// Claude Haiku 4.5: thinks by a budget.
pub(super) fn haiku_4_5() -> Caps {
    Caps {
        max_output: Some(64_000),
        prefill: Some(true),
        reasoning: Reasoning {
            kind: Kind::Budget,
            budget_min: Some(1024),
            can_disable: Some(true),
            on_by_default: Some(false),
            ..Reasoning::default()
        },
        ..sonnet_4_6()
    }
}

/// Claude Opus 5.5: always thinks, takes no sampling and no forced tool.
pub(super) fn opus_5_5() -> Caps {
    Caps {
        forced_tool_choice: Some(false),
        sampling: Sampling::None,
        late_system: Some(true),
        reasoning: Reasoning {
            kind: Kind::Always,
            levels: Effort::ALL.into_iter().skip(2).collect(),
            can_disable: Some(false),
            on_by_default: Some(true),
            ..Reasoning::default()
        },
        ..sonnet_4_6()
    }
}

pub(super) fn encode_with(
    body: &Value,
    caps: &Caps,
    mode: Mode,
    recall: &dyn Recall,
) -> Result<(Value, Encoded), Error> {
    let request = Request::parse(body.to_string().into_bytes()).unwrap();
    let quirks = Quirks::default();
    let target = Target {
        model: "claude-x",
        quirks: &quirks,
        caps,
    };
    let mut out = Vec::new();
    let encoded = Anthropic.encode(&request, &target, &Context { mode, recall }, &mut out)?;
    Ok((serde_json::from_slice(&out).unwrap(), encoded))
}

pub(super) fn encode(body: &Value, caps: &Caps) -> (Value, Encoded) {
    encode_with(body, caps, Mode::Emulate, &Forgetful).unwrap()
}

fn strict(body: &Value, caps: &Caps) -> Error {
    encode_with(body, caps, Mode::Strict, &Forgetful).unwrap_err()
}

/// A request with one user message and more members.
pub(super) fn plain(more: Value) -> Value {
    let mut body =
        json!({"model": "m", "max_tokens": 4000, "messages": [{"role": "user", "content": "Hi"}]});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

pub(super) fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

fn golden() -> Value {
    json!({"model": "anthropic/claude-sonnet-4-6", "max_completion_tokens": 500, "temperature": 1.4, "top_p": 0.9,
        "stop": ["END", " "], "user": "u-1",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Weather?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}}]},
            {"role": "assistant", "content": null, "tool_calls": [call("call:1", "geo/lookup", ""), call("call_2", "time", "{\"tz\":\"UTC\"}")]},
            {"role": "tool", "tool_call_id": "call_2", "content": "12:00"},
            {"role": "tool", "tool_call_id": "call:1", "content": ""},
            {"role": "system", "content": "Mode: metric"},
            {"role": "user", "content": "Go on"}],
        "tools": [{"type": "function", "function": {"name": "geo/lookup"}},
            {"type": "function", "function": {"name": "time", "description": "now",
                "parameters": {"type": "object", "properties": {"tz": {"type": "string"}}}}}],
        "tool_choice": "required", "parallel_tool_calls": false, "seed": 7, "n": 1})
}

#[test]
fn h1_to_sonnet_4_6() {
    let (body, encoded) = encode(&golden(), &sonnet_4_6());
    let id = format!("call_1_{}", ids::digest("call:1", 8));
    let expected = json!({"model": "claude-x", "max_tokens": 500, "temperature": 1, "stop_sequences": ["END"],
        "metadata": {"user_id": "u-1"},
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Weather?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": id, "name": "geo_lookup", "input": {}},
                {"type": "tool_use", "id": "call_2", "name": "time", "input": {"tz": "UTC"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call_2", "content": "12:00"},
                {"type": "tool_result", "tool_use_id": id},
                {"type": "text", "text": "[Instruction from the operator] Mode: metric"},
                {"type": "text", "text": "Go on"}]}],
        "tools": [{"name": "geo_lookup", "input_schema": {"type": "object", "properties": {}}},
            {"name": "time", "description": "now", "input_schema": {"type": "object", "properties": {"tz": {"type": "string"}}}}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": true}});
    assert_eq!(body, expected);
    assert_eq!(
        encoded.report.dropped,
        [
            "seed",
            "top_p",
            "stop[1]",
            "messages[1].content[1].image_url.detail"
        ]
    );
    assert_eq!(encoded.report.clamped, ["temperature"]);
    assert_eq!(
        encoded.reply.names,
        [("geo_lookup".to_owned(), "geo/lookup".to_owned())]
    );
    assert_eq!(
        (encoded.path.as_str(), encoded.shape),
        ("/v1/messages", Shape::Whole)
    );
    assert_eq!(
        encoded.headers,
        [("anthropic-version", "2023-06-01".to_owned())]
    );
}

#[test]
fn h1_to_opus_5_5() {
    let (body, encoded) = encode(&golden(), &opus_5_5());
    assert_eq!(body.get("temperature"), None);
    assert_eq!(
        body["tool_choice"],
        json!({"type": "auto", "disable_parallel_tool_use": true})
    );
    assert_eq!(encoded.report.emulated, ["tool_choice"]);
    let turns = body["messages"].as_array().unwrap();
    assert_eq!(
        turns[2]["content"][2],
        json!({"type": "text", "text": "Go on"})
    );
    assert_eq!(
        turns[3],
        json!({"role": "system", "content": [{"type": "text", "text": "Mode: metric"}]})
    );
}

#[test]
fn h14_what_a_model_cannot_do_is_reported_or_refused() {
    let high = |max: u64| json!({"reasoning_effort": "high", "max_tokens": max});
    let tool = json!([{"type": "function", "function": {"name": "f"}}]);
    let open = json!({"type": "json_schema", "json_schema": {"name": "o", "schema": {"type": "object", "additionalProperties": true}}});
    let forced = |choice: Value| json!({"tools": tool, "tool_choice": choice});
    let named = json!({"type": "function", "function": {"name": "f"}});
    let mut forced_high = forced(json!("required"));
    forced_high["reasoning_effort"] = "high".into();
    // Request, caps, where to look, what is there, and which parameter strict mode names. E-53, E-54, E-55.
    let table = [
        (
            json!({"temperature": 0.2}),
            opus_5_5(),
            "/temperature",
            None,
            "temperature",
        ),
        (
            json!({"temperature": 0, "top_p": 0.5}),
            haiku_4_5(),
            "/temperature",
            Some(json!(0)),
            "top_p",
        ),
        (
            json!({"temperature": 0, "top_p": 0.5}),
            haiku_4_5(),
            "/top_p",
            None,
            "top_p",
        ),
        (
            json!({"reasoning_effort": "none"}),
            opus_5_5(),
            "/output_config/effort",
            Some(json!("low")),
            "reasoning_effort",
        ),
        (
            json!({"reasoning_effort": "none"}),
            opus_5_5(),
            "/thinking",
            None,
            "reasoning_effort",
        ),
        (
            json!({"reasoning_effort": "xhigh"}),
            sonnet_4_6(),
            "/output_config/effort",
            Some(json!("high")),
            "reasoning_effort",
        ),
        (
            high(800),
            haiku_4_5(),
            "/thinking",
            None,
            "reasoning_effort",
        ),
        (
            forced_high.clone(),
            haiku_4_5(),
            "/thinking",
            None,
            "reasoning_effort",
        ),
        (
            forced_high,
            haiku_4_5(),
            "/tool_choice/type",
            Some(json!("any")),
            "reasoning_effort",
        ),
        (
            forced(named),
            opus_5_5(),
            "/tool_choice/type",
            Some(json!("auto")),
            "tool_choice",
        ),
        (
            json!({"response_format": open}),
            opus_5_5(),
            "/output_config",
            None,
            "response_format",
        ),
    ];
    for (more, caps, pointer, expected, param) in table {
        let body = plain(more);
        let (sent, encoded) = encode(&body, &caps);
        assert_eq!(sent.pointer(pointer).cloned(), expected, "{body} {pointer}");
        let report = encoded.report;
        assert!(
            [report.dropped, report.emulated, report.clamped]
                .concat()
                .iter()
                .any(|name| name == param),
            "{body}"
        );
        let error = strict(&body, &caps);
        assert_eq!(
            (error.code, error.param.as_deref()),
            (Code::UnsupportedParameter, Some(param)),
            "{body}"
        );
    }
}

#[test]
fn what_no_mode_can_honour_is_a_400() {
    let audio = json!([{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "x", "format": "wav"}}]}]);
    let file =
        json!([{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-abc"}}]}]);
    let table = [
        (json!({"n": 2}), "n"),
        (json!({"modalities": ["text", "audio"]}), "modalities"),
        (
            json!({"messages": audio}),
            "messages[0].content[0].input_audio",
        ),
        (
            json!({"messages": file}),
            "messages[0].content[0].file.file_id",
        ),
        (json!({"tools": [{"type": "file_search"}]}), "tools[0].type"), // E-31
        (json!({"temperature": 3}), "temperature"),
        (json!({"reasoning_effort": "huge"}), "reasoning_effort"),
        (json!({"stop": 7}), "stop"),
    ];
    for (more, param) in table {
        let error = encode_with(
            &plain(more.clone()),
            &sonnet_4_6(),
            Mode::Emulate,
            &Forgetful,
        )
        .unwrap_err();
        assert_eq!(error.param.as_deref(), Some(param), "{more}");
    }
}

#[test]
fn members_are_sent_in_the_providers_own_form() {
    let search = json!({"search_context_size": "low", "user_location": {"type": "approximate", "approximate": {"city": "Oslo"}}});
    let schema = json!({"type": "json_schema", "json_schema": {"name": "o", "schema":
        {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}, "required": ["a"], "additionalProperties": false}}});
    let table = [
        (json!({"temperature": 0}), "/temperature", json!(0)), // E-35
        (json!({"top_p": 0}), "/top_p", json!(0)),
        (json!({"stop": "x"}), "/stop_sequences", json!(["x"])),
        (
            json!({"user": "a@b.c"}),
            "/metadata/user_id",
            json!(ids::digest("a@b.c", 64)),
        ),
        (
            json!({"safety_identifier": "s"}),
            "/metadata/user_id",
            json!("s"),
        ),
        (
            json!({"service_tier": "default"}),
            "/service_tier",
            json!("standard_only"),
        ),
        (
            json!({"reasoning_effort": "max"}),
            "/thinking",
            json!({"type": "adaptive", "display": "summarized"}),
        ),
        (
            json!({"reasoning_effort": {"effort": "low", "summary": "auto"}}),
            "/output_config/effort",
            json!("low"),
        ),
        (
            json!({"reasoning": {"effort": "high", "exclude": true}}),
            "/thinking",
            json!({"type": "adaptive"}),
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 2000}}),
            "/thinking/budget_tokens",
            json!(2000),
        ),
        (json!({"top_k": 5}), "/top_k", json!(5)),
        (json!({"container": "c1"}), "/container", json!("c1")),
        (json!({"stream": true}), "/stream", json!(true)),
        (
            json!({"response_format": schema}),
            "/output_config/format/schema/properties/a",
            json!({"type": "integer", "description": "(minimum: 1)"}),
        ),
        (
            json!({"web_search_options": search}),
            "/tools/0",
            json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 1,
            "user_location": {"type": "approximate", "city": "Oslo"}}),
        ),
    ];
    for (more, pointer, expected) in table {
        let (body, _) = encode(&plain(more.clone()), &sonnet_4_6());
        assert_eq!(body.pointer(pointer), Some(&expected), "{more}");
    }
    // Thinking fixes the temperature, by a budget or not.
    let warm = json!({"reasoning_effort": "high", "temperature": 0.5, "top_p": 0.96});
    let (body, encoded) = encode(&plain(warm), &sonnet_4_6());
    assert_eq!(body.get("temperature"), None);
    assert_eq!(
        (&body["top_p"], encoded.report.dropped[0].as_ref()),
        (&json!(0.96), "temperature")
    );
    // A budget for models that think by one: below the limit, half of which is left for the answer.
    let (body, encoded) = encode(
        &plain(json!({"reasoning_effort": "high", "temperature": 0})),
        &haiku_4_5(),
    );
    assert_eq!(
        body["thinking"],
        json!({"type": "enabled", "budget_tokens": 2000})
    );
    assert_eq!(
        (body.get("temperature"), encoded.report.clamped[0].as_ref()),
        (None, "reasoning_effort")
    );
}

#[test]
fn output_limits_are_filled_clamped_and_streamed() {
    // E-85: the model's own limit, never a small constant.
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    let (sent, encoded) = encode(&body, &sonnet_4_6());
    assert_eq!(
        (&sent["max_tokens"], &sent["stream"]),
        (&json!(128_000), &json!(true))
    );
    assert_eq!(
        (encoded.shape, encoded.report.emulated[0].as_ref()),
        (Shape::Stream, "max_tokens")
    );
    let (sent, encoded) = encode(&body, &Caps::default());
    assert_eq!(
        (&sent["max_tokens"], encoded.shape),
        (&json!(8192), Shape::Whole)
    );
    let (sent, encoded) = encode(&plain(json!({"max_tokens": 999_999})), &haiku_4_5());
    assert_eq!(
        (&sent["max_tokens"], encoded.report.clamped[0].as_ref()),
        (&json!(64_000), "max_tokens")
    );
    let (_, encoded) = encode(&plain(json!({"max_tokens": 21_333})), &haiku_4_5());
    assert_eq!(encoded.shape, Shape::Whole);
}

#[test]
fn tools_are_translated() {
    let function = |name: &str, parameters: Value, strict: bool| json!({"type": "function", "function": {"name": name, "parameters": parameters, "strict": strict}});
    let closed = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false});
    let tools = json!([function("ok", closed.clone(), true), function("loose", json!({"type": "object", "properties": {}}), true),
        function("list", json!({"type": "array", "items": {}}), false), {"type": "custom", "custom": {"name": "sh", "description": "runs"}},
        {"type": "web_search_20250305", "name": "web_search"}]);
    let (body, encoded) = encode(
        &plain(
            json!({"tools": tools, "tool_choice": {"type": "custom", "custom": {"name": "sh"}}}),
        ),
        &sonnet_4_6(),
    );
    let sent = &body["tools"];
    assert_eq!(
        sent[0],
        json!({"name": "ok", "input_schema": closed, "strict": true})
    );
    assert_eq!(sent[1].get("strict"), None);
    assert_eq!(
        sent[2]["input_schema"]["properties"]["value"]["type"],
        "array"
    );
    assert_eq!(
        sent[3],
        json!({"name": "sh", "description": "runs", "input_schema": {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}})
    );
    assert_eq!(
        sent[4],
        json!({"type": "web_search_20250305", "name": "web_search"})
    );
    assert_eq!(body["tool_choice"], json!({"type": "tool", "name": "sh"}));
    assert_eq!(
        (encoded.reply.wrapped_tools, encoded.reply.custom_tools),
        (vec!["list".to_owned()], vec!["sh".to_owned()])
    );
    assert_eq!(encoded.report.dropped, ["tools[1].function.strict"]);
}

#[test]
fn every_choice_is_translated() {
    let tools = json!([{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "g"}}]);
    let allowed = json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "g"}}]}});
    let table = [
        (json!("auto"), json!({"type": "auto"})),
        (json!("none"), json!({"type": "none"})), // E-72
        (json!("required"), json!({"type": "any"})),
        (
            json!({"type": "function", "function": {"name": "f"}}),
            json!({"type": "tool", "name": "f"}),
        ),
        (allowed, json!({"type": "any"})),
    ];
    for (choice, expected) in table {
        let (body, _) = encode(
            &plain(json!({"tools": tools, "tool_choice": choice})),
            &sonnet_4_6(),
        );
        assert_eq!(body["tool_choice"], expected, "{choice}");
        assert_eq!(
            body["tools"].as_array().unwrap().len(),
            if choice["type"] == "allowed_tools" {
                1
            } else {
                2
            }
        );
    }
    let (body, _) = encode(
        &plain(json!({"tools": tools, "tool_choice": "none", "parallel_tool_calls": false})),
        &sonnet_4_6(),
    );
    assert_eq!(body["tool_choice"], json!({"type": "none"}));
    // E-73, E-74: without tools there is nothing to choose.
    let (body, encoded) = encode(
        &plain(json!({"tools": [], "tool_choice": "auto", "parallel_tool_calls": false})),
        &sonnet_4_6(),
    );
    assert_eq!((body.get("tools"), body.get("tool_choice")), (None, None));
    assert_eq!(
        encoded.report.dropped,
        ["tool_choice", "parallel_tool_calls"]
    );
    // E-24: a history of calls needs its tools.
    let history = json!([{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [call("c", "a/f", "")]}, {"role": "tool", "tool_call_id": "c", "content": "r"}]);
    let (body, _) = encode(&plain(json!({"messages": history})), &sonnet_4_6());
    assert_eq!(
        body["tools"],
        json!([{"name": "a_f", "input_schema": {"type": "object"}}])
    );
    assert_eq!(
        (
            &body["tool_choice"],
            &body["messages"][1]["content"][0]["name"]
        ),
        (&json!({"type": "none"}), &json!("a_f"))
    );
}

#[test]
fn forms_without_a_counterpart_are_asked_for() {
    let (body, encoded) = encode(
        &plain(json!({"response_format": {"type": "json_object"}})),
        &opus_5_5(),
    );
    assert!(body["system"][0]["text"].as_str().unwrap().contains("JSON"));
    assert!(encoded.reply.strip_fences);
    let schema =
        json!({"type": "json_schema", "json_schema": {"name": "o", "schema": {"type": "object"}}});
    // E-43: one call of the stand-in, no more. Where nothing can be forced, words have to do.
    let (body, encoded) = encode(&plain(json!({"response_format": schema})), &haiku_4_5());
    assert_eq!(
        body["tool_choice"],
        json!({"type": "tool", "name": "json_response", "disable_parallel_tool_use": true})
    );
    assert_eq!(encoded.reply.json_tool.as_deref(), Some("json_response"));
    let (body, encoded) = encode(&plain(json!({"response_format": schema})), &opus_5_5());
    assert!(
        body["system"][0]["text"]
            .as_str()
            .unwrap()
            .ends_with("{\"type\":\"object\"}")
    );
    assert!(encoded.reply.strip_fences && encoded.reply.json_tool.is_none());
}
