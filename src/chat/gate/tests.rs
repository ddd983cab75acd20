//! The gate, tried from outside.

use super::*;

fn code(body: &str) -> Option<Code> {
    check(body).err().map(|error| error.code)
}

#[test]
fn finds_members_where_they_stand() {
    let body = r#" {"model": "a", "x" : [1, {"y": "}"}] } "#;
    let places = check(body).unwrap();
    let found: Vec<_> = places
        .iter()
        .map(|p| (body.get(p.key.clone()), body.get(p.value.clone())))
        .collect();
    let wanted = [("model", "\"a\""), ("x", "[1, {\"y\": \"}\"}]")];
    assert_eq!(found, wanted.map(|(key, value)| (Some(key), Some(value))));
}

#[test]
fn refuses_what_parsers_disagree_on() {
    let table = [
        (r#"{"model":"a","model":"b"}"#, Code::DuplicateKey),
        (r#"{"mod\u0065l":"a"}"#, Code::DuplicateKey),
        (r#"{"Model":"a"}"#, Code::DuplicateKey),
        (
            r#"{"stream_options":{"include_usage":true,"include_usage":false}}"#,
            Code::DuplicateKey,
        ),
        (r#"{"a":"\ud800"}"#, Code::InvalidJson),
        (r#"{"a":"\ud800\u0041"}"#, Code::InvalidJson),
        ("{\"a\":\"\u{1}\"}", Code::InvalidJson),
        ("\u{feff}{}", Code::InvalidJson),
        (r#"{"a":01}"#, Code::InvalidJson),
        (r#"{"a":1.}"#, Code::InvalidJson),
        (r#"{"a":1,}"#, Code::InvalidJson),
        (r#"{"a":nul}"#, Code::InvalidJson),
        (r#"{"a":1} x"#, Code::InvalidJson),
        ("[]", Code::InvalidJson),
        ("", Code::InvalidJson),
    ];
    for (body, expected) in table {
        assert_eq!(code(body), Some(expected), "{body}");
    }
    assert_eq!(
        text(b"{\"a\":\"\xff\"}".to_vec()).unwrap_err().code,
        Code::InvalidJson
    );
}

#[test]
fn depth_ends_at_128_whatever_the_length() {
    let nested = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
    assert_eq!(code(&nested(MAX_DEPTH - 1)), None);
    assert_eq!(code(&nested(MAX_DEPTH)), Some(Code::JsonTooDeep));
    assert_eq!(
        code(&format!("{{\"a\":{}", "[".repeat(100_000))),
        Some(Code::JsonTooDeep)
    );
}

#[test]
fn takes_what_is_legal_though_odd() {
    let table = [
        r#"{"a":"b","a":"c"}"#,
        r#"{"a":"\u0000\ud83d\ude00"}"#,
        r#"{"a":-0.0e-1,"b":1E+2,"":[]}"#,
        r#"{"messages":[{"model":1,"model":2}]}"#,
    ];
    for body in table {
        assert_eq!(code(body), None, "{body}");
    }
}

#[test]
fn words_of_eight_find_the_same_end_as_single_bytes() {
    for at in 0..20 {
        for end in ['"', '\\', '\n', '\u{1f}'] {
            let text = format!(
                "{}{end}tail of text",
                "é€x ~".repeat(4).chars().take(at).collect::<String>()
            );
            let slow = text
                .bytes()
                .position(|b| b < 0x20 || b == b'"' || b == b'\\')
                .unwrap();
            assert_eq!(plain_prefix(text.as_bytes()), slow, "{text:?}");
        }
    }
}
