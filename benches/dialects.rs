//! What a dialect costs: time and allocations per streamed event, and the encoding of a long prompt.
//!
//! `cargo bench` prints for each dialect a stream of 1,000 text events and of 1,000 tool-argument events (divide by
//! 1,000 for one event), and the encoding of a request of 200 KB.
#![expect(
    clippy::expect_used,
    reason = "a benchmark stops where its own input is wrong"
)]

use std::fmt::Write as _;

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use waypost::chat::chunk::{Extras, Identity, UsageChunk};
use waypost::chat::{ChunkWriter, Request};
use waypost::dialect::codec::Forgetful;
use waypost::dialect::{self, Caps, Context, Mode, Quirks, Reply, Shape, Target};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const EVENTS: usize = 1_000;

fn main() {
    divan::main();
}

#[divan::bench(args = ["openai", "openai-responses", "anthropic", "gemini"])]
fn stream_text(bencher: Bencher<'_, '_>, name: &str) {
    let events = match name {
        "openai" => openai_text(),
        "openai-responses" => responses_text(),
        "anthropic" => anthropic_text(),
        _ => gemini_text(),
    };
    stream(bencher, name, &events);
}

#[divan::bench(args = ["openai", "openai-responses", "anthropic"])]
fn stream_tool_arguments(bencher: Bencher<'_, '_>, name: &str) {
    let events = match name {
        "openai" => openai_arguments(),
        "openai-responses" => responses_arguments(),
        _ => anthropic_arguments(),
    };
    stream(bencher, name, &events);
}

#[divan::bench(args = ["openai", "openai-responses", "anthropic", "gemini"])]
fn encode_200_kb(bencher: Bencher<'_, '_>, name: &str) {
    let text = "The quick brown fox jumps over the lazy dog. \\n".repeat(200_000 / 47);
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"system","content":"Be brief."}},{{"role":"user","content":"{text}"}}],"temperature":0.7,"max_tokens":512}}"#
    );
    let length = body.len();
    let request = Request::parse(body.into_bytes()).expect("a good request");
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "some-model",
        quirks: &quirks,
        caps: &caps,
    };
    let context = Context {
        mode: Mode::Emulate,
        recall: &Forgetful,
    };
    let dialect = dialect::find(name).expect("a known dialect");
    let mut out = Vec::with_capacity(length * 2);
    bencher.counter(BytesCount::new(length)).bench_local(|| {
        out.clear();
        black_box(dialect.encode(&request, &target, &context, &mut out)).expect("it encodes");
    });
}

#[divan::bench]
fn parse_200_kb(bencher: Bencher<'_, '_>) {
    let text = "The quick brown fox jumps over the lazy dog. \\n".repeat(200_000 / 47);
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{text}"}}]}}"#)
        .into_bytes();
    let length = body.len();
    bencher
        .counter(BytesCount::new(length))
        .with_inputs(|| body.clone())
        .bench_local_values(|body| black_box(Request::parse(body)));
}

fn stream(bencher: Bencher<'_, '_>, name: &str, events: &[String]) {
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "some-model",
        quirks: &quirks,
        caps: &caps,
    };
    let dialect = dialect::find(name).expect("a known dialect");
    bencher.counter(ItemsCount::new(EVENTS)).bench_local(|| {
        let identity = Identity {
            id: "chatcmpl-1".into(),
            model: "some-model".into(),
            created: 1,
        };
        let mut writer = ChunkWriter::new(identity, UsageChunk::Unasked, Extras::Shown);
        let reply = Reply {
            stream: true,
            ..Reply::default()
        };
        let mut decoder = dialect.decoder(&target, Shape::Stream, reply);
        for event in events {
            decoder
                .push(event.as_bytes(), &mut writer)
                .expect("a good stream");
            black_box(writer.take());
        }
        decoder.finish(&mut writer).expect("a whole stream");
        writer.close(None);
        black_box(writer.take())
    });
}

fn openai_text() -> Vec<String> {
    openai_stream(|n| format!(r#"{{"content":" word {n}"}}"#))
}

fn openai_arguments() -> Vec<String> {
    openai_stream(|n| {
        if n == 0 {
            r#"{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}}]}"#.into()
        } else {
            r#"{"tool_calls":[{"index":0,"function":{"arguments":"\"k\","}}]}"#.into()
        }
    })
}

fn openai_stream(delta: impl Fn(usize) -> String) -> Vec<String> {
    let chunk = |delta: &str, finish: &str| {
        let mut out = String::from("data: ");
        let _ = write!(
            out,
            r#"{{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp","choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}],"usage":null}}"#
        );
        out.push_str("\n\n");
        out
    };
    let mut events = vec![chunk(r#"{"role":"assistant","content":""}"#, "null")];
    events.extend((0..EVENTS).map(|n| chunk(&delta(n), "null")));
    events.push(chunk("{}", "\"stop\""));
    events.push("data: [DONE]\n\n".into());
    events
}

fn responses_text() -> Vec<String> {
    let item = r#"{"type":"message","id":"msg_1","content":[]}"#;
    responses_stream(item, "output_text", |n| {
        format!(r#""content_index":0,"delta":" word {n}","logprobs":[],"obfuscation":"Zk4q""#)
    })
}

fn responses_arguments() -> Vec<String> {
    let item =
        r#"{"type":"function_call","id":"fc_1","call_id":"call_1","name":"f","arguments":""}"#;
    responses_stream(item, "function_call_arguments", |_| {
        r#""delta":"\"k\",","obfuscation":"Zk4q""#.into()
    })
}

fn responses_stream(item: &str, kind: &str, delta: impl Fn(usize) -> String) -> Vec<String> {
    let event = |kind: &str, members: &str, number: usize| {
        format!(
            "event: response.{kind}\ndata: {{\"type\":\"response.{kind}\",{members},\"sequence_number\":{number}}}\n\n"
        )
    };
    let response = |status: &str| {
        format!(
            r#""response":{{"id":"resp_1","model":"m","created_at":1,"status":"{status}","output":[]}}"#
        )
    };
    let mut events = vec![
        event("created", &response("in_progress"), 0),
        event(
            "output_item.added",
            &format!(r#""output_index":0,"item":{item}"#),
            1,
        ),
    ];
    events.extend((0..EVENTS).map(|n| {
        let members = format!(r#""item_id":"x_1","output_index":0,{}"#, delta(n));
        event(&format!("{kind}.delta"), &members, n + 2)
    }));
    events.push(event("completed", &response("completed"), EVENTS + 2));
    events
}

fn anthropic_text() -> Vec<String> {
    anthropic_stream(r#"{"type":"text","text":""}"#, |n| {
        format!(r#"{{"type":"text_delta","text":" word {n}"}}"#)
    })
}

fn anthropic_arguments() -> Vec<String> {
    anthropic_stream(
        r#"{"type":"tool_use","id":"toolu_1","name":"f","input":{}}"#,
        |_| r#"{"type":"input_json_delta","partial_json":"\"k\","}"#.into(),
    )
}

fn anthropic_stream(block: &str, delta: impl Fn(usize) -> String) -> Vec<String> {
    let event = |name: &str, data: &str| format!("event: {name}\ndata: {data}\n\n");
    let mut events = vec![
        event(
            "message_start",
            r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}"#,
        ),
        event(
            "content_block_start",
            &format!(r#"{{"type":"content_block_start","index":0,"content_block":{block}}}"#),
        ),
    ];
    events.extend((0..EVENTS).map(|n| {
        let data = format!(
            r#"{{"type":"content_block_delta","index":0,"delta":{}}}"#,
            delta(n)
        );
        event("content_block_delta", &data)
    }));
    events.push(event(
        "content_block_stop",
        r#"{"type":"content_block_stop","index":0}"#,
    ));
    events.push(event(
        "message_delta",
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":1000}}"#,
    ));
    events.push(event("message_stop", r#"{"type":"message_stop"}"#));
    events
}

fn gemini_text() -> Vec<String> {
    let event = |n: usize, finish: &str| {
        format!(
            "data: {{\"candidates\": [{{\"content\": {{\"parts\": [{{\"text\": \" word {n}\"}}],\"role\": \"model\"}}{finish},\"index\": 0}}],\"usageMetadata\": {{\"promptTokenCount\": 9,\"candidatesTokenCount\": {n},\"totalTokenCount\": {n}}},\"modelVersion\": \"m\",\"responseId\": \"r\"}}\r\n\r\n"
        )
    };
    let mut events: Vec<String> = (0..EVENTS).map(|n| event(n, "")).collect();
    events.push(event(EVENTS, ",\"finishReason\": \"STOP\""));
    events
}
