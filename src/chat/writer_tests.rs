//! What both writers make of the same events.

use super::*;
use crate::chat::chunk::{ChunkWriter, UsageChunk};

fn identity() -> Identity {
    Identity {
        id: "chatcmpl-1".into(),
        model: "m".into(),
        created: 7,
    }
}

fn tool_answer(sink: &mut dyn Sink) {
    let text = |text| Escaped::trusted(text);
    sink.event(Event::Start {
        id: text("msg_1"),
        model: text("claude-x"),
        created: None,
    });
    sink.event(Event::Text {
        choice: 0,
        text: text("Hi\\n"),
    });
    sink.event(Event::ToolStart {
        choice: 0,
        index: 0,
        id: text("a"),
        name: text("f"),
        custom: false,
        extra: None,
    });
    sink.event(Event::ToolArgs {
        choice: 0,
        index: 0,
        json: text("{\\\"a\\\":"),
    });
    sink.event(Event::ToolArgs {
        choice: 0,
        index: 0,
        json: text("1}"),
    });
    sink.event(Event::Finish {
        choice: 0,
        reason: Finish::ToolCalls,
        native: None,
    });
    let tokens = Tokens {
        prompt: 161,
        completion: 30,
        cached: Some(100),
        ..Tokens::default()
    };
    sink.event(Event::Usage(Usage { tokens, raw: None }));
}

#[test]
fn a_stream_has_role_first_finish_once_usage_last() {
    let mut writer = ChunkWriter::new(identity(), UsageChunk::Asked, Extras::Shown);
    tool_answer(&mut writer);
    writer.close(Some("{\"attempts\":1}"));
    let out = writer.take();
    let lines: Vec<_> = std::str::from_utf8(&out).unwrap().split("\n\n").collect();
    let head = r#"data: {"id":"msg_1","object":"chat.completion.chunk","created":7,"model":"claude-x","choices":"#;
    let chunk = |delta: &str| {
        format!(
            r#"{head}[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":null}}],"usage":null}}"#
        )
    };
    let expected = [
        chunk(r#"{"role":"assistant","content":""}"#),
        chunk(r#"{"content":"Hi\n"}"#),
        chunk(
            r#"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}"#,
        ),
        chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}"#),
        chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}"#),
        format!(
            r#"{head}[{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"tool_calls"}}],"usage":null}}"#
        ),
        format!(
            r#"{head}[],"usage":{{"prompt_tokens":161,"completion_tokens":30,"total_tokens":191,"prompt_tokens_details":{{"cached_tokens":100}}}},"waypost":{{"attempts":1}}}}"#
        ),
        "data: [DONE]".to_owned(),
        String::new(),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn without_include_usage_no_usage_key_is_there_and_metadata_rides_on_the_finish() {
    let mut writer = ChunkWriter::new(identity(), UsageChunk::Unasked, Extras::Shown);
    tool_answer(&mut writer);
    writer.close(Some("{}"));
    let out = String::from_utf8(writer.take().to_vec()).unwrap();
    assert!(!out.contains("usage"));
    assert!(out.contains(r#""finish_reason":"tool_calls"}],"waypost":{}}"#));
}

#[test]
fn a_whole_answer_joins_the_pieces() {
    let mut writer = WholeWriter::new(identity(), Extras::Shown);
    tool_answer(&mut writer);
    let out = String::from_utf8(writer.close(None)).unwrap();
    let expected = r#"{"id":"msg_1","object":"chat.completion","created":7,"model":"claude-x","choices":[{"index":0,"message":{"role":"assistant","content":"Hi\n","refusal":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":161,"completion_tokens":30,"total_tokens":191,"prompt_tokens_details":{"cached_tokens":100}}}"#;
    assert_eq!(out, expected);
}

#[test]
fn an_error_ends_a_stream_without_done() {
    let mut writer = ChunkWriter::new(identity(), UsageChunk::Unasked, Extras::Shown);
    writer.event(Event::Text {
        choice: 0,
        text: Escaped::trusted("Hi"),
    });
    writer.error(&crate::chat::Error::new(
        crate::chat::Code::StreamTruncated,
        "cut",
    ));
    let out = String::from_utf8(writer.take().to_vec()).unwrap();
    assert!(
        out.ends_with("\"param\":null,\"code\":\"upstream_stream_truncated\"}}\n\n"),
        "{out}"
    );
    assert!(!out.contains("[DONE]"));
}

/// What a provider says beyond OpenAI's own members.
fn odd_answer(sink: &mut dyn Sink) {
    let choice = 0;
    let (text, json) = (Escaped::trusted("hm"), "{\"a\":1}");
    sink.event(Event::Reasoning { choice, text });
    sink.event(Event::Detail { choice, json });
    for name in ["images", "audio", "provider_blocks"] {
        sink.event(Event::Field { choice, name, json });
    }
    for name in ["citations", "service_tier", "system_fingerprint"] {
        let json = "\"x\"";
        sink.event(Event::Top { name, json });
    }
    sink.event(Event::Text { choice, text });
    sink.event(Event::Finish {
        choice,
        reason: Finish::Stop,
        native: Some("end_turn"),
    });
}

#[test]
fn what_openai_does_not_know_is_written_only_where_it_may_be_shown() {
    let own = [
        "audio",
        "service_tier",
        "system_fingerprint",
        "content",
        "prompt_tokens",
    ];
    let odd = [
        "reasoning_content",
        "reasoning_details",
        "images",
        "provider_blocks",
        "citations",
        "native_finish_reason",
        "billed_units",
    ];
    let raw = r#"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"billed_units":{"input_tokens":1}}"#;
    let usage = |sink: &mut dyn Sink| {
        let tokens = Tokens::default();
        let raw = Some(raw);
        sink.event(Event::Usage(Usage { tokens, raw }));
    };
    for extras in [Extras::Shown, Extras::Hidden] {
        let mut chunks = ChunkWriter::new(identity(), UsageChunk::Asked, extras);
        odd_answer(&mut chunks);
        usage(&mut chunks);
        chunks.close(None);
        let mut whole = WholeWriter::new(identity(), extras);
        odd_answer(&mut whole);
        usage(&mut whole);
        for out in [chunks.take().to_vec(), whole.close(None)] {
            let out = String::from_utf8(out).unwrap();
            let has = |name: &&str| out.contains(&format!("\"{name}\":"));
            assert!(own.iter().all(has), "{extras:?}: {out}");
            let shown = odd.iter().filter(|name| has(name)).count();
            let expected = if extras == Extras::Shown {
                odd.len()
            } else {
                0
            };
            assert_eq!(shown, expected, "{extras:?}: {out}");
        }
    }
}

/// Memory of one chunk serves the next: what changes between two chunks still shows.
#[test]
fn chunks_of_several_choices_and_members_of_the_top_keep_apart() {
    let mut writer = ChunkWriter::new(identity(), UsageChunk::Unasked, Extras::Shown);
    let say = |writer: &mut ChunkWriter, choice: u32| {
        let text = Escaped::trusted("a");
        writer.event(Event::Text { choice, text });
    };
    let top = |writer: &mut ChunkWriter, name: &str| {
        let json = "1";
        writer.event(Event::Top { name, json });
    };
    say(&mut writer, 0);
    say(&mut writer, 10);
    drop(writer.take());
    say(&mut writer, 10);
    say(&mut writer, 0);
    top(&mut writer, "citations");
    say(&mut writer, 0);
    say(&mut writer, 0);
    top(&mut writer, "service_tier");
    say(&mut writer, 0);
    let out = String::from_utf8(writer.take().to_vec()).unwrap();
    let head =
        r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"m","#;
    let chunk = |top: &str, choice: u32| {
        format!(
            r#"{head}{top}"choices":[{{"index":{choice},"delta":{{"content":"a"}},"logprobs":null,"finish_reason":null}}]}}"#
        )
    };
    let expected = [
        chunk("", 10),
        chunk("", 0),
        chunk(r#""citations":1,"#, 0),
        chunk("", 0),
        chunk(r#""service_tier":1,"#, 0),
        String::new(),
    ];
    assert_eq!(out.split("\n\n").collect::<Vec<_>>(), expected);
}

#[test]
fn what_a_call_cost_stands_in_its_usage_once() {
    let own = r#"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}"#;
    let theirs = r#"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"cost":0.5}"#;
    let priced = own.replace("3}", r#"3,"cost":0.001}"#);
    for (raw, wanted) in [(own, priced.as_str()), (theirs, theirs)] {
        let usage = Usage {
            tokens: Tokens::default(),
            raw: Some(raw),
        };
        let object = format!(r#"{{"id":"a","choices":[],"usage":{raw}}}"#);
        let mut whole = WholeWriter::new(identity(), Extras::Shown);
        whole.event(Event::Usage(usage));
        whole.event(Event::Raw(&object));
        whole.price("0.001".to_owned());
        let text = String::from_utf8(whole.close(None)).unwrap();
        assert_eq!(text, object.replace(raw, wanted));
        let mut stream = ChunkWriter::new(identity(), UsageChunk::Asked, Extras::Shown);
        stream.event(Event::Usage(usage));
        stream.price("0.001".to_owned());
        stream.close(None);
        let text = String::from_utf8(stream.take().to_vec()).unwrap();
        assert!(text.contains(&format!(r#""usage":{wanted}}}"#)), "{text}");
    }
}

#[test]
fn a_price_finds_the_usage_wherever_it_stands() {
    let raw = r#"{"total_tokens":3}"#;
    let priced = r#"{"total_tokens":3,"cost":1}"#;
    for object in [
        format!(r#"{{"usage" : {raw},"id":"a"}}"#),
        format!(r#"{{"usage":{raw},"object":"usage"}}"#),
        format!(r#"{{"usage":{raw},"x":{{"usage":{{"y":1}}}}}}"#),
        format!(r#"{{"choices":[{{"message":{{"content":"\"usage\":{{}}"}}}}],"usage":{raw}}}"#),
    ] {
        let mut whole = WholeWriter::new(identity(), Extras::Shown);
        whole.event(Event::Usage(Usage {
            tokens: Tokens::default(),
            raw: Some(raw),
        }));
        whole.event(Event::Raw(&object));
        whole.price("1".to_owned());
        let text = String::from_utf8(whole.close(None)).unwrap();
        assert_eq!(text, object.replace(raw, priced));
    }
}

#[test]
fn a_stream_that_is_cut_ends_as_at_a_limit() {
    let mut stream = ChunkWriter::new(identity(), UsageChunk::Unasked, Extras::Shown);
    stream.event(Event::Text {
        choice: 0,
        text: Escaped::trusted("Hi"),
    });
    stream.cut();
    stream.close(None);
    let text = String::from_utf8(stream.take().to_vec()).unwrap();
    assert!(
        text.ends_with("\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n"),
        "{text}"
    );
}
