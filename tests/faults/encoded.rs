//! Providers that encode their answers though `identity` was asked for.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use waypost::fixture::{Answer, Exchange, Piece};

use crate::answers::{CHAT, chunks, question, streamed, streamed_question, whole};
use crate::support;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The same answer with each piece a gzip member of its own (E-50).
fn gzipped(answer: Answer) -> Answer {
    let pieces = answer
        .pieces
        .iter()
        .map(|piece| Piece::now(gzip(&piece.bytes)))
        .collect();
    Answer { pieces, ..answer }.header("content-encoding", "gzip")
}

#[tokio::test]
async fn gzip_is_decoded_whole_and_streamed_and_the_header_goes_with_it() {
    let app = support::app(vec![
        Exchange::model("openai", "whole", gzipped(whole())),
        Exchange::model("openai", "streamed", gzipped(streamed())),
    ])
    .await;
    let reply = support::post(app.addr(), CHAT, &[], &question("openai/whole")).await;
    assert_eq!(reply.json()["choices"][0]["message"]["content"], "Hi there");
    assert_eq!(reply.header("content-encoding"), None, "E-51");
    let reply = support::post(app.addr(), CHAT, &[], &streamed_question("openai/streamed")).await;
    assert!(reply.clean, "{}", reply.text());
    assert_eq!(reply.events().len(), chunks().len());
    assert_eq!(reply.events().last().map(String::as_str), Some("[DONE]"));
}

#[tokio::test]
async fn an_encoded_error_is_read_and_what_cannot_be_decoded_is_a_failure() {
    let refused = json!({"error": {"message": "no such thing", "type": "invalid_request_error", "param": null, "code": null}});
    let app = support::app(vec![
        Exchange::model(
            "openai",
            "refused",
            gzipped(Answer::json(400, refused.to_string())),
        ),
        Exchange::model("openai", "brotli", whole().header("content-encoding", "br")),
        Exchange::model("openai", "liar", whole().header("content-encoding", "gzip")),
    ])
    .await;
    let reply = support::post(app.addr(), CHAT, &[], &question("openai/refused")).await;
    assert_eq!(reply.status, 400);
    assert!(reply.text().contains("no such thing"), "{}", reply.text());
    for model in ["openai/brotli", "openai/liar"] {
        let reply = support::post(app.addr(), CHAT, &[], &question(model)).await;
        assert_eq!(
            (reply.status, &reply.json()["error"]["code"]),
            (502, &json!("upstream_protocol_error")),
            "{model}"
        );
        assert_eq!(reply.header("x-should-retry"), Some("false"));
    }
}
