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
