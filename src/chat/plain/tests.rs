//! Tests of the plain routing API.

use serde_json::Value;

use crate::chat::{Error, Escaped, Event, Finish, Sink};

use super::*;

fn read(body: &str, job: Job) -> Result<String, Error> {
    Ok(String::from_utf8(request(body.as_bytes().to_vec(), job)?).unwrap())
}

#[test]
fn a_body_becomes_a_chat_request_with_hints() {
    let table = [
        (
            r#"{"prompt":"Say \u00e9"}"#,
            Job::Whole,
            r#"{"model":"auto","messages":[{"role":"user","content":"Say \u00e9"}],"waypost":{}}"#,
        ),
        (
            r#"{"messages":[{"role":"user","content":"a"}],"strategy":"fastest","max_cost":0.10,"force_model":"openai/x"}"#,
            Job::Stream,
            r#"{"model":"openai/x","messages":[{"role":"user","content":"a"}],"stream":true,"waypost":{"strategy":"fastest","max_cost_usd":0.10}}"#,
        ),
        (
            r#"{"prompt":"a","max_cost":"0.5","params":{"temperature":0.20,"tools":[]},"strategy":null}"#,
            Job::Recommend,
            r#"{"model":"auto","messages":[{"role":"user","content":"a"}],"temperature":0.20,"tools":[],"waypost":{"max_cost_usd":"0.5","dry_run":true}}"#,
        ),
        (
            r#"{"prompt":"a","max_cost":2.5e-06}"#,
            Job::Whole,
            r#"{"model":"auto","messages":[{"role":"user","content":"a"}],"waypost":{"max_cost_usd":0.0000025}}"#,
        ),
    ];
    for (body, job, wanted) in table {
        assert_eq!(read(body, job).unwrap(), wanted);
    }
}

#[test]
fn what_is_wrong_is_named() {
    let table = [
        (r"[]", None),
        (r"{}", Some("prompt")),
        (r#"{"prompt":""}"#, Some("prompt")),
        (r#"{"prompt":7}"#, Some("prompt")),
        (r#"{"prompt":"a","messages":[]}"#, Some("prompt")),
        (r#"{"prompt":"a","maxcost":1}"#, Some("maxcost")),
        (r#"{"prompt":"a","stream":true}"#, Some("stream")),
        (r#"{"prompt":"a","strategy":7}"#, Some("strategy")),
        (r#"{"prompt":"a","force_model":""}"#, Some("force_model")),
        (r#"{"prompt":"a","max_cost":[1]}"#, Some("max_cost")),
        (r#"{"prompt":"a","params":[]}"#, Some("params")),
        (
            r#"{"prompt":"a","params":{"model":"x"}}"#,
            Some("params.model"),
        ),
        (r#"{"prompt":"a","params":{"n":2}}"#, Some("params.n")),
    ];
    for (body, param) in table {
        let error = read(body, Job::Whole).unwrap_err();
        assert_eq!(error.param.as_deref(), param, "{body}: {error}");
    }
    assert!(read("{\"prompt\":", Job::Whole).is_err());
}

#[test]
fn errors_name_what_the_caller_wrote() {
    let error = || {
        Error::value(
            "waypost.max_cost_usd",
            "'waypost.max_cost_usd' must be dollars",
        )
    };
    let told = in_own_words(error(), |_| false);
    assert_eq!(told.param.as_deref(), Some("max_cost"));
    assert_eq!(told.message, "'max_cost' must be dollars");
    let header = Error::value("x-waypost-strategy", "unknown");
    let told = in_own_words(header.clone(), |name| name == "x-waypost-strategy");
    assert_eq!(told, header);
}

#[test]
fn a_whole_answer_keeps_its_bytes() {
    let facts = Facts {
        before: b",\"model_used\":\"m\"".to_vec(),
        after: b",\"actual_cost\":0.10".to_vec(),
    };
    let answer = r#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"h\u00e9","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":1.0}}"#;
    let told = String::from_utf8(whole(answer.as_bytes(), &facts).unwrap()).unwrap();
    assert_eq!(
        told,
        r#"{"result":"h\u00e9","finish_reason":"stop","model_used":"m","usage":{"prompt_tokens":1.0},"actual_cost":0.10}"#
    );
    let calls = r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"c"}]},"finish_reason":"tool_calls"}]}"#;
    let told: Value = serde_json::from_slice(&whole(calls.as_bytes(), &facts).unwrap()).unwrap();
    assert!(told["result"].is_null() && told["tool_calls"][0]["id"] == "c");
    assert!(whole(b"{\"choices\":[]}", &facts).is_err());
}

#[test]
fn a_stream_is_meta_deltas_and_done() {
    let mut writer = PlainWriter::new(b",\"model_used\":\"m\"".to_vec());
    let start = Event::Start {
        id: Escaped::trusted("i"),
        model: Escaped::trusted("m"),
        created: None,
    };
    writer.event(start);
    assert_eq!(
        writer.pending(),
        0,
        "nothing is said before something is to be shown"
    );
    let said = |choice, text| Event::Text {
        choice,
        text: Escaped::trusted(text),
    };
    writer.event(said(0, "h\\n"));
    writer.event(said(1, "of another choice"));
    writer.event(Event::ToolArgs {
        choice: 0,
        index: 2,
        json: Escaped::trusted("{\\\"a\\\""),
    });
    writer.event(Event::Finish {
        choice: 0,
        reason: Finish::ToolCalls,
        native: None,
    });
    writer.cut();
    writer.close(b",\"actual_cost\":0.1");
    let text = String::from_utf8(writer.take().to_vec()).unwrap();
    assert_eq!(
        text,
        "event: meta\ndata: {\"model_used\":\"m\"}\n\nevent: delta\ndata: {\"text\":\"h\\n\"}\n\n\
         event: delta\ndata: {\"tool_call\":{\"index\":2,\"arguments\":\"{\\\"a\\\"\"}}\n\n\
         event: done\ndata: {\"finish_reason\":\"tool_calls\",\"actual_cost\":0.1}\n\n"
    );
}

#[test]
fn a_failure_is_one_event() {
    let mut writer = PlainWriter::new(Vec::new());
    writer.error(&Error::value("n", "no"));
    let text = String::from_utf8(writer.take().to_vec()).unwrap();
    assert!(
        text.starts_with("event: error\ndata: {\"error\":{\"message\":\"no\"")
            && text.ends_with("}}\n\n")
    );
}
