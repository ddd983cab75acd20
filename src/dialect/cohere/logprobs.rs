//! Log probabilities of chunks of text as OpenAI's of tokens.
//!
//! A chunk is most often one token. Of one that is more, the tokens have no texts of their own: the chunk stands for
//! them, and its probability is their product.

use serde_json::value::RawValue;

use crate::chat::json::{Members, elements, key, member};
use crate::chat::{Escaped, Event, Sink};

/// Tells one item, or a list of them.
pub(super) fn tell(raw: Option<&RawValue>, sink: &mut dyn Sink) {
    let Some(raw) = raw else {
        return;
    };
    let items = elements(raw).unwrap_or_else(|| vec![raw]);
    let items: Vec<String> = items.into_iter().filter_map(item).collect();
    if items.is_empty() {
        return;
    }
    let json = format!("{{\"content\":[{}],\"refusal\":null}}", items.join(","));
    sink.event(Event::Logprobs {
        choice: 0,
        json: &json,
    });
}

fn item(raw: &RawValue) -> Option<String> {
    let members = Members::parse(raw.get()).ok()?;
    let text = members.find("text").and_then(Escaped::token)?;
    let list = members.find("logprobs").and_then(elements)?;
    let mut out = b"{\"token\":".to_vec();
    text.write_quoted(&mut out);
    match list.as_slice() {
        [] => return None,
        [one] => member("logprob", one.get(), &mut out),
        many => {
            let sum: f64 = many
                .iter()
                .filter_map(|raw| raw.get().parse::<f64>().ok())
                .sum();
            member("logprob", &sum.to_string(), &mut out);
        }
    }
    key("bytes", &mut out);
    let bytes: Vec<String> = text.decode().bytes().map(|byte| byte.to_string()).collect();
    out.extend_from_slice(format!("[{}]", bytes.join(",")).as_bytes());
    member("top_logprobs", "[]", &mut out);
    out.push(b'}');
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_stands_for_its_tokens() {
        let raw = r#"[{"text":"é","token_ids":[1],"logprobs":[-0.25]},{"text":"ab","token_ids":[2,3],"logprobs":[-0.5,-0.25]},{"text":"x","token_ids":[]}]"#;
        let mut events = Vec::<String>::new();
        tell(Some(serde_json::from_str(raw).unwrap()), &mut events);
        let expected = r#"{\"content\":[{\"token\":\"é\",\"logprob\":-0.25,\"bytes\":[195,169],\"top_logprobs\":[]},{\"token\":\"ab\",\"logprob\":-0.75,\"bytes\":[97,98],\"top_logprobs\":[]}],\"refusal\":null}"#;
        assert_eq!(events.len(), 1);
        assert!(events[0].contains(expected), "{events:?}");
    }
}
