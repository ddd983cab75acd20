//! What becomes of requests on their way to Converse: one row per rule, by botocore's model of the service.
#![expect(
    clippy::needless_pass_by_value,
    reason = "requests are written where they are used"
)]
#![expect(clippy::too_many_lines, reason = "a table of cases is one table")]

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::caps::{Kind, Reasoning};
use super::super::codec::{Context, Dialect, Encoded, Forgetful, Mode, Recall, Target};
use super::super::{Caps, Quirks};
use super::Bedrock;
use crate::chat::{Code, Error, Request};

pub(super) const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
pub(super) const NOVA: &str = "us.amazon.nova-2-lite-v1:0";

/// A Claude that thinks by a budget.
pub(super) fn budget() -> Caps {
    Caps {
        max_output: Some(64_000),
        reasoning: Reasoning {
            kind: Kind::Budget,
            can_disable: Some(true),
            on_by_default: Some(false),
            budget_min: Some(1024),
            ..Reasoning::default()
        },
        ..Caps::default()
    }
}

pub(super) fn encode_with(
    (model, caps): (&str, &Caps),
    recall: &dyn Recall,
    mode: Mode,
    body: &Value,
) -> Result<(Value, Encoded), Error> {
    let quirks = Quirks::default();
    let target = Target {
        model,
        quirks: &quirks,
        caps,
    };
    let request = Request::parse(body.to_string().into_bytes()).unwrap();
    let mut out = Vec::new();
    let context = Context { mode, recall };
    let encoded = Bedrock.encode(&request, &target, &context, &mut out)?;
    Ok((serde_json::from_slice(&out).unwrap(), encoded))
}

pub(super) fn encode(model: &str, caps: &Caps, body: Value) -> (Value, Encoded) {
    encode_with((model, caps), &Forgetful, Mode::Emulate, &body).unwrap()
}

fn said(members: Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "x"}]});
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

#[test]
fn turns_alternate_and_results_of_one_turn_stand_together() {
    let long = "x".repeat(70);
    let history = json!({"model": "m", "messages": [
        {"role": "assistant", "content": "Hello"}, {"role": "assistant", "content": ""}, {"role": "user", "content": "a"},
        {"role": "assistant", "tool_calls": [call("a", "f", ""), call("a", "f", "[1]"), call(&long, "g.h", "{\"b\":1}")]},
        {"role": "user", "content": "y"}, {"role": "tool", "tool_call_id": "a", "content": ""},
        {"role": "tool", "tool_call_id": long, "content": "3"}]});
    let (sent, encoded) = encode(CLAUDE, &Caps::default(), history);
    // E-22, E-23, E-24, E-25, E-30, E-81.
    let fitted = sent["messages"][3]["content"][2]["toolUse"]["toolUseId"].clone();
    assert_eq!(fitted.as_str().unwrap().len(), 64);
    let expected = json!([
        {"role": "user", "content": [{"text": "."}]},
        {"role": "assistant", "content": [{"text": "Hello"}]},
        {"role": "user", "content": [{"text": "a"}]},
        {"role": "assistant", "content": [
            {"toolUse": {"toolUseId": "a", "name": "f", "input": {}}},
            {"toolUse": {"toolUseId": "a_2", "name": "f", "input": {"_raw": "[1]"}}},
            {"toolUse": {"toolUseId": fitted, "name": "g_h", "input": {"b": 1}}}]},
        {"role": "user", "content": [
            {"toolResult": {"toolUseId": "a", "content": []}},
            {"toolResult": {"toolUseId": fitted, "content": [{"text": "3"}]}},
            {"toolResult": {"toolUseId": "a_2", "content": [{"text": "no result"}], "status": "error"}},
            {"text": "y"}]}]);
    assert_eq!(sent["messages"], expected);
    let spec = |name: &str| json!({"toolSpec": {"name": name, "inputSchema": {"json": {"type": "object", "properties": {}}}}});
    assert_eq!(
        sent["toolConfig"],
        json!({"tools": [spec("f"), spec("g_h")]})
    );
    assert!(encoded.report.emulated.iter().any(|name| name == "tools"));
}

#[test]
fn sampling_and_limits_are_what_the_service_takes() {
    let asked = json!({"temperature": 1.7, "top_p": 0.5, "top_k": 9, "max_tokens": 99_999, "seed": 1, "stop": ["a", ""]});
    let (sent, encoded) = encode(CLAUDE, &budget(), said(asked.clone()));
    let config = json!({"maxTokens": 64_000, "temperature": 1, "stopSequences": ["a"]});
    assert_eq!(sent["inferenceConfig"], config);
    assert_eq!(sent["additionalModelRequestFields"], json!({"top_k": 9}));
    assert_eq!(encoded.report.clamped, ["temperature", "max_tokens"]);
    assert_eq!(encoded.report.dropped, ["seed", "top_p", "stop[1]"]);
    let (sent, _) = encode(NOVA, &Caps::default(), said(asked.clone()));
    assert_eq!(sent["inferenceConfig"]["topP"], 0.5);
    assert_eq!(
        sent["additionalModelRequestFields"],
        json!({"inferenceConfig": {"topK": 9}})
    );
    let strict = encode_with(
        (NOVA, &Caps::default()),
        &Forgetful,
        Mode::Strict,
        &said(asked),
    );
    assert_eq!(strict.unwrap_err().code, Code::UnsupportedParameter);
    let several = encode_with(
        (NOVA, &Caps::default()),
        &Forgetful,
        Mode::Emulate,
        &said(json!({"n": 2})),
    );
    assert_eq!(several.unwrap_err().param.as_deref(), Some("n"));
}

#[test]
fn every_maker_is_asked_to_reason_in_its_own_way() {
    let effort = |kind| Caps {
        reasoning: Reasoning {
            kind,
            ..Reasoning::default()
        },
        ..Caps::default()
    };
    let table = [
        (
            CLAUDE,
            budget(),
            "low",
            json!({"thinking": {"type": "enabled", "budget_tokens": 2048}}),
            Value::Null,
        ),
        (
            "global.anthropic.claude-opus-5-5",
            effort(Kind::Always),
            "max",
            json!({"thinking": {"type": "adaptive", "display": "summarized"}}),
            json!({"effort": "max"}),
        ),
        (
            NOVA,
            Caps::default(),
            "high",
            json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}),
            Value::Null,
        ),
        (
            "us.openai.gpt-5.6-luna",
            Caps::default(),
            "xhigh",
            json!({"reasoning": {"effort": "xhigh"}}),
            Value::Null,
        ),
        (
            "openai.gpt-oss-120b-1:0",
            Caps::default(),
            "minimal",
            json!({"reasoning_effort": "low"}),
            Value::Null,
        ),
        (
            "moonshot.kimi-k2-thinking",
            effort(Kind::Effort),
            "medium",
            json!({"reasoning_effort": "medium"}),
            Value::Null,
        ),
        (
            "deepseek.v3-v1:0",
            Caps::default(),
            "high",
            Value::Null,
            Value::Null,
        ),
        (
            "us.amazon.nova-micro-v1:0",
            Caps::default(),
            "none",
            Value::Null,
            Value::Null,
        ),
    ];
    for (model, caps, effort, fields, output) in table {
        let (sent, encoded) = encode(model, &caps, said(json!({"reasoning_effort": effort})));
        assert_eq!(sent["additionalModelRequestFields"], fields, "{model}");
        assert_eq!(sent["outputConfig"], output, "{model}");
        let silent = fields.is_null() && effort != "none";
        assert_eq!(encoded.report.dropped.is_empty(), !silent, "{model}");
    }
    let limited = said(json!({"reasoning_effort": "high", "max_tokens": 100}));
    let (sent, encoded) = encode(NOVA, &Caps::default(), limited);
    let config = &sent["additionalModelRequestFields"]["reasoningConfig"];
    assert_eq!(config["maxReasoningEffort"], "medium");
    assert_eq!(encoded.report.clamped, ["reasoning_effort"]);
    let own = json!({"additionalModelRequestFields": {"top_k": 1, "x": 10.0}, "top_k": 2});
    let (sent, _) = encode(CLAUDE, &budget(), said(own));
    assert_eq!(
        sent["additionalModelRequestFields"],
        json!({"top_k": 1, "x": 10.0})
    );
}

#[test]
fn tools_and_choices_have_their_own_words() {
    let tool = json!({"type": "function", "function": {"name": "f", "description": "", "strict": true,
        "parameters": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false}}});
    let choices = [
        (json!("auto"), json!({"auto": {}})),
        (json!("required"), json!({"any": {}})),
        (
            json!({"type": "function", "function": {"name": "f"}}),
            json!({"tool": {"name": "f"}}),
        ),
    ];
    for (asked, sent) in choices {
        let body = said(json!({"tools": [tool], "tool_choice": asked}));
        let (got, _) = encode(CLAUDE, &Caps::default(), body);
        assert_eq!(got["toolConfig"]["toolChoice"], sent);
        let spec = &got["toolConfig"]["tools"][0]["toolSpec"];
        assert_eq!(
            (&spec["strict"], spec.get("description")),
            (&json!(true), None)
        );
    }
    let body = said(json!({"tools": [tool], "tool_choice": "none"}));
    let (sent, encoded) = encode(CLAUDE, &Caps::default(), body);
    assert_eq!(
        sent.get("toolConfig"),
        None,
        "nothing is offered, as no call is wanted"
    );
    assert!(encoded.report.emulated.is_empty());
    let (_, encoded) = encode(NOVA, &Caps::default(), said(json!({"tools": [tool]})));
    assert_eq!(encoded.report.dropped, ["tools[0].function.strict"]);
    let foreign = said(json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}));
    let refused = encode_with(
        (NOVA, &Caps::default()),
        &Forgetful,
        Mode::Emulate,
        &foreign,
    );
    assert_eq!(refused.unwrap_err().param.as_deref(), Some("tools[0].type"));
}

#[test]
fn media_are_named_by_their_format_and_never_fetched() {
    let part = |kind: &str, value: Value| {
        let content = json!([{"type": kind, kind: value}]);
        json!({"model": "m", "messages": [{"role": "user", "content": content}]})
    };
    let s3 = part("image_url", json!({"url": "s3://bucket/a.webp"}));
    let (sent, _) = encode(NOVA, &Caps::default(), s3);
    let source = json!({"format": "webp", "source": {"s3Location": {"uri": "s3://bucket/a.webp"}}});
    assert_eq!(sent["messages"][0]["content"][0]["image"], source);
    let word = json!({"filename": "a/b.docx", "file_data": "UEsDBAAA"});
    let (sent, _) = encode(NOVA, &Caps::default(), part("file", word));
    let document = &sent["messages"][0]["content"][0]["document"];
    assert_eq!(
        (&document["format"], &document["name"]),
        (&json!("docx"), &json!("a-b"))
    );
    assert_eq!(sent["messages"][0]["content"][1], json!({"text": "."}));
    for (kind, value, param) in [
        (
            "image_url",
            json!({"url": "https://example.com/a.png"}),
            "messages[0].content[0].image_url",
        ),
        (
            "file",
            json!({"file_id": "file-1"}),
            "messages[0].content[0].file.file_id",
        ),
    ] {
        let body = part(kind, value);
        let refused = encode_with((NOVA, &Caps::default()), &Forgetful, Mode::Emulate, &body);
        assert_eq!(refused.unwrap_err().param.as_deref(), Some(param));
    }
}

#[test]
fn marks_that_a_model_does_not_know_are_told() {
    let content = json!([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]);
    let body = json!({"model": "m", "messages": [{"role": "user", "content": content}]});
    let (sent, encoded) = encode("minimax.minimax-m2", &Caps::default(), body.clone());
    assert_eq!(sent["messages"][0]["content"], json!([{"text": "a"}]));
    assert_eq!(encoded.report.dropped, ["cache_control"]);
    let (sent, _) = encode(CLAUDE, &Caps::default(), body);
    let marked = json!([{"text": "a"}, {"cachePoint": {"type": "default"}}]);
    assert_eq!(sent["messages"][0]["content"], marked);
}

/// Remembers one turn.
#[derive(Debug)]
struct One(String, Arc<str>);

impl Recall for One {
    fn recall(&self, key: &str) -> Option<Arc<str>> {
        (key == self.0).then(|| Arc::clone(&self.1))
    }
}

#[test]
fn claude_gets_its_thinking_back_before_the_call() {
    let state = json!({"model": CLAUDE, "details": [
        {"type": "reasoning.text", "text": "a\n", "signature": "S", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.encrypted", "data": "EuQ", "format": "anthropic-claude-v1", "index": 1}]});
    let recall = One("call:t1".to_owned(), state.to_string().into());
    let body = json!({"model": "m", "reasoning_effort": "low", "messages": [{"role": "user", "content": "x"},
        {"role": "assistant", "content": null, "tool_calls": [call("t1", "f", "{}")]},
        {"role": "tool", "tool_call_id": "t1", "content": "r"}]});
    let sent = encode_with((CLAUDE, &budget()), &recall, Mode::Emulate, &body);
    let content = &sent.unwrap().0["messages"][1]["content"];
    // The vendor's `data` is a text; here it travels as the base64 of it.
    assert_eq!(
        *content,
        json!([
        {"reasoningContent": {"reasoningText": {"text": "a\n", "signature": "S"}}},
        {"reasoningContent": {"redactedContent": "RXVR"}},
        {"toolUse": {"toolUseId": "t1", "name": "f", "input": {}}}])
    );
    let other = "us.anthropic.claude-opus-4-5-20251101-v1:0";
    let sent = encode_with((other, &budget()), &recall, Mode::Emulate, &body).unwrap();
    assert_eq!(
        sent.0["messages"][1]["content"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn a_turn_more_only_adds_to_the_end() {
    let turns = |count: usize| {
        let all = [
            json!({"role": "system", "content": "s"}),
            json!({"role": "user", "content": [{"type": "text", "text": "q"},
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "JVBERi0xLjQKJSVFT0YK"}}]}),
            json!({"role": "assistant", "content": "", "tool_calls": [call("c/1", "f", "{}")]}),
            json!({"role": "tool", "tool_call_id": "c/1", "content": "r"}),
            json!({"role": "assistant", "content": "a"}),
            json!({"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf", "file_data": "JVBERi0xLjQKJSVFT0YK"}}]}),
        ];
        let tools = json!([{"type": "function", "function": {"name": "f"}}]);
        let body = json!({"model": "m", "tools": tools, "messages": all[..count]});
        let (sent, _) = encode(NOVA, &Caps::default(), body);
        sent.to_string()
    };
    let (short, long) = (turns(4), turns(6));
    let beginning = short.strip_suffix("]}").unwrap();
    assert!(long.starts_with(beginning), "{long}\n{beginning}");
}
