//! Heads: types, codings, credentials, lengths and framing.

use waypost::config::Config;

use crate::door::{CHAT, GOOD, house_of, open_house, raw, refused, sent, status};
use crate::support;

fn head(headers: &str) -> String {
    format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
}

#[tokio::test]
async fn only_plain_json_is_taken() {
    let app = open_house().await;
    for kind in [
        "text/plain",
        "",
        "multipart/form-data; boundary=x",
        "application/jsonp",
    ] {
        let headers = format!("content-type: {kind}\r\ncontent-length: {}\r\n", GOOD.len());
        let answer = raw(app.addr(), format!("{}{GOOD}", head(&headers)).as_bytes()).await;
        assert_eq!(status(&answer), 415, "{kind}: {answer}");
        assert!(answer.contains("\"param\":\"content-type\""), "{answer}");
    }
    let headers = format!("content-length: {}\r\n", GOOD.len());
    let answer = raw(app.addr(), format!("{}{GOOD}", head(&headers)).as_bytes()).await;
    assert_eq!(status(&answer), 415, "no type at all");
    for coding in ["gzip", "br", "zstd", "deflate, gzip"] {
        let reply =
            support::post_text(app.addr(), CHAT, &[("content-encoding", coding)], GOOD).await;
        let error = refused(&app, &reply, 415, "unsupported_media_type");
        assert_eq!(error["param"], "content-encoding");
    }
    for kind in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/x+json",
    ] {
        let headers = format!(
            "content-type: {kind}\r\ncontent-encoding: identity\r\ncontent-length: {}\r\n",
            GOOD.len()
        );
        let answer = raw(app.addr(), format!("{}{GOOD}", head(&headers)).as_bytes()).await;
        assert_eq!(status(&answer), 200, "{kind}: {answer}");
    }
}

#[tokio::test]
async fn two_different_keys_are_ambiguous() {
    let app = open_house().await;
    let rows: [&[(&str, &str)]; 3] = [
        &[("authorization", "Bearer one"), ("x-api-key", "two")],
        &[("authorization", "Bearer one"), ("api-key", "two")],
        &[
            ("authorization", "Bearer one"),
            ("authorization", "Bearer two"),
        ],
    ];
    for headers in rows {
        let reply = support::post_text(app.addr(), CHAT, headers, GOOD).await;
        refused(&app, &reply, 400, "ambiguous_credentials");
        for key in ["one", "two"] {
            assert!(!reply.text().contains(&format!("'{key}'")));
        }
    }
    let same = [("authorization", "Bearer one"), ("x-api-key", "one")];
    let reply = support::post_text(app.addr(), CHAT, &same, GOOD).await;
    assert_eq!(reply.status, 200);
}

fn small() -> Config {
    let mut config = Config::bare().unwrap();
    config.limits.body = 2048;
    config.limits.head = 8192;
    config
}

#[tokio::test]
async fn a_body_over_the_limit_is_a_413_at_once() {
    let app = house_of(small()).await;
    // Not a byte of the body is waited for.
    let kind = "content-type: application/json\r\n";
    let answer = raw(
        app.addr(),
        head(&format!("{kind}content-length: 2049\r\n")).as_bytes(),
    )
    .await;
    assert_eq!(status(&answer), 413, "{answer}");
    assert!(
        answer.contains("request_too_large") && answer.contains("2048"),
        "{answer}"
    );

    let mut chunked = head(&format!("{kind}transfer-encoding: chunked\r\n"));
    chunked.push_str(&format!("200\r\n{}\r\n", "x".repeat(512)).repeat(5));
    // The end is not sent: the answer comes at the byte over the limit.
    let answer = raw(app.addr(), chunked.as_bytes()).await;
    assert_eq!(status(&answer), 413, "{answer}");
    assert_eq!(sent(&app), 0);

    let good = format!(
        "{}{GOOD}",
        head(&format!("{kind}content-length: {}\r\n", GOOD.len()))
    );
    assert_eq!(status(&raw(app.addr(), good.as_bytes()).await), 200);
    let padded = format!("{GOOD}{}", " ".repeat(2048 - GOOD.len()));
    let reply = support::post_text(app.addr(), CHAT, &[], &padded).await;
    assert_eq!(reply.status, 200, "the limit itself is allowed");
}

#[tokio::test]
async fn a_head_over_the_limit_is_a_431() {
    let app = house_of(small()).await;
    let long = head(&format!("x-long: {}\r\n", "a".repeat(9000)));
    assert_eq!(status(&raw(app.addr(), long.as_bytes()).await), 431);
    let many = "x-a: a\r\n".repeat(120);
    assert_eq!(status(&raw(app.addr(), head(&many).as_bytes()).await), 431);
    assert_eq!(sent(&app), 0);
}

/// Framing that two readers could take for two things.
#[tokio::test]
async fn ambiguous_framing_is_refused_and_the_connection_closed() {
    let app = open_house().await;
    let kind = "content-type: application/json\r\n";
    let length = GOOD.len();
    let heads = [
        format!("content-length: {length}\r\ncontent-length: 5\r\n"),
        format!("content-length: +{length}\r\n"),
        "content-length: -1\r\n".to_owned(),
        "content-length: 0x10\r\n".to_owned(),
        "content-length: 99999999999999999999\r\n".to_owned(),
        "transfer-encoding: gzip\r\n".to_owned(),
        "transfer-encoding: xchunked\r\n".to_owned(),
        format!("content-length: {length}\r\nx bad: 1\r\n"),
        format!("content-length : {length}\r\n"),
        format!("content-length: {length}\r\nx-a: b\0c\r\n"),
        format!("content-length: {length}\r\n folded: 1\r\n"),
    ];
    for bad in heads {
        let request = format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\n{kind}{bad}\r\n{GOOD}");
        let answer = raw(app.addr(), request.as_bytes()).await;
        assert_eq!(status(&answer), 400, "{bad:?}: {answer}");
    }
    let chunks = [
        "zz\r\n",
        "+5\r\nhello\r\n",
        "5\r\nhelloX",
        "11111111111111111\r\n",
    ];
    for bad in chunks {
        let request = format!(
            "{}{bad}0\r\n\r\n",
            head(&format!("{kind}transfer-encoding: chunked\r\n"))
        );
        let answer = raw(app.addr(), request.as_bytes()).await;
        assert!(matches!(status(&answer), 0 | 400), "{bad:?}: {answer}");
    }
    assert_eq!(sent(&app), 0);
}

/// A body in chunks and in small pieces is a body like any other; what is in its trailers is not a header.
#[tokio::test]
async fn a_chunked_body_is_taken_and_trailers_are_not() {
    let app = open_house().await;
    let mut request = head("content-type: application/json\r\ntransfer-encoding: chunked\r\n");
    for byte in GOOD.chars() {
        request.extend(["1;ext=1\r\n", byte.encode_utf8(&mut [0; 4]), "\r\n"]);
    }
    request.push_str("0\r\nx-waypost-strategy: fastest\r\nauthorization: Bearer two\r\n\r\n");
    let answer = raw(app.addr(), request.as_bytes()).await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(sent(&app), 1);
}
