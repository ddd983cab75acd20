//! Encrypted reasoning as it travels: items of `reasoning_details` for clients that keep them, and the same items in the
//! proxy's own memory of a turn for clients that do not.
//!
//! An item of reasoning goes back directly before what it led to, and never alone: the provider refuses it otherwise.

use serde_json::value::RawValue;

use crate::chat::json::{Members, comma, elements, key, member, quoted};
use crate::chat::{Escaped, Message};

use super::super::thoughts;

/// The format that our items name: `OpenRouter`'s word for this API's items.
const FORMAT: &str = "\"openai-responses-v1\"";

/// One item of reasoning of an answer.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// Its id, escaped.
    pub(super) id: String,
    /// Its encrypted content, escaped.
    pub(super) data: String,
    /// Its summary's parts, escaped.
    pub(super) summary: Vec<String>,
}

impl Item {
    /// The item as members of `reasoning_details`: its summary's parts, then what is encrypted. `place` is how many
    /// things of the turn precede it.
    pub(super) fn details(&self, place: u64) -> Vec<String> {
        let parts = self.summary.iter();
        let mut list: Vec<String> = parts
            .map(|text| self.detail(("reasoning.summary", "summary"), text, place))
            .collect();
        list.push(self.detail(("reasoning.encrypted", "data"), &self.data, place));
        list
    }

    fn detail(&self, (kind, name): (&str, &str), text: &str, place: u64) -> String {
        let mut out = format!("{{\"type\":\"{kind}\"").into_bytes();
        key(name, &mut out);
        Escaped::trusted(text).write_quoted(&mut out);
        if !self.id.is_empty() {
            key("id", &mut out);
            Escaped::trusted(&self.id).write_quoted(&mut out);
        }
        member("format", FORMAT, &mut out);
        member("index", &place.to_string(), &mut out);
        out.push(b'}');
        String::from_utf8(out).unwrap_or_default()
    }
}

/// The memory of a turn: which model reasoned, its details in order, and the phase of its text, escaped.
pub(super) fn write(model: &str, details: &[String], phase: Option<&str>) -> String {
    let mut out = vec![b'{'];
    member("model", &quoted(model), &mut out);
    member("details", &format!("[{}]", details.join(",")), &mut out);
    if let Some(phase) = phase {
        key("phase", &mut out);
        Escaped::trusted(phase).write_quoted(&mut out);
    }
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default()
}

/// One item of reasoning to put back: the provider's own JSON.
pub(super) type Thought = thoughts::Thought<String>;

/// What a turn carries beside what the client sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    /// Its reasoning, in order.
    pub(super) thoughts: Vec<Thought>,
    /// Whether its text is a commentary or the final answer: later models want to be told.
    pub(super) phase: Option<String>,
}

impl Turn {
    /// What a client kept in its message.
    pub(super) fn kept(message: &Message<'_>) -> Self {
        Self {
            thoughts: read(&message.details),
            phase: message.members.text("phase").map(String::from),
        }
    }

    /// A remembered turn; `None` where another model made it: models cannot read each other's reasoning.
    pub(super) fn recalled(state: &str, model: &str) -> Option<Self> {
        let members = Members::parse(state).ok()?;
        if members.text("model")? != model {
            return None;
        }
        Some(Self {
            thoughts: read(&members.find("details").and_then(elements)?),
            phase: members.text("phase").map(String::from),
        })
    }
}

/// The items in details, what is encrypted with its summary. What is not encrypted, and what other providers made, is
/// left out: nothing is stored, so that the provider could not find it.
fn read(details: &[&RawValue]) -> Vec<Thought> {
    let parsed = details.iter().filter_map(|raw| own(raw));
    let items: Vec<Members<'_>> = parsed.collect();
    let encrypted = items.iter().filter(|item| is(item, "reasoning.encrypted"));
    let mut thoughts: Vec<Thought> = encrypted.filter_map(|item| thought(item, &items)).collect();
    thoughts.sort_by_key(|thought| thought.place);
    thoughts
}

/// An item of this format.
fn own(raw: &RawValue) -> Option<Members<'_>> {
    let item = Members::parse(raw.get()).ok()?;
    let is_own = item.find("format").map(RawValue::get) == Some(FORMAT);
    is_own.then_some(item)
}

fn is(item: &Members<'_>, kind: &str) -> bool {
    item.text("type").as_deref() == Some(kind)
}

fn thought(item: &Members<'_>, all: &[Members<'_>]) -> Option<Thought> {
    let data = item.find("data").filter(|data| data.get() != "\"\"")?;
    let data = Escaped::token(data)?;
    let same = |other: &&Members<'_>| {
        let value =
            |members: &Members<'_>, name| members.find(name).map(|raw| raw.get().to_owned());
        is(other, "reasoning.summary")
            && value(other, "id") == value(item, "id")
            && value(other, "index") == value(item, "index")
    };
    let mut out = b"{\"type\":\"reasoning\"".to_vec();
    if let Some(id) = item.find("id") {
        member("id", id.get(), &mut out);
    }
    key("summary", &mut out);
    out.push(b'[');
    for part in all.iter().filter(same) {
        let Some(text) = part.find("summary").and_then(Escaped::token) else {
            continue;
        };
        comma(&mut out);
        out.extend_from_slice(b"{\"type\":\"summary_text\",\"text\":");
        text.write_quoted(&mut out);
        out.push(b'}');
    }
    out.push(b']');
    key("encrypted_content", &mut out);
    data.write_quoted(&mut out);
    out.push(b'}');
    Some(Thought {
        place: item.count("index").unwrap_or_default(),
        what: String::from_utf8(out).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: &str, summary: &[&str]) -> Item {
        Item {
            id: id.to_owned(),
            data: format!("{id}=="),
            summary: summary.iter().map(|&part| part.to_owned()).collect(),
        }
    }

    #[test]
    fn what_is_remembered_comes_back_for_the_same_model_only() {
        let mut details = item("rs_1", &["a\\nb", "c"]).details(0);
        details.extend(item("rs_2", &[]).details(2));
        let state = write("gpt-x", &details, Some("commentary"));
        let turn = Turn::recalled(&state, "gpt-x").unwrap();
        let expected = [
            (
                0,
                r#"{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"a\nb"},{"type":"summary_text","text":"c"}],"encrypted_content":"rs_1=="}"#,
            ),
            (
                2,
                r#"{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"rs_2=="}"#,
            ),
        ];
        let expected = expected.map(|(place, json)| Thought {
            place,
            what: json.to_owned(),
        });
        assert_eq!(turn.thoughts, expected);
        assert_eq!(turn.phase.as_deref(), Some("commentary"));
        assert_eq!(Turn::recalled(&state, "gpt-y"), None);
    }

    #[test]
    fn what_is_not_encrypted_or_foreign_is_left_out() {
        let raw = r#"[{"type":"reasoning.summary","summary":"x","format":"openai-responses-v1","index":0},
            {"type":"reasoning.encrypted","data":"","format":"openai-responses-v1"},
            {"type":"reasoning.encrypted","data":"x","format":"anthropic-claude-v1"},{"type":"reasoning.encrypted","data":"x"}]"#;
        let items: Vec<&RawValue> = serde_json::from_str(raw).unwrap();
        assert_eq!(read(&items), []);
    }
}
