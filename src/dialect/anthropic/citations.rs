//! Citations of web searches as OpenAI's `annotations`, with offsets in Unicode code points.

use serde_json::value::RawValue;

use crate::chat::json::{Members, member, quoted};
use crate::chat::{Escaped, json};

/// One citation as an annotation over a span of the answer; `None` for kinds that OpenAI cannot name.
pub(crate) fn annotation(raw: &RawValue, start: u64, end: u64) -> Option<String> {
    let citation = Members::parse(raw.get()).ok()?;
    // A cloud's own form says where by a member of its own.
    let place = inner(&citation, "location");
    let web = place.as_ref().and_then(|place| inner(place, "web"));
    if web.is_none() && citation.text("type").as_deref() != Some("web_search_result_location") {
        return None;
    }
    let url = web.as_ref().unwrap_or(&citation).find("url")?;
    let mut out = b"{\"type\":\"url_citation\",\"url_citation\":{".to_vec();
    member("start_index", &start.to_string(), &mut out);
    member("end_index", &end.to_string(), &mut out);
    member("url", url.get(), &mut out);
    let title = citation.find("title").map_or("\"\"", RawValue::get);
    member("title", title, &mut out);
    out.extend_from_slice(b"}}");
    String::from_utf8(out).ok()
}

fn inner<'a>(members: &Members<'a>, name: &str) -> Option<Members<'a>> {
    Members::parse(members.find(name)?.get()).ok()
}

/// A content block that the client has no use for, with its place: `{"index":…,"block":…}`.
pub(crate) fn hidden_block(index: u64, raw: &str, input: &str) -> String {
    let mut out = b"{\"index\":".to_vec();
    out.extend_from_slice(index.to_string().as_bytes());
    json::key("block", &mut out);
    if input.is_empty() {
        json::compact(raw, &mut out);
    } else {
        with_input(raw, input, &mut out);
    }
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default()
}

/// A block whose `input` came piece by piece; what does not parse is kept as a string.
fn with_input(raw: &str, input: &str, out: &mut Vec<u8>) {
    let decoded = Escaped::trusted(input).decode();
    let whole = serde_json::from_str::<&RawValue>(&decoded).is_ok();
    out.push(b'{');
    for (name, value) in Members::parse(raw).unwrap_or_default().0 {
        if name != "input" {
            json::key(&name, out);
            json::compact(value.get(), out);
        }
    }
    let input = if whole {
        decoded.into_owned()
    } else {
        quoted(&decoded)
    };
    member("input", &input, out);
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_hidden_input_are_put_into_their_block() {
        let block = hidden_block(
            2,
            r#"{"type":"server_tool_use","id":"s","input":{}}"#,
            r#"{\"q\":1}"#,
        );
        let expected = r#"{"index":2,"block":{"type":"server_tool_use","id":"s","input":{"q":1}}}"#;
        assert_eq!(block, expected);
    }
}
