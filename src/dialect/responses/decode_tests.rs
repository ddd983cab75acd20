//! What becomes of answers: whole, streamed, healed, failed.
#![expect(
    clippy::needless_pass_by_value,
    reason = "answers are written where they are used"
)]

use serde_json::{Value, json};

use super::super::codec::{Decode, Dialect, Reply, Shape, Stop, Target};
use super::super::quirks::Quirks;
use super::super::{Caps, Fault};
use super::Responses;
use crate::chat::chunk::{Extras, Identity};
use crate::chat::{Code, Sink, WholeWriter};

fn decoder(shape: Shape, reply: Reply) -> Box<dyn Decode> {
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "asked",
        quirks: &quirks,
        caps: &caps,
    };
    Responses.decoder(&target, shape, reply)
}

/// The events of an answer.
fn events(shape: Shape, reply: Reply, body: &str) -> Result<Vec<String>, Stop> {
    let mut told: Vec<String> = Vec::new();
    let mut decoder = decoder(shape, reply);
    decoder.push(body.as_bytes(), &mut told)?;
    decoder.finish(&mut told)?;
    assert!(decoder.done());
    Ok(told)
}

/// What a client gets of an answer at once.
fn completion(shape: Shape, reply: Reply, body: &str) -> Value {
    let identity = Identity {
        id: "chatcmpl-x".into(),
        model: "m".into(),
        created: 0,
    };
    let mut writer = WholeWriter::new(identity, Extras::Shown);
    let mut decoder = decoder(shape, reply);
    let sink: &mut dyn Sink = &mut writer;
    decoder.push(body.as_bytes(), sink).unwrap();
    decoder.finish(sink).unwrap();
    serde_json::from_slice(&writer.close(None)).unwrap()
}

fn choice(answer: Value) -> Value {
    completion(Shape::Whole, Reply::default(), &answer.to_string())["choices"][0].take()
}

fn answer(output: Value) -> Value {
    json!({"object": "response", "id": "r", "model": "m", "created_at": 7, "status": "completed", "output": output})
}

fn stream(events: &[Value]) -> String {
    let frames = events.iter().map(|event| format!("data: {event}\n\n"));
    frames.collect::<Vec<_>>().concat()
}

fn streamed(events: &[Value]) -> Result<Vec<String>, Stop> {
    super::decode_tests::events(Shape::Stream, Reply::default(), &stream(events))
}

fn message(text: &str) -> Value {
    json!({"type": "message", "content": [{"type": "output_text", "text": text}]})
}

fn call(id: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": "f", "arguments": "{\"a\":1}"})
}

fn reasoning(id: &str) -> Value {
    json!({"type": "reasoning", "id": id, "encrypted_content": format!("{id}=="), "summary": [{"type": "summary_text", "text": id}]})
}

#[test]
fn items_are_told_in_order_and_servers_tools_are_not_calls() {
    let search = json!({"type": "web_search_call", "id": "ws", "action": {"query": "q"}});
    let choice = choice(answer(
        json!([reasoning("a"), search, reasoning("b"), message("x"), message("y"), call("c"),
        {"type": "never_heard_of", "n": 1}]),
    ));
    let told = &choice["message"];
    assert_eq!(told["content"], "xy");
    assert_eq!(told["reasoning_content"], "a\n\nb");
    assert_eq!(told["tool_calls"].as_array().unwrap().len(), 1);
    assert_eq!(choice["finish_reason"], "tool_calls");
    let blocks = told["provider_blocks"].as_array().unwrap();
    assert_eq!(
        (&blocks[0]["index"], &blocks[1]["block"]["n"]),
        (&json!(1), &json!(1))
    );
    // What led to a tool of the provider's own would come back before nothing.
    let kept: Vec<_> = told["reasoning_details"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["id"])
        .collect();
    assert_eq!(kept, ["b", "b"]);
}

#[test]
fn endings_have_their_reasons() {
    let ended = |status: &str, reason: &str, output: Value| {
        let mut answer = answer(output);
        answer["status"] = status.into();
        answer["incomplete_details"] = json!({"reason": reason});
        choice(answer)
    };
    let table = [
        ("completed", "", json!([message("x")]), "stop", Value::Null),
        (
            "completed",
            "",
            json!([call("c")]),
            "tool_calls",
            Value::Null,
        ),
        (
            "incomplete",
            "max_output_tokens",
            json!([call("c")]),
            "length",
            Value::Null,
        ),
        (
            "incomplete",
            "content_filter",
            json!([]),
            "content_filter",
            Value::Null,
        ),
        (
            "incomplete",
            "steered",
            json!([message("x")]),
            "length",
            json!("steered"),
        ),
    ];
    for (status, reason, output, finish, native) in table {
        let choice = ended(status, reason, output);
        assert_eq!(choice["finish_reason"], finish, "{status} {reason}");
        assert_eq!(choice["native_finish_reason"], native, "{status} {reason}");
    }
    for status in ["cancelled", "in_progress", "queued"] {
        let mut answer = answer(json!([]));
        answer["status"] = status.into();
        let result = events(Shape::Whole, Reply::default(), &answer.to_string());
        assert_eq!(result.unwrap_err(), Stop::Truncated, "{status}");
    }
}

#[test]
fn failures_within_answers_are_read() {
    let failed = |body: &str| match events(Shape::Whole, Reply::default(), body) {
        Err(Stop::Failed(failure)) => (failure.code, failure.fault),
        other => panic!("{other:?}"),
    };
    let rate = r#"{"error":{"message":"slow","code":"rate_limit_exceeded"}}"#;
    assert_eq!(failed(rate), (Code::RateLimitExceeded, Fault::Provider));
    let policy =
        r#"{"id":"r","status":"failed","output":[],"error":{"code":"bio_policy","message":"no"}}"#;
    assert_eq!(failed(policy), (Code::ContentFilter, Fault::Policy));
    let silent = r#"{"id":"r","status":"failed","output":[]}"#;
    assert_eq!(failed(silent), (Code::UpstreamError, Fault::Provider));
    let table = [
        ("", Stop::Truncated),
        ("{\"id\":\"r\",\"out", Stop::Truncated),
        (
            "<html>",
            Stop::Malformed("upstream returned HTML (200)".to_owned()),
        ),
        (
            "{\"hello\":1}",
            Stop::Malformed("the answer has no output".to_owned()),
        ),
    ];
    for (body, stop) in table {
        let result = events(Shape::Whole, Reply::default(), body);
        assert_eq!(result.unwrap_err(), stop, "{body}");
    }
}

#[test]
fn a_stream_without_its_end_is_not_whole() {
    let begun = json!({"type": "response.created", "response": answer(json!([]))});
    let word = json!({"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "x"});
    let events = [begun, word];
    assert_eq!(streamed(&events).unwrap_err(), Stop::Truncated);
    let done = format!("{}data: [DONE]\n\n", stream(&events));
    let result = super::decode_tests::events(Shape::Stream, Reply::default(), &done);
    assert_eq!(result.unwrap_err(), Stop::Truncated);
    let error = json!({"type": "error", "error": {"code": "server_error", "message": "boom"}});
    assert!(matches!(streamed(&[error]), Err(Stop::Failed(failure)) if failure.message == "boom"));
}

#[test]
fn what_a_stream_leaves_out_is_healed_by_its_last_word() {
    let output = json!([reasoning("a"), message("hello"), call("c")]);
    let whole = answer(output.clone());
    let last = json!({"type": "response.completed", "response": whole});
    let done = |index: usize| json!({"type": "response.output_item.done", "output_index": index, "item": output[index]});
    let word = |text: &str| json!({"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": text});
    let joined = |events: &[Value]| {
        let body = stream(events);
        completion(Shape::Stream, Reply::default(), &body)["choices"][0].take()
    };
    let expected = choice(whole.clone());
    let table = [
        vec![last.clone()],
        vec![done(0), done(1), done(2), last.clone()],
        vec![done(0), word("hel"), word("lo"), done(1), last.clone()],
        vec![done(0), word("hello"), last.clone()],
        vec![done(0), done(1), done(1), done(2), word("late"), last],
        vec![whole],
    ];
    for events in table {
        assert_eq!(joined(&events), expected, "{events:?}");
    }
    // Nothing of what came is told twice where the last word counts otherwise.
    let shifted = [
        done(0),
        done(1),
        done(2),
        json!({"type": "response.completed", "response": answer(json!([message("hello")]))}),
    ];
    assert_eq!(joined(&shifted)["message"]["content"], "hello");
}

#[test]
fn a_turn_is_kept_under_its_calls_or_the_call_it_answers() {
    let turn = |output: Value, answers: Option<&str>| {
        let reply = Reply {
            answers: answers.map(str::to_owned),
            ..Reply::default()
        };
        let told = events(Shape::Whole, reply, &answer(output).to_string()).unwrap();
        told.into_iter().find(|event| event.starts_with("Turn"))
    };
    let kept = turn(json!([reasoning("a"), call("c")]), None).unwrap();
    assert!(
        kept.contains(r#"calls: ["c"]"#) && kept.contains("asked") && kept.contains("a=="),
        "{kept}"
    );
    assert!(turn(json!([reasoning("a"), message("x")]), Some("c")).is_some());
    assert_eq!(turn(json!([reasoning("a"), message("x")]), None), None);
    assert_eq!(turn(json!([call("c")]), None), None);
    let mut said = message("x");
    said["phase"] = "commentary".into();
    assert!(
        turn(json!([said, call("c")]), None)
            .unwrap()
            .contains("commentary")
    );
    let mut open = reasoning("a");
    open["encrypted_content"] = Value::Null;
    assert_eq!(turn(json!([open, call("c")]), None), None);
}

#[test]
fn phases_that_differ_are_not_guessed() {
    let said = |phase: &str| {
        let mut said = message("x");
        said["phase"] = phase.into();
        said
    };
    assert_eq!(
        choice(answer(json!([said("final_answer")])))["message"]["phase"],
        "final_answer"
    );
    assert_eq!(
        choice(answer(json!([said("commentary"), said("final_answer")])))["message"]["phase"],
        Value::Null
    );
    assert_eq!(
        choice(answer(json!([message("x"), said("commentary")])))["message"]["phase"],
        Value::Null
    );
}

#[test]
fn citations_logprobs_images_and_refusals_have_their_place() {
    let url = json!({"type": "url_citation", "start_index": 0, "end_index": 1, "url": "https://x", "title": "X"});
    let file = json!({"type": "file_citation", "file_id": "f", "index": 0});
    let probable = json!([{"token": "b", "logprob": -0.5, "bytes": [98], "top_logprobs": []}]);
    let choice = choice(answer(json!([message("é\n"),
        {"type": "message", "content": [
            {"type": "output_text", "text": "b", "annotations": [url, file], "logprobs": probable},
            {"type": "refusal", "refusal": "no"}]},
        {"type": "image_generation_call", "result": "AAAA", "output_format": "webp"}])));
    let told = &choice["message"];
    assert_eq!(
        (&told["content"], &told["refusal"]),
        (&json!("é\nb"), &json!("no"))
    );
    assert_eq!(told["annotations"][0]["url_citation"]["start_index"], 2);
    assert_eq!(told["provider_annotations"][0], file);
    assert_eq!(
        choice["logprobs"],
        json!({"content": probable, "refusal": null})
    );
    assert_eq!(
        told["images"][0]["image_url"]["url"],
        "data:image/webp;base64,AAAA"
    );
}

#[test]
fn odd_calls_are_made_whole() {
    let legacy = Reply {
        legacy_functions: true,
        ..Reply::default()
    };
    let two = answer(json!([call("c"), call("d")])).to_string();
    let old = completion(Shape::Whole, legacy, &two);
    let choice = &old["choices"][0];
    assert_eq!(
        choice["message"]["function_call"],
        json!({"name": "f", "arguments": "{\"a\":1}"})
    );
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["tool_calls"]),
        (&json!("function_call"), &Value::Null)
    );
    let odd = answer(
        json!([{"type": "function_call", "name": "f", "arguments": ""}, {"type": "custom_tool_call", "call_id": "k", "name": "c", "input": ""}]),
    );
    let calls = super::decode_tests::choice(odd)["message"]["tool_calls"].take();
    assert_eq!(calls[0]["function"]["arguments"], "{}");
    assert!(calls[0]["id"].as_str().unwrap().starts_with("call_"));
    assert_eq!(calls[1]["custom"], json!({"name": "c", "input": ""}));
}
