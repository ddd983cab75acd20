//! Every recorded exchange, at every kind of split, held to what its own JSON adds up to, read by hand.

use serde_json::{Value, json};

use super::super::codec::Shape;
use super::super::corpus_tests::{CUTS, decode, exchanges, pieces, read};
use super::Cohere;

/// What is said in a recording, in the words of chat completions.
fn expected(exchange: &Value) -> Value {
    let body = exchange["response"]["body"].as_str().unwrap();
    let answer = if exchange["stream"] == true {
        added_up(body)
    } else {
        serde_json::from_str(body).unwrap()
    };
    let message = &answer["message"];
    let parts = || message["content"].as_array().into_iter().flatten();
    let texts = |name: &str| -> String { parts().filter_map(|part| part[name].as_str()).collect() };
    let plan = message["tool_plan"].as_str().unwrap_or_default();
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    let calls: Vec<Value> = calls
        .map(|call| {
            json!([
                call["id"],
                call["function"]["name"],
                call["function"]["arguments"]
            ])
        })
        .collect();
    let usage = &answer["usage"];
    let finish = match answer["finish_reason"].as_str().unwrap() {
        "COMPLETE" | "STOP_SEQUENCE" => "stop",
        "TOOL_CALL" => "tool_calls",
        other => panic!("{other} has no word yet"),
    };
    json!({
        "id": format!("chatcmpl-{}", answer["id"].as_str().unwrap()),
        "text": texts("text"),
        "reasoning": texts("thinking") + plan,
        "calls": calls,
        "citations": message["citations"].as_array().map_or(0, Vec::len),
        "finish": finish,
        "usage": [usage["tokens"]["input_tokens"], usage["tokens"]["output_tokens"], usage["cached_tokens"], usage["billed_units"]],
    })
}

/// A stream's events as the whole answer they add up to.
fn added_up(body: &str) -> Value {
    let mut answer =
        json!({"message": {"content": [], "tool_calls": [], "tool_plan": "", "citations": []}});
    let data = body.lines().filter_map(|line| line.strip_prefix("data:"));
    for data in data.filter(|data| data.trim() != "[DONE]") {
        let event: Value = serde_json::from_str(data).unwrap();
        let news = &event["delta"]["message"];
        let at = usize::try_from(event["index"].as_u64().unwrap_or_default()).unwrap();
        let message = &mut answer["message"];
        match event["type"].as_str().unwrap() {
            "content-start" => message["content"]
                .as_array_mut()
                .unwrap()
                .push(news["content"].clone()),
            "content-delta" => {
                for name in ["text", "thinking"] {
                    append(&mut message["content"][at][name], &news["content"][name]);
                }
            }
            "tool-plan-delta" => append(&mut message["tool_plan"], &news["tool_plan"]),
            "tool-call-start" => message["tool_calls"]
                .as_array_mut()
                .unwrap()
                .push(news["tool_calls"].clone()),
            "tool-call-delta" => append(
                &mut message["tool_calls"][at]["function"]["arguments"],
                &news["tool_calls"]["function"]["arguments"],
            ),
            "citation-start" => message["citations"]
                .as_array_mut()
                .unwrap()
                .push(news["citations"].clone()),
            "message-start" => answer["id"] = event["id"].clone(),
            "message-end" => {
                answer["finish_reason"] = event["delta"]["finish_reason"].clone();
                answer["usage"] = event["delta"]["usage"].clone();
            }
            _ => {}
        }
    }
    // A call without arguments has an object all the same.
    for call in answer["message"]["tool_calls"].as_array_mut().unwrap() {
        if call["function"]["arguments"] == "" {
            call["function"]["arguments"] = json!("{}");
        }
    }
    answer
}

fn append(to: &mut Value, more: &Value) {
    if let Some(more) = more.as_str() {
        *to = json!(to.as_str().unwrap_or_default().to_owned() + more);
    }
}

fn found(answer: &Value) -> Value {
    let message = &answer["choices"][0]["message"];
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    let calls: Vec<Value> = calls
        .map(|call| {
            json!([
                call["id"],
                call["function"]["name"],
                call["function"]["arguments"]
            ])
        })
        .collect();
    let usage = &answer["usage"];
    json!({
        "id": answer["id"],
        "text": message["content"].as_str().unwrap_or_default(),
        "reasoning": message["reasoning_content"].as_str().unwrap_or_default(),
        "calls": calls,
        "citations": message["citations"].as_array().map_or(0, Vec::len),
        "finish": answer["choices"][0]["finish_reason"],
        "usage": [usage["prompt_tokens"], usage["completion_tokens"], usage["prompt_tokens_details"]["cached_tokens"], usage["billed_units"]],
    })
}

#[test]
fn every_recording_reads_as_it_adds_up() {
    let Some(names) = exchanges("cohere") else {
        return;
    };
    for path in names {
        let exchange = read(&path);
        let body = exchange["response"]["body"].as_str().unwrap().as_bytes();
        let shape = if exchange["stream"] == true {
            Shape::Stream
        } else {
            Shape::Whole
        };
        let expected = expected(&exchange);
        for cut in CUTS {
            let (answer, error) = decode(&Cohere, shape, &pieces(body, cut));
            assert_eq!(error, None, "{} ({cut:?})", path.display());
            assert_eq!(found(&answer), expected, "{} ({cut:?})", path.display());
        }
    }
}
