//! What becomes of requests, rule by rule.

use serde_json::{Value, json};

use crate::chat::{Code, Error, Request};
use crate::dialect::caps::{Kind, Sampling, ToolsWhile};
use crate::dialect::codec::Forgetful;
use crate::dialect::{Caps, Context, Dialect, Effort, Encoded, Mode, Quirks, Reasoning, Target};

use super::OpenAi;

const TOOL: &str =
    r#"{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":true}}"#;
pub(super) const USER: &str = r#"[{"role":"user","content":"hi"}]"#;

pub(super) fn encode_with(
    body: &str,
    quirks: &Quirks,
    caps: &Caps,
    context: &Context<'_>,
) -> Result<(String, Encoded), Error> {
    let request = Request::parse(body.as_bytes().to_vec())?;
    let target = Target {
        model: "theirs",
        quirks,
        caps,
    };
    let mut out = Vec::new();
    let encoded = OpenAi.encode(&request, &target, context, &mut out)?;
    Ok((String::from_utf8(out).unwrap(), encoded))
}

pub(super) fn encode(body: &str, quirks: &Quirks, caps: &Caps) -> Result<(String, Encoded), Error> {
    let context = Context {
        mode: Mode::Emulate,
        recall: &Forgetful,
    };
    encode_with(body, quirks, caps, &context)
}

/// A request with further members; what is sent for those after `model` and `messages`.
fn sent(members: &str, quirks: &Quirks, caps: &Caps) -> (String, Encoded) {
    let body = format!(r#"{{"model":"openai/m","messages":{USER}{members}}}"#);
    let (out, encoded) = encode(&body, quirks, caps).unwrap();
    let head = format!(r#"{{"model":"theirs","messages":{USER}"#);
    let rest = out.strip_prefix(&head).unwrap_or(&out).to_owned();
    (rest.strip_suffix('}').unwrap().to_owned(), encoded)
}

/// The messages that are sent.
pub(super) fn messages(list: &str, quirks: &Quirks) -> String {
    let body = format!(r#"{{"model":"m","messages":{list}}}"#);
    let (out, _) = encode(&body, quirks, &Caps::default()).unwrap();
    let rest = out
        .strip_prefix(r#"{"model":"theirs","messages":"#)
        .unwrap();
    rest.strip_suffix('}').unwrap().to_owned()
}

fn refusal(members: &str, quirks: &Quirks, caps: &Caps) -> (Code, Option<String>) {
    let body = format!(r#"{{"model":"m","messages":{USER}{members}}}"#);
    let error = encode(&body, quirks, caps).unwrap_err();
    (error.code, error.param)
}

#[test]
fn only_model_own_members_and_stream_options_change() {
    let body = r#"{ "waypost":{"a":1}, "temperature": 0.10, "messages": [ {"role":"user","content":"h\u00e9"} ],
        "model":"openai/x","unknown":{"big":123456789012345678901,"f":1.0},"models":["a"],"stream":true,"user":null}"#;
    let (out, encoded) = encode(body, &Quirks::default(), &Caps::default()).unwrap();
    assert_eq!(
        out,
        r#"{"temperature":0.10,"messages":[ {"role":"user","content":"h\u00e9"} ],"model":"theirs","unknown":{"big":123456789012345678901,"f":1.0},"stream":true,"stream_options":{"include_usage":true}}"#
    );
    assert_eq!(encoded.path, "/chat/completions");
    assert_eq!(encoded.report, crate::dialect::Report::default());
    assert!(encoded.reply.stream && !encoded.reply.include_usage);
}

#[test]
fn stream_options_keep_their_other_members() {
    let plain = Quirks::default();
    let without = Quirks {
        stream_options: false,
        ..Quirks::default()
    };
    let caps = Caps::default();
    let options =
        r#","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":false}"#;
    let (out, _) = sent(options, &plain, &caps);
    assert_eq!(
        out,
        r#","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":true}"#
    );
    let (out, encoded) = sent(options, &without, &caps);
    assert_eq!(
        (out.as_str(), encoded.report.dropped.len()),
        (r#","stream":true"#, 0)
    );
}

#[test]
fn quirks_on_single_members() {
    let quirks = Quirks {
        rename: [
            ("max_completion_tokens", "max_tokens"),
            ("seed", "random_seed"),
        ]
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .into(),
        drop: vec!["user".into(), "logit_bias".into()],
        add: [("safe_prompt".to_owned(), "false".to_owned())].into(),
        stop_array: true,
        stop_max: Some(2),
        temperature_max_milli: Some(1500),
        service_tiers: [("default".to_owned(), "on_demand".to_owned())].into(),
        ..Quirks::default()
    };
    let added = r#","safe_prompt":false"#;
    let table = [
        (r#","max_completion_tokens":5"#, r#","max_tokens":5"#, ""),
        (
            r#","max_tokens":4,"max_completion_tokens":5"#,
            r#","max_tokens":5"#,
            "",
        ),
        (r#","seed":7"#, r#","random_seed":7"#, ""),
        (r#","user":"u","logit_bias":{}"#, "", "user"),
        (r#","stop":"a""#, r#","stop":["a"]"#, ""),
        (r#","stop":["a","b","c"]"#, r#","stop":["a","b"]"#, "stop"),
        (
            r#","temperature":1.9"#,
            r#","temperature":1.5"#,
            "temperature",
        ),
        (r#","temperature":0"#, r#","temperature":0"#, ""),
        (
            r#","service_tier":"default""#,
            r#","service_tier":"on_demand""#,
            "",
        ),
        (r#","service_tier":"scale""#, "", "service_tier"),
        (r#","safe_prompt":true"#, r#","safe_prompt":true"#, ""),
    ];
    for (members, expected, reported) in table {
        let (out, encoded) = sent(members, &quirks, &Caps::default());
        let expected = if members.contains("safe_prompt") {
            expected.to_owned()
        } else {
            format!("{expected}{added}")
        };
        assert_eq!(out, expected, "{members}");
        let report = encoded.report;
        let told: Vec<_> = [report.dropped, report.emulated, report.clamped].concat();
        assert_eq!(told.join(","), reported, "{members}");
    }
}

/// E-35, E-57 and the rows of OpenAI's own models.
#[expect(clippy::too_many_lines, reason = "a table is read as a table")]
#[test]
fn capabilities_decide_on_members() {
    let reasoner = Caps {
        sampling: Sampling::EffortNoneOnly,
        refuses: vec![
            "stop".into(),
            "presence_penalty".into(),
            "max_tokens".into(),
        ],
        max_tokens_name: Some("max_completion_tokens".into()),
        reasoning: Reasoning {
            kind: Kind::Effort,
            levels: vec![
                Effort::None,
                Effort::Low,
                Effort::Medium,
                Effort::High,
                Effort::Xhigh,
            ],
            can_disable: Some(true),
            on_by_default: Some(true),
            ..Reasoning::default()
        },
        ..Caps::default()
    };
    let table = [
        (
            r#","max_tokens":100"#,
            r#","max_completion_tokens":100"#,
            "",
        ),
        (r#","stop":"x""#, "", "stop"),
        (r#","presence_penalty":0"#, "", ""),
        (r#","temperature":0"#, "", "temperature"),
        (r#","temperature":1"#, "", ""),
        (
            r#","temperature":0,"reasoning_effort":"none""#,
            r#","temperature":0,"reasoning_effort":"none""#,
            "",
        ),
        // E-92: `minimal` becomes the least level that reasons.
        (
            r#","reasoning_effort":"minimal""#,
            r#","reasoning_effort":"low""#,
            "reasoning_effort",
        ),
        (
            r#","reasoning_effort":"max""#,
            r#","reasoning_effort":"xhigh""#,
            "reasoning_effort",
        ),
        (
            r#","reasoning_effort":{"effort":"high","summary":"auto"}"#,
            r#","reasoning_effort":"high""#,
            "",
        ),
        (
            r#","reasoning_effort":"default""#,
            r#","reasoning_effort":"default""#,
            "",
        ),
    ];
    for (members, expected, reported) in table {
        let (out, encoded) = sent(members, &Quirks::default(), &reasoner);
        assert_eq!(out, expected, "{members}");
        let told = [encoded.report.dropped, encoded.report.clamped].concat();
        assert_eq!(told.join(","), reported, "{members}");
    }
}

/// E-56 and the capability gate of gpt-5.4 and later.
#[test]
fn tools_while_reasoning() {
    let caps = |rule| Caps {
        tools_while_reasoning: rule,
        ..Caps::default()
    };
    let tools = format!(r#","tools":[{TOOL}]"#);
    let quirks = Quirks::default();
    for rule in [ToolsWhile::Unset, ToolsWhile::ExplicitNone] {
        let (out, encoded) = sent(&tools, &quirks, &caps(rule));
        assert_eq!(out, format!(r#"{tools},"reasoning_effort":"none""#));
        assert_eq!(encoded.report.emulated, ["reasoning_effort"]);
        let none = format!(r#"{tools},"reasoning_effort":"none""#);
        assert_eq!(sent(&none, &quirks, &caps(rule)).0, none);
        let high = format!(r#"{tools},"reasoning_effort":"high""#);
        let refused = refusal(&high, &quirks, &caps(rule));
        assert_eq!(
            refused,
            (Code::UnsupportedParameter, Some("reasoning_effort".into()))
        );
    }
    let refused = refusal(&tools, &quirks, &caps(ToolsWhile::Never));
    assert_eq!(refused, (Code::UnsupportedParameter, Some("tools".into())));
    let body = format!(r#"{{"model":"m","messages":{USER}{tools}}}"#);
    let error = encode(&body, &quirks, &caps(ToolsWhile::Never)).unwrap_err();
    assert!(error.message.contains("Responses API"), "{}", error.message);
}

/// E-73, E-74: what means nothing without tools is left out.
#[test]
fn no_tools_no_choice() {
    let (out, encoded) = sent(
        r#","tools":[ ],"tool_choice":"auto","parallel_tool_calls":true"#,
        &Quirks::default(),
        &Caps::default(),
    );
    assert_eq!(out, "");
    assert_eq!(
        encoded.report.dropped,
        ["tool_choice", "parallel_tool_calls"]
    );
}

#[test]
fn choices_and_kinds_of_tools_by_quirk() {
    let few = Quirks {
        required_choice: "any".into(),
        named_choice: false,
        allowed_tools: false,
        custom_tools: false,
        strict_tools: false,
        ..Quirks::default()
    };
    let tools = format!(
        r#","tools":[{TOOL},{{"type":"custom","custom":{{"name":"c","description":"d"}}}}],"tool_choice":"#
    );
    let function = r#"{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}"#;
    let custom = r#"{"type":"function","function":{"name":"c","description":"d","parameters":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}}}"#;
    let table = [
        (r#""required""#, format!("{function},{custom}"), r#""any""#),
        (r#""none""#, format!("{function},{custom}"), r#""none""#),
        (
            r#"{"type":"function","function":{"name":"f"}}"#,
            function.to_owned(),
            r#""any""#,
        ),
        (
            r#"{"type":"custom","custom":{"name":"c"}}"#,
            custom.to_owned(),
            r#""any""#,
        ),
        (
            r#"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
            function.to_owned(),
            r#""auto""#,
        ),
    ];
    for (choice, offered, chosen) in table {
        let (out, encoded) = sent(&format!("{tools}{choice}"), &few, &Caps::default());
        assert_eq!(
            out,
            format!(r#","tools":[{offered}],"tool_choice":{chosen}"#),
            "{choice}"
        );
        let has_custom = offered.contains("\"input\"");
        assert_eq!(
            encoded.reply.custom_tools.contains(&"c".to_owned()),
            has_custom,
            "{choice}"
        );
    }
    let unforced = Caps {
        forced_tool_choice: Some(false),
        ..Caps::default()
    };
    let (out, encoded) = sent(
        &format!(r#","tools":[{TOOL}],"tool_choice":"required""#),
        &Quirks::default(),
        &unforced,
    );
    assert!(out.ends_with(r#""tool_choice":"auto""#), "{out}");
    assert_eq!(encoded.report.emulated, ["tool_choice"]);
}

#[test]
fn formats_are_emulated() {
    let format = r#","response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{"type":"object"}}}"#;
    let body = format!(r#"{{"model":"m","messages":{USER}{format}}}"#);
    let no_schema = Quirks {
        json_schema: false,
        ..Quirks::default()
    };
    let (out, encoded) = encode(&body, &no_schema, &Caps::default()).unwrap();
    let value: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(value["response_format"], json!({"type":"json_object"}));
    assert_eq!(value["messages"][0]["role"], "system");
    assert!(
        value["messages"][0]["content"]
            .as_str()
            .unwrap()
            .ends_with(r#"{"type":"object"}"#)
    );
    assert_eq!(value["messages"][1], json!({"role":"user","content":"hi"}));
    assert_eq!(
        (encoded.report.emulated, encoded.reply.strip_fences),
        (vec!["response_format".into()], false)
    );
    let nothing = Quirks {
        json_schema: false,
        json_object: false,
        ..Quirks::default()
    };
    let (out, encoded) = encode(&body, &nothing, &Caps::default()).unwrap();
    assert!(!out.contains("response_format") && encoded.reply.strip_fences);
}

#[test]
fn what_changes_the_meaning_is_refused_not_dropped() {
    let quirks = Quirks {
        drop: ["tools", "response_format", "audio"]
            .map(String::from)
            .to_vec(),
        single_choice: true,
        ..Quirks::default()
    };
    let table = [
        (format!(r#","tools":[{TOOL}]"#), "tools"),
        (
            r#","response_format":{"type":"json_object"}"#.to_owned(),
            "response_format",
        ),
        (r#","audio":{"voice":"x"}"#.to_owned(), "audio"),
        (r#","n":2"#.to_owned(), "n"),
    ];
    for (members, param) in table {
        let refused = refusal(&members, &quirks, &Caps::default());
        assert_eq!(
            refused,
            (Code::UnsupportedParameter, Some(param.to_owned()))
        );
    }
    let (out, _) = sent(
        r#","response_format":{"type":"text"},"n":1"#,
        &quirks,
        &Caps::default(),
    );
    assert_eq!(out, r#","n":1"#);
}

#[test]
fn strict_mode_refuses_what_would_be_dropped() {
    let quirks = Quirks {
        drop: vec!["user".into()],
        ..Quirks::default()
    };
    let context = Context {
        mode: Mode::Strict,
        recall: &Forgetful,
    };
    let body = format!(r#"{{"model":"m","messages":{USER},"user":"u"}}"#);
    let error = encode_with(&body, &quirks, &Caps::default(), &context).unwrap_err();
    assert_eq!(
        (error.code, error.param.as_deref()),
        (Code::UnsupportedParameter, Some("user"))
    );
}

#[test]
fn effort_in_the_providers_own_words() {
    let quirks = Quirks {
        effort: [
            ("none", r#"{"thinking":{"type":"disabled"}}"#),
            (
                "medium",
                r#"{"thinking":{"type":"enabled"},"reasoning_effort":"high"}"#,
            ),
            ("minimal", "{}"),
        ]
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .into(),
        ..Quirks::default()
    };
    let caps = Caps {
        sampling: Sampling::IgnoredWhileThinking,
        ..Caps::default()
    };
    let table = [
        (
            r#","reasoning_effort":"none","temperature":0.2"#,
            r#","temperature":0.2,"thinking":{"type":"disabled"}"#,
            "",
        ),
        (
            r#","reasoning_effort":"medium""#,
            r#","reasoning_effort":"high","thinking":{"type":"enabled"}"#,
            "reasoning_effort",
        ),
        (r#","reasoning_effort":"minimal""#, "", "reasoning_effort"),
        (
            r#","thinking":{"type":"x"},"reasoning_effort":"none""#,
            r#","thinking":{"type":"x"}"#,
            "",
        ),
        (r#","temperature":0.2"#, "", "temperature"),
    ];
    for (members, expected, reported) in table {
        let (out, encoded) = sent(members, &quirks, &caps);
        assert_eq!(out, expected, "{members}");
        let told = [encoded.report.dropped, encoded.report.clamped].concat();
        assert_eq!(told.join(","), reported, "{members}");
    }
    // The provider's reading of a level holds over the nearest by our reckoning, if the model takes it.
    let few = Caps {
        reasoning: Reasoning {
            levels: vec![Effort::Low, Effort::High],
            can_disable: Some(false),
            ..Reasoning::default()
        },
        ..Caps::default()
    };
    let (out, _) = sent(r#","reasoning_effort":"medium""#, &quirks, &few);
    assert!(out.starts_with(r#","reasoning_effort":"high""#), "{out}");
    let (out, encoded) = sent(r#","reasoning_effort":"none""#, &quirks, &few);
    assert_eq!(out, r#","reasoning_effort":"low""#);
    assert_eq!(encoded.report.clamped, ["reasoning_effort"]);
}
