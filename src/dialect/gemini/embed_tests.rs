//! Embeddings by Google: three ways to ask, one list to make of what comes.

use serde_json::{Value, json};

use crate::chat::chunk::{Extras, Identity};
use crate::chat::embed::Encoding;
use crate::chat::{Ask, Error, Request, WholeWriter};
use crate::dialect::codec::{
    Context, Dialect, Encoded, Forgetful, Mode, Reply, Shape, Stop, Target, Vectors,
};
use crate::dialect::corpus_tests::{CUTS, exchanges, pieces, read};
use crate::dialect::{Caps, Quirks};

use super::Embeddings;

fn vertex() -> Quirks {
    let mut quirks = Quirks {
        models_path: "/publishers/google/models/".to_owned(),
        ..Quirks::default()
    };
    quirks.embeddings.one_by_one = true;
    quirks
}

fn encoded(model: &str, quirks: &Quirks, body: &Value) -> Result<(Value, Encoded), Error> {
    let request = Request::read(Ask::Embeddings, body.to_string().into_bytes())?;
    let caps = Caps::default();
    let target = Target {
        model,
        quirks,
        caps: &caps,
    };
    let context = Context {
        mode: Mode::Emulate,
        recall: &Forgetful,
    };
    let mut out = Vec::new();
    let encoded = Embeddings.encode(&request, &target, &context, &mut out)?;
    Ok((serde_json::from_slice(&out).unwrap(), encoded))
}

#[test]
fn one_and_many_go_as_a_batch() {
    let body = json!({"model": "m", "input": ["a", "b"], "dimensions": 768, "task_type": "RETRIEVAL_QUERY", "user": "u"});
    let (sent, found) = encoded("gemini-embedding-001", &Quirks::default(), &body).unwrap();
    let one = |text: &str| {
        json!({"model": "models/gemini-embedding-001", "content": {"parts": [{"text": text}]},
            "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 768})
    };
    assert_eq!(sent, json!({"requests": [one("a"), one("b")]}));
    assert_eq!(
        found.path,
        "/v1beta/models/gemini-embedding-001:batchEmbedContents"
    );
    assert_eq!(found.report.dropped, ["user"]);
}

#[test]
fn vertex_is_asked_by_the_method_of_the_model() {
    let body = json!({"model": "m", "input": "a", "dimensions": 768, "task_type": "CLUSTERING"});
    let (sent, found) = encoded("gemini-embedding-2", &vertex(), &body).unwrap();
    let expected = json!({"content": {"parts": [{"text": "a"}]}, "taskType": "CLUSTERING", "outputDimensionality": 768});
    assert_eq!(sent, expected);
    assert_eq!(
        found.path,
        "/publishers/google/models/gemini-embedding-2:embedContent"
    );
    let body = json!({"model": "m", "input": ["a", "b"], "dimensions": 256, "title": "T"});
    let (sent, found) = encoded("text-embedding-005", &vertex(), &body).unwrap();
    let expected = json!({"instances": [{"content": "a", "title": "T"}, {"content": "b", "title": "T"}], "parameters": {"outputDimensionality": 256}});
    assert_eq!(sent, expected);
    assert!(found.path.ends_with("/text-embedding-005:predict"));
    for model in ["gemini-embedding-2", "gemini-embedding-001"] {
        let error = encoded(model, &vertex(), &body).unwrap_err();
        assert!(error.message.contains("at most 1"), "{}", error.message);
    }
}

#[test]
fn limits_are_said() {
    let many: Vec<String> = (0..101).map(|at| at.to_string()).collect();
    for (input, words) in [(json!(many), "at most 100"), (json!([7]), "no token ids")] {
        let body = json!({"model": "m", "input": input});
        let error = encoded("x", &Quirks::default(), &body).unwrap_err();
        assert!(error.message.contains(words), "{}", error.message);
    }
}

fn decode(cut: &[&[u8]], count: usize) -> Result<(Value, Option<u64>), Stop> {
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model: "models/e",
        quirks: &quirks,
        caps: &caps,
    };
    let encoding = Encoding::Float;
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
    for piece in cut {
        decoder.push(piece, &mut writer)?;
    }
    decoder.finish(&mut writer)?;
    let tokens = writer.tokens().map(|tokens| tokens.prompt);
    let answer = writer.close(None);
    Ok((serde_json::from_slice(&answer).unwrap(), tokens))
}

#[test]
fn predictions_are_a_list_too_and_their_tokens_add_up() {
    let body = r#"{"predictions":[{"embeddings":{"values":[0.5],"statistics":{"token_count":3,"truncated":false}}},{"embeddings":{"values":[1.5],"statistics":{"token_count":4}}}]}"#;
    let (answer, tokens) = decode(&[body.as_bytes()], 2).unwrap();
    let expected = json!({"object": "list", "model": "e", "usage": {"prompt_tokens": 7, "total_tokens": 7}, "data": [
        {"object": "embedding", "index": 0, "embedding": [0.5]},
        {"object": "embedding", "index": 1, "embedding": [1.5]},
    ]});
    assert_eq!((answer, tokens), (expected, Some(7)));
}

#[test]
fn what_is_no_list_is_told_apart() {
    let untold = r#"{"embeddings":[{"values":[1]}]}"#;
    let (answer, tokens) = decode(&[untold.as_bytes()], 1).unwrap();
    assert_eq!(
        (&answer["usage"]["total_tokens"], tokens),
        (&json!(0), None)
    );
    let table = [
        (untold, 2, "Malformed"),
        (r#"{"embeddings":[{}]}"#, 1, "Malformed"),
        (
            r#"{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}"#,
            1,
            "Failed",
        ),
        (r#"{"embeddings":[{"val"#, 1, "Truncated"),
    ];
    for (body, count, kind) in table {
        let stop = decode(&[body.as_bytes()], count).unwrap_err();
        assert!(format!("{stop:?}").starts_with(kind), "{body}: {stop:?}");
    }
}

#[test]
fn every_recording_is_a_list_with_its_own_numbers() {
    let Some(names) = exchanges("gemini-embeddings") else {
        return;
    };
    for path in names {
        let exchange = read(&path);
        let body = exchange["response"]["body"].as_str().unwrap();
        let told: Value = serde_json::from_str(body).unwrap();
        let status = u16::try_from(exchange["response"]["status"].as_u64().unwrap()).unwrap();
        if status >= 400 {
            let failure = Embeddings.failure(status, &[("a", "b")], body.as_bytes());
            assert_eq!(failure.message, told["error"]["message"].as_str().unwrap());
            assert_eq!(failure.code.row().status, status);
            continue;
        }
        let list = told["embeddings"].as_array();
        let values = list.map_or(&told["embedding"], |list| &list[0])["values"].clone();
        for cut in CUTS {
            let (answer, tokens) = decode(&pieces(body.as_bytes(), cut), 1).unwrap();
            assert_eq!(answer["data"][0]["embedding"], values, "{}", path.display());
            assert_eq!(tokens, told["usageMetadata"]["promptTokenCount"].as_u64());
        }
    }
}
