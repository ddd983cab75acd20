//! What becomes of whole answers, of errors within answers, and what is kept of turns.

use serde_json::{Value, json};

use crate::chat::chunk::{Extras, UsageChunk};
use crate::chat::{ChunkWriter, Code, Event, Sink, WholeWriter};
use crate::dialect::{Quirks, Reply, Shape, Stop};

use super::tests_decode::{chunk, decode, framed, identity, reply, told};

/// E-18, E-59 and errors within a stream.
#[test]
fn errors_within_answers_are_failures() {
    let text = chunk(r#"{"content":"a"}"#, "null");
    let bodies: [(Vec<u8>, Code); 6] = [
        (framed(&[&text, r#"{"error":{"message":"m","code":"rate_limit_exceeded"}}"#]), Code::RateLimitExceeded),
        (format!("data: {text}\n\nevent: error\ndata: {{\"error\":{{\"message\":\"m\",\"type\":\"server_error\"}}}}\n\n").into_bytes(), Code::UpstreamError),
        (b"{\n \"error\": {\"message\":\"m\",\"code\":\"invalid_api_key\"}\n}".to_vec(), Code::UpstreamAuthError),
        (br#"{"code":"The service is currently unavailable","error":"Timed out"}"#.to_vec(), Code::Overloaded),
        (framed(&[&text, r#"{"choices":[],"x_groq":{"error":"over capacity"}}"#]), Code::Overloaded),
        (br#"[{"error":{"code":503,"message":"overloaded"}}]"#.to_vec(), Code::Overloaded),
    ];
    for (body, code) in bodies {
        let mut events: Vec<String> = Vec::new();
        let (read, _) = decode(
            Shape::Stream,
            &reply(false),
            &Quirks::default(),
            &body,
            &mut events,
        );
        let Err(Stop::Failed(failure)) = read else {
            panic!("{read:?}")
        };
        assert_eq!(failure.code, code);
    }
    for (shape, body) in [
        (Shape::Whole, ""),
        (Shape::Whole, "<html>"),
        (Shape::Whole, "hello"),
        (Shape::Whole, "[]"),
        (Shape::Whole, "{}"),
        (Shape::Stream, "hello"),
        (Shape::Stream, ""),
    ] {
        let mut events: Vec<String> = Vec::new();
        let (read, _) = decode(
            shape,
            &reply(false),
            &Quirks::default(),
            body.as_bytes(),
            &mut events,
        );
        assert!(matches!(read, Err(Stop::Malformed(_))), "{body}: {read:?}");
    }
    let mut events: Vec<String> = Vec::new();
    let cut = decode(
        Shape::Whole,
        &reply(false),
        &Quirks::default(),
        br#"{"id":"x","choices":[{"#,
        &mut events,
    );
    assert_eq!(cut.0, Err(Stop::Truncated));
}

fn whole(body: &str, reply: &Reply, quirks: &Quirks) -> String {
    let mut writer = WholeWriter::new(identity(), Extras::Shown);
    decode(Shape::Whole, reply, quirks, body.as_bytes(), &mut writer)
        .0
        .unwrap();
    String::from_utf8(writer.close(None)).unwrap()
}

const HEAD: &str = r#""id":"b","object":"chat.completion","created":5,"model":"x","#;

/// E-08, E-13, E-46, E-60 and B.2's oddities.
#[expect(clippy::too_many_lines, reason = "a table is read as a table")]
#[test]
fn whole_answers_are_mended_in_place() {
    let around = |choice: &str, tail: &str| format!(r#"{{{HEAD}"choices":[{choice}]{tail}}}"#);
    let stop = |message: &str, reason: &str| {
        format!(r#"{{"index":0,"message":{message},"finish_reason":"{reason}"}}"#)
    };
    let call = r#"{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}"#;
    let table = [
        (
            around(
                &stop(
                    r#"{"role":"assistant", "content":"\u00e9","odd":1}"#,
                    "stop",
                ),
                r#","z":1"#,
            ),
            None,
        ),
        (
            around(
                &stop(
                    r#"{"role":"assistant","content":"a","tool_calls":[]}"#,
                    "stop",
                ),
                "",
            ),
            Some(around(
                &stop(r#"{"role":"assistant","content":"a"}"#, "stop"),
                "",
            )),
        ),
        (
            around(
                &stop(
                    &format!(r#"{{"role":"assistant","content":null,"tool_calls":[{call}]}}"#),
                    "stop",
                ),
                "",
            ),
            Some(around(
                &stop(
                    &format!(r#"{{"role":"assistant","content":null,"tool_calls":[{call}]}}"#),
                    "tool_calls",
                ),
                "",
            )),
        ),
        (
            around(
                &stop(
                    r#"{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#,
                    "stop",
                ),
                "",
            ),
            Some(around(
                &stop(r#"{"role":"assistant","content":"ab"}"#, "stop"),
                "",
            )),
        ),
        (
            around(
                &stop(
                    r#"{"role":"assistant","content":"a","reasoning":"r"}"#,
                    "stop",
                ),
                "",
            ),
            Some(around(
                &stop(
                    r#"{"reasoning_content":"r","role":"assistant","content":"a","reasoning":"r"}"#,
                    "stop",
                ),
                "",
            )),
        ),
        (
            around(
                &stop(r#"{"role":"assistant","content":"a"}"#, "eos"),
                r#","service_tier":"on_demand","usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"prompt_tokens_details":{"cached_tokens":null}}"#,
            ),
            Some(around(
                &stop(r#"{"role":"assistant","content":"a"}"#, "stop"),
                r#","service_tier":"default","usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"prompt_tokens_details":{}}"#,
            )),
        ),
        (
            around(
                &stop(
                    r#"{"role":"assistant","content":null,"tool_calls":[{"id":"a","function":{"name":"f","arguments":{"k":1}}}]}"#,
                    "tool_calls",
                ),
                "",
            ),
            Some(around(
                &stop(
                    r#"{"role":"assistant","content":null,"tool_calls":[{"type":"function","id":"a","function":{"name":"f","arguments":"{\"k\":1}"}}]}"#,
                    "tool_calls",
                ),
                "",
            )),
        ),
    ];
    for (body, expected) in table {
        assert_eq!(
            whole(&body, &Reply::default(), &Quirks::default()),
            expected.unwrap_or(body)
        );
    }
}

/// E-29: an answer that lacks what everybody else sends is told piece by piece.
#[test]
fn bare_answers_get_what_they_lack() {
    let found = whole(
        r#"{"choices":[{"message":{"content":"a"}}]}"#,
        &Reply::default(),
        &Quirks::default(),
    );
    let value: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(value["id"], "chatcmpl-x");
    assert_eq!(value["choices"][0]["finish_reason"], "stop");
    assert_eq!(value["choices"][0]["message"]["content"], "a");
    let empty = whole(
        r#"{"id":"b","created":1,"model":"x","choices":[{"index":0,"finish_reason":"length"}]}"#,
        &Reply::default(),
        &Quirks::default(),
    );
    assert!(empty.contains(r#""finish_reason":"length""#), "{empty}");
}

#[test]
fn a_document_for_a_stream_becomes_chunks() {
    let body = format!(
        r#"{{{HEAD}"choices":[{{"index":0,"message":{{"role":"assistant","content":"hi"}},"finish_reason":"stop"}}]}}"#
    );
    let mut writer = ChunkWriter::new(identity(), UsageChunk::Unasked, Extras::Shown);
    decode(
        Shape::Stream,
        &reply(false),
        &Quirks::default(),
        body.as_bytes(),
        &mut writer,
    )
    .0
    .unwrap();
    writer.close(None);
    let out = String::from_utf8(writer.take().to_vec()).unwrap();
    assert!(
        out.contains(r#""delta":{"content":"hi"}"#) && out.ends_with("data: [DONE]\n\n"),
        "{out}"
    );
}

#[derive(Default)]
struct Turns(Vec<(Vec<String>, Value)>);

impl Sink for Turns {
    fn event(&mut self, event: Event<'_>) {
        if let Event::Turn { calls, state } = event {
            self.0
                .push((calls.to_vec(), serde_json::from_str(state).unwrap()));
        }
    }
}

/// E-58: the reasoning of a turn with calls is kept, on both ways.
#[test]
fn reasoning_of_turns_with_calls_is_kept() {
    let quirks = Quirks {
        reasoning_history: "reasoning_content".into(),
        ..Quirks::default()
    };
    let call = r#"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}"#;
    let lines = [
        chunk(
            r#"{"role":"assistant","content":null,"reasoning_content":"w\""}"#,
            "null",
        ),
        chunk(r#"{"reasoning_content":"hy"}"#, "null"),
        chunk(call, "null"),
        chunk("{}", "\"tool_calls\""),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let expected = vec![(vec!["a".to_owned()], json!({"reasoning_content":"w\"hy"}))];
    let mut turns = Turns::default();
    decode(
        Shape::Stream,
        &reply(false),
        &quirks,
        &framed(&lines),
        &mut turns,
    )
    .0
    .unwrap();
    assert_eq!(turns.0, expected);
    let body = format!(
        r#"{{{HEAD}"choices":[{{"index":0,"message":{{"role":"assistant","content":"","reasoning_content":"w\"hy","tool_calls":[{{"id":"a","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}]}},"finish_reason":"tool_calls"}}]}}"#
    );
    let mut turns = Turns::default();
    decode(
        Shape::Whole,
        &Reply::default(),
        &quirks,
        body.as_bytes(),
        &mut turns,
    )
    .0
    .unwrap();
    assert_eq!(turns.0, expected);
}

/// What was sent as a function comes back as the custom tool that the client knows.
#[test]
fn packed_custom_tools_are_unpacked() {
    let reply = Reply {
        custom_tools: vec!["c".into()],
        ..reply(false)
    };
    let lines = [
        chunk(
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"c","arguments":"{\"inp"}}]}"#,
            "null",
        ),
        chunk(
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"ut\":\"x\\ny\"}"}}]}"#,
            "null",
        ),
        chunk("{}", "\"tool_calls\""),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let found = told(&lines, &reply, &Quirks::default());
    assert!(found[1].contains(r#""type":"custom""#), "{found:?}");
    assert_eq!(
        found[2],
        r#"{"tool_calls":[{"index":0,"custom":{"input":"x\ny"}}]}"#
    );
}
