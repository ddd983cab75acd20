//! Bodies: the JSON gate, and what passes it byte for byte.

use serde_json::json;

use crate::door::{CHAT, GOOD, open_house, raw, refused, sent, status};
use crate::support;

/// A good question with one more member.
fn with(member: &str) -> String {
    format!("{},{member}}}", &GOOD[..GOOD.len() - 1])
}

#[tokio::test]
async fn what_is_not_one_json_object_is_refused() {
    let app = open_house().await;
    let deep = |levels: usize| format!("\"x\":{}{}", "[".repeat(levels), "]".repeat(levels));
    let rows = [
        (String::new(), "invalid_json"),
        ("{".to_owned(), "invalid_json"),
        ("[]".to_owned(), "invalid_json"),
        ("null".to_owned(), "invalid_json"),
        (format!("{GOOD}{GOOD}"), "invalid_json"),
        (format!("\u{feff}{GOOD}"), "invalid_json"),
        (with("\"x\":01"), "invalid_json"),
        (with("\"x\":.5"), "invalid_json"),
        (with("\"x\":+1"), "invalid_json"),
        (with("\"x\":NaN"), "invalid_json"),
        (with("\"x\":'a'"), "invalid_json"),
        (with("\"x\":\"\\x\""), "invalid_json"),
        (with("\"x\":\"\\ud800\""), "invalid_json"),
        (with("\"x\":\"\0\""), "invalid_json"),
        (with("\"x\":1,"), "invalid_json"),
        (with(&deep(200)), "json_too_deep"),
        ("[".repeat(100_000), "json_too_deep"),
        ("{\"a\":".repeat(50_000), "json_too_deep"),
        (with("\"model\":\"b\""), "duplicate_key"),
        (with("\"mod\\u0065l\":\"b\""), "duplicate_key"),
        (with("\"Model\":\"b\""), "duplicate_key"),
        (with("\"stream\":true,\"stream\":false"), "duplicate_key"),
        (with("\"n\":1,\"N\":2"), "duplicate_key"),
        (with("\"max_tokens\":1,\"max_tokens\":9"), "duplicate_key"),
        (
            with("\"stream_options\":{\"include_usage\":true,\"include_usage\":false}"),
            "duplicate_key",
        ),
        (with("\"waypost\":{},\"waypost\":{}"), "duplicate_key"),
    ];
    for (body, code) in rows {
        let reply = support::post_text(app.addr(), CHAT, &[], &body).await;
        refused(&app, &reply, 400, code);
        assert_eq!(reply.header("x-should-retry"), Some("false"));
    }
}

#[tokio::test]
async fn what_is_not_utf_8_is_refused() {
    let app = open_house().await;
    let kind = "content-type: application/json\r\nconnection: close\r\n";
    let utf_16: Vec<u8> = GOOD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut broken = GOOD.as_bytes().to_vec();
    let at = GOOD.find("Hello").unwrap();
    broken[at] = 0xC3;
    broken[at + 1] = 0x28;
    for body in [utf_16, broken] {
        let head = format!(
            "POST {CHAT} HTTP/1.1\r\nhost: x\r\n{kind}content-length: {}\r\n\r\n",
            body.len()
        );
        let answer = raw(app.addr(), &[head.as_bytes(), &body].concat()).await;
        assert_eq!(status(&answer), 400, "{answer}");
        assert!(answer.contains("\"invalid_json\""), "{answer}");
    }
    assert_eq!(sent(&app), 0);
}

#[tokio::test]
async fn bad_values_name_their_field() {
    let app = open_house().await;
    let digits = "9".repeat(10_000);
    let rows = [
        (with("\"max_tokens\":1e400"), "max_tokens"),
        (with("\"max_tokens\":-1"), "max_tokens"),
        (with("\"max_tokens\":1.5"), "max_tokens"),
        (with("\"max_tokens\":\"5\""), "max_tokens"),
        (with("\"max_tokens\":{}"), "max_tokens"),
        (with(&format!("\"max_tokens\":{digits}")), "max_tokens"),
        (
            with("\"max_completion_tokens\":1.5"),
            "max_completion_tokens",
        ),
        (with("\"n\":0"), "n"),
        (with("\"n\":\"1\""), "n"),
        (with("\"stream\":1"), "stream"),
        (with("\"stream\":\"true\""), "stream"),
        (
            r#"{"messages":[{"role":"user","content":"a"}]}"#.to_owned(),
            "model",
        ),
        (
            r#"{"model":7,"messages":[{"role":"user","content":"a"}]}"#.to_owned(),
            "model",
        ),
        (r#"{"model":"openai/m"}"#.to_owned(), "messages"),
        (
            r#"{"model":"openai/m","messages":null}"#.to_owned(),
            "messages",
        ),
        (
            r#"{"model":"openai/m","messages":{}}"#.to_owned(),
            "messages",
        ),
    ];
    for (body, param) in rows {
        let reply = support::post_text(app.addr(), CHAT, &[], &body).await;
        let error = refused(&app, &reply, 400, "invalid_value");
        assert_eq!(error["param"], param, "{error}");
    }
}

/// Null is absent, whole floats are whole numbers, and what is not ours to judge goes on byte for byte.
#[tokio::test]
async fn what_passes_passes_as_it_stands() {
    let app = open_house().await;
    let rows = [
        (
            "\"temperature\":0.10000000000000000555",
            "0.10000000000000000555",
        ),
        ("\"seed\":12345678901234567890", "12345678901234567890"),
        (
            "\"unheard_of\":{\"b\":1e2,\"a\":[1.0,-0]}",
            "{\"b\":1e2,\"a\":[1.0,-0]}",
        ),
        (
            "\"user\":\"\\u0000\\ud83d\\ude00 \\u00e9\"",
            "\\u0000\\ud83d\\ude00 \\u00e9",
        ),
        ("\"max_tokens\":10.0", "10"),
    ];
    for (member, expected) in rows {
        let reply = support::post_text(app.addr(), CHAT, &[], &with(member)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let seen = app.replay().unwrap().seen().pop().unwrap();
        let body = String::from_utf8_lossy(&seen.body).into_owned();
        assert!(body.contains(expected), "{expected} in {body}");
    }
    let nulls = "\"max_tokens\":null,\"n\":null,\"stream\":null,\"stop\":null,\"waypost\":null";
    let reply = support::post_text(app.addr(), CHAT, &[], &with(nulls)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = app.replay().unwrap().seen().pop().unwrap().json();
    let messages = json!([{"role": "user", "content": "Hello"}]);
    assert_eq!(seen, json!({"model": "m", "messages": messages}));
}

/// The longest that is allowed passes, and quickly.
#[tokio::test]
async fn a_long_prompt_passes() {
    let app = open_house().await;
    let long = "a \\\"b\\\" é\\n".repeat(400_000);
    let body = GOOD.replace("Hello", &long);
    let reply = support::post_text(app.addr(), CHAT, &[], &body).await;
    assert_eq!(reply.status, 200);
    let seen = app.replay().unwrap().seen().pop().unwrap();
    assert!(seen.body.len() > long.len());
}
