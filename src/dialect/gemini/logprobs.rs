//! Log probabilities in OpenAI's shape. Numbers keep their bytes.

use serde_json::value::RawValue;

use crate::chat::json::{self, Members, elements};

/// `logprobsResult` as the `logprobs` object; `None` where it holds no tokens.
pub(super) fn translate(raw: &RawValue) -> Option<String> {
    let result = Members::parse(raw.get()).ok()?;
    let chosen = result.find("chosenCandidates").and_then(elements)?;
    let tops = result.find("topCandidates").and_then(elements);
    let mut out = b"{\"content\":[".to_vec();
    for (at, token) in chosen.iter().enumerate() {
        let top = tops.as_ref().and_then(|tops| tops.get(at));
        json::comma(&mut out);
        entry(token, &mut out)?;
        json::key("top_logprobs", &mut out);
        out.push(b'[');
        for token in top.and_then(|top| alternatives(top)).unwrap_or_default() {
            json::comma(&mut out);
            entry(token, &mut out)?;
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
    }
    out.extend_from_slice(b"],\"refusal\":null}");
    String::from_utf8(out).ok()
}

fn alternatives(raw: &RawValue) -> Option<Vec<&RawValue>> {
    let top = Members::parse(raw.get()).ok()?;
    top.find("candidates").and_then(elements)
}

/// One token without its closing brace.
fn entry(raw: &RawValue, out: &mut Vec<u8>) -> Option<()> {
    let token = Members::parse(raw.get()).ok()?;
    let text = token.text("token").unwrap_or_default();
    let logprob = token.find("logProbability").map_or("0", RawValue::get);
    out.push(b'{');
    json::member("token", &json::quoted(&text), out);
    json::member("logprob", logprob, out);
    json::key("bytes", out);
    out.push(b'[');
    for byte in text.bytes() {
        json::comma(out);
        out.extend_from_slice(byte.to_string().as_bytes());
    }
    out.push(b']');
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_carry_their_bytes_and_alternatives() {
        let raw = r#"{"chosenCandidates":[{"token":"é","tokenId":1,"logProbability":-6.7947026e-06}],
            "topCandidates":[{"candidates":[{"token":"é","logProbability":-6.7947026e-06},{"token":"e","logProbability":-12}]}]}"#;
        let raw = RawValue::from_string(raw.to_owned()).unwrap();
        let first = r#"{"token":"é","logprob":-6.7947026e-06,"bytes":[195,169]"#;
        let expected = format!(
            r#"{{"content":[{first},"top_logprobs":[{first}}},{{"token":"e","logprob":-12,"bytes":[101]}}]}}],"refusal":null}}"#
        );
        assert_eq!(translate(&raw).unwrap(), expected);
    }
}
