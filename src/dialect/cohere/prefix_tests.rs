//! The body of a conversation is a prefix of the body of its next turn: caches rest on it (R1).

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::Quirks;
use super::super::caps::Kind;
use super::super::codec::{Context, Dialect, Forgetful, Mode, Target};
use super::Cohere;
use super::encode_tests::caps;
use crate::chat::Request;

fn encoded(messages: &[Value], kind: Kind) -> String {
    let tools = json!([{"type": "function", "function": {"name": "a.b"}}, {"type": "function", "function": {"name": "a_b"}}]);
    let body = json!({"model": "m", "max_tokens": 4000, "tools": tools, "messages": messages});
    let request = Request::parse(body.to_string().into_bytes()).unwrap();
    let (quirks, caps) = (Quirks::default(), caps(kind));
    let target = Target {
        model: "command-x",
        quirks: &quirks,
        caps: &caps,
    };
    let context = Context {
        mode: Mode::Emulate,
        recall: &Forgetful,
    };
    let mut out = Vec::new();
    Cohere
        .encode(&request, &target, &context, &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

/// What the user's side may say: text, or text with a late system message on either side.
fn user() -> impl Strategy<Value = Vec<Value>> {
    (".{0,12}", any::<bool>(), any::<bool>()).prop_map(|(text, before, after)| {
        let system = json!({"role": "system", "content": "S"});
        let mut list = vec![json!({"role": "user", "content": text})];
        if before {
            list.insert(0, system.clone());
        }
        if after {
            list.push(system);
        }
        list
    })
}

/// One turn: the assistant with or without calls, their results in any order, the user.
fn turn() -> impl Strategy<Value = Vec<Value>> {
    let name = prop::sample::select(vec!["a.b", "a_b"]);
    let calls = prop::collection::vec(("[a-c:]{0,3}", name, ".{0,6}"), 0..4);
    (".{0,12}", calls, any::<bool>(), user()).prop_map(|(text, calls, turned, user)| {
        let list: Vec<Value> = calls
            .iter()
            .map(|(id, name, arguments)| json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}))
            .collect();
        let mut results: Vec<Value> = calls
            .iter()
            .map(|(id, ..)| json!({"role": "tool", "tool_call_id": id, "content": "r"}))
            .collect();
        if turned {
            results.reverse();
        }
        let mut turn = vec![json!({"role": "assistant", "content": text, "reasoning_content": "R"})];
        if !list.is_empty() {
            turn[0]["tool_calls"] = list.into();
        }
        turn.extend(results);
        turn.extend(user);
        turn
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_history_is_a_prefix_of_the_history_and_a_turn(
        start in user(),
        turns in prop::collection::vec(turn(), 1..6),
        thinks in any::<bool>(),
    ) {
        let kind = if thinks { Kind::Budget } else { Kind::None };
        let mut messages = start;
        let mut before = encoded(&messages, kind);
        for turn in turns {
            messages.extend(turn);
            let after = encoded(&messages, kind);
            let begin = before.strip_suffix("]}").unwrap();
            prop_assert!(after.starts_with(begin), "{begin}\n{after}");
            before = after;
        }
    }
}
