//! Citations of an answer: those of web pages are OpenAI's `annotations`, others keep their own shape beside them.

use serde_json::value::RawValue;

use crate::chat::json::{Members, member};

/// The citations of one answer.
#[derive(Debug, Default)]
pub(super) struct Citations {
    /// Of web pages, in the shape of chat completions.
    pub(super) urls: Vec<String>,
    /// Of files: chat completions have no shape for them.
    pub(super) others: Vec<String>,
}

impl Citations {
    /// Takes a citation in a part of the text that begins `before` code points into the whole.
    pub(super) fn take(&mut self, raw: &str, before: u64) {
        let citation = Members::parse(raw).unwrap_or_default();
        if citation.text("type").as_deref() == Some("url_citation") {
            self.urls.push(url(&citation, before));
        } else {
            self.others.push(raw.to_owned());
        }
    }
}

/// What is flat here is nested in chat completions.
fn url(citation: &Members<'_>, before: u64) -> String {
    let mut inner = vec![b'{'];
    for (name, value) in citation.0.iter().filter(|(name, _)| name != "type") {
        let place = matches!(name.as_ref(), "start_index" | "end_index")
            .then(|| citation.count(name))
            .flatten();
        match place {
            Some(place) => member(name, &place.saturating_add(before).to_string(), &mut inner),
            None => member(name, value.get(), &mut inner),
        }
    }
    inner.push(b'}');
    let inner = String::from_utf8(inner).unwrap_or_default();
    format!("{{\"type\":\"url_citation\",\"url_citation\":{inner}}}")
}

/// An item that the client has no use for, with its place.
pub(super) fn hidden(index: u64, raw: &RawValue) -> String {
    format!("{{\"index\":{index},\"block\":{}}}", raw.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_the_start_of_the_whole_text() {
        let mut citations = Citations::default();
        citations.take(
            r#"{"type":"url_citation","start_index":2,"end_index":5,"url":"https://x","title":"X"}"#,
            10,
        );
        citations.take(r#"{"type":"file_citation","index":3,"file_id":"f"}"#, 10);
        assert_eq!(
            citations.urls,
            [
                r#"{"type":"url_citation","url_citation":{"start_index":12,"end_index":15,"url":"https://x","title":"X"}}"#
            ]
        );
        assert_eq!(
            citations.others,
            [r#"{"type":"file_citation","index":3,"file_id":"f"}"#]
        );
    }
}
