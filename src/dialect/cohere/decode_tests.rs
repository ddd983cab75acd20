//! What becomes of answers: one test per event or rule.

use super::super::codec::{Dialect, Reply, Shape, Stop, Target};
use super::super::{Caps, Quirks};
use super::Cohere;
use crate::chat::Code;

fn read(shape: Shape, reply: Reply, body: &str) -> (Vec<String>, Result<(), Stop>) {
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "command-x",
        quirks: &quirks,
        caps: &caps,
    };
    let mut decoder = Cohere.decoder(&target, shape, reply);
    let mut events = Vec::new();
    let result = decoder
        .push(body.as_bytes(), &mut events)
        .and_then(|()| decoder.finish(&mut events));
    (events, result)
}

fn sse(events: &[&str]) -> String {
    let one = |event: &&str| format!("event: x\ndata: {event}\n\n");
    events.iter().map(one).collect()
}

const START: &str = r#"{"type":"message-start","id":"a1","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#;
const END: &str = r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":1,"output_tokens":2},"tokens":{"input_tokens":3,"output_tokens":4}}}}"#;

const PLANNED: [&str; 7] = [
    START,
    r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will"}}}"#,
    r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":" look."}}}"#,
    r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"f_1","type":"function","function":{"name":"f","arguments":""}}}}}"#,
    r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"a\":1}"}}}}}"#,
    r#"{"type":"tool-call-end","index":0}"#,
    END,
];

#[test]
fn a_plan_is_reasoning_and_is_kept_for_the_next_turn() {
    let (events, result) = read(Shape::Stream, Reply::default(), &sse(&PLANNED));
    assert_eq!(result, Ok(()));
    let expected = [
        r#"Start { id: Escaped("chatcmpl-a1"), model: Escaped(""), created: None }"#,
        r#"Reasoning { choice: 0, text: Escaped("I will") }"#,
        r#"Reasoning { choice: 0, text: Escaped(" look.") }"#,
        r#"ToolStart { choice: 0, index: 0, id: Escaped("f_1"), name: Escaped("f"), custom: false, extra: None }"#,
        r#"ToolArgs { choice: 0, index: 0, json: Escaped("{\\\"a\\\":1}") }"#,
    ];
    assert_eq!(events[..5], expected);
    assert!(events[5].starts_with("Usage"), "{events:?}");
    assert_eq!(
        events[6],
        r#"Turn { calls: ["f_1"], state: "{\"model\":\"command-x\",\"plan\":\"I will look.\"}" }"#
    );
    assert_eq!(
        events[7],
        "Finish { choice: 0, reason: ToolCalls, native: None }"
    );
}

#[test]
fn whole_answers_tell_the_same() {
    let body = r#"{"id":"a1","message":{"role":"assistant","tool_plan":"I will look.","tool_calls":[{"id":"f_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},
        "finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":1,"output_tokens":2},"tokens":{"input_tokens":3,"output_tokens":4}}}"#;
    let (whole, result) = read(Shape::Whole, Reply::default(), body);
    assert_eq!(result, Ok(()));
    let (streamed, _) = read(Shape::Stream, Reply::default(), &sse(&PLANNED));
    let but_plan = |events: Vec<String>| -> Vec<String> {
        let other = |event: &String| !event.starts_with("Reasoning");
        events.into_iter().filter(other).collect()
    };
    assert_eq!(but_plan(whole), but_plan(streamed));
}

#[test]
fn a_repeated_event_is_read_by_its_own_kind_and_place() {
    let delta = |kind: &str, at: u32, content: &str| {
        format!(
            r#"{{"type":"content-{kind}","index":{at},"delta":{{"message":{{"content":{content}}}}}}}"#
        )
    };
    let events = [
        START.to_owned(),
        delta("start", 0, r#"{"type":"thinking","thinking":""}"#),
        delta("delta", 0, r#"{"thinking":"a"}"#),
        delta("delta", 0, r#"{"thinking":"b"}"#),
        delta("start", 1, r#"{"type":"text","text":"c"}"#),
        delta("delta", 1, r#"{"text":"d\n"}"#),
        delta("delta", 1, r#"{"text":"\u00e9"}"#),
        delta("delta", 1, r#"{"text":""}"#),
        END.replace("TOOL_CALL", "COMPLETE"),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let (events, _) = read(Shape::Stream, Reply::default(), &sse(&events));
    let said: Vec<&str> = events
        .iter()
        .filter(|event| event.starts_with("Text") || event.starts_with("Reasoning"))
        .map(String::as_str)
        .collect();
    let expected = [
        r#"Reasoning { choice: 0, text: Escaped("a") }"#,
        r#"Reasoning { choice: 0, text: Escaped("b") }"#,
        r#"Text { choice: 0, text: Escaped("c") }"#,
        r#"Text { choice: 0, text: Escaped("d\\n") }"#,
        r#"Text { choice: 0, text: Escaped("\\u00e9") }"#,
    ];
    assert_eq!(said, expected);
    // A turn of text that answers no call has no key, and nothing is kept of it.
    assert!(events.iter().all(|event| !event.starts_with("Turn")));
}

#[test]
fn what_ends_early_is_no_answer() {
    let (_, cut) = read(Shape::Stream, Reply::default(), &sse(&PLANNED[..6]));
    assert_eq!(cut, Err(Stop::Truncated));
    let done = sse(&PLANNED[..6]) + "data: [DONE]\n\n";
    assert_eq!(
        read(Shape::Stream, Reply::default(), &done).1,
        Err(Stop::Truncated)
    );
    let (_, empty) = read(Shape::Whole, Reply::default(), "");
    assert_eq!(empty, Err(Stop::Truncated));
    let half = r#"{"id":"a","message":{"content":[]"#;
    assert_eq!(
        read(Shape::Whole, Reply::default(), half).1,
        Err(Stop::Truncated)
    );
    let unsaid = r#"{"id":"a","message":{"content":[{"type":"text","text":"x"}]}}"#;
    assert_eq!(
        read(Shape::Whole, Reply::default(), unsaid).1,
        Err(Stop::Truncated)
    );
    let page = read(Shape::Whole, Reply::default(), "<html>").1;
    assert!(matches!(page, Err(Stop::Malformed(_))), "{page:?}");
}

#[test]
fn errors_within_an_answer_are_failures() {
    let end = r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"no luck"}}"#;
    let table = [
        (Shape::Stream, sse(&[START, end])),
        (
            Shape::Stream,
            sse(&[START, r#"{"id":"x","message":"no luck"}"#]),
        ),
        (Shape::Whole, r#"{"id":"x","message":"no luck"}"#.to_owned()),
        (
            Shape::Whole,
            r#"{"id":"x","message":{"content":[]},"finish_reason":"ERROR","error":"no luck"}"#
                .to_owned(),
        ),
    ];
    for (shape, body) in table {
        let Err(Stop::Failed(failure)) = read(shape, Reply::default(), &body).1 else {
            panic!("{body} is taken for an answer");
        };
        assert_eq!(
            (failure.code, failure.message.as_str()),
            (Code::UpstreamError, "no luck")
        );
    }
}

#[test]
fn a_whole_answer_to_a_streamed_question_is_read() {
    let body = sse(&[
        r#"{"id":"a","message":{"content":[{"type":"text","text":"x"}]},"finish_reason":"COMPLETE"}"#,
    ]);
    let (events, result) = read(Shape::Stream, Reply::default(), &body);
    assert_eq!(result, Ok(()));
    assert!(
        events.iter().any(|event| event.contains(r#"Escaped("x")"#)),
        "{events:?}"
    );
}

#[test]
fn what_cannot_be_read_is_counted() {
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "m",
        quirks: &quirks,
        caps: &caps,
    };
    let mut decoder = Cohere.decoder(&target, Shape::Stream, Reply::default());
    let body = sse(&["{oops", r#"{"type":"debug","prompt":"x"}"#, END]);
    let mut events = Vec::<String>::new();
    decoder.push(body.as_bytes(), &mut events).unwrap();
    assert!(decoder.done());
    assert_eq!(decoder.skipped(), 1);
}

#[test]
fn the_deprecated_form_tells_one_call() {
    let reply = Reply {
        legacy_functions: true,
        ..Reply::default()
    };
    let (events, _) = read(Shape::Stream, reply, &sse(&PLANNED));
    let all = events.join("\n");
    assert!(!all.contains("ToolStart"), "{all}");
    assert!(
        all.contains(r#"{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}"#),
        "{all}"
    );
    assert!(all.contains("reason: FunctionCall"), "{all}");
}
