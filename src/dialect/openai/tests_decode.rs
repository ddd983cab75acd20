//! What becomes of answers, habit by habit.

use serde_json::Value;

use crate::chat::chunk::{Extras, Identity, UsageChunk};
use crate::chat::{ChunkWriter, Code, Sink};
use crate::dialect::{Caps, Dialect, Quirks, Reply, Shape, Stop, Target};

use super::OpenAi;

pub(super) fn decode(
    shape: Shape,
    reply: &Reply,
    quirks: &Quirks,
    body: &[u8],
    sink: &mut dyn Sink,
) -> (Result<(), Stop>, u32) {
    let caps = Caps::default();
    let target = Target {
        model: "m",
        quirks,
        caps: &caps,
    };
    let mut decoder = OpenAi.decoder(&target, shape, reply.clone());
    let read = decoder.push(body, sink).and_then(|()| decoder.finish(sink));
    (read, decoder.skipped())
}

pub(super) fn reply(include_usage: bool) -> Reply {
    Reply {
        stream: true,
        include_usage,
        ..Reply::default()
    }
}

pub(super) fn identity() -> Identity {
    Identity {
        id: "chatcmpl-x".into(),
        model: "m".into(),
        created: 7,
    }
}

/// Events of a stream, each `data:` line framed.
pub(super) fn framed(lines: &[&str]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| format!("data: {line}\n\n").into_bytes())
        .collect()
}

/// A chunk of an answer `b`.
pub(super) fn chunk(delta: &str, finish: &str) -> String {
    format!(
        r#"{{"id":"b","object":"chat.completion.chunk","created":5,"model":"x","choices":[{{"index":0,"delta":{delta},"finish_reason":{finish}}}]}}"#
    )
}

/// The deltas, reasons and usage a client sees, without the envelope.
pub(super) fn told(lines: &[&str], reply: &Reply, quirks: &Quirks) -> Vec<String> {
    let mut writer = ChunkWriter::new(identity(), reply.include_usage.into(), Extras::Shown);
    let (read, _) = decode(Shape::Stream, reply, quirks, &framed(lines), &mut writer);
    read.unwrap();
    writer.close(None);
    let out = String::from_utf8(writer.take().to_vec()).unwrap();
    let mut told = Vec::new();
    for data in out
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
    {
        let Ok(value) = serde_json::from_str::<Value>(data) else {
            told.push(data.to_owned());
            continue;
        };
        let Some(choice) = value["choices"].get(0) else {
            told.push(value["usage"].to_string());
            continue;
        };
        match choice["finish_reason"].as_str() {
            Some(reason) => told.push(format!("finish {reason}")),
            None => told.push(choice["delta"].to_string()),
        }
    }
    told
}

pub(super) fn told_plainly(lines: &[&str]) -> Vec<String> {
    told(lines, &reply(false), &Quirks::default())
}

const ROLE: &str = r#"{"content":"","role":"assistant"}"#;
const ROLE_OF_CALLS: &str = r#"{"content":null,"role":"assistant"}"#;

fn sorted(text: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap();
    let mut pairs: Vec<_> = value.as_object().unwrap().iter().collect();
    pairs.sort_by_key(|(name, _)| name.as_str());
    let map: serde_json::Map<String, Value> = pairs
        .into_iter()
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    Value::Object(map).to_string()
}

fn assert_told(found: &[String], expected: &[&str]) {
    let plain = |text: &str| {
        if text.starts_with('{') {
            sorted(text)
        } else {
            text.to_owned()
        }
    };
    let found: Vec<String> = found.iter().map(|text| plain(text)).collect();
    let expected: Vec<String> = expected.iter().map(|text| plain(text)).collect();
    assert_eq!(found, expected);
}

/// H.8; E-37: a whole call, its finish and the usage in one chunk, without index and type.
#[test]
fn mistral_says_all_at_once() {
    let call = r#"{"id":"b","object":"chat.completion.chunk","created":5,"model":"x","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"id":"gSIMJiOkT","function":{"name":"weather","arguments":"{\"l\":\"SF\"}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":124,"total_tokens":146,"completion_tokens":22}}"#;
    let lines = [
        &chunk(r#"{"role":"assistant","content":""}"#, "null"),
        call,
        "[DONE]",
    ];
    let found = told(&lines, &reply(true), &Quirks::default());
    assert_told(
        &found,
        &[
            ROLE_OF_CALLS,
            r#"{"tool_calls":[{"index":0,"id":"gSIMJiOkT","type":"function","function":{"name":"weather","arguments":""}}]}"#,
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"l\":\"SF\"}"}}]}"#,
            "finish tool_calls",
            r#"{"prompt_tokens":124,"total_tokens":146,"completion_tokens":22}"#,
            "[DONE]",
        ],
    );
}

/// H.10: Azure's first chunk says nothing; H.11: Groq's usage counts once.
#[test]
fn azure_begins_and_groq_ends_oddly() {
    let azure =
        r#"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[]}"#;
    let last = r#"{"id":"b","object":"chat.completion.chunk","created":5,"model":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}},"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;
    let text = chunk(r#"{"role":"assistant","content":"hi"}"#, "null");
    let lines = [azure, &text, last, "[DONE]"];
    let mut writer = ChunkWriter::new(identity(), UsageChunk::Asked, Extras::Shown);
    decode(
        Shape::Stream,
        &reply(true),
        &Quirks::default(),
        &framed(&lines),
        &mut writer,
    )
    .0
    .unwrap();
    writer.close(None);
    let out = String::from_utf8(writer.take().to_vec()).unwrap();
    assert!(
        out.starts_with(
            r#"data: {"id":"b","object":"chat.completion.chunk","created":5,"model":"x","#
        ),
        "{out}"
    );
    assert_eq!(out.matches("\"total_tokens\"").count(), 1);
    assert!(!out.contains("x_groq"));
}

/// What is OpenAI's to the letter keeps its bytes; `usage` and `obfuscation` are as the client asked.
#[test]
fn plain_chunks_are_handed_on() {
    let first = chunk(r#"{"role":"assistant","content":"a"}"#, "null");
    let plain = |tail: &str| {
        format!(
            r#"{{"id":"b","object":"chat.completion.chunk", "created":5,"model":"x","odd":1,"choices":[{{"index":0,"delta":{{"content":"\u00e9"}},"logprobs":null,"finish_reason":null}}]{tail}}}"#
        )
    };
    let table = [
        (false, r#","usage":null,"obfuscation":"xyz""#, ""),
        (
            true,
            r#","usage":null,"obfuscation":"xyz""#,
            r#","usage":null"#,
        ),
        (true, "", r#","usage":null"#),
        (false, "", ""),
    ];
    for (include_usage, theirs, ours) in table {
        let mut writer = ChunkWriter::new(identity(), include_usage.into(), Extras::Shown);
        let lines = [
            first.as_str(),
            &plain(theirs),
            &chunk("{}", "\"stop\""),
            "[DONE]",
        ];
        decode(
            Shape::Stream,
            &reply(include_usage),
            &Quirks::default(),
            &framed(&lines),
            &mut writer,
        )
        .0
        .unwrap();
        let out = String::from_utf8(writer.take().to_vec()).unwrap();
        assert!(out.contains(&format!("data: {}\n\n", plain(ours))), "{out}");
    }
}

/// A chunk like the one before takes the short way, with the same changes; one that differs anywhere does not.
#[test]
fn chunks_like_the_one_before_change_as_it_did() {
    let plain = |index: u32, member: &str, tail: &str| {
        format!(
            r#"{{"id":"b","object":"chat.completion.chunk","created":5,"model":"x","choices":[{{"index":{index},"delta":{{{member}}},"finish_reason":null}}]{tail}}}"#
        )
    };
    let noise = |noise: &str| format!(r#","usage":null,"obfuscation":"{noise}""#);
    let mut lines = vec![chunk(r#"{"role":"assistant","content":"-"}"#, "null")];
    let mut expected = Vec::new();
    for word in ["a", r#"\"\u00e9\n"#, "é"] {
        lines.push(plain(0, &format!(r#""reasoning":"{word}""#), &noise(word)));
        expected.push(plain(0, &format!(r#""reasoning_content":"{word}""#), ""));
    }
    for word in ["a", "b", ",", "c"] {
        lines.push(plain(0, &format!(r#""content":"{word}""#), &noise("")));
        expected.push(plain(0, &format!(r#""content":"{word}""#), ""));
    }
    // What looks alike but for a member more, or nothing said.
    lines.push(plain(0, r#""content":"d","odd":"e""#, &noise("")));
    expected.push(plain(0, r#""content":"d","odd":"e""#, ""));
    lines.push(plain(0, r#""content":"""#, &noise("")));
    lines.push(chunk("{}", "\"stop\""));
    // After its end a choice says nothing more.
    lines.push(plain(0, r#""content":"f""#, &noise("")));
    lines.push("[DONE]".to_owned());
    let mut writer = ChunkWriter::new(identity(), UsageChunk::Unasked, Extras::Shown);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let quirks = Quirks::default();
    let read = decode(
        Shape::Stream,
        &reply(false),
        &quirks,
        &framed(&lines),
        &mut writer,
    );
    read.0.unwrap();
    let out = String::from_utf8(writer.take().to_vec()).unwrap();
    let found: Vec<&str> = out.trim_end().split("\n\n").skip(2).collect();
    let expected: Vec<String> = expected
        .iter()
        .map(|line| format!("data: {line}"))
        .collect();
    assert_eq!(found, expected);
}

/// E-12, E-44, E-83, E-28 and the fragments of C.6.
#[expect(clippy::too_many_lines, reason = "a table is read as a table")]
#[test]
fn calls_are_put_together_from_any_fragments() {
    let call = |json: &str| chunk(&format!(r#"{{"tool_calls":[{json}]}}"#), "null");
    let start = |index: u32, id: &str, name: &str| {
        format!(
            r#"{{"tool_calls":[{{"index":{index},"id":"{id}","type":"function","function":{{"name":"{name}","arguments":""}}}}]}}"#
        )
    };
    let more = |index: u32, json: &str| {
        format!(r#"{{"tool_calls":[{{"index":{index},"function":{{"arguments":"{json}"}}}}]}}"#)
    };
    let stop = chunk("{}", "\"stop\"");
    let table: [(&str, Vec<String>, Vec<String>); 6] = [
        (
            "one index for two calls",
            vec![
                call(r#"{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}"#),
                call(r#"{"index":0,"id":"c","function":{"name":"f","arguments":"2"}}"#),
            ],
            vec![
                start(0, "a", "f"),
                more(0, "1"),
                start(1, "c", "f"),
                more(1, "2"),
            ],
        ),
        (
            "id and name repeated, then an empty name",
            vec![
                call(r#"{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}"#),
                call(r#"{"index":0,"id":"a","function":{"name":"f","arguments":"2"}}"#),
                call(r#"{"index":0,"function":{"name":"","arguments":"3"}}"#),
            ],
            vec![start(0, "a", "f"), more(0, "1"), more(0, "2"), more(0, "3")],
        ),
        (
            "no index at all",
            vec![
                call(r#"{"id":"a","function":{"name":"f","arguments":"1"}}"#),
                call(r#"{"function":{"arguments":"2"}}"#),
                call(r#"{"id":"c","function":{"name":"g","arguments":null}}"#),
            ],
            vec![
                start(0, "a", "f"),
                more(0, "1"),
                more(0, "2"),
                start(1, "c", "g"),
                more(1, "{}"),
            ],
        ),
        (
            "indexes that begin at one",
            vec![call(
                r#"{"index":1,"id":"a","function":{"name":"f","arguments":"1"}}"#,
            )],
            vec![start(0, "a", "f"), more(0, "1")],
        ),
        (
            "arguments as an object, empty text between",
            vec![
                chunk(r#"{"content":""}"#, "null"),
                call(r#"{"index":0,"id":"a","function":{"name":"f","arguments":{"k": 1.0}}}"#),
            ],
            vec![start(0, "a", "f"), more(0, r#"{\"k\":1.0}"#)],
        ),
        (
            "a zero value of custom beside the function",
            vec![call(
                r#"{"index":0,"id":"a","type":"function","custom":{"name":"","input":""},"function":{"name":"f","arguments":"1"}}"#,
            )],
            vec![start(0, "a", "f"), more(0, "1")],
        ),
    ];
    for (name, mut lines, mut expected) in table {
        lines.push(stop.clone());
        lines.push("[DONE]".to_owned());
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        expected.insert(0, ROLE_OF_CALLS.to_owned());
        expected.push("finish tool_calls".to_owned());
        expected.push("[DONE]".to_owned());
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        let found = told_plainly(&lines);
        assert_eq!(found.len(), expected.len(), "{name}: {found:?}");
        assert_told(&found, &expected);
    }
}

#[test]
fn a_call_without_an_id_gets_one_for_the_whole_stream() {
    let lines = [
        chunk(
            r#"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{"}}]}"#,
            "null",
        ),
        chunk(
            r#"{"tool_calls":[{"index":0,"id":"","function":{"arguments":"}"}}]}"#,
            "null",
        ),
        chunk("{}", "\"tool_calls\""),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found = told_plainly(&lines);
    assert_eq!(
        found
            .iter()
            .filter(|delta| delta.contains("\"call_"))
            .count(),
        1,
        "{found:?}"
    );
}

/// E-87, E-45, Mistral's parts and the dedupe of names.
#[test]
fn reasoning_goes_by_one_name() {
    let table = [
        r#"{"reasoning":"why"}"#,
        r#"{"reasoning_content":"why","reasoning":"why"}"#,
        r#"{"reasoning_content":{"text":"why"}}"#,
        r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"why"}]}]}"#,
        r#"{"content":null,"reasoning_content":"why"}"#,
    ];
    for delta in table {
        let lines = [
            chunk(delta, "null"),
            chunk(r#"{"content":"so"}"#, "null"),
            chunk("{}", "\"stop\""),
        ];
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let expected = [
            ROLE,
            r#"{"reasoning_content":"why"}"#,
            r#"{"content":"so"}"#,
            "finish stop",
            "[DONE]",
        ];
        assert_told(&told_plainly(&lines), &expected);
        // The way of verbatim chunks says the same.
        let again = [lines[0], lines[0], lines[2]];
        let expected = [
            ROLE,
            r#"{"reasoning_content":"why"}"#,
            r#"{"reasoning_content":"why"}"#,
            "finish stop",
            "[DONE]",
        ];
        assert_told(&told_plainly(&again), &expected);
    }
    let details = chunk(
        r#"{"content":"","reasoning_details":[{"type":"reasoning.text","text":"why"}]}"#,
        "null",
    );
    let found = told_plainly(&[&details, &chunk("{}", "\"stop\"")]);
    let details = r#"{"reasoning_details":[{"type":"reasoning.text","text":"why"}]}"#;
    assert_told(
        &found,
        &[
            ROLE,
            r#"{"reasoning_content":"why"}"#,
            details,
            "finish stop",
            "[DONE]",
        ],
    );
}

#[test]
fn think_tags_are_told_apart_only_where_configured() {
    let lines = [
        chunk(r#"{"content":"<think>w"}"#, "null"),
        chunk(r#"{"content":"hy</think>\n\nso"}"#, "null"),
        chunk("{}", "\"stop\""),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let quirks = Quirks {
        think_tags: true,
        ..Quirks::default()
    };
    let found = told(&lines, &reply(false), &quirks);
    assert_told(
        &found,
        &[
            ROLE,
            r#"{"reasoning_content":"w"}"#,
            r#"{"reasoning_content":"hy"}"#,
            r#"{"content":"so"}"#,
            "finish stop",
            "[DONE]",
        ],
    );
    assert!(told_plainly(&lines)[1].contains("<think>"));
}

/// E-13, E-19, E-38 to E-41 and the other endings of C.6.
#[test]
fn endings_are_told_for_what_they_are() {
    let text = chunk(r#"{"content":"a"}"#, "null");
    let end = |reason: &str| chunk("{}", reason);
    let ok = |lines: &[&str], reason: &str| {
        let found = told_plainly(lines);
        assert_eq!(
            found[found.len() - 2],
            format!("finish {reason}"),
            "{found:?}"
        );
    };
    ok(
        &[
            &text,
            &end("\"stop\""),
            &chunk(r#"{"content":"late"}"#, "null"),
        ],
        "stop",
    );
    ok(&[&text, &end("\"tool_calls\"")], "stop");
    ok(&[&text, &end("\"eos\"")], "stop");
    ok(&[&text, &end("\"model_length\"")], "length");
    ok(&[&text, &end("\"length\""), &end("\"stop\"")], "length");
    ok(&[&text, "[DONE]", r#"{"late":1}"#], "stop");
    ok(&[&text, r#"{"choices":null}"#, &end("\"stop\"")], "stop");
    let stopped = |lines: &[&str]| {
        let mut events: Vec<String> = Vec::new();
        decode(
            Shape::Stream,
            &reply(false),
            &Quirks::default(),
            &framed(lines),
            &mut events,
        )
        .0
        .unwrap_err()
    };
    assert_eq!(stopped(&[&text]), Stop::Truncated);
    assert_eq!(
        stopped(&[&text, &end("\"\""), &end("\"null\"")]),
        Stop::Truncated
    );
    assert_eq!(stopped(&["[DONE]"]), Stop::Truncated);
    assert!(matches!(
        stopped(&[&text, &end("\"error\"")]),
        Stop::Failed(_)
    ));
    assert!(
        matches!(stopped(&[&end("\"insufficient_system_resource\"")]), Stop::Failed(f) if f.code == Code::Overloaded)
    );
    ok(&[&text, &end("\"insufficient_system_resource\"")], "length");
}

/// E-06: an event cut in two is joined once; what stays unreadable is skipped and counted.
#[test]
fn unreadable_events_are_joined_or_skipped() {
    let text = chunk(r#"{"content":"abc"}"#, "null");
    let (left, right) = text.split_at(40);
    let end = chunk("{}", "\"stop\"");
    assert_eq!(
        told_plainly(&[left, right, &end])[1],
        r#"{"content":"abc"}"#
    );
    let mut events: Vec<String> = Vec::new();
    let lines = framed(&[left, &text, &end, "[DONE]"]);
    let (read, skipped) = decode(
        Shape::Stream,
        &reply(false),
        &Quirks::default(),
        &lines,
        &mut events,
    );
    assert_eq!((read, skipped), (Ok(()), 1));
}
