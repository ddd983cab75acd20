//! Embeddings: what is sent, and what becomes of lists.

use serde_json::{Value, json};

use super::super::codec::{
    Context, Decode, Dialect, Encoded, Forgetful, Mode, Reply, Shape, Stop, Target, Vectors,
};
use super::super::corpus_tests::{CUTS, exchanges, pieces, read};
use super::super::{Caps, Quirks};
use super::Embeddings;
use crate::chat::chunk::{Extras, Identity};
use crate::chat::embed::{Encoding, encoding};
use crate::chat::{Ask, Code, Error, Request, WholeWriter};

fn encoded(body: &str, quirks: &Quirks) -> Result<(String, Encoded), Error> {
    let request = Request::read(Ask::Embeddings, body.as_bytes().to_vec())?;
    let caps = Caps::default();
    let target = Target {
        model: "text-embedding-x",
        quirks,
        caps: &caps,
    };
    let context = Context {
        mode: Mode::Emulate,
        recall: &Forgetful,
    };
    let mut out = Vec::new();
    let encoded = Embeddings.encode(&request, &target, &context, &mut out)?;
    Ok((String::from_utf8(out).unwrap(), encoded))
}

#[test]
fn members_pass_byte_for_byte_but_for_the_model() {
    let body = r#"{"model":"openai/x","input":["a", "b\u00e9"],"encoding_format":"base64","waypost":{"params":"drop"},"odd": 1.0,"user":null}"#;
    let (sent, encoded) = encoded(body, &Quirks::default()).unwrap();
    let expected = r#"{"model":"text-embedding-x","input":["a", "b\u00e9"],"encoding_format":"base64","odd":1.0}"#;
    assert_eq!(sent, expected);
    assert_eq!(encoded.path, "/embeddings");
    let wanted = Vectors {
        count: 2,
        encoding: Encoding::Base64,
    };
    assert_eq!(encoded.reply.vectors, wanted);
}

#[test]
fn a_provider_may_have_names_and_limits_of_its_own() {
    let mut quirks = Quirks::default();
    quirks.embeddings.drop = vec!["user".to_owned()];
    quirks.embeddings.rename = [("dimensions".to_owned(), "output_dimension".to_owned())].into();
    quirks.embeddings.tokens = false;
    quirks.embeddings.batch = Some(2);
    let body = r#"{"model":"m","input":"a","dimensions":256,"user":"u"}"#;
    let (sent, found) = encoded(body, &quirks).unwrap();
    assert_eq!(
        sent,
        r#"{"model":"text-embedding-x","input":"a","output_dimension":256}"#
    );
    assert_eq!(found.report.dropped, ["user"]);
    let tokens = encoded(r#"{"model":"m","input":[1,2]}"#, &quirks).unwrap_err();
    assert_eq!(
        (tokens.code, tokens.param.as_deref()),
        (Code::UnsupportedParameter, Some("input"))
    );
    let many = encoded(r#"{"model":"m","input":["a","b","c"]}"#, &quirks).unwrap_err();
    assert!(many.message.contains("at most 2"), "{}", many.message);
}

fn decode(cut: &[&[u8]], vectors: Vectors) -> Result<Value, Stop> {
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "m",
        quirks: &quirks,
        caps: &caps,
    };
    let reply = Reply {
        vectors,
        ..Reply::default()
    };
    let mut decoder: Box<dyn Decode> = Embeddings.decoder(&target, Shape::Whole, reply);
    let identity = Identity {
        id: "x".into(),
        model: "m".into(),
        created: 0,
    };
    let mut writer = WholeWriter::new(identity, Extras::Shown);
    for piece in cut {
        decoder.push(piece, &mut writer)?;
    }
    decoder.finish(&mut writer)?;
    let tokens = writer.tokens().map(|tokens| tokens.prompt);
    let mut answer: Value = serde_json::from_slice(&writer.close(None)).unwrap();
    answer["tokens"] = json!(tokens);
    Ok(answer)
}

#[test]
fn what_is_written_otherwise_than_asked_is_mended() {
    let body = r#"{"object":"list","model":"x","data":[{"object":"embedding","index":0,"embedding":[1.0, 0.5]}],"usage":{"total_tokens":3}}"#;
    let base64 = Vectors {
        count: 1,
        encoding: Encoding::Base64,
    };
    let answer = decode(&[body.as_bytes()], base64).unwrap();
    assert_eq!(answer["data"][0]["embedding"], "AACAPwAAAD8=");
    assert_eq!(answer["tokens"], 3);
    let body = body.replace("[1.0, 0.5]", "\"AACAPwAAAD8=\"");
    let answer = decode(&[body.as_bytes()], Vectors { count: 1, ..base64 }).unwrap();
    assert_eq!(answer["data"][0]["embedding"], "AACAPwAAAD8=");
    let float = Vectors {
        count: 1,
        encoding: Encoding::Float,
    };
    let answer = decode(&[body.as_bytes()], float).unwrap();
    assert_eq!(answer["data"][0]["embedding"], json!([1, 0.5]));
}

#[test]
fn errors_and_halves_are_no_lists() {
    let table = [
        (r#"{"error":{"message":"no","code":"x"}}"#, "Failed"),
        (r#"{"data":[{"emb"#, "Truncated"),
        ("", "Truncated"),
        ("<html>", "Malformed"),
        (r#"{"hello":1}"#, "Malformed"),
    ];
    for (body, kind) in table {
        let stop = decode(&[body.as_bytes()], Vectors::default()).unwrap_err();
        assert!(format!("{stop:?}").starts_with(kind), "{body}: {stop:?}");
    }
}

#[test]
fn every_recording_passes_as_it_is() {
    let Some(names) = exchanges("openai-embeddings") else {
        return;
    };
    for path in names {
        let exchange = read(&path);
        let body = exchange["response"]["body"].as_str().unwrap();
        let status = u16::try_from(exchange["response"]["status"].as_u64().unwrap()).unwrap();
        if status >= 400 {
            let failure = Embeddings.failure(status, &[("a", "b")], body.as_bytes());
            let said = serde_json::from_str::<Value>(body).unwrap()["detail"].clone();
            let start = said.as_str().unwrap().get(..40).unwrap();
            assert!(failure.message.starts_with(start), "{}", failure.message);
            continue;
        }
        let asked = &exchange["request"]["body"];
        let format = asked.get("encoding_format").map(Value::to_string);
        let vectors = Vectors {
            count: 1,
            encoding: encoding(format.as_deref()).unwrap(),
        };
        let mut expected: Value = serde_json::from_str(body).unwrap();
        let usage = &expected["usage"];
        let tokens = usage["prompt_tokens"].as_u64();
        expected["tokens"] = json!(tokens.or_else(|| usage["total_tokens"].as_u64()));
        for cut in CUTS {
            let answer = decode(&pieces(body.as_bytes(), cut), vectors).unwrap();
            assert_eq!(answer, expected, "{} ({cut:?})", path.display());
        }
    }
}
