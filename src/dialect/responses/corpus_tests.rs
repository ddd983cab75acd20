//! Every recorded exchange, at every kind of split, held to what its own last word says: a stream ends with the whole
//! answer, which the pieces before it must add up to.

use serde_json::{Value, json};

use super::super::codec::Shape;
use super::super::corpus_tests::{CUTS, decode, exchanges, pieces, read};
use super::Responses;

/// The whole answer in a recording.
fn whole(exchange: &Value) -> Value {
    let body = exchange["response"]["body"].as_str().unwrap();
    if exchange["stream"] != true {
        return serde_json::from_str(body).unwrap();
    }
    let data = body.lines().filter_map(|line| line.strip_prefix("data:"));
    let parsed = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let events: Vec<Value> = parsed.collect();
    let of = |kind: &'static str| events.iter().filter(move |event| event["type"] == kind);
    let mut answer = of("response.completed").next().unwrap()["response"].clone();
    // The last word encrypts reasoning anew; what comes back is to be the item's own, says the reference.
    for event in of("response.output_item.done") {
        let at = usize::try_from(event["output_index"].as_u64().unwrap()).unwrap();
        if event["item"]["encrypted_content"].is_string() {
            answer["output"][at]["encrypted_content"] = event["item"]["encrypted_content"].clone();
        }
    }
    answer
}

/// What chat completions make of it, by hand.
fn expected(answer: &Value) -> Value {
    let items = answer["output"].as_array().unwrap();
    let of = |kind: &'static str| items.iter().filter(move |item| item["type"] == kind);
    let texts = |list: &Value, name: &str| -> Vec<String> {
        let list = list.as_array().into_iter().flatten();
        list.filter_map(|part| part[name].as_str().map(str::to_owned))
            .collect()
    };
    let text: String = of("message")
        .flat_map(|item| texts(&item["content"], "text"))
        .collect();
    let thoughts: Vec<String> = of("reasoning")
        .flat_map(|item| {
            let own = texts(&item["content"], "text");
            if own.is_empty() {
                texts(&item["summary"], "text")
            } else {
                own
            }
        })
        .collect();
    let calls: Vec<Value> = of("function_call")
        .map(|call| json!([call["call_id"], call["name"], call["arguments"]]))
        .collect();
    let citations = of("message").flat_map(|item| item["content"].as_array().unwrap());
    let citations = citations.flat_map(|part| part["annotations"].as_array().into_iter().flatten());
    let urls = citations.filter(|citation| citation["type"] == "url_citation");
    // Reasoning goes back before what it led to; before a tool of the provider's it would stand before nothing.
    let kept = items
        .iter()
        .zip(items.iter().skip(1))
        .filter(|(item, next)| {
            let is_seen = next["type"] == "message" || next["type"] == "function_call";
            item["encrypted_content"].is_string() && is_seen
        });
    let usage = &answer["usage"];
    json!({
        "id": format!("chatcmpl-{}", answer["id"].as_str().unwrap()),
        "model": answer["model"],
        "text": text,
        "reasoning": thoughts.join("\n\n"),
        "calls": calls,
        "urls": urls.count(),
        "encrypted": kept.map(|(item, _)| item["encrypted_content"].clone()).collect::<Vec<_>>(),
        "images": of("image_generation_call").count(),
        "finish": if of("function_call").count() > 0 { "tool_calls" } else { "stop" },
        "usage": [usage["input_tokens"], usage["output_tokens"], usage["input_tokens_details"]["cached_tokens"],
            usage["output_tokens_details"]["reasoning_tokens"]],
    })
}

/// The same of what was read.
fn found(completion: &Value) -> Value {
    let choice = &completion["choices"][0];
    let message = &choice["message"];
    let list = |name: &str| message[name].as_array().cloned().unwrap_or_default();
    let calls: Vec<Value> = list("tool_calls")
        .iter()
        .map(|call| {
            json!([
                call["id"],
                call["function"]["name"],
                call["function"]["arguments"]
            ])
        })
        .collect();
    let details = list("reasoning_details");
    let encrypted = details
        .iter()
        .filter(|item| item["type"] == "reasoning.encrypted");
    let usage = &completion["usage"];
    json!({
        "id": completion["id"],
        "model": completion["model"],
        "text": message["content"].as_str().unwrap_or_default(),
        "reasoning": message["reasoning_content"].as_str().unwrap_or_default(),
        "calls": calls,
        "urls": list("annotations").len(),
        "encrypted": encrypted.map(|item| item["data"].clone()).collect::<Vec<_>>(),
        "images": list("images").len(),
        "finish": choice["finish_reason"],
        "usage": [usage["prompt_tokens"], usage["completion_tokens"], usage["prompt_tokens_details"]["cached_tokens"],
            usage["completion_tokens_details"]["reasoning_tokens"]],
    })
}

#[test]
fn every_recording_adds_up_to_its_own_last_word() {
    let Some(paths) = exchanges("openai-responses") else {
        return;
    };
    let mut wrong = Vec::new();
    for path in &paths {
        let exchange = read(path);
        let expected = expected(&whole(&exchange));
        let shape = if exchange["stream"] == true {
            Shape::Stream
        } else {
            Shape::Whole
        };
        let body = exchange["response"]["body"].as_str().unwrap().as_bytes();
        let read = |cut| decode(&Responses, shape, &pieces(body, cut));
        let first = read(CUTS[0]);
        for cut in CUTS {
            let got = read(cut);
            if got != first {
                wrong.push(format!("{}: {cut:?} reads otherwise", path.display()));
            }
        }
        let (completion, error) = first;
        let found = found(&completion);
        if found != expected || error.is_some() {
            wrong.push(format!(
                "{}: {error:?}\n{found}\n{expected}",
                path.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
