//! What becomes of answers whose end is not the usual one, and of the state of a turn.

use serde_json::{Value, json};

use super::super::codec::{Decode, Dialect, Fault, Reply, Shape, Stop, Target};
use super::super::eventstream::tests::{event, frame};
use super::super::{Caps, Quirks};
use super::encode_tests::CLAUDE;
use super::{AnthropicBedrock, Bedrock};
use crate::chat::Code;

fn decoder(dialect: &dyn Dialect) -> Box<dyn Decode> {
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: CLAUDE,
        quirks: &quirks,
        caps: &caps,
    };
    dialect.decoder(&target, Shape::Stream, Reply::default())
}

/// The events of an answer, and how it ended.
fn read(dialect: &dyn Dialect, frames: &[Vec<u8>]) -> (Vec<String>, Result<(), Stop>) {
    let mut events = Vec::new();
    let mut decoder = decoder(dialect);
    let mut end = Ok(());
    for frame in frames {
        end = end.and_then(|()| decoder.push(frame, &mut events));
    }
    let end = end.and_then(|()| decoder.finish(&mut events));
    assert_eq!(decoder.done(), end.is_ok());
    (events, end)
}

fn text(index: u64, text: &str) -> Vec<u8> {
    let payload = json!({"contentBlockIndex": index, "delta": {"text": text}, "p": "abc"});
    event("contentBlockDelta", &payload.to_string())
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "payloads are written where they are used"
)]
fn told(kind: &str, payload: Value) -> Vec<u8> {
    event(kind, &payload.to_string())
}

fn start() -> Vec<u8> {
    told("messageStart", json!({"role": "assistant"}))
}

fn stop(reason: &str) -> Vec<u8> {
    told("messageStop", json!({"stopReason": reason}))
}

fn exception(name: &str) -> Vec<u8> {
    let head = [(":exception-type", name), (":message-type", "exception")];
    frame(&head, br#"{"message":"because"}"#)
}

#[test]
fn the_end_waits_for_the_counts_but_does_not_need_them() {
    let (events, end) = read(&Bedrock, &[start(), text(0, "a"), stop("end_turn")]);
    assert_eq!(end, Ok(()));
    assert!(events.last().unwrap().contains("Finish"), "{events:?}");
    let mut decoder = decoder(&Bedrock);
    let mut events: Vec<String> = Vec::new();
    let frames = [start(), text(0, "a"), stop("end_turn")].concat();
    decoder.push(&frames, &mut events).unwrap();
    assert!(!decoder.done(), "the counts are still to come");
    let usage = json!({"usage": {"inputTokens": 1, "outputTokens": 2, "cacheReadInputTokens": 4}});
    decoder.push(&told("metadata", usage), &mut events).unwrap();
    assert!(decoder.done() && events.iter().any(|event| event.contains("prompt: 5")));
}

#[test]
fn what_breaks_off_is_no_answer() {
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() - 3].to_vec();
    let table = [
        vec![start(), text(0, "a")],
        vec![start(), text(0, "a"), cut(stop("end_turn"))],
        vec![
            start(),
            text(0, "a"),
            stop("end_turn"),
            cut(stop("end_turn")),
        ],
        vec![],
    ];
    for frames in table {
        assert_eq!(read(&Bedrock, &frames).1, Err(Stop::Truncated));
    }
    let malformed = read(&Bedrock, &[start(), stop("malformed_tool_use")]).1;
    assert_eq!(
        malformed,
        Err(Stop::Malformed("malformed_tool_use".to_owned()))
    );
    let (events, end) = read(
        &Bedrock,
        &[start(), text(0, "a"), stop("malformed_model_output")],
    );
    assert!(end.is_ok() && events.last().unwrap().contains("malformed_model_output"));
    let twice = read(&Bedrock, &[start(), text(0, "a"), start()]).1;
    assert!(matches!(twice, Err(Stop::Malformed(_))), "E-17");
}

#[test]
fn exceptions_are_failures_by_their_names() {
    let table = [
        (
            "throttlingException",
            Code::RateLimitExceeded,
            Fault::Provider,
        ),
        (
            "modelStreamErrorException",
            Code::UpstreamError,
            Fault::Provider,
        ),
        (
            "internalServerException",
            Code::UpstreamError,
            Fault::Provider,
        ),
        (
            "serviceUnavailableException",
            Code::Overloaded,
            Fault::Provider,
        ),
        (
            "modelTimeoutException",
            Code::UpstreamTimeout,
            Fault::Provider,
        ),
        ("validationException", Code::InvalidRequest, Fault::Client),
        ("neverHeardOf", Code::UpstreamError, Fault::Provider),
    ];
    for (name, code, fault) in table {
        for dialect in [&Bedrock as &dyn Dialect, &AnthropicBedrock] {
            let Err(Stop::Failed(failure)) = read(dialect, &[exception(name)]).1 else {
                panic!("{name} is no failure");
            };
            assert_eq!((failure.code, failure.fault), (code, fault), "{name}");
            assert_eq!(failure.message, "because");
        }
    }
    let head = [
        (":message-type", "error"),
        (":error-code", "ThrottlingException"),
        (":error-message", "slow"),
    ];
    let Err(Stop::Failed(failure)) = read(&Bedrock, &[frame(&head, b"")]).1 else {
        panic!("an error is a failure");
    };
    assert_eq!(
        (failure.code, failure.message.as_str()),
        (Code::RateLimitExceeded, "slow")
    );
}

#[test]
fn a_payload_that_cannot_be_read_is_skipped_and_counted() {
    let mut events = Vec::<String>::new();
    let mut reader = decoder(&Bedrock);
    let frames = [
        start(),
        event("contentBlockDelta", "{"),
        text(0, "a"),
        stop("end_turn"),
    ]
    .concat();
    reader.push(&frames, &mut events).unwrap();
    reader.finish(&mut events).unwrap();
    assert_eq!(reader.skipped(), 1);
    let mut reader = decoder(&AnthropicBedrock);
    let frames = [
        event("chunk", r#"{"bytes":"!"}"#),
        event("chunk", "{}"),
        event("initial-response", ""),
    ];
    reader.push(&frames.concat(), &mut events).unwrap();
    assert_eq!(reader.skipped(), 2);
}

#[test]
fn a_turns_thinking_is_handed_over_as_the_vendor_itself_would() {
    let piece = |index: u64, reasoning: Value| {
        told(
            "contentBlockDelta",
            json!({"contentBlockIndex": index, "delta": {"reasoningContent": reasoning}}),
        )
    };
    let ended = |index: u64| told("contentBlockStop", json!({"contentBlockIndex": index}));
    let tool =
        json!({"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "f"}}});
    let frames = [
        start(),
        piece(0, json!({"text": "a"})),
        piece(0, json!({"text": "b"})),
        piece(0, json!({"signature": "S"})),
        ended(0),
        piece(1, json!({"redactedContent": "RXVR"})),
        ended(1),
        told("contentBlockStart", tool),
        stop("tool_use"),
    ];
    let (events, end) = read(&Bedrock, &frames);
    assert_eq!(end, Ok(()));
    let turn = events
        .iter()
        .find(|event| event.starts_with("Turn"))
        .unwrap();
    for part in [
        "t1",
        CLAUDE,
        r#"\"text\":\"ab\",\"signature\":\"S\""#,
        r#"\"data\":\"EuQ\""#,
    ] {
        assert!(turn.contains(part), "{part} in {turn}");
    }
    assert!(
        events
            .iter()
            .any(|event| event.contains(r#"Escaped("{}")"#)),
        "E-11"
    );
}
