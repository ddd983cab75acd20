//! Embeddings by Cohere: what is sent, and OpenAI's list out of what comes.

use serde_json::{Value, json};

use super::super::codec::{
    Context, Dialect, Encoded, Forgetful, Mode, Reply, Shape, Stop, Target, Vectors,
};
use super::super::{Caps, Quirks};
use super::Embeddings;
use crate::chat::chunk::{Extras, Identity};
use crate::chat::embed::Encoding;
use crate::chat::{Ask, Error, Request, WholeWriter};

fn encoded(body: &Value, mode: Mode) -> Result<(Value, Encoded), Error> {
    let request = Request::read(Ask::Embeddings, body.to_string().into_bytes())?;
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "embed-x",
        quirks: &quirks,
        caps: &caps,
    };
    let context = Context {
        mode,
        recall: &Forgetful,
    };
    let mut out = Vec::new();
    let encoded = Embeddings.encode(&request, &target, &context, &mut out)?;
    Ok((serde_json::from_slice(&out).unwrap(), encoded))
}

#[test]
fn texts_have_a_type_which_is_told_where_it_is_ours() {
    let body = json!({"model": "m", "input": "a\nb", "dimensions": 256, "user": "u", "encoding_format": "base64", "truncate": "END"});
    let (sent, found) = encoded(&body, Mode::Emulate).unwrap();
    let expected = json!({"model": "embed-x", "input_type": "search_document", "embedding_types": ["float"],
        "output_dimension": 256, "truncate": "END", "texts": ["a\nb"]});
    assert_eq!(sent, expected);
    assert_eq!(found.path, "/v2/embed");
    assert_eq!(found.report.emulated, ["input_type"]);
    assert_eq!(found.report.dropped, ["user"]);
    let body = json!({"model": "m", "input": ["a"], "input_type": "search_query"});
    let (sent, found) = encoded(&body, Mode::Strict).unwrap();
    assert_eq!(sent["input_type"], "search_query");
    assert!(found.report.emulated.is_empty());
}

#[test]
fn limits_are_said() {
    let many: Vec<String> = (0..97).map(|at| at.to_string()).collect();
    let table = [
        (json!({"model": "m", "input": many}), "at most 96"),
        (json!({"model": "m", "input": [1, 2]}), "no token ids"),
        (
            json!({"model": "m", "input": "a", "dimensions": 0}),
            "'dimensions'",
        ),
        (
            json!({"model": "m", "input": "a", "encoding_format": "int8"}),
            "'encoding_format'",
        ),
    ];
    for (body, words) in table {
        let error = encoded(&body, Mode::Emulate).unwrap_err();
        assert!(error.message.contains(words), "{}", error.message);
    }
}

fn decode(body: &str, count: usize, encoding: Encoding) -> Result<(Value, Option<u64>), Stop> {
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "embed-x",
        quirks: &quirks,
        caps: &caps,
    };
    let reply = Reply {
        vectors: Vectors { count, encoding },
        ..Reply::default()
    };
    let mut decoder = Embeddings.decoder(&target, Shape::Whole, reply);
    let identity = Identity {
        id: "x".into(),
        model: "m".into(),
        created: 0,
    };
    let mut writer = WholeWriter::new(identity, Extras::Shown);
    for piece in body.as_bytes().chunks(5) {
        decoder.push(piece, &mut writer)?;
    }
    decoder.finish(&mut writer)?;
    let tokens = writer.tokens().map(|tokens| tokens.prompt);
    let answer = writer.close(None);
    Ok((serde_json::from_slice(&answer).unwrap(), tokens))
}

#[test]
fn a_list_is_made_in_the_order_of_the_inputs() {
    let body = r#"{"id":"e","embeddings":{"float":[[0.5, -1e-3],[1,2]]},"texts":["a","b"],"meta":{"billed_units":{"input_tokens":4}},"response_type":"embeddings_by_type"}"#;
    let (answer, tokens) = decode(body, 2, Encoding::Float).unwrap();
    let expected = json!({"object": "list", "model": "embed-x", "usage": {"prompt_tokens": 4, "total_tokens": 4}, "data": [
        {"object": "embedding", "index": 0, "embedding": [0.5, -0.001]},
        {"object": "embedding", "index": 1, "embedding": [1, 2]},
    ]});
    assert_eq!((answer, tokens), (expected, Some(4)));
    let (answer, _) = decode(body, 2, Encoding::Base64).unwrap();
    assert_eq!(answer["data"][1]["embedding"], "AACAPwAAAEA=");
}

#[test]
fn what_is_missing_is_told() {
    let untold = r#"{"embeddings":{"float":[[1]]}}"#;
    let (answer, tokens) = decode(untold, 1, Encoding::Float).unwrap();
    assert_eq!(
        (&answer["usage"]["prompt_tokens"], tokens),
        (&json!(0), None)
    );
    let table = [
        (untold, 2, "Malformed"),
        (r#"{"embeddings":{"int8":[[1]]}}"#, 1, "Malformed"),
        (r#"{"id":"x","message":"internal error"}"#, 1, "Failed"),
        (r#"{"embeddings":{"flo"#, 1, "Truncated"),
    ];
    for (body, count, kind) in table {
        let stop = decode(body, count, Encoding::Float).unwrap_err();
        assert!(format!("{stop:?}").starts_with(kind), "{body}: {stop:?}");
    }
}
