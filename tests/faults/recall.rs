//! State of reasoning that plain clients drop and providers want back.

use std::path::Path;

use serde_json::{Value, json};
use waypost::app::App;
use waypost::fixture::{Answer, Cassette, Exchange};

use crate::answers::{CHAT, events};
use crate::support::{self, Reply};

/// A fixture whose answer thinks and calls tools, and a path to the state within the provider's own words.
struct Case {
    provider: &'static str,
    fixture: &'static str,
    /// Where the state stands in a turn's upstream body, and how to tell it.
    state: fn(&Value) -> Vec<String>,
}

const CASES: [Case; 4] = [
    Case {
        provider: "anthropic",
        fixture: "reasoning-tools-stream",
        state: |body| found(body, "signature"),
    },
    Case {
        provider: "google",
        fixture: "reasoning-tools-stream",
        state: |body| found(body, "thoughtSignature"),
    },
    Case {
        provider: "deepseek",
        fixture: "reasoning-tools-stream",
        state: |body| found(body, "reasoning_content"),
    },
    Case {
        provider: "openai",
        fixture: "responses-reasoning-tools-stream",
        // Of an answer, what counts is the complete item: it comes once more as it begins, and at the end.
        state: |body| match body["type"].as_str() {
            None | Some("response.output_item.done") => found(body, "encrypted_content"),
            Some(_) => Vec::new(),
        },
    },
];

/// Every text under a name, anywhere.
fn found(value: &Value, name: &str) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let own = members.get(name).and_then(Value::as_str).map(str::to_owned);
            let own = own.filter(|text| !text.is_empty());
            own.into_iter()
                .chain(members.values().flat_map(|value| found(value, name)))
                .collect()
        }
        Value::Array(items) => items.iter().flat_map(|item| found(item, name)).collect(),
        _ => Vec::new(),
    }
}

/// What of the state an answer's own events say: deltas joined.
fn told(case: &Case, answer: &Answer) -> String {
    let body = String::from_utf8(answer.body()).unwrap();
    let data = body.lines().filter_map(|line| line.strip_prefix("data:"));
    let events = data.filter_map(|data| serde_json::from_str::<Value>(data.trim()).ok());
    events.flat_map(|event| (case.state)(&event)).collect()
}

async fn post(app: &App, caller: &str, body: &Value) -> Reply {
    let key = format!("Bearer {caller}");
    support::post(app.addr(), CHAT, &[("authorization", &key)], body).await
}

/// The second turn of a client that keeps nothing but what OpenAI's format has.
fn second_turn(first: &Value, reply: &Reply) -> Value {
    let mut calls: Vec<Value> = Vec::new();
    for event in events(reply) {
        let deltas = event["choices"][0]["delta"]["tool_calls"]
            .as_array()
            .cloned();
        for delta in deltas.unwrap_or_default() {
            let at = usize::try_from(delta["index"].as_u64().unwrap()).unwrap();
            if at == calls.len() {
                let name = &delta["function"]["name"];
                calls.push(json!({"id": delta["id"], "type": "function", "function": {"name": name, "arguments": ""}}));
            }
            let more = delta["function"]["arguments"].as_str().unwrap_or_default();
            let so_far = calls[at]["function"]["arguments"]
                .as_str()
                .unwrap_or_default();
            let arguments = format!("{so_far}{more}");
            calls[at]["function"]["arguments"] = arguments.into();
        }
    }
    assert!(
        !calls.is_empty(),
        "the first turn calls tools: {}",
        reply.text()
    );
    let mut turn = first.clone();
    let messages = turn["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": null, "tool_calls": calls}));
    for call in &calls {
        messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": "21 degrees"}));
    }
    turn
}

fn fixture(case: &Case) -> Cassette {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    Cassette::read(&root.join(case.provider).join(case.fixture)).unwrap()
}

#[tokio::test]
async fn a_plain_client_gets_its_reasoning_back_and_nobody_else_does() {
    for case in &CASES {
        let cassette = fixture(case);
        let state = told(case, &cassette.answer);
        assert!(!state.is_empty(), "{}", case.provider);
        let first: Value = serde_json::from_slice(cassette.request.as_deref().unwrap()).unwrap();
        let app = support::app(vec![Exchange::any(case.provider, cassette.answer)]).await;
        let reply = post(&app, "caller-one", &first).await;
        assert_eq!((reply.status, reply.clean), (200, true), "{}", reply.text());
        let second = second_turn(&first, &reply);

        let reply = post(&app, "caller-one", &second).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let sent = app.replay().unwrap().seen().pop().unwrap().json();
        // The question itself holds what its client kept of the turn before.
        let sent_back = (case.state)(&sent).concat();
        assert!(sent_back.ends_with(&state), "{}: {sent}", case.provider);

        for stranger in ["caller-two", ""] {
            let reply = post(&app, stranger, &second).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            let sent = app.replay().unwrap().seen().pop().unwrap().json();
            assert!(
                !sent.to_string().contains(&state),
                "{}: {sent}",
                case.provider
            );
        }
    }
}
