//! What becomes of answers: the golden vectors and one case per rule.
#![expect(
    clippy::needless_pass_by_value,
    reason = "events are written where they are used"
)]

use serde_json::{Value, json};

use super::super::codec::{Decode, Dialect, Reply, Shape, Stop, Target};
use super::super::{Caps, Quirks};
use super::Anthropic;
use crate::chat::chunk::{Extras, Identity, UsageChunk};
use crate::chat::{ChunkWriter, Code, Sink, WholeWriter};

fn decoder(shape: Shape, reply: Reply) -> Box<dyn Decode> {
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "claude-x",
        quirks: &quirks,
        caps: &caps,
    };
    Anthropic.decoder(&target, shape, reply)
}

fn identity() -> Identity {
    Identity {
        id: "chatcmpl-0".into(),
        model: "m".into(),
        created: 0,
    }
}

fn sse(events: &[Value]) -> Vec<u8> {
    let frames = events.iter().map(|event| format!("data: {event}\n\n"));
    frames.collect::<String>().into_bytes()
}

fn run(bytes: &[u8], reply: Reply, sink: &mut dyn Sink) -> Result<u32, Stop> {
    let mut decoder = decoder(Shape::Stream, reply);
    decoder.push(bytes, sink)?;
    decoder.finish(sink)?;
    assert!(decoder.done());
    Ok(decoder.skipped())
}

/// The chunks that a client gets, without the members that all have.
fn chunks(events: &[Value], reply: Reply) -> Vec<Value> {
    let mut writer = ChunkWriter::new(identity(), UsageChunk::Asked, Extras::Shown);
    run(&sse(events), reply, &mut writer).unwrap();
    writer.close(None);
    let out = String::from_utf8(writer.take().to_vec()).unwrap();
    let data = out
        .split("\n\n")
        .filter_map(|line| line.strip_prefix("data: {"));
    data.map(|inside| {
        let mut chunk: Value = serde_json::from_str(&format!("{{{inside}")).unwrap();
        let usage = chunk["usage"].take();
        match chunk["choices"].get(0).cloned().unwrap_or_default() {
            Value::Null => json!({"usage": usage}),
            choice if choice["finish_reason"].is_null() => choice["delta"].clone(),
            choice => {
                json!({"finish": choice["finish_reason"], "native": choice["native_finish_reason"]})
            }
        }
    })
    .collect()
}

/// The whole answer's choice and usage.
fn whole(events: &[Value], reply: Reply) -> (Value, Value) {
    let mut writer = WholeWriter::new(identity(), Extras::Shown);
    run(&sse(events), reply, &mut writer).unwrap();
    let answer: Value = serde_json::from_slice(&writer.close(None)).unwrap();
    (answer["choices"][0].clone(), answer["usage"].clone())
}

fn failed(events: &[Value]) -> Stop {
    run(&sse(events), Reply::default(), &mut Vec::<String>::new()).unwrap_err()
}

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude-x", "content": [],
        "usage": {"input_tokens": 43, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 0, "output_tokens": 1}}})
}

fn block(index: u64, block: Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn delta(index: u64, delta: Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn text(index: u64, text: &str) -> Value {
    delta(index, json!({"type": "text_delta", "text": text}))
}

fn args(index: u64, json: &str) -> Value {
    delta(
        index,
        json!({"type": "input_json_delta", "partial_json": json}),
    )
}

fn tool(index: u64, id: &str, name: &str) -> Value {
    block(
        index,
        json!({"type": "tool_use", "id": id, "name": name, "input": {}}),
    )
}

fn stop(index: u64) -> Value {
    json!({"type": "content_block_stop", "index": index})
}

fn end(reason: &str) -> [Value; 2] {
    let usage = json!({"input_tokens": 61, "output_tokens": 30});
    [
        json!({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}),
        json!({"type": "message_stop"}),
    ]
}

fn ended(events: &[Value], reason: &str) -> Vec<Value> {
    let body = [&[start()], events, &end(reason)];
    body.concat()
}

#[test]
fn h3_text_two_tools_ping_and_corrected_usage() {
    // E-01, E-02, E-09, E-11, E-16, E-28.
    let events = ended(
        &[
            block(0, json!({"type": "text", "text": ""})),
            json!({"type": "ping"}),
            text(0, "Hi"),
            stop(0),
            tool(1, "toolu_a", "f"),
            args(1, ""),
            args(1, "{\"a\":"),
            args(1, "1}"),
            stop(1),
            tool(2, "toolu_b", "g"),
            stop(2),
        ],
        "tool_use",
    );
    let call = |index: u64, id: &str, name: &str| json!({"tool_calls": [{"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}]});
    let piece = |index: u64, text: &str| json!({"tool_calls": [{"index": index, "function": {"arguments": text}}]});
    let expected = [
        json!({"role": "assistant", "content": ""}),
        json!({"content": "Hi"}),
        call(0, "toolu_a", "f"),
        piece(0, "{\"a\":"),
        piece(0, "1}"),
        call(1, "toolu_b", "g"),
        piece(1, "{}"),
        json!({"finish": "tool_calls", "native": null}),
        json!({"usage": {"prompt_tokens": 161, "completion_tokens": 30, "total_tokens": 191,
            "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 0}}}),
    ];
    assert_eq!(chunks(&events, Reply::default()), expected);
}

#[test]
fn h4_a_refusal_without_content() {
    let details = json!({"type": "refusal", "category": "cyber", "explanation": "Blocked."});
    let events = [
        start(),
        json!({"type": "ping"}),
        json!({"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": details}, "usage": {"output_tokens": 5}}),
        json!({"type": "message_stop"}),
    ];
    let expected = [
        json!({"role": "assistant", "content": ""}),
        json!({"refusal": "Blocked."}),
        json!({"finish": "content_filter", "native": "refusal"}),
    ];
    assert_eq!(chunks(&events, Reply::default())[..3], expected);
}

#[test]
fn h5_an_error_is_a_failure_first_or_last() {
    // E-21.
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"});
    let spoken = [
        start(),
        block(0, json!({"type": "text", "text": "Hi"})),
        error.clone(),
    ];
    for events in [&[error][..], &spoken] {
        let Stop::Failed(failure) = failed(events) else {
            panic!("a failure was expected")
        };
        assert_eq!(
            (failure.code, failure.message.as_str()),
            (Code::Overloaded, "Overloaded")
        );
    }
    let bare = json!({"error": {"message": "gone"}});
    assert!(
        matches!(failed(&[bare]), Stop::Failed(failure) if failure.code == Code::UpstreamError)
    );
}

#[test]
fn usage_is_told_member_by_member_and_the_later_holds() {
    let zeros = |usage: Value| json!({"type": "message_start", "message": {"id": "m", "content": [], "usage": usage}});
    let last = |usage: Value| json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage});
    // E-02, E-03, E-04: cumulative, from the end only, without input at the end.
    let table = [
        (
            json!({"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 1}),
            json!({"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 9}),
            (12, 9),
        ),
        (
            json!({"input_tokens": 0}),
            json!({"input_tokens": 5, "cache_creation_input_tokens": 3, "output_tokens": 9}),
            (8, 9),
        ),
        (
            json!({"input_tokens": 5, "output_tokens": 1}),
            json!({"output_tokens": 9}),
            (5, 9),
        ),
        (
            json!({"input_tokens": 5, "output_tokens": 1}),
            Value::Null,
            (5, 1),
        ),
    ];
    for (first, second, (prompt, completion)) in table {
        let (_, usage) = whole(
            &[
                zeros(first.clone()),
                last(second),
                json!({"type": "message_stop"}),
            ],
            Reply::default(),
        );
        assert_eq!(
            (&usage["prompt_tokens"], &usage["completion_tokens"]),
            (&json!(prompt), &json!(completion)),
            "{first}"
        );
    }
}

#[test]
fn the_end_of_the_bytes_counts_only_after_a_reason() {
    let open = [start(), tool(0, "t", "f"), args(0, "{\"a")];
    assert_eq!(failed(&open), Stop::Truncated, "E-19");
    assert_eq!(failed(&[]), Stop::Truncated);
    let told = [
        start(),
        block(0, json!({"type": "text", "text": "Hi"})),
        end("max_tokens")[0].clone(),
    ];
    assert_eq!(whole(&told, Reply::default()).0["finish_reason"], "length");
}

#[test]
fn a_second_start_resets_a_silent_answer_and_breaks_a_spoken_one() {
    // E-17.
    let mut events = vec![start()];
    events.extend(ended(
        &[block(0, json!({"type": "text", "text": "Hi"}))],
        "end_turn",
    ));
    assert_eq!(
        whole(&events, Reply::default()).0["message"]["content"],
        "Hi"
    );
    let spoken = [
        start(),
        block(0, json!({"type": "text", "text": "Hi"})),
        start(),
    ];
    assert!(matches!(failed(&spoken), Stop::Malformed(_)));
}

#[test]
fn what_cannot_be_read_is_skipped_and_counted() {
    let mut bytes = b"data: {oops}\n\nevent: x\ndata: [DONE]\n\n".to_vec();
    bytes.extend(sse(&[text(7, "nobody's"), json!({"type": "new_event"})]));
    bytes.extend(sse(&ended(
        &[
            block(0, json!({"type": "text", "text": "Hi"})),
            text(1, "no"),
            stop(0),
            text(0, "late"),
        ],
        "end_turn",
    )));
    let mut writer = WholeWriter::new(identity(), Extras::Shown);
    assert_eq!(run(&bytes, Reply::default(), &mut writer), Ok(1));
    assert!(
        String::from_utf8(writer.close(None))
            .unwrap()
            .contains("\"content\":\"Hi\"")
    );
}

#[test]
fn server_blocks_are_kept_and_never_called() {
    // E-08, E-10, E-91: text round them is one text, with the offsets of its citations in code points.
    let citation = json!({"type": "web_search_result_location", "url": "https://x", "title": "X", "cited_text": "c"});
    let events = ended(
        &[
            block(0, json!({"type": "text", "text": "é😀"})),
            stop(0),
            block(
                1,
                json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}),
            ),
            args(1, "{\"q\":1}"),
            stop(1),
            block(
                2,
                json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}),
            ),
            stop(2),
            block(3, json!({"type": "text", "text": ""})),
            delta(3, json!({"type": "citations_delta", "citation": citation})),
            text(3, "abc"),
            stop(3),
        ],
        "end_turn",
    );
    let (choice, _) = whole(&events, Reply::default());
    let message = &choice["message"];
    assert_eq!(
        (&message["content"], &choice["finish_reason"]),
        (&json!("é😀abc"), &json!("stop"))
    );
    assert_eq!(message.get("tool_calls"), None);
    let url = json!({"start_index": 2, "end_index": 5, "url": "https://x", "title": "X"});
    assert_eq!(
        message["annotations"],
        json!([{"type": "url_citation", "url_citation": url}])
    );
    assert_eq!(
        message["provider_blocks"][0]["block"]["input"],
        json!({"q": 1})
    );
}

#[test]
fn reasoning_is_told_and_handed_over_for_the_next_turn() {
    let events = ended(
        &[
            block(
                0,
                json!({"type": "thinking", "thinking": "", "signature": ""}),
            ),
            delta(0, json!({"type": "thinking_delta", "thinking": "pl"})),
            delta(0, json!({"type": "thinking_delta", "thinking": "an"})),
            delta(0, json!({"type": "signature_delta", "signature": "S"})),
            delta(0, json!({"type": "signature_delta", "signature": "1"})),
            stop(0),
            block(1, json!({"type": "redacted_thinking", "data": "D"})),
            stop(1),
            block(2, json!({"type": "text", "text": "Hi"})),
            stop(2),
            tool(3, "toolu_a", "f"),
            stop(3),
        ],
        "tool_use",
    );
    let (choice, _) = whole(&events, Reply::default());
    let details = json!([
        {"type": "reasoning.text", "text": "plan", "signature": "S1", "format": "anthropic-claude-v1", "index": 0},
        {"type": "reasoning.encrypted", "data": "D", "format": "anthropic-claude-v1", "index": 1}]);
    assert_eq!(choice["message"]["reasoning_content"], "plan");
    assert_eq!(choice["message"]["reasoning_details"], details);
    let mut events_seen: Vec<String> = Vec::new();
    run(&sse(&events), Reply::default(), &mut events_seen).unwrap();
    let turn = &events_seen[events_seen.len() - 2];
    assert!(
        turn.starts_with("Turn { calls: [\"toolu_a\"]") && turn.contains("claude-x"),
        "{turn}"
    );
    // A turn of text is kept only where it answers a call.
    let spoken = ended(
        &[block(0, json!({"type": "redacted_thinking", "data": "D"}))],
        "end_turn",
    );
    for (answers, kept) in [(None, false), (Some("toolu_a".to_owned()), true)] {
        let mut seen: Vec<String> = Vec::new();
        let reply = Reply {
            answers,
            ..Reply::default()
        };
        run(&sse(&spoken), reply, &mut seen).unwrap();
        assert_eq!(seen.iter().any(|event| event.starts_with("Turn")), kept);
    }
}

#[test]
fn what_the_encoder_did_is_undone() {
    let names = vec![("geo_lookup".to_owned(), "geo/lookup".to_owned())];
    let reply = Reply {
        names,
        custom_tools: vec!["sh".to_owned()],
        wrapped_tools: vec!["geo/lookup".to_owned()],
        ..Reply::default()
    };
    let events = ended(
        &[
            tool(0, "a", "geo_lookup"),
            args(0, "{\"value\": [1,"),
            args(0, "2]}"),
            stop(0),
            tool(1, "b", "sh"),
            args(1, "{\"input\":\"ls\\n"),
            args(1, "-l\"}"),
        ],
        "tool_use",
    );
    let expected = json!([
        {"id": "a", "type": "function", "function": {"name": "geo/lookup", "arguments": "[1,2]"}},
        {"id": "b", "type": "custom", "custom": {"name": "sh", "input": "ls\n-l"}}]);
    assert_eq!(whole(&events, reply).0["message"]["tool_calls"], expected);
    let legacy = Reply {
        legacy_functions: true,
        ..Reply::default()
    };
    let (choice, _) = whole(
        &ended(
            &[tool(0, "a", "f"), args(0, "{\"x\":1}"), tool(1, "b", "g")],
            "tool_use",
        ),
        legacy,
    );
    assert_eq!(
        choice["message"]["function_call"],
        json!({"name": "f", "arguments": "{\"x\":1}"})
    );
    assert_eq!(
        (
            &choice["finish_reason"],
            choice["message"].get("tool_calls")
        ),
        (&json!("function_call"), None)
    );
}

#[test]
fn json_by_a_stand_in_or_by_instruction_is_text() {
    // E-42: only our own tool becomes text, and the answer is done.
    let reply = Reply {
        json_tool: Some("json_response".to_owned()),
        ..Reply::default()
    };
    let ours = [
        tool(0, "a", "json_response"),
        args(0, "{\"a\":"),
        args(0, "1}"),
        stop(0),
    ];
    let (choice, _) = whole(&ended(&ours, "tool_use"), reply.clone());
    assert_eq!(
        (&choice["message"]["content"], &choice["finish_reason"]),
        (&json!("{\"a\":1}"), &json!("stop"))
    );
    let theirs = [&ours[..], &[tool(1, "b", "f")]].concat();
    let (choice, _) = whole(&ended(&theirs, "tool_use"), reply);
    assert_eq!(
        (
            &choice["message"]["tool_calls"][0]["id"],
            &choice["finish_reason"]
        ),
        (&json!("b"), &json!("tool_calls"))
    );
    let fenced = Reply {
        strip_fences: true,
        ..Reply::default()
    };
    let events = ended(
        &[
            block(0, json!({"type": "text", "text": ""})),
            text(0, "```js"),
            text(0, "on\n{}\n`"),
            text(0, "``"),
        ],
        "end_turn",
    );
    assert_eq!(whole(&events, fenced).0["message"]["content"], "{}");
}

#[test]
fn whole_answers_are_read_by_the_same_rules() {
    let body = json!({"type": "message", "id": "msg_1", "model": "claude-x-1", "stop_reason": "stop_sequence", "stop_sequence": "END",
        "content": [{"type": "thinking", "thinking": "t", "signature": "S"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"},
            {"type": "tool_use", "id": "x", "name": "f", "input": {"n": 12_345_678_901_234_567_890_u64, "é": 1.0}}],
        "usage": {"input_tokens": 1, "output_tokens": 2, "service_tier": "standard", "output_tokens_details": {"thinking_tokens": 1},
            "cache_creation": {"ephemeral_1h_input_tokens": 0}}});
    let mut writer = WholeWriter::new(identity(), Extras::Shown);
    let mut decoder = decoder(Shape::Whole, Reply::default());
    decoder
        .push(body.to_string().as_bytes(), &mut writer)
        .unwrap();
    assert!(!decoder.done());
    decoder.finish(&mut writer).unwrap();
    let answer: Value = serde_json::from_slice(&writer.close(None)).unwrap();
    let message = &answer["choices"][0]["message"];
    assert_eq!(
        (&answer["id"], &answer["model"], &answer["service_tier"]),
        (
            &json!("chatcmpl-msg_1"),
            &json!("claude-x-1"),
            &json!("default")
        )
    );
    assert_eq!(
        (&message["content"], &message["stop_sequence"]),
        (&json!("ab"), &json!("END"))
    );
    assert_eq!(
        message["tool_calls"][0]["function"]["arguments"],
        "{\"n\":12345678901234567890,\"é\":1.0}"
    );
    assert_eq!(
        answer["usage"]["completion_tokens_details"]["reasoning_tokens"],
        1
    );
}

type Expected = fn(&Stop) -> bool;

#[test]
fn whole_answers_that_are_none_are_told_apart() {
    let table: [(&str, Expected); 6] = [
        ("", |stop| *stop == Stop::Truncated),
        ("{\"type\":\"message\",\"content\":[", |stop| {
            *stop == Stop::Truncated
        }),
        (
            "<html>",
            |stop| matches!(stop, Stop::Malformed(what) if what.contains("HTML")),
        ),
        ("{\"ok\":true}", |stop| matches!(stop, Stop::Malformed(_))),
        ("{\"type\":\"message\",\"content\":[]}", |stop| {
            *stop == Stop::Truncated
        }),
        (
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"m"}}"#,
            |stop| matches!(stop, Stop::Failed(f) if f.code == Code::RateLimitExceeded),
        ),
    ];
    for (body, expected) in table {
        let mut decoder = decoder(Shape::Whole, Reply::default());
        let mut sink: Vec<String> = Vec::new();
        decoder.push(body.as_bytes(), &mut sink).unwrap();
        let stop = decoder.finish(&mut sink).unwrap_err();
        assert!(expected(&stop), "{body}: {stop:?}");
    }
}
