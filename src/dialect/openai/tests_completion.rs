//! Completions of a text: passed, and never taken for whole where they are not.

use super::super::codec::{Context, Decode, Dialect, Forgetful, Mode, Reply, Shape, Stop, Target};
use super::super::{Caps, Quirks};
use super::Completions;
use crate::chat::chunk::{Extras, Identity, UsageChunk};
use crate::chat::{Ask, ChunkWriter, Request, WholeWriter};

fn identity() -> Identity {
    Identity {
        id: "x".into(),
        model: "m".into(),
        created: 0,
    }
}

fn decoder(shape: Shape, stream: bool) -> Box<dyn Decode> {
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "m",
        quirks: &quirks,
        caps: &caps,
    };
    let reply = Reply {
        stream,
        ..Reply::default()
    };
    Completions.decoder(&target, shape, reply)
}

/// What the client gets of a stream, cut anywhere; the second is why it ends badly.
fn streamed(body: &str, size: usize) -> (String, Option<Stop>) {
    let mut decoder = decoder(Shape::Stream, true);
    let mut writer = ChunkWriter::new(identity(), UsageChunk::Unasked, Extras::Shown);
    for piece in body.as_bytes().chunks(size) {
        if decoder.done() {
            break;
        }
        if let Err(stop) = decoder.push(piece, &mut writer) {
            return (text(&mut writer), Some(stop));
        }
    }
    if let Err(stop) = decoder.finish(&mut writer) {
        return (text(&mut writer), Some(stop));
    }
    writer.close(Some("{\"provider\":\"p\"}"));
    (text(&mut writer), None)
}

fn text(writer: &mut ChunkWriter) -> String {
    String::from_utf8(writer.take().to_vec()).unwrap()
}

const ONE: &str = r#"{"id":"c","object":"text_completion","choices":[{"text":"On","index":0,"finish_reason":null}]}"#;
const END: &str = r#"{"id":"c","object":"text_completion","choices":[{"text":"ce","index":0,"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"{"id":"c","object":"text_completion","choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3}}"#;

fn sse(events: &[&str]) -> String {
    let lines: Vec<String> = events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    lines.concat()
}

#[test]
fn the_body_passes_with_the_model_replaced() {
    let body =
        r#"{"model":"openai/x","prompt":["a",  "b"],"max_tokens":0,"echo":true,"waypost":{}}"#;
    let request = Request::read(Ask::Completion, body.as_bytes().to_vec()).unwrap();
    let quirks = Quirks {
        completions_path: "/completions".to_owned(),
        ..Quirks::default()
    };
    let caps = Caps::default();
    let target = Target {
        model: "davinci-002",
        quirks: &quirks,
        caps: &caps,
    };
    let context = Context {
        mode: Mode::Strict,
        recall: &Forgetful,
    };
    let mut out = Vec::new();
    let encoded = Completions
        .encode(&request, &target, &context, &mut out)
        .unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"model":"davinci-002","prompt":["a",  "b"],"max_tokens":0,"echo":true}"#
    );
    assert_eq!(
        (encoded.path.as_str(), encoded.shape),
        ("/completions", Shape::Whole)
    );
}

#[test]
fn events_pass_and_the_last_bears_the_metadata() {
    let told = |event: &str| event.replace("}]}", "}],\"waypost\":{\"provider\":\"p\"}}");
    let body = sse(&[ONE, END, "[DONE]"]);
    for size in [1, 7, 4096] {
        let (got, stop) = streamed(&body, size);
        assert_eq!(stop, None);
        assert_eq!(got, sse(&[ONE, &told(END), "[DONE]"]));
    }
    let (got, _) = streamed(&sse(&[ONE, END, USAGE, "[DONE]"]), 4096);
    let last = USAGE.replace("3}}", "3},\"waypost\":{\"provider\":\"p\"}}");
    assert_eq!(got, sse(&[ONE, END, &last, "[DONE]"]));
    // A clean end without the word for it, after a reason to end.
    let (got, stop) = streamed(&sse(&[ONE, END]), 4096);
    assert_eq!((got, stop), (sse(&[ONE, &told(END), "[DONE]"]), None));
}

#[test]
fn half_a_stream_is_no_answer() {
    let (got, stop) = streamed(&sse(&[ONE]), 4096);
    assert_eq!((got, stop), (sse(&[ONE]), Some(Stop::Truncated)));
    let (_, stop) = streamed(&sse(&["[DONE]"]), 4096);
    assert_eq!(stop, Some(Stop::Truncated));
    let error = r#"{"error":{"message":"overloaded","type":"server_error"}}"#;
    let (got, stop) = streamed(&sse(&[ONE, error]), 4096);
    assert_eq!(got, sse(&[ONE]));
    assert!(matches!(stop, Some(Stop::Failed(_))), "{stop:?}");
}

#[test]
fn a_document_passes_whole_and_within_a_stream() {
    let body = "{\"id\":\"c\",\n \"choices\":[{\"text\":\"x\",\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n";
    let mut whole = decoder(Shape::Whole, false);
    let mut writer = WholeWriter::new(identity(), Extras::Shown);
    whole.push(body.as_bytes(), &mut writer).unwrap();
    whole.finish(&mut writer).unwrap();
    assert_eq!(
        writer.tokens().map(|t| (t.prompt, t.completion)),
        Some((1, 2))
    );
    assert_eq!(
        String::from_utf8(writer.close(None)).unwrap(),
        body.trim_end()
    );
    let mut whole = decoder(Shape::Whole, true);
    let mut writer = ChunkWriter::new(identity(), UsageChunk::Unasked, Extras::Shown);
    whole.push(body.as_bytes(), &mut writer).unwrap();
    whole.finish(&mut writer).unwrap();
    writer.close(None);
    let got = text(&mut writer);
    assert_eq!(got.matches("\n\n").count(), 2, "{got}");
    assert!(!got.contains(",\n"), "{got}");
    let mut odd = decoder(Shape::Whole, false);
    odd.push(b"{\"id\":1}", &mut Vec::<String>::new()).unwrap();
    let stop = odd.finish(&mut Vec::<String>::new()).unwrap_err();
    assert!(matches!(stop, Stop::Malformed(_)), "{stop:?}");
}
