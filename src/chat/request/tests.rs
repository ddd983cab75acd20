//! What is read of a body, and what is no body.

use super::*;

fn parse(body: &str) -> Result<Request, Error> {
    Request::parse(body.as_bytes().to_vec())
}

#[test]
fn facts_are_read_and_null_is_absent() {
    let body = r#"{"model":"m","messages":[{}],"max_tokens":10.0,"max_completion_tokens":null,"stream":true,
        "stream_options":{"include_usage":true},"n":null}"#;
    let request = parse(body).unwrap();
    assert_eq!(
        (
            request.max_output,
            request.n,
            request.stream,
            request.include_usage
        ),
        (Some(10), 1, true, true)
    );
    assert_eq!(request.member("n"), None);
}

#[test]
fn members_are_set_and_all_others_keep_their_bytes() {
    let text = " { \"model\" : \"m\", \"messages\":[{ }],\"max_tokens\": 10 , \"x\":1.0}";
    let request = parse(text).unwrap();
    let set = request
        .with(&[("max_tokens", "5"), ("reasoning_effort", "\"low\"")])
        .unwrap();
    let expected = " {\"reasoning_effort\":\"low\", \"model\" : \"m\", \"messages\":[{ }],\"max_tokens\": 5 , \"x\":1.0}";
    assert_eq!(set.body(), expected);
    let again = parse(expected).unwrap();
    assert!(set.members().eq(again.members()));
    assert_eq!((set.max_output, set.member("x")), (Some(5), Some("1.0")));
    assert_eq!(request.with(&[]).unwrap().body(), text);
}

#[test]
fn bad_values_name_their_field() {
    let table = [
        (r#"{"messages":[{}]}"#, "model"),
        (r#"{"model":"m"}"#, "messages"),
        (r#"{"model":"m","messages":[ ]}"#, "messages"),
        (r#"{"model":"m","messages":[{}],"stream":1}"#, "stream"),
        (
            r#"{"model":"m","messages":[{}],"max_tokens":1.5}"#,
            "max_tokens",
        ),
        (
            r#"{"model":"m","messages":[{}],"max_tokens":"5"}"#,
            "max_tokens",
        ),
        (
            r#"{"model":"m","messages":[{}],"max_tokens":-1}"#,
            "max_tokens",
        ),
        (r#"{"model":"m","messages":[{}],"n":1e400}"#, "n"),
        (r#"{"model":7,"messages":[{}]}"#, "model"),
    ];
    for (body, param) in table {
        let error = parse(body).unwrap_err();
        assert_eq!(
            (error.code, error.param.as_deref()),
            (Code::InvalidValue, Some(param)),
            "{body}"
        );
    }
}

#[test]
fn a_path_names_the_model_where_the_body_does_not() {
    let parse = |body: &str| Request::read_for(Ask::Chat, body.as_bytes().to_vec(), "my \"gpt\"");
    let named = parse(r#" {"messages":[{}]}"#).unwrap();
    assert_eq!(named.model, "my \"gpt\"");
    assert_eq!(named.body(), r#"{"model":"my \"gpt\"","messages":[{}]}"#);
    assert_eq!(
        parse(r#"{"model":"own","messages":[{}]}"#).unwrap().model,
        "own"
    );
    assert!(parse("{}").unwrap_err().message.contains("messages"));
    assert!(parse("[]").is_err() && parse("{").is_err() && parse("").is_err());
}
