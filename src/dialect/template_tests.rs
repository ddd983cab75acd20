//! Events that repeat the one before are told as any other: the same stream, once as it is and once with white
//! space that lets no event be like another, gives the same events.

use super::codec::{Dialect, Reply, Shape, Target};
use super::{Caps, Quirks, find};

fn events(dialect: &dyn Dialect, body: &str) -> Vec<String> {
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "m",
        quirks: &quirks,
        caps: &caps,
    };
    let reply = Reply {
        stream: true,
        ..Reply::default()
    };
    let mut told: Vec<String> = Vec::new();
    let mut decoder = dialect.decoder(&target, Shape::Stream, reply);
    decoder.push(body.as_bytes(), &mut told).unwrap();
    decoder.finish(&mut told).unwrap();
    assert_eq!(decoder.skipped(), 0);
    // Chunks that are handed on as they are keep the white space.
    for event in &mut told {
        while event.contains("{ ") {
            *event = event.replace("{ ", "{");
        }
    }
    told
}

fn agrees(name: &str, lines: &[String]) {
    let dialect = find(name).unwrap();
    let (mut plain, mut spaced) = (String::new(), String::new());
    for (line, spaces) in lines.iter().zip((1..8).cycle()) {
        let inside = line.strip_prefix('{').unwrap();
        let space = " ".repeat(spaces);
        plain.extend(["data: ", line, "\n\n"]);
        spaced.extend(["data: {", &space, inside, "\n\n"]);
    }
    assert_eq!(events(dialect, &plain), events(dialect, &spaced));
}

#[test]
fn anthropic_deltas() {
    let delta = |index: u32, delta: &str| {
        format!(r#"{{"type":"content_block_delta","index":{index},"delta":{{{delta}}}}}"#)
    };
    let start = |index: u32, block: &str| {
        format!(r#"{{"type":"content_block_start","index":{index},"content_block":{block}}}"#)
    };
    let mut lines = vec![
        r#"{"type":"message_start","message":{"id":"msg_1","model":"m","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}"#.to_owned(),
        start(0, r#"{"type":"thinking","thinking":"","signature":""}"#),
        start(1, r#"{"type":"text","text":""}"#),
        start(2, r#"{"type":"tool_use","id":"t","name":"f","input":{}}"#),
    ];
    for word in ["a", "b", "", "é", r#"\"\\\u00e9"#] {
        lines.push(delta(
            0,
            &format!(r#""type":"thinking_delta","thinking":"{word}""#),
        ));
    }
    lines.push(delta(0, r#""type":"signature_delta","signature":"sig""#));
    for word in ["a", "b", "}", "c"] {
        lines.push(delta(1, &format!(r#""type":"text_delta","text":"{word}""#)));
    }
    for word in [r#"{\"a\""#, ":", "1", "}"] {
        lines.push(delta(
            2,
            &format!(r#""type":"input_json_delta","partial_json":"{word}""#),
        ));
        lines.push(delta(1, &format!(r#""type":"text_delta","text":"{word}""#)));
    }
    lines.push(r#"{"type":"content_block_stop","index":1}"#.to_owned());
    // A piece of a block that is closed is nobody's.
    lines.push(delta(1, r#""type":"text_delta","text":"late""#));
    lines.push(r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#.to_owned());
    lines.push(r#"{"type":"message_stop"}"#.to_owned());
    agrees("anthropic", &lines);
}

#[test]
fn gemini_responses() {
    let response = |part: &str, more: &str, counts: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{{part}}}],"role":"model"}}{more},"index":0}}],"usageMetadata":{{"promptTokenCount":9{counts}}},"modelVersion":"m","responseId":"r"}}"#
        )
    };
    let mut lines = Vec::new();
    for (count, word) in ["a", "b", "", r"\n", "é"].into_iter().enumerate() {
        let counts = format!(
            r#","totalTokenCount":{},"thoughtsTokenCount":{count}"#,
            count + 9
        );
        lines.push(response(
            &format!(r#""text":"{word}","thought":true"#),
            "",
            &counts,
        ));
    }
    for (count, word) in ["a", "b", "c"].into_iter().enumerate() {
        let counts = format!(
            r#","candidatesTokenCount":{count},"totalTokenCount":{}"#,
            count + 14
        );
        lines.push(response(&format!(r#""text":"{word}""#), "", &counts));
    }
    for count in ["2.0", "3.5", "4", "5"] {
        lines.push(response(
            r#""text":"x""#,
            "",
            &format!(r#","candidatesTokenCount":{count}"#),
        ));
    }
    for _ in 0..3 {
        lines.push(response(r#""text":"y","thoughtSignature":"s""#, "", ""));
        lines.push(response(r#""text":"z""#, "", ""));
    }
    let last = response(
        r#""text":".""#,
        r#","finishReason":"STOP""#,
        r#","totalTokenCount":30"#,
    );
    lines.push(last);
    agrees("gemini", &lines);
}

#[test]
fn openai_chunks() {
    let chunk = |index: u32, delta: &str, finish: &str| {
        format!(
            r#"{{"id":"b","object":"chat.completion.chunk","created":5,"model":"x","choices":[{{"index":{index},"delta":{{{delta}}},"finish_reason":{finish}}}]}}"#
        )
    };
    let mut lines = Vec::new();
    for word in ["a", "b", "", "c"] {
        lines.push(chunk(0, &format!(r#""content":"{word}""#), "null"));
        lines.push(chunk(
            1,
            &format!(r#""reasoning_content":"{word}""#),
            "null",
        ));
    }
    lines.push(chunk(0, "", r#""stop""#));
    lines.push(chunk(0, r#""content":"late""#, "null"));
    lines.push(chunk(1, "", r#""length""#));
    agrees("openai", &lines);
}

#[test]
fn responses_deltas() {
    let mut number = 3_u32;
    let mut event = |kind: &str, more: &str| {
        number += 1;
        format!(r#"{{"type":"response.{kind}",{more},"sequence_number":{number}}}"#)
    };
    let item = |index: u32, item: &str| format!(r#""output_index":{index},"item":{item}"#);
    let mut lines = vec![
        event(
            "created",
            r#""response":{"id":"r","model":"m","created_at":5}"#,
        ),
        event(
            "output_item.added",
            &item(0, r#"{"type":"reasoning","id":"rs"}"#),
        ),
    ];
    for (word, part) in [("a", 0), ("b", 0), ("c", 1), ("d", 1)] {
        let more = format!(
            r#""output_index":0,"summary_index":{part},"delta":"{word}","obfuscation":"xy""#
        );
        lines.push(event("reasoning_summary_text.delta", &more));
    }
    lines.push(event(
        "output_item.added",
        &item(1, r#"{"type":"message","id":"m"}"#),
    ));
    let call = r#"{"type":"function_call","call_id":"c","name":"f"}"#;
    lines.push(event("output_item.added", &item(2, call)));
    for (word, hidden) in [
        ("a", ""),
        ("", "pq"),
        (r#"\"\n\u00e9"#, "x"),
        ("d", "delta"),
    ] {
        let more = format!(
            r#""content_index":0,"delta":"{word}","output_index":1,"logprobs":[],"obfuscation":"{hidden}""#
        );
        lines.push(event("output_text.delta", &more));
        let more = format!(r#""output_index":2,"delta":"{word}""#);
        lines.push(event("function_call_arguments.delta", &more));
        lines.push(event("function_call_arguments.delta", &more));
    }
    for probable in ["", r#"{"token":"x","logprob":-1}"#, "", ""] {
        let more =
            format!(r#""content_index":0,"delta":"x","output_index":1,"logprobs":[{probable}]"#);
        lines.push(event("output_text.delta", &more));
    }
    lines.push(event(
        "completed",
        r#""response":{"id":"r","status":"completed","output":[]}"#,
    ));
    agrees("openai-responses", &lines);
}
