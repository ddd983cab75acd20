//! Citations: as they came for those who know them, and as OpenAI's `annotations` where a source has an address.

use serde_json::value::RawValue;

use crate::chat::json::{Members, compact, elements, member, quoted};
use crate::chat::{Event, Sink};

/// The citations of one answer.
#[derive(Debug, Default)]
pub(super) struct Citations {
    all: Vec<String>,
    /// Text parts: which, and how many code points of the answer precede it.
    parts: Vec<(u64, u64)>,
}

impl Citations {
    /// Notes where a text part begins within the answer's text, which is all parts in a row.
    pub(super) fn part(&mut self, index: u64, start: u64) {
        if self.parts.iter().all(|(known, _)| *known != index) {
            self.parts.push((index, start));
        }
    }

    /// Takes one citation, or a list of them.
    pub(super) fn add(&mut self, raw: Option<&RawValue>) {
        let Some(raw) = raw else {
            return;
        };
        for raw in elements(raw).unwrap_or_else(|| vec![raw]) {
            if raw.get().starts_with('{') {
                let mut json = Vec::with_capacity(raw.get().len());
                compact(raw.get(), &mut json);
                self.all.push(String::from_utf8(json).unwrap_or_default());
            }
        }
    }

    /// Tells them.
    pub(super) fn tell(&self, sink: &mut dyn Sink) {
        if self.all.is_empty() {
            return;
        }
        let annotations: Vec<String> = self.all.iter().flat_map(|raw| self.annotate(raw)).collect();
        for (name, list) in [("annotations", &annotations), ("citations", &self.all)] {
            if !list.is_empty() {
                sink.event(Event::Field {
                    choice: 0,
                    name,
                    json: &format!("[{}]", list.join(",")),
                });
            }
        }
    }

    /// An annotation for each source of a citation that has an address. Citations of thinking and of plans have no
    /// place in the text.
    fn annotate(&self, raw: &str) -> Vec<String> {
        let citation = Members::parse(raw).unwrap_or_default();
        let of_text = citation
            .text("type")
            .is_none_or(|kind| kind == "TEXT_CONTENT");
        let span = citation.count("start").zip(citation.count("end"));
        let Some((start, end)) = span.filter(|_| of_text) else {
            return Vec::new();
        };
        let base = self.base(citation.count("content_index"));
        let (start, end) = (start.saturating_add(base), end.saturating_add(base));
        let sources = citation.find("sources").and_then(elements);
        let sources = sources.unwrap_or_default().into_iter();
        sources.filter_map(|raw| link(raw, start, end)).collect()
    }

    /// How many code points precede a part; a citation that names none is of the first.
    fn base(&self, part: Option<u64>) -> u64 {
        let found = self.parts.iter().find(|(index, _)| Some(*index) == part);
        found.map_or(0, |(_, start)| *start)
    }
}

fn link(raw: &RawValue, start: u64, end: u64) -> Option<String> {
    let source = Members::parse(raw.get()).ok()?;
    let held = source
        .find("document")
        .or_else(|| source.find("tool_output"))?;
    let held = Members::parse(held.get()).ok()?;
    let url = held.text("url")?;
    let mut out = b"{\"type\":\"url_citation\",\"url_citation\":{".to_vec();
    member("start_index", &start.to_string(), &mut out);
    member("end_index", &end.to_string(), &mut out);
    member("url", &quoted(&url), &mut out);
    let title = held.text("title").unwrap_or_default();
    member("title", &quoted(&title), &mut out);
    out.extend_from_slice(b"}}");
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(citations: &[&str]) -> Vec<String> {
        let mut kept = Citations::default();
        kept.part(1, 0);
        kept.part(3, 10);
        for citation in citations {
            let raw: &RawValue = serde_json::from_str(citation).unwrap();
            kept.add(Some(raw));
        }
        let mut events = Vec::new();
        kept.tell(&mut events);
        events
    }

    #[test]
    fn a_source_with_an_address_is_an_annotation() {
        let citation = r#"{"start":2,"end":5,"text":"abc","content_index":3,"type":"TEXT_CONTENT",
            "sources":[{"type":"document","id":"d","document":{"url":"https://a.example","title":"A"}},{"type":"tool","tool_output":{"x":"y"}}]}"#;
        let events = told(&[citation]);
        assert_eq!(events.len(), 2);
        let expected = r#"[{\"type\":\"url_citation\",\"url_citation\":{\"start_index\":12,\"end_index\":15,\"url\":\"https://a.example\",\"title\":\"A\"}}]"#;
        assert!(
            events[0].contains("annotations") && events[0].contains(expected),
            "{events:?}"
        );
        assert!(
            events[1].contains("citations") && events[1].contains("tool_output"),
            "{events:?}"
        );
    }

    #[test]
    fn a_citation_of_thinking_is_no_annotation() {
        let citation = r#"[{"start":2,"end":5,"type":"THINKING_CONTENT","sources":[{"document":{"url":"https://a.example"}}]}]"#;
        let events = told(&[citation]);
        assert_eq!(events.len(), 1);
        assert!(events[0].contains("name: \"citations\""), "{events:?}");
        assert_eq!(told(&[]), Vec::<String>::new());
    }
}
