//! What each request becomes, rule by rule.

use serde_json::{Value, json};

use crate::chat::{Code, Error, Request};
use crate::dialect::caps::Sampling;
use crate::dialect::codec::{Context, Dialect, Encoded, Forgetful, Mode, Target};
use crate::dialect::gemini::Gemini;
use crate::dialect::{Caps, Quirks};

/// Encodes a body that lacks its model for one, and gives what is sent.
fn with(model: &str, caps: &Caps, mode: Mode, body: &Value) -> Result<(Value, Encoded), Error> {
    let mut body = body.clone();
    body["model"] = json!(model);
    if body.get("messages").is_none() {
        body["messages"] = json!([{"role": "user", "content": "Hi"}]);
    }
    let request = Request::parse(body.to_string().into_bytes())?;
    let quirks = Quirks::default();
    let target = Target {
        model,
        quirks: &quirks,
        caps,
    };
    let context = Context {
        mode,
        recall: &Forgetful,
    };
    let mut out = Vec::new();
    let encoded = Gemini.encode(&request, &target, &context, &mut out)?;
    let sent = serde_json::from_slice(&out)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&out)));
    Ok((sent, encoded))
}

fn sent(model: &str, body: &Value) -> (Value, Encoded) {
    with(model, &Caps::default(), Mode::Emulate, body).unwrap_or_else(|e| panic!("{e} {body}"))
}

fn refused(model: &str, body: &Value) -> Error {
    let result = with(model, &Caps::default(), Mode::Emulate, body);
    result.expect_err("a refusal was expected")
}

fn strings(list: &[std::borrow::Cow<'static, str>]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

#[test]
fn the_path_names_model_and_method() {
    let table = [
        (
            "gemini-2.5-flash",
            false,
            "/v1beta/models/gemini-2.5-flash:generateContent",
        ),
        (
            "models/gemini-3.8-flash",
            true,
            "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse",
        ),
        (
            "a/b c?",
            false,
            "/v1beta/models/a%2Fb%20c%3F:generateContent",
        ),
    ];
    for (model, stream, path) in table {
        let (_, encoded) = sent(model, &json!({"stream": stream}));
        assert_eq!(encoded.path, path);
    }
}

#[test]
fn generation_config_by_model() {
    // model, members, generationConfig, dropped, clamped
    let table = [
        (
            "gemini-2.5-flash",
            json!({"max_tokens": 7, "temperature": 0, "top_p": 0.5, "top_k": 40, "stop": "END", "seed": 4_294_967_301_u64,
                "presence_penalty": 0.5, "frequency_penalty": 0, "logprobs": true, "top_logprobs": 3, "n": 2}),
            json!({"maxOutputTokens": 7, "temperature": 0, "topP": 0.5, "topK": 40, "candidateCount": 2, "stopSequences": ["END"],
                "presencePenalty": 0.5, "seed": 5, "responseLogprobs": true, "logprobs": 3}),
            vec![],
            vec!["seed"],
        ),
        (
            "gemini-3.8-flash",
            json!({"temperature": 0.2, "top_p": 1, "presence_penalty": 0.5, "max_completion_tokens": 9, "max_tokens": 5}),
            json!({"maxOutputTokens": 9}),
            vec!["temperature", "presence_penalty"],
            vec![],
        ),
        (
            "gemini-3-flash-preview",
            json!({"temperature": 0.2, "stop": ["a", "", "b", "c", "d", "e", "f"]}),
            json!({"temperature": 0.2, "stopSequences": ["a", "b", "c", "d", "e"]}),
            vec!["stop"],
            vec!["stop"],
        ),
        (
            "some-tuned-model",
            json!({"temperature": 0.2, "presence_penalty": 2, "top_p": null}),
            json!({"temperature": 0.2, "presencePenalty": 1.99}),
            vec![],
            vec!["presence_penalty"],
        ),
        (
            "gemini-2.5-flash",
            json!({"modalities": ["text", "image"], "mediaResolution": "MEDIA_RESOLUTION_LOW"}),
            json!({"responseModalities": ["TEXT", "IMAGE"], "mediaResolution": "MEDIA_RESOLUTION_LOW"}),
            vec![],
            vec![],
        ),
    ];
    for (model, body, config, dropped, clamped) in table {
        let (sent, encoded) = sent(model, &body);
        assert_eq!(sent["generationConfig"], config, "{model} {body}");
        assert_eq!(strings(&encoded.report.dropped), dropped, "{model} {body}");
        assert_eq!(strings(&encoded.report.clamped), clamped, "{model} {body}");
    }
    let (sent, _) = sent(
        "gemini-2.5-flash",
        &json!({"modalities": ["text"], "temperature": null}),
    );
    assert_eq!(sent.get("generationConfig"), None);
}

#[test]
fn effort_is_a_budget_or_a_level() {
    // The effort table: model, effort, thinkingConfig, clamped.
    let budget = |n: u64, shown: bool| json!({"thinkingBudget": n, "includeThoughts": shown});
    let level = |word: &str, shown: bool| json!({"thinkingLevel": word, "includeThoughts": shown});
    let table = [
        ("gemini-2.5-flash", "none", budget(0, false), false),
        ("gemini-2.5-pro", "none", budget(128, false), true),
        ("gemini-2.5-flash-lite", "none", budget(0, false), false),
        ("gemini-2.5-flash", "minimal", budget(1, true), false),
        ("gemini-2.5-pro", "minimal", budget(128, true), false),
        ("gemini-2.5-flash-lite", "minimal", budget(512, true), false),
        ("gemini-2.5-pro", "low", budget(1_024, true), false),
        ("gemini-2.5-flash", "medium", budget(8_192, true), false),
        ("gemini-2.5-pro", "high", budget(24_576, true), false),
        ("gemini-2.5-flash", "max", budget(24_576, true), false),
        ("gemini-2.5-pro", "xhigh", budget(32_768, true), false),
        ("gemini-3.8-flash", "none", level("low", false), true),
        ("gemini-3.8-flash", "minimal", level("low", true), true),
        ("gemini-flash-latest", "minimal", level("low", true), true),
        (
            "gemini-3.1-pro-preview",
            "minimal",
            level("low", true),
            true,
        ),
        (
            "gemini-3-flash-preview",
            "minimal",
            level("minimal", true),
            false,
        ),
        (
            "gemini-3.5-flash-lite",
            "none",
            level("minimal", false),
            true,
        ),
        ("gemini-3.8-flash", "medium", level("medium", true), false),
        ("gemini-3.8-flash", "max", level("high", true), true),
    ];
    for (model, effort, thinking, clamped) in table {
        let body = json!({"reasoning_effort": effort});
        let (sent, encoded) = sent(model, &body);
        assert_eq!(
            sent["generationConfig"]["thinkingConfig"], thinking,
            "{model} {effort}"
        );
        assert_eq!(
            !encoded.report.clamped.is_empty(),
            clamped,
            "{model} {effort}"
        );
        let strict = with(model, &Caps::default(), Mode::Strict, &body);
        assert_eq!(strict.is_err(), clamped, "E-49, H.14: {model} {effort}");
    }
}

#[test]
fn thoughts_are_shown_to_those_who_ask() {
    let table = [
        (json!({}), Value::Null),
        (
            json!({"include_reasoning": true}),
            json!({"includeThoughts": true}),
        ),
        (
            json!({"reasoning": {"effort": "low", "exclude": true}}),
            json!({"thinkingLevel": "low"}),
        ),
        (
            json!({"reasoning": {"enabled": true}}),
            json!({"includeThoughts": true}),
        ),
        (
            json!({"reasoning_effort": {"effort": "high", "summary": "auto"}}),
            json!({"thinkingLevel": "high", "includeThoughts": true}),
        ),
        (
            json!({"thinking": {"type": "enabled", "budget_tokens": 2000}}),
            json!({"thinkingLevel": "low", "includeThoughts": true}),
        ),
        (
            json!({"reasoning_effort": "high", "include_reasoning": false}),
            json!({"thinkingLevel": "high"}),
        ),
        (
            json!({"reasoning_effort": "high", "thinkingConfig": {"thinkingBudget": 5}}),
            json!({"thinkingBudget": 5}),
        ),
    ];
    for (body, thinking) in table {
        let (sent, _) = sent("gemini-3.8-flash", &body);
        assert_eq!(
            sent["generationConfig"]["thinkingConfig"], thinking,
            "{body}"
        );
    }
    assert_eq!(
        refused("gemini-3.8-flash", &json!({"reasoning_effort": "huge"})).code,
        Code::InvalidValue
    );
}

fn function(name: &str) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}})
}

#[test]
fn tools_are_one_list_of_declarations() {
    let tools = json!([
        {"type": "function", "function": {"name": "f", "description": "D\n", "parameters": {"type": "object", "properties": {}}}},
        {"type": "function", "function": {"name": "geo/find"}},
        {"type": "function", "function": {"name": "1st"}},
        {"type": "function", "function": {"name": "list", "parameters": {"type": "array"}}},
        {"type": "custom", "custom": {"name": "sql", "description": "Runs."}},
        {"googleSearch": {}},
    ]);
    let (sent, encoded) = sent("gemini-3.8-flash", &json!({"tools": tools}));
    let expected = json!([
        {"functionDeclarations": [
            {"name": "f", "description": "D\n", "parametersJsonSchema": {"type": "object", "properties": {}}},
            {"name": "geo_find"},
            {"name": "_1st"},
            {"name": "list", "parametersJsonSchema": {"type": "object", "properties": {"value": {"type": "array"}}, "required": ["value"]}},
            {"name": "sql", "description": "Runs.", "parametersJsonSchema":
                {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}},
        ]},
        {"googleSearch": {}},
    ]);
    assert_eq!(sent["tools"], expected);
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        encoded.reply.names,
        [pair("geo_find", "geo/find"), pair("_1st", "1st")],
        "E-81"
    );
    assert_eq!(encoded.reply.custom_tools, ["sql"]);
    assert_eq!(encoded.reply.wrapped_tools, ["list"]);
    assert_eq!(strings(&encoded.report.emulated), ["tools[4]"]);
}

#[test]
fn old_models_get_the_old_schema_field() {
    let (sent, _) = sent(
        "gemini-2.0-flash",
        &json!({"tools": [function("f"), {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}}],
            "response_format": {"type": "text"}}),
    );
    let expected = json!([{"functionDeclarations": [
        {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}, {"name": "g"}]}]);
    assert_eq!(sent["tools"], expected);
}

#[test]
fn every_tool_choice() {
    let config = |mode: &str, names: &[&str]| {
        let mut config = json!({"functionCallingConfig": {"mode": mode}});
        if !names.is_empty() {
            config["functionCallingConfig"]["allowedFunctionNames"] = json!(names);
        }
        config
    };
    let allowed = |mode: &str| json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [{"type": "function", "function": {"name": "f"}}]}});
    let table = [
        (json!(null), Value::Null),
        (json!("auto"), config("AUTO", &[])),
        (json!("none"), config("NONE", &[])),
        (json!("required"), config("ANY", &[])),
        (
            json!({"type": "function", "function": {"name": "x/y"}}),
            config("ANY", &["x_y"]),
        ),
        (allowed("auto"), config("VALIDATED", &["f"])),
        (allowed("required"), config("ANY", &["f"])),
    ];
    for (choice, expected) in table {
        let body = json!({"tools": [function("f"), function("x/y")], "tool_choice": choice});
        let (sent, _) = sent("gemini-3.8-flash", &body);
        assert_eq!(sent["toolConfig"], expected, "{choice}");
    }
    // E-73, E-75: neither empty tools nor a choice without functions go out.
    let body = json!({"tools": [], "tool_choice": "required", "parallel_tool_calls": false});
    let (sent, encoded) = sent("gemini-3.8-flash", &body);
    assert_eq!((sent.get("tools"), sent.get("toolConfig")), (None, None));
    assert_eq!(strings(&encoded.report.dropped), ["tool_choice"]);
}

#[test]
fn strict_tools_are_validated_and_search_goes_beside_functions() {
    let strict = json!({"type": "function", "function": {"name": "f", "strict": true}});
    let (validated, encoded) = sent("gemini-2.5-flash", &json!({"tools": [strict]}));
    let mode = json!({"functionCallingConfig": {"mode": "VALIDATED"}});
    assert_eq!(validated["toolConfig"], mode);
    assert_eq!(strings(&encoded.report.emulated), ["tools[0].strict"]);
    let body =
        json!({"web_search_options": {"search_context_size": "low"}, "tools": [function("f")]});
    let (both, encoded) = sent("gemini-3.8-flash", &body);
    assert_eq!(both["tools"][1], json!({"googleSearch": {}}));
    assert_eq!(
        both["toolConfig"],
        json!({"includeServerSideToolInvocations": true})
    );
    assert_eq!(
        strings(&encoded.report.dropped),
        ["web_search_options.search_context_size"]
    );
    assert_eq!(
        refused("gemini-2.5-flash", &body).param.as_deref(),
        Some("web_search_options")
    );
}

#[test]
fn response_formats() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "number"}}});
    let wanted = json!({"type": "json_schema", "json_schema": {"name": "x", "strict": true, "schema": schema}});
    let native = json!({"responseMimeType": "application/json", "responseJsonSchema": schema});
    let (plain, _) = sent("gemini-2.5-flash", &json!({"response_format": wanted}));
    assert_eq!(plain["generationConfig"], native);
    let with_tools = json!({"response_format": wanted, "tools": [function("f")]});
    let (third, _) = sent("gemini-3.8-flash", &with_tools);
    assert_eq!(third["generationConfig"], native);
    let (emulated, encoded) = sent("gemini-2.5-flash", &with_tools);
    assert_eq!(emulated.get("generationConfig"), None);
    let instruction = emulated["systemInstruction"]["parts"][0]["text"]
        .as_str()
        .unwrap();
    assert!(instruction.ends_with(&schema.to_string()), "{instruction}");
    assert!(encoded.reply.strip_fences);
    assert_eq!(strings(&encoded.report.emulated), ["response_format"]);
    let strict = with(
        "gemini-2.5-flash",
        &Caps::default(),
        Mode::Strict,
        &with_tools,
    );
    assert_eq!(
        strict.unwrap_err().param.as_deref(),
        Some("response_format")
    );
    let (json_object, _) = sent(
        "gemini-2.0-flash",
        &json!({"response_format": {"type": "json_object"}}),
    );
    assert_eq!(
        json_object["generationConfig"],
        json!({"responseMimeType": "application/json"})
    );
    let (old, _) = sent("gemini-1.5-pro", &json!({"response_format": wanted}));
    assert_eq!(old["generationConfig"]["responseSchema"], schema);
}

#[test]
fn what_cannot_be_carried_is_refused_by_name() {
    let image = |url: &str| json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]});
    let file = json!({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-abc"}}]}]});
    let table = [
        (json!({"modalities": ["text", "audio"]}), "modalities"),
        (json!({"n": 9}), "n"),
        (
            json!({"tools": [{"type": "web_search_20250305", "name": "s"}]}),
            "tools[0].type",
        ),
        (
            json!({"messages": [{"role": "system", "content": "x"}]}),
            "messages",
        ),
        (image("https://example.com/a.png"), "messages[0].content[0]"),
        (image("http://example.com/a.png"), "messages[0].content[0]"),
        (image("data:image/png;base64,???"), "messages[0].content[0]"),
        (file, "messages[0].content[0].file.file_id"),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "hologram"}]}]}),
            "messages[0].content[0]",
        ),
        (
            json!({"messages": [{"role": "assistant", "content": null, "audio": {"id": "a"}}]}),
            "messages[0].audio",
        ),
        (
            json!({"cachedContent": "cachedContents/1", "tools": [function("f")]}),
            "cachedContent",
        ),
        (json!({"top_logprobs": 2}), "top_logprobs"),
        (json!({"stop": [1]}), "stop"),
        (json!({"temperature": "warm"}), "temperature"),
        (
            json!({"response_format": {"type": "json_schema"}}),
            "response_format.json_schema.schema",
        ),
    ];
    for (body, param) in table {
        let error = refused("gemini-2.5-flash", &body);
        assert_eq!(error.param.as_deref(), Some(param), "{body}: {error}");
        assert_eq!(error.code.row().status, 400);
    }
}

#[test]
fn own_and_native_members() {
    let body = json!({"waypost": {"strategy": "fastest"}, "safetySettings": [{"category": "X", "threshold": "OFF"}], "labels": {"a": "b"},
        "user": "u", "logit_bias": {"1": 2}, "who_knows": 1, "service_tier": "priority", "parallel_tool_calls": true});
    let (sent, encoded) = sent("gemini-2.5-flash", &body);
    let expected = json!({"safetySettings": [{"category": "X", "threshold": "OFF"}], "labels": {"a": "b"}, "serviceTier": "priority",
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}]});
    assert_eq!(sent, expected);
    let mut dropped = strings(&encoded.report.dropped);
    dropped.sort();
    assert_eq!(dropped, ["logit_bias", "user", "who_knows"]);
}

#[test]
fn the_catalogue_stands_over_the_id() {
    let mut caps = Caps {
        sampling: Sampling::None,
        max_output: Some(100),
        n: Some(false),
        refuses: vec!["seed".to_owned()],
        ..Caps::default()
    };
    caps.reasoning.levels = vec![crate::dialect::Effort::High];
    let body = json!({"temperature": 0.5, "max_tokens": 500, "seed": 1, "reasoning_effort": "low"});
    let (sent, encoded) = with("gemini-3-flash-preview", &caps, Mode::Emulate, &body).unwrap();
    let expected = json!({"maxOutputTokens": 100, "thinkingConfig": {"thinkingLevel": "high", "includeThoughts": true}});
    assert_eq!(sent["generationConfig"], expected);
    assert_eq!(strings(&encoded.report.dropped), ["temperature", "seed"]);
    assert_eq!(
        strings(&encoded.report.clamped),
        ["max_tokens", "reasoning_effort"]
    );
    let twice = with("gemini-2.5-flash", &caps, Mode::Emulate, &json!({"n": 2}));
    assert_eq!(twice.unwrap_err().param.as_deref(), Some("n"), "H.14");
}
