//! Answers event by event: the golden vectors, and what other gateways got wrong.

use crate::chat::chunk::{Extras, Identity, UsageChunk};
use crate::chat::{ChunkWriter, Code, Event, Sink, WholeWriter};
use crate::dialect::codec::{Again, Dialect, Reply, Shape, Stop, Target, turn_key};
use crate::dialect::gemini::Gemini;
use crate::dialect::{Caps, Quirks};

/// Both writers, and the turns that reach neither.
struct Both {
    chunks: ChunkWriter,
    whole: WholeWriter,
    turns: Vec<(Vec<String>, String)>,
}

impl Sink for Both {
    fn event(&mut self, event: Event<'_>) {
        if let Event::Turn { calls, state } = event {
            self.turns.push((calls.to_vec(), state.to_owned()));
        }
        self.chunks.event(event);
        self.whole.event(event);
    }
}

struct Read {
    /// What is new in each chunk, without the envelope.
    chunks: Vec<String>,
    whole: String,
    turns: Vec<(Vec<String>, String)>,
    skipped: u32,
    stop: Option<Stop>,
}

fn read(shape: Shape, reply: &Reply, bytes: &[u8]) -> Read {
    let identity = || Identity {
        id: "id".to_owned(),
        model: "model".to_owned(),
        created: 0,
    };
    let mut both = Both {
        chunks: ChunkWriter::new(identity(), UsageChunk::Asked, Extras::Shown),
        whole: WholeWriter::new(identity(), Extras::Shown),
        turns: Vec::new(),
    };
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "m",
        quirks: &quirks,
        caps: &caps,
    };
    let mut decoder = Gemini.decoder(&target, shape, reply.clone());
    let result = decoder
        .push(bytes, &mut both)
        .and_then(|()| decoder.finish(&mut both));
    assert_eq!(decoder.done(), result.is_ok());
    if result.is_ok() {
        both.chunks.close(None);
    }
    let out = String::from_utf8(both.chunks.take().to_vec()).unwrap();
    let chunks = out
        .split("\n\n")
        .filter_map(|line| line.split_once("\"choices\":"))
        .map(|(_, rest)| rest.replace(",\"usage\":null}", "}"))
        .collect();
    Read {
        chunks,
        whole: String::from_utf8(both.whole.close(None)).unwrap(),
        turns: both.turns,
        skipped: decoder.skipped(),
        stop: result.err(),
    }
}

fn stream(events: &[&str]) -> Read {
    let body = events.iter().fold(String::new(), |body, event| {
        body + "data: " + &event.replace('\n', " ") + "\r\n\r\n"
    });
    read(Shape::Stream, &Reply::default(), body.as_bytes())
}

fn whole(json: &str) -> Read {
    read(Shape::Whole, &Reply::default(), json.as_bytes())
}

fn delta(delta: &str) -> String {
    format!(r#"[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":null}}]}}"#)
}

fn finish(reason: &str) -> String {
    format!(r#"[{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"{reason}"}}]}}"#)
}

#[test]
fn h2_signed_and_unsigned_calls() {
    let read = whole(
        r#"{"candidates":[{"content":{"role":"model","parts":[
        {"functionCall":{"id":"fc1","name":"w","args":{"c": "Oslo"}},"thoughtSignature":"SIG"},
        {"functionCall":{"id":"fc2","name":"w","args":{"c":"Rome"}}}]},"finishReason":"STOP","index":0}],
        "usageMetadata":{"promptTokenCount":20,"candidatesTokenCount":10,"thoughtsTokenCount":70,"totalTokenCount":100},
        "modelVersion":"gemini-3-x","responseId":"r1"}"#,
    );
    let expected = concat!(
        r#"{"id":"chatcmpl-r1","object":"chat.completion","created":0,"model":"gemini-3-x","choices":[{"index":0,"message":"#,
        r#"{"role":"assistant","content":null,"refusal":null,"tool_calls":["#,
        r#"{"id":"fc1","type":"function","function":{"name":"w","arguments":"{\"c\":\"Oslo\"}"},"extra_content":{"google":{"thought_signature":"SIG"}}},"#,
        r#"{"id":"fc2","type":"function","function":{"name":"w","arguments":"{\"c\":\"Rome\"}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"#,
        r#""usage":{"prompt_tokens":20,"completion_tokens":80,"total_tokens":100,"completion_tokens_details":{"reasoning_tokens":70}}}"#,
    );
    assert_eq!(read.whole, expected);
    let state = r#"{"gemini":{"calls":{"fc1":"SIG"}}}"#;
    let calls = vec!["fc1".to_owned(), "fc2".to_owned()];
    assert_eq!(read.turns, [(calls, state.to_owned())]);
    assert_eq!(turn_key(Some("fc1"), None).unwrap(), "call:fc1");
}

#[test]
fn h6_thought_text_call_then_stop_in_the_next_event() {
    // E-13: the call is in another event than STOP. The call's id is made, once.
    let read = stream(&[
        r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"plan","thought":true}]},"index":0}],"usageMetadata":{"trafficType":"ON_DEMAND"},"responseId":"r","modelVersion":"m"}"#,
        r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Ok"},{"functionCall":{"name":"t"},"thoughtSignature":"S"}]},"index":0}]}"#,
        r#"{"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4,"thoughtsTokenCount":6,"totalTokenCount":19}}"#,
    ]);
    let id = crate::dialect::ids::made_call_id("r", 0, 0);
    let expected = [
        delta(r#"{"role":"assistant","content":""}"#),
        delta(r#"{"reasoning_content":"plan"}"#),
        delta(r#"{"content":"Ok"}"#),
        delta(&format!(
            r#"{{"tool_calls":[{{"index":0,"id":"{id}","type":"function","function":{{"name":"t","arguments":""}},"extra_content":{{"google":{{"thought_signature":"S"}}}}}}]}}"#
        )),
        delta(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#),
        finish("tool_calls"),
        r#"[],"usage":{"prompt_tokens":9,"completion_tokens":10,"total_tokens":19,"completion_tokens_details":{"reasoning_tokens":6}}}"#.to_owned(),
    ];
    assert_eq!(read.chunks, expected);
}

#[test]
fn h7_e69_a_blocked_prompt_is_an_answer() {
    let body = r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":12,"totalTokenCount":12},"modelVersion":"m"}"#;
    let read = whole(body);
    let expected = concat!(
        r#"{"id":"id","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":null,"#,
        r#""refusal":"Prompt blocked: PROHIBITED_CONTENT"},"logprobs":null,"finish_reason":"content_filter"}],"#,
        r#""usage":{"prompt_tokens":12,"completion_tokens":0,"total_tokens":12}}"#,
    );
    assert_eq!(read.whole, expected);
    let streamed =
        stream(&[r#"{"promptFeedback":{"blockReason":"OTHER","blockReasonMessage":"No."}}"#]);
    assert_eq!(
        streamed.chunks[1..3],
        [delta(r#"{"refusal":"No."}"#), finish("content_filter")]
    );
}

#[test]
fn every_finish_reason() {
    let table = [
        ("STOP", r#""stop""#),
        ("FINISH_REASON_UNSPECIFIED", r#""stop""#),
        ("MAX_TOKENS", r#""length""#),
        (
            "CONTINUATION",
            r#""length","native_finish_reason":"CONTINUATION""#,
        ),
        (
            "SAFETY",
            r#""content_filter","native_finish_reason":"SAFETY""#,
        ),
        (
            "RECITATION",
            r#""content_filter","native_finish_reason":"RECITATION""#,
        ),
        (
            "LANGUAGE",
            r#""content_filter","native_finish_reason":"LANGUAGE""#,
        ),
        ("OTHER", r#""stop","native_finish_reason":"OTHER""#),
        (
            "NEWLY_MADE_UP",
            r#""stop","native_finish_reason":"NEWLY_MADE_UP""#,
        ),
        (
            "MALFORMED_FUNCTION_CALL",
            r#""stop","native_finish_reason":"MALFORMED_FUNCTION_CALL""#,
        ),
    ];
    for (word, expected) in table {
        let read = whole(&format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"x"}}]}},"finishReason":"{word}"}}]}}"#
        ));
        let expected = format!(r#""finish_reason":{expected}}}]"#);
        assert!(read.whole.contains(&expected), "{word}: {}", read.whole);
    }
}

#[test]
fn e14_e15_an_end_without_output() {
    let empty = |word: &str| {
        whole(&format!(
            r#"{{"candidates":[{{"content":{{"role":"model"}},"finishReason":"{word}"}}]}}"#
        ))
    };
    for word in [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "MISSING_THOUGHT_SIGNATURE",
    ] {
        let Some(Stop::Failed(failure)) = empty(word).stop else {
            panic!("{word} is a failure")
        };
        assert_eq!(
            (failure.code, failure.again),
            (Code::UpstreamMalformedOutput, Again::Soon)
        );
    }
    assert!(
        matches!(empty("PUP_LIMITED_DISABLED").stop, Some(Stop::Failed(failure)) if failure.code == Code::UpstreamAuthError)
    );
    assert!(
        empty("MAX_TOKENS")
            .whole
            .contains(r#""content":"","refusal":null},"logprobs":null,"finish_reason":"length""#)
    );
}

#[test]
fn e12_e89_calls_and_candidates_are_counted_over_the_whole_answer() {
    let call = |index: u32, name: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{{"name":"{name}","args":{{}}}}}}]}},"index":{index}}}],"responseId":"r"}}"#
        )
    };
    let end = r#"{"candidates":[{"finishReason":"STOP"},{"index":1,"finishReason":"STOP"}],"responseId":"other"}"#;
    let read = stream(&[&call(0, "a"), &call(1, "b"), &call(0, "c"), end]);
    let starts: Vec<_> = read
        .chunks
        .iter()
        .filter(|chunk| chunk.contains("\"id\""))
        .collect();
    let places = [(0, 0, "a"), (1, 0, "b"), (0, 1, "c")];
    assert_eq!(starts.len(), places.len());
    for (chunk, (choice, index, name)) in starts.iter().zip(places) {
        let expected =
            format!(r#"[{{"index":{choice},"delta":{{"tool_calls":[{{"index":{index},"id":"call_"#);
        assert!(
            chunk.starts_with(&expected) && chunk.contains(&format!("\"name\":\"{name}\"")),
            "{chunk}"
        );
    }
    assert_eq!(
        read.chunks
            .iter()
            .filter(|chunk| chunk.contains("\"finish_reason\":\"tool_calls\""))
            .count(),
        2
    );
}

#[test]
fn e19_no_invented_end() {
    let truncated = stream(&[r#"{"candidates":[{"content":{"parts":[{"text":"Hal"}]}}]}"#]);
    assert_eq!(truncated.stop, Some(Stop::Truncated));
    let nothing = stream(&[r#"{"usageMetadata":{"promptTokenCount":3}}"#]);
    assert!(matches!(nothing.stop, Some(Stop::Malformed(_))));
    assert_eq!(stream(&[]).stop, Some(Stop::Truncated));
    assert!(matches!(whole("<html>").stop, Some(Stop::Malformed(_))));
    assert!(matches!(whole("").stop, Some(Stop::Malformed(_))));
    assert_eq!(
        whole(r#"{"candidates":[{"content":{"parts":[{"text":"Hal"#).stop,
        Some(Stop::Truncated)
    );
}

#[test]
fn e06_broken_events_are_joined_or_skipped() {
    let end = r#"{"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}]}"#;
    let joined = stream(&[
        r#"{"candidates":[{"content":{"parts":["#,
        r#"{"text":"a"}]}}]}"#,
        end,
    ]);
    assert!(
        joined.whole.contains(r#""content":"ab""#),
        "{}",
        joined.whole
    );
    assert_eq!(joined.skipped, 0);
    let skipped = stream(&["{nonsense", end]);
    assert!(skipped.whole.contains(r#""content":"b""#));
    assert_eq!((skipped.skipped, skipped.stop), (1, None));
}

#[test]
fn an_error_within_a_success_ends_it() {
    let error =
        r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#;
    let text = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#;
    let bodies = [
        format!("data: {text}\r\n\r\ndata: {error}\r\n\r\n"),
        format!("data: [{error}]\r\n\r\n"),
        error.to_owned(),
        format!("[{error}\n]"),
        format!("\r\n[{text},\r\n{error}]"),
    ];
    for body in bodies {
        for shape in [Shape::Stream, Shape::Whole] {
            if shape == Shape::Whole && body.starts_with("data") {
                continue;
            }
            let Some(Stop::Failed(failure)) = read(shape, &Reply::default(), body.as_bytes()).stop
            else {
                panic!("a failure was expected of {body}")
            };
            assert_eq!(failure.code, Code::Overloaded, "{body}");
        }
    }
}

#[test]
fn a_stream_may_come_as_one_array() {
    let event = |text: &str, end: &str| {
        format!(r#"{{"candidates":[{{"content":{{"parts":[{{"text":"{text}"}}]}}{end}}}]}}"#)
    };
    let body = format!(
        "[{},\r\n{}]\n",
        event("a", ""),
        event("b", r#","finishReason":"STOP""#)
    );
    let read = read(Shape::Stream, &Reply::default(), body.as_bytes());
    assert_eq!(
        read.chunks[1..4],
        [
            delta(r#"{"content":"a"}"#),
            delta(r#"{"content":"b"}"#),
            finish("stop")
        ]
    );
}

#[test]
fn names_and_arguments_are_given_back_as_the_client_knows_them() {
    let reply = Reply {
        names: vec![("geo_find".to_owned(), "geo/find".to_owned())],
        custom_tools: vec!["sql".to_owned()],
        wrapped_tools: vec!["list".to_owned()],
        ..Reply::default()
    };
    let body = r#"{"candidates":[{"content":{"parts":[
        {"functionCall":{"name":"geo_find","args":{"n": 12345678901234567890, "f": 1.0, "s": "é <b>"}}},
        {"functionCall":{"name":"sql","args":{"input":"SELECT \"a\""}}},
        {"functionCall":{"name":"list","args":{"value":[1, 2]}}}]},"finishReason":"STOP"}],"responseId":"r"}"#;
    let whole = read(Shape::Whole, &reply, body.as_bytes()).whole;
    let expected = [
        r#""type":"function","function":{"name":"geo/find","arguments":"{\"n\":12345678901234567890,\"f\":1.0,\"s\":\"é <b>\"}"}"#,
        r#""type":"custom","custom":{"name":"sql","input":"SELECT \"a\""}"#,
        r#""type":"function","function":{"name":"list","arguments":"[1,2]"}"#,
    ];
    for expected in expected {
        assert!(whole.contains(expected), "{expected} in {whole}");
    }
    let legacy = Reply {
        legacy_functions: true,
        ..Reply::default()
    };
    let whole = read(Shape::Whole, &legacy, body.as_bytes()).whole;
    assert!(
        whole.contains(r#""function_call":{"name":"geo_find","arguments":"{\"n\""#),
        "{whole}"
    );
    assert!(whole.contains(r#""finish_reason":"function_call""#) && !whole.contains("tool_calls"));
}

#[test]
fn a_signature_with_text_is_told_and_kept() {
    let reply = Reply {
        answers: Some("fc1".to_owned()),
        ..Reply::default()
    };
    let body = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Done\"}]}}],\"responseId\":\"r\"}\n\n\
        data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\",\"thoughtSignature\":\"T\"}]},\"finishReason\":\"STOP\"}]}\n\n";
    let kept = read(Shape::Stream, &reply, body.as_bytes());
    let state = r#"{"gemini":{"text":{"sig":"T","tail":0}}}"#;
    assert_eq!(kept.turns, [(Vec::new(), state.to_owned())]);
    let detail = r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"T","format":"google-gemini-v1","index":0,"tail":0}]}"#;
    assert_eq!(kept.chunks[2], delta(detail));
    // A turn of text that answers no call has no key, so that there is nothing to keep.
    let keyless = read(Shape::Stream, &Reply::default(), body.as_bytes());
    assert_eq!(keyless.turns, []);
}

#[test]
fn fields_that_have_no_event_of_their_own() {
    // E-88: metadata that comes before the end and is empty in it.
    let read = stream(&[
        r#"{"candidates":[{"content":{"parts":[{"text":"Zürich."},{"inlineData":{"mimeType":"image/png","data":"AA=="}}]},
            "groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a","title":"A"}}],
            "groundingSupports":[{"segment":{"endIndex":8},"groundingChunkIndices":[0]}]}}],"createTime":"1970-01-01T00:00:09Z"}"#,
        r#"{"candidates":[{"content":{"parts":[{"executableCode":{"code":"1"}}]},"finishReason":"STOP","groundingMetadata":{}}],"usageMetadata":{"promptTokenCount":1,"serviceTier":"standard"}}"#,
    ]);
    let expected = [
        r#""images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]"#,
        r#""annotations":[{"type":"url_citation","url_citation":{"url":"https://a","title":"A","start_index":0,"end_index":7}}]"#,
        r#""provider_blocks":[{"executableCode":{"code":"1"}}]"#,
        r#""created":9"#,
        r#""service_tier":"default""#,
    ];
    for expected in expected {
        assert!(
            read.whole.contains(expected),
            "{expected} in {}",
            read.whole
        );
    }
}

#[test]
fn fences_round_json_asked_for_in_words_are_taken_away() {
    let reply = Reply {
        strip_fences: true,
        ..Reply::default()
    };
    let body = r#"{"candidates":[{"content":{"parts":[{"text":"```json\n{\"a\""},{"text":":1}\n```"}]},"finishReason":"STOP"}]}"#;
    let whole = read(Shape::Whole, &reply, body.as_bytes()).whole;
    assert!(whole.contains(r#""content":"{\"a\":1}","#), "{whole}");
}

#[test]
fn arguments_that_come_value_by_value_are_one_object() {
    let part = |call: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{call}}}]}}}}],"responseId":"r"}}"#
        )
    };
    let piece = |path: &str, value: &str| {
        part(&format!(
            r#"{{"partialArgs":[{{"jsonPath":"{path}",{value}}}],"willContinue":true}}"#
        ))
    };
    let events = [
        part(r#"{"name":"cook","willContinue":true}"#),
        piece("$.steps[0]", r#""stringValue":"Bo","willContinue":true"#),
        piece("$.steps[0]", r#""stringValue":"il \"it\"""#),
        piece("$.minutes", r#""numberValue":5.50"#),
        part("{}"),
        // The end of the second one never comes: the answer's end closes it.
        part(r#"{"name":"rest","willContinue":true}"#),
        r#"{"candidates":[{"finishReason":"STOP"}]}"#.to_owned(),
    ];
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    let whole = stream(&events).whole;
    let expected = [
        r#""name":"cook","arguments":"{\"steps\":[\"Boil \\\"it\\\"\"],\"minutes\":5.50}""#,
        r#""name":"rest","arguments":"{}""#,
        r#""finish_reason":"tool_calls""#,
    ];
    for expected in expected {
        assert!(whole.contains(expected), "{expected} in {whole}");
    }
}
