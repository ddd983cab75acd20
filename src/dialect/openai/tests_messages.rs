//! What becomes of messages, and what holds for every request.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::dialect::codec::Forgetful;
use crate::dialect::{Caps, Context, Mode, Quirks, Recall};

use super::tests_encode::{USER, encode, encode_with, messages};

const CALL: &str = r#"{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]}"#;

/// E-70, E-71, E-86 and the rules on messages.
#[expect(clippy::too_many_lines, reason = "a table is read as a table")]
#[test]
fn messages_by_quirk() {
    type Case<'a> = (Quirks, &'a str, &'a str);
    let plain = Quirks::default;
    let table: [Case<'_>; 9] = [
        (
            Quirks {
                developer_as_system: true,
                ..plain()
            },
            r#"[{"role":"developer","content":"d"}, {"role":"user","content":"u"}]"#,
            r#"[{"role":"system","content":"d"},{"role":"user","content":"u"}]"#,
        ),
        (
            Quirks {
                drop_in_messages: vec!["name".into()],
                ..plain()
            },
            r#"[{"role":"user","name":"n","content":"u"}]"#,
            r#"[{"role":"user","content":"u"}]"#,
        ),
        (
            Quirks {
                strict_messages: true,
                ..plain()
            },
            r#"[{"role":"assistant","content":"a","refusal":null,"annotations":[],"function_call":null,"audio":null}]"#,
            r#"[{"role":"assistant","content":"a"}]"#,
        ),
        (
            Quirks {
                strict_messages: true,
                ..plain()
            },
            r#"[{"role":"assistant","content":null,"refusal":"no"}]"#,
            r#"[{"role":"assistant","content":"no"}]"#,
        ),
        (
            Quirks {
                merge_roles: true,
                ..plain()
            },
            r#"[{"role":"user","content":"a"},{"role":"user","content":"b"},{"role":"user","content":[{"type":"text","text":"c"}]}]"#,
            r#"[{"role":"user","content":[{"type":"text","text":"a\n\nb"},{"type":"text","text":"c"}]}]"#,
        ),
        (
            Quirks {
                empty_content: true,
                ..plain()
            },
            r#"[{"role":"assistant","content":null,"tool_calls":[{"id":"a"  ,"type":"function","function":{"name":"f","arguments":"{}"}}]}]"#,
            r#"[{"role":"assistant","content":"","tool_calls":[{"id":"a"  ,"type":"function","function":{"name":"f","arguments":"{}"}}]}]"#,
        ),
        (
            Quirks {
                prefix_last_assistant: true,
                ..plain()
            },
            r#"[{"role":"user","content":"u"},{"role":"assistant","content":"a"}]"#,
            r#"[{"role":"user","content":"u"},{"role":"assistant","content":"a","prefix":true}]"#,
        ),
        (
            plain(),
            r#"[{"role":"assistant","content":"a","reasoning_content":"r","reasoning_details":[{}],"tool_calls":[{"index":0,"id":"a","type":"function","extra_content":{},"function":{"name":"f","arguments":"{}"}}]}]"#,
            r#"[{"role":"assistant","content":"a","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}]"#,
        ),
        (
            Quirks {
                custom_tools: false,
                ..plain()
            },
            r#"[{"role":"assistant","tool_calls":[{"id":"a","type":"custom","custom":{"name":"c","input":"x\"y"}}]}]"#,
            r#"[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"c","arguments":"{\"input\":\"x\\\"y\"}"}}]}]"#,
        ),
    ];
    for (quirks, list, expected) in table {
        assert_eq!(messages(list, &quirks), expected);
    }
}

#[test]
fn ids_of_nine_letters_match_their_results() {
    let quirks = Quirks {
        nine_letter_ids: true,
        ..Quirks::default()
    };
    let list = format!(r#"[{CALL},{{"role":"tool","tool_call_id":"call_1","content":"ok"}}]"#);
    let value: Value = serde_json::from_str(&messages(&list, &quirks)).unwrap();
    let id = value[0]["tool_calls"][0]["id"].as_str().unwrap();
    assert_eq!(id.len(), 9);
    assert_eq!(value[1]["tool_call_id"], id);
}

#[derive(Debug)]
struct Kept;

impl Recall for Kept {
    fn recall(&self, key: &str) -> Option<Arc<str>> {
        (key == "call:call_1").then(|| r#"{"reasoning_content":"kept \"x\""}"#.into())
    }
}

/// E-58: reasoning comes back in every turn that used tools.
#[test]
fn reasoning_of_earlier_turns_comes_back() {
    let quirks = Quirks {
        reasoning_history: "reasoning_content".into(),
        reasoning_required: true,
        ..Quirks::default()
    };
    let other = CALL.replace("call_1", "call_2");
    let list = format!(
        r#"[{CALL},{{"role":"tool","tool_call_id":"call_1","content":"ok"}},{other},{{"role":"tool","tool_call_id":"call_2","content":"ok"}},{{"role":"assistant","content":"a","reasoning":"said"}},{{"role":"user","content":"u"}},{{"role":"assistant","content":"b"}}]"#
    );
    let read = |recall: &dyn Recall, effort: &str| {
        let context = Context {
            mode: Mode::Emulate,
            recall,
        };
        let body = format!(r#"{{"model":"m","messages":{list}{effort}}}"#);
        let (out, _) = encode_with(&body, &quirks, &Caps::default(), &context).unwrap();
        let value: Value = serde_json::from_str(&out).unwrap();
        [0, 2, 4, 6].map(|at| value["messages"][at].get("reasoning_content").cloned())
    };
    assert_eq!(
        read(&Kept, ""),
        [
            Some(json!("kept \"x\"")),
            Some(json!("")),
            Some(json!("said")),
            None
        ]
    );
    let off = r#","reasoning_effort":"none""#;
    assert_eq!(
        read(&Forgetful, off),
        [None, None, Some(json!("said")), None]
    );
}

#[test]
fn inline_images_only() {
    let quirks = Quirks {
        inline_images: true,
        ..Quirks::default()
    };
    let body = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}"#;
    let error = encode(body, &quirks, &Caps::default()).unwrap_err();
    assert_eq!(
        error.param.as_deref(),
        Some("messages[0].content[0].image_url.url")
    );
}

proptest! {
    /// The splice changes exactly what it says: every other member keeps its bytes and its place.
    #[test]
    fn a_splice_touches_nothing_else(
        members in prop::collection::vec(("[a-z_]{3,12}x", "[ -~é€]{0,12}", 0_u64..u64::MAX), 0..8),
        at in 0_usize..8,
        stream in any::<bool>(),
    ) {
        let mut parts: Vec<String> = members.iter().enumerate().map(|(k, (name, text, number))| {
            format!("\"{name}{k}\":[{}, {number}.0 ,null]", Value::from(text.as_str()))
        }).collect();
        let at = at.min(parts.len());
        let expected: Vec<String> = parts.clone();
        parts.insert(at, format!(r#""model":"openai/m","messages":{USER},"stream":{stream},"fallbacks":[]"#));
        let body = format!("{{{}}}", parts.join(" , "));
        let (out, _) = encode(&body, &Quirks::default(), &Caps::default()).unwrap();
        let mut wanted = expected;
        wanted.insert(at, format!(r#""model":"theirs","messages":{USER},"stream":{stream}"#));
        if stream {
            wanted.push(r#""stream_options":{"include_usage":true}"#.to_owned());
        }
        prop_assert_eq!(out, format!("{{{}}}", wanted.join(",")));
    }

    /// Turn N's messages begin turn N+1's, whatever the quirks (providers cache by prefix).
    #[test]
    fn translation_is_stable_in_its_prefix(
        kinds in prop::collection::vec((0_usize..6, "[a-z]{0,6}"), 1..8),
        flags in any::<[bool; 5]>(),
    ) {
        let quirks = Quirks {
            developer_as_system: flags[0],
            strict_messages: flags[1],
            empty_content: flags[2],
            nine_letter_ids: flags[3],
            reasoning_history: if flags[4] { "reasoning_content".into() } else { String::new() },
            reasoning_required: flags[4],
            ..Quirks::default()
        };
        let list: Vec<String> = kinds.iter().enumerate().map(|(at, (kind, text))| match kind {
            0 => format!(r#"{{"role":"developer","content":"{text}"}}"#),
            1 => format!(r#"{{"role":"user","name":"n","content":"{text}"}}"#),
            2 => format!(r#"{{"role":"assistant","content":"{text}","reasoning":"r","refusal":null}}"#),
            3 => CALL.replace("call_1", &format!("call_{at}")),
            4 => format!(r#"{{"role":"tool","tool_call_id":"call_{}","content":"{text}"}}"#, at.saturating_sub(1)),
            _ => format!(r#"{{"role":"user","content":[{{"type":"text","text":"{text}"}}]}}"#),
        }).collect();
        let whole = messages(&format!("[{}]", list.join(",")), &quirks);
        let shorter = messages(&format!("[{}]", list[..list.len().saturating_sub(1)].join(",")).replace("[]", USER), &quirks);
        if list.len() > 1 {
            prop_assert!(whole.starts_with(shorter.strip_suffix(']').unwrap()), "{} {}", whole, shorter);
        }
    }
}
