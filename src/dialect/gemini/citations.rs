//! Where the words come from: grounding and citation metadata as `url_citation` annotations.
//!
//! Segments are byte offsets into the UTF-8 of a part
//! (<https://ai.google.dev/api/generate-content#Segment>); annotations count code points of the whole text.

use serde_json::value::RawValue;

use crate::chat::json::{self, Members, elements};

/// The text that segments point into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken<'a> {
    /// The whole text, decoded.
    pub(super) text: &'a str,
    /// Where each part begins, in bytes.
    pub(super) starts: &'a [usize],
}

/// A link over a stretch of bytes.
struct Link<'a> {
    from: usize,
    to: usize,
    source: &'a Members<'a>,
}

/// All annotations as a JSON array; `None` where there are none.
pub(super) fn annotations(
    grounding: Option<&str>,
    citations: Option<&str>,
    spoken: Spoken<'_>,
) -> Option<String> {
    let mut out = vec![b'['];
    if let Some(members) = grounding.and_then(|raw| Members::parse(raw).ok()) {
        grounded(&members, spoken, &mut out);
    }
    if let Some(members) = citations.and_then(|raw| Members::parse(raw).ok()) {
        cited(&members, spoken, &mut out);
    }
    out.push(b']');
    (out.len() > 2).then(|| String::from_utf8(out).ok())?
}

fn list<'a>(members: &Members<'a>, name: &str) -> Vec<Members<'a>> {
    let raws = members.find(name).and_then(elements).unwrap_or_default();
    raws.into_iter()
        .filter_map(|raw| Members::parse(raw.get()).ok())
        .collect()
}

fn within<'a>(members: &Members<'a>, name: &str) -> Option<Members<'a>> {
    Members::parse(members.find(name)?.get()).ok()
}

fn grounded(grounding: &Members<'_>, spoken: Spoken<'_>, out: &mut Vec<u8>) {
    let sources: Vec<Option<Members<'_>>> = list(grounding, "groundingChunks")
        .iter()
        .map(|chunk| {
            let places = ["web", "retrievedContext", "maps"];
            places.iter().find_map(|place| within(chunk, place))
        })
        .collect();
    for support in list(grounding, "groundingSupports") {
        let Some((from, to)) = within(&support, "segment").and_then(|s| segment(&s, spoken)) else {
            continue;
        };
        let chunks = support.find("groundingChunkIndices").and_then(elements);
        for chunk in chunks.unwrap_or_default() {
            let at = json::whole_number(chunk.get()).and_then(|at| usize::try_from(at).ok());
            if let Some(Some(source)) = at.and_then(|at| sources.get(at)) {
                annotate(&Link { from, to, source }, spoken, out);
            }
        }
    }
}

/// Where a segment lies in the text. Its own words are the check: offsets that do not meet them are not believed.
fn segment(segment: &Members<'_>, spoken: Spoken<'_>) -> Option<(usize, usize)> {
    let offset = |name: &str| {
        let count = segment.count(name).unwrap_or_default();
        usize::try_from(count).unwrap_or(usize::MAX)
    };
    let part = spoken.starts.get(offset("partIndex")).copied();
    let part = part.unwrap_or_default();
    let from = part.saturating_add(offset("startIndex"));
    let to = part.saturating_add(offset("endIndex"));
    let Some(words) = segment.text("text") else {
        return (from < to).then_some((from, to));
    };
    if spoken.text.get(from..to) == Some(words.as_ref()) {
        return Some((from, to));
    }
    let from = spoken.text.find(words.as_ref())?;
    Some((from, from.saturating_add(words.len())))
}

fn cited(citations: &Members<'_>, spoken: Spoken<'_>, out: &mut Vec<u8>) {
    // One name on AI Studio, another on Vertex.
    for name in ["citationSources", "citations"] {
        for source in list(citations, name) {
            let offset = |name: &str| {
                let count = source.count(name).unwrap_or_default();
                usize::try_from(count).unwrap_or(usize::MAX)
            };
            let link = Link {
                from: offset("startIndex"),
                to: offset("endIndex"),
                source: &source,
            };
            annotate(&link, spoken, out);
        }
    }
}

fn annotate(link: &Link<'_>, spoken: Spoken<'_>, out: &mut Vec<u8>) {
    let Some(url) = link.source.find("uri").map(RawValue::get) else {
        return;
    };
    json::comma(out);
    out.extend_from_slice(b"{\"type\":\"url_citation\",\"url_citation\":{");
    json::member("url", url, out);
    let title = link.source.find("title").map_or("\"\"", RawValue::get);
    json::member("title", title, out);
    for (name, at) in [("start_index", link.from), ("end_index", link.to)] {
        json::member(name, &code_points(spoken.text, at).to_string(), out);
    }
    out.extend_from_slice(b"}}");
}

/// How many code points lie before a byte offset.
fn code_points(text: &str, bytes: usize) -> usize {
    text.char_indices()
        .take_while(|(at, _)| *at < bytes)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_offsets_become_code_points() {
        let spoken = Spoken {
            text: "Zürich ist schön. Ja.",
            starts: &[0],
        };
        let grounding = r#"{"groundingChunks":[{"web":{"uri":"https://a","title":"A"}},{"other":{}}],
            "groundingSupports":[{"segment":{"endIndex":19,"text":"Zürich ist schön."},"groundingChunkIndices":[0,1]},
            {"segment":{"startIndex":3,"endIndex":5,"text":"Ja."},"groundingChunkIndices":[0]},{"groundingChunkIndices":[0]}]}"#;
        let link = |from, to| {
            format!(
                r#"{{"type":"url_citation","url_citation":{{"url":"https://a","title":"A","start_index":{from},"end_index":{to}}}}}"#
            )
        };
        let expected = format!("[{},{}]", link(0, 17), link(18, 21));
        assert_eq!(annotations(Some(grounding), None, spoken), Some(expected));
        let citations = r#"{"citationSources":[{"startIndex":1,"endIndex":3,"uri":"https://a","title":"A"},{"license":"x"}]}"#;
        let expected = format!("[{}]", link(1, 2));
        assert_eq!(annotations(None, Some(citations), spoken), Some(expected));
        assert_eq!(annotations(Some("{}"), None, spoken), None);
    }
}
