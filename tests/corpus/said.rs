//! What an answer of ours says, read from its bytes and held to the protocol on the way.

use serde_json::{Value, json};

use super::support::Reply;

/// What an answer says, in the record's terms.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) reasoning: String,
    pub(crate) calls: Vec<(String, String)>,
    pub(crate) finish: Value,
    pub(crate) usage: Value,
    pub(crate) error: Option<Value>,
}

pub(crate) fn said_at_once(reply: &Reply) -> Result<Said, String> {
    let body: Value =
        serde_json::from_slice(&reply.body).map_err(|error| format!("not JSON: {error}"))?;
    if body.get("error").is_some_and(Value::is_object) {
        return Ok(Said {
            error: Some(body["error"].clone()),
            ..Said::default()
        });
    }
    let mut said = Said::default();
    let message = &body["choices"][0]["message"];
    said.text = text(&message["content"]);
    said.reasoning = text(&message["reasoning_content"]);
    said.finish = body["choices"][0]["finish_reason"].clone();
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        said.calls.push((
            text(&call["function"]["name"]),
            text(&call["function"]["arguments"]),
        ));
    }
    said.usage = usage(&body["usage"]);
    Ok(said)
}

/// Reads our stream and holds it to the protocol on the way.
pub(crate) fn said_in_stream(reply: &Reply) -> Result<Said, String> {
    let mut said = Said::default();
    let (mut done, mut ids, mut roles, mut usages) = (false, Vec::new(), 0, 0);
    for event in reply.text().split("\n\n").filter(|event| !event.is_empty()) {
        let Some(data) = event.strip_prefix("data: ") else {
            if event.starts_with(':') {
                continue;
            }
            return Err(format!("not an event: {event:?}"));
        };
        if done {
            return Err("an event after [DONE]".to_owned());
        }
        if data == "[DONE]" {
            done = true;
            continue;
        }
        let chunk: Value =
            serde_json::from_str(data).map_err(|error| format!("{error}: {data}"))?;
        if chunk.get("error").is_some() {
            said.error = Some(chunk["error"].clone());
            continue;
        }
        ids.push((
            chunk["id"].clone(),
            chunk["created"].clone(),
            chunk["object"].clone(),
        ));
        let choices = chunk["choices"].as_array().ok_or("choices is not a list")?;
        if chunk["usage"].is_object() {
            usages += 1;
            said.usage = usage(&chunk["usage"]);
            if !choices.is_empty() {
                return Err("usage on a chunk with choices".to_owned());
            }
        }
        if let Some(choice) = choices.first().filter(|choice| choice["index"] == 0) {
            roles += usize::from(choice["delta"].get("role").is_some());
            said.take(choice)?;
        }
    }
    ids.dedup();
    let ended =
        said.error.is_some() || (done && !said.finish.is_null() && usages == 1 && reply.clean);
    if ids.len() > 1 || (said.error.is_none() && roles != 1) || !ended {
        let counts = format!("{} identities, {roles} roles, {usages} usages", ids.len());
        return Err(format!(
            "protocol: {counts}, done {done}, clean {}",
            reply.clean
        ));
    }
    Ok(said)
}

impl Said {
    fn take(&mut self, choice: &Value) -> Result<(), String> {
        let delta = &choice["delta"];
        if choice.get("finish_reason").is_none() {
            return Err("no finish_reason key".to_owned());
        }
        if !choice["finish_reason"].is_null() {
            if !self.finish.is_null() {
                return Err("two finish reasons".to_owned());
            }
            self.finish = choice["finish_reason"].clone();
        } else if !self.finish.is_null() {
            return Err("a delta after the finish reason".to_owned());
        }
        self.text += &text(&delta["content"]);
        self.reasoning += &text(&delta["reasoning_content"]);
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let at =
                usize::try_from(call["index"].as_u64().ok_or("a call without index")?).unwrap();
            if at == self.calls.len() {
                if !call["id"].is_string() || call["type"] != "function" {
                    return Err("a call begins without id or type".to_owned());
                }
                self.calls
                    .push((text(&call["function"]["name"]), String::new()));
            }
            let known = self.calls.get_mut(at).ok_or("a hole in the calls")?;
            known.1 += &text(&call["function"]["arguments"]);
        }
        Ok(())
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The counts that records compare.
pub(crate) fn usage(value: &Value) -> Value {
    if !value.is_object() {
        return Value::Null;
    }
    json!({
        "prompt_tokens": value["prompt_tokens"],
        "completion_tokens": value["completion_tokens"],
        "cached_tokens": value["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap_or(0),
        "reasoning_tokens": value["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap_or(0),
    })
}
