//! The contents of a history are a prefix of those of the history and a turn: prompt caches live by it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::turns_tests::encode;
use crate::dialect::codec::Forgetful;

/// A turn of the model and what the user or the tools said to it.
fn turn() -> impl Strategy<Value = Vec<Value>> {
    let text = "[a-z\\n\"é😀\\\\ ]{0,12}";
    let plain = (text, text).prop_map(|(model, user)| {
        vec![
            json!({"role": "assistant", "content": model}),
            json!({"role": "user", "content": user}),
        ]
    });
    let late = (text, text).prop_map(|(model, system)| {
        vec![
            json!({"role": "assistant", "content": [{"type": "text", "text": model}]}),
            json!({"role": "user", "content": "u"}),
            json!({"role": "system", "content": system}),
        ]
    });
    let calls = (prop::collection::vec(("[a-z0-9.:]{1,9}", text), 1..4), any::<bool>()).prop_map(
        |(calls, reversed)| {
            let made = calls.iter().map(|(id, arguments)| {
                json!({"id": id, "type": "function", "function": {"name": "f/x", "arguments": arguments}})
            });
            let mut results: Vec<Value> = calls
                .iter()
                .map(|(id, text)| json!({"role": "tool", "tool_call_id": id, "content": text}))
                .collect();
            if reversed {
                results.reverse();
            }
            let mut turn = vec![json!({"role": "assistant", "content": null, "tool_calls": made.collect::<Vec<_>>()})];
            turn.extend(results);
            turn
        },
    );
    prop_oneof![plain, late, calls]
}

proptest! {
    #[test]
    fn translations_are_stable_in_their_prefix(
        turns in prop::collection::vec(turn(), 0..5),
        more in turn(),
        third in any::<bool>(),
    ) {
        let model = if third { "gemini-3.8-flash" } else { "gemini-2.5-flash" };
        let mut history = vec![json!({"role": "system", "content": "S"}), json!({"role": "user", "content": "Hi"})];
        history.extend(turns.into_iter().flatten());
        let (before, _) = encode(model, &json!(history), &Forgetful);
        history.extend(more);
        let (after, _) = encode(model, &json!(history), &Forgetful);
        // What is left open at the end: the last content's parts, the contents, the body.
        let open = before.strip_suffix("]}]}").unwrap();
        prop_assert!(after.starts_with(open), "{before}\n{after}");
    }
}
