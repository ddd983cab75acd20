//! Messages to contents, and the state of reasoning through a whole loop.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::chat::Request;
use crate::dialect::codec::{Context, Dialect, Encoded, Forgetful, Mode, Recall, Target};
use crate::dialect::gemini::Gemini;
use crate::dialect::{Caps, Quirks};

pub(super) fn encode(model: &str, messages: &Value, recall: &dyn Recall) -> (String, Encoded) {
    let body = json!({"model": model, "messages": messages});
    let request = Request::parse(body.to_string().into_bytes()).unwrap();
    let (quirks, caps) = (Quirks::default(), Caps::default());
    let target = Target {
        model,
        quirks: &quirks,
        caps: &caps,
    };
    let context = Context {
        mode: Mode::Emulate,
        recall,
    };
    let mut out = Vec::new();
    let encoded = Gemini
        .encode(&request, &target, &context, &mut out)
        .unwrap();
    (String::from_utf8(out).unwrap(), encoded)
}

fn contents(model: &str, messages: &Value, recall: &dyn Recall) -> Value {
    let (body, _) = encode(model, messages, recall);
    let body: Value = serde_json::from_str(&body).unwrap_or_else(|e| panic!("{e}: {body}"));
    body["contents"].clone()
}

fn call(id: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "w", "arguments": arguments}})
}

/// A turn's state by its key.
#[derive(Debug, Default)]
pub(super) struct Kept(pub(super) HashMap<String, Arc<str>>);

impl Recall for Kept {
    fn recall(&self, key: &str) -> Option<Arc<str>> {
        self.0.get(key).map(Arc::clone)
    }
}

/// The conversation of H.2 with what the client kept beside the first call.
fn weather(beside: &Value) -> Value {
    let mut first = call("fc1", "{\"c\": \"Oslo\"}");
    for (name, value) in beside.as_object().into_iter().flatten() {
        first[name] = value.clone();
    }
    json!([
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": null, "tool_calls": [first, call("fc2", "{\"c\":\"Rome\"}")]},
        {"role": "tool", "tool_call_id": "fc2", "content": "{\"degrees\": 19.50}"},
        {"role": "tool", "tool_call_id": "fc1", "content": "3C"},
    ])
}

fn answered(signature: &Value) -> Value {
    let mut first = json!({"functionCall": {"id": "fc1", "name": "w", "args": {"c": "Oslo"}}});
    if !signature.is_null() {
        first["thoughtSignature"] = signature.clone();
    }
    json!([
        {"role": "user", "parts": [{"text": "Weather?"}]},
        {"role": "model", "parts": [first, {"functionCall": {"id": "fc2", "name": "w", "args": {"c": "Rome"}}}]},
        {"role": "user", "parts": [
            {"functionResponse": {"id": "fc1", "name": "w", "response": {"output": "3C"}}},
            {"functionResponse": {"id": "fc2", "name": "w", "response": {"degrees": 19.50}}}]},
    ])
}

#[test]
fn h2_signatures_come_back_from_wherever_they_were_kept() {
    let nowhere = json!({});
    let places = [
        json!({"extra_content": {"google": {"thought_signature": "SIG"}}}),
        json!({"provider_specific_fields": {"thought_signature": "SIG"}}),
    ];
    for place in &places {
        assert_eq!(
            contents("gemini-3.8-flash", &weather(place), &Forgetful),
            answered(&json!("SIG"))
        );
    }
    let mut detailed = weather(&nowhere);
    detailed[1]["reasoning_details"] = json!([
        {"type": "reasoning.encrypted", "data": "FOREIGN", "format": "openai-responses-v1", "id": "fc1"},
        {"type": "reasoning.encrypted", "data": "SIG", "format": "google-gemini-v1", "id": "fc1"}]);
    assert_eq!(
        contents("gemini-3.8-flash", &detailed, &Forgetful),
        answered(&json!("SIG"))
    );
    let state = r#"{"gemini":{"calls":{"fc1":"SIG"}}}"#;
    let kept = Kept(HashMap::from([("call:fc1".to_owned(), Arc::from(state))]));
    assert_eq!(
        contents("gemini-3.8-flash", &weather(&nowhere), &kept),
        answered(&json!("SIG"))
    );
    // E-47, E-48: the sentinel on the first call only, from the third generation on only.
    let (body, encoded) = encode("gemini-3.8-flash", &weather(&nowhere), &Forgetful);
    let body: Value = serde_json::from_str(&body).unwrap();
    let sentinel = json!("skip_thought_signature_validator");
    assert_eq!(body["contents"], answered(&sentinel));
    assert_eq!(
        encoded.report.emulated,
        ["messages.tool_calls.extra_content"]
    );
}

#[test]
fn older_models_get_no_ids_and_no_sentinel() {
    let contents = contents("gemini-2.5-flash", &weather(&json!({})), &Forgetful);
    let text = contents.to_string();
    assert!(
        !text.contains("fc1") && !text.contains("thoughtSignature"),
        "{text}"
    );
    assert_eq!(
        contents[2]["parts"][0]["functionResponse"],
        json!({"name": "w", "response": {"output": "3C"}})
    );
}

#[test]
fn an_id_that_was_made_here_is_not_sent() {
    let id = crate::dialect::ids::made_call_id("r", 0, 0);
    let messages = json!([{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [call(&id, "")]},
        {"role": "tool", "tool_call_id": id, "content": ""}]);
    let contents = contents("gemini-3.8-flash", &messages, &Forgetful);
    // E-11: no arguments are an empty object.
    assert_eq!(
        contents[1]["parts"][0]["functionCall"],
        json!({"name": "w", "args": {}})
    );
    let response = json!({"name": "w", "response": {"output": ""}});
    assert_eq!(contents[2]["parts"][0]["functionResponse"], response);
}

#[test]
fn e30_arguments_are_always_an_object() {
    let table = [
        ("", json!({})),
        ("  ", json!({})),
        (
            "{\"n\": 12345678901234567890}",
            json!({"n": 12_345_678_901_234_567_890_u64}),
        ),
        ("[1]", json!({"value": [1]})),
        ("{broken \"é", json!({"_raw": "{broken \"é"})),
    ];
    for (arguments, args) in table {
        let messages = json!([{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [call("a", arguments)]},
            {"role": "tool", "tool_call_id": "a", "content": "y"}]);
        let contents = contents("gemini-2.5-flash", &messages, &Forgetful);
        assert_eq!(
            contents[1]["parts"][0]["functionCall"]["args"], args,
            "{arguments}"
        );
    }
}

#[test]
fn roles_are_merged_and_kept_in_place() {
    let messages = json!([
        {"role": "system", "content": "One"},
        {"role": "developer", "content": [{"type": "text", "text": "Two"}, {"type": "text", "text": ""}]},
        {"role": "user", "content": "a\u{1F600}\n"},
        {"role": "user", "content": [{"type": "text", "text": "b"}]},
        {"role": "system", "content": "Late"},
        {"role": "assistant", "content": "c", "refusal": "d"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": ""},
    ]);
    let (body, encoded) = encode("gemini-2.5-flash", &messages, &Forgetful);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        body["systemInstruction"],
        json!({"parts": [{"text": "One"}, {"text": "Two"}]})
    );
    let expected = json!([
        {"role": "user", "parts": [{"text": "a\u{1F600}\n"}, {"text": "b"}, {"text": "[Instruction of the operator, not of the user]\nLate"}]},
        {"role": "model", "parts": [{"text": "c"}, {"text": "d"}]},
        {"role": "user", "parts": [{"text": " "}]},
    ]);
    assert_eq!(body["contents"], expected);
    assert_eq!(encoded.report.emulated, ["messages[4].role"]);
}

#[test]
fn odd_histories_are_mended_and_reported() {
    let messages = json!([
        {"role": "assistant", "content": null, "tool_calls": [call("a", "{}"), call("b", "{}")]},
        {"role": "system", "content": "S"},
        {"role": "tool", "tool_call_id": "b", "content": "B"},
        {"role": "user", "content": "u"},
        {"role": "tool", "tool_call_id": "zz", "content": "lost\n"},
    ]);
    let (body, encoded) = encode("gemini-2.5-flash", &messages, &Forgetful);
    let body: Value = serde_json::from_str(&body).unwrap();
    let expected = json!([
        {"role": "user", "parts": [{"text": "."}]},
        {"role": "model", "parts": [{"functionCall": {"name": "w", "args": {}}}, {"functionCall": {"name": "w", "args": {}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "w", "response": {"error": "no result"}}},
            {"functionResponse": {"name": "w", "response": {"output": "B"}}}]},
        {"role": "user", "parts": [{"text": "[Instruction of the operator, not of the user]\nS"}, {"text": "u"}, {"text": "[tool result] lost\n"}]},
    ]);
    assert_eq!(body["contents"], expected);
    let emulated = [
        "messages[0]",
        "messages[0].tool_calls",
        "messages[1].role",
        "messages[4].tool_call_id",
    ];
    assert_eq!(encoded.report.emulated, emulated);
}

#[test]
fn media_go_inline_or_by_their_own_uris() {
    let image = |url: &str, detail: &str| json!({"type": "image_url", "image_url": {"url": url, "detail": detail}});
    let messages = json!([{"role": "user", "content": [
        image("data:image/jpeg;base64,iVBORw0KGgo=", "low"),
        image("https://example.com/a.JPG?x=1", "auto"),
        image("gs://bucket/b.png", "original"),
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        {"type": "file", "file": {"file_data": "JVBERi0xLjQK", "filename": "x.bin"}},
        {"type": "file", "file": {"file_data": "data:text/plain,hi"}},
        {"type": "file", "file": {"file_id": "https://generativelanguage.googleapis.com/v1beta/files/q"}},
    ]}]);
    let parts = json!([
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}, "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}},
        {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://example.com/a.JPG?x=1"}},
        {"fileData": {"mimeType": "image/png", "fileUri": "gs://bucket/b.png"}, "mediaResolution": {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"}},
        {"inlineData": {"mimeType": "audio/mp3", "data": "AAAA"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0xLjQK"}},
        {"inlineData": {"mimeType": "text/plain", "data": "aGk="}},
        {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/q"}},
    ]);
    let third = contents("gemini-3.8-flash", &messages, &Forgetful);
    assert_eq!(third[0]["parts"], parts);
}

#[test]
fn media_of_results_stay_with_the_result_where_the_model_takes_them() {
    let messages = json!([
        {"role": "user", "content": "x"},
        {"role": "assistant", "tool_calls": [call("a", "{}")]},
        {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "see"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]},
    ]);
    let image = json!({"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}});
    let third = contents("gemini-3.8-flash", &messages, &Forgetful);
    let result = &third[2]["parts"][0]["functionResponse"];
    assert_eq!(result["response"], json!({"output": "see"}));
    assert_eq!(result["parts"], json!([image]));
    let second = contents("gemini-2.5-flash", &messages, &Forgetful);
    assert_eq!(second[2]["parts"][0]["functionResponse"].get("parts"), None);
    assert_eq!(second[3], json!({"role": "user", "parts": [image]}));
}

#[test]
fn a_signature_of_text_goes_back_on_the_part_it_came_with() {
    let texts = |tail: usize| {
        let details = json!([{"type": "reasoning.encrypted", "data": "T", "format": "google-gemini-v1", "index": 0, "tail": tail}]);
        let messages = json!([{"role": "user", "content": "x"}, {"role": "assistant", "content": "ab\n", "reasoning_details": details},
            {"role": "user", "content": "y"}]);
        contents("gemini-3.8-flash", &messages, &Forgetful)[1]["parts"].clone()
    };
    assert_eq!(
        texts(0),
        json!([{"text": "ab\n"}, {"text": "", "thoughtSignature": "T"}])
    );
    assert_eq!(
        texts(2),
        json!([{"text": "a"}, {"text": "b\n", "thoughtSignature": "T"}])
    );
    assert_eq!(texts(3), json!([{"text": "ab\n", "thoughtSignature": "T"}]));
}

#[test]
fn open_models_have_the_system_in_the_first_user_content() {
    let messages = json!([{"role": "system", "content": "S"}, {"role": "user", "content": "u"}]);
    let (body, encoded) = encode("gemma-4-31b-it", &messages, &Forgetful);
    assert_eq!(
        body,
        r#"{"contents":[{"role":"user","parts":[{"text":"S"},{"text":"u"}]}]}"#
    );
    assert_eq!(encoded.report.emulated, ["messages[0].role"]);
}

#[test]
fn the_deprecated_form_is_understood() {
    let messages = json!([
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": null, "function_call": {"name": "w", "arguments": "{}"}},
        {"role": "function", "name": "w", "content": "ok"},
    ]);
    let contents = contents("gemini-3.8-flash", &messages, &Forgetful);
    assert_eq!(
        contents[1]["parts"][0]["functionCall"],
        json!({"name": "w", "args": {}})
    );
    assert_eq!(
        contents[2]["parts"][0]["functionResponse"],
        json!({"name": "w", "response": {"output": "ok"}})
    );
}
