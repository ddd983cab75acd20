//! Signed reasoning as it travels: items of `reasoning_details` for clients that keep them, and the same items in the
//! proxy's own memory of a turn for clients that do not.

use crate::chat::Escaped;
use crate::chat::json::{Members, elements, key, member, quoted};
use serde_json::value::RawValue;

use super::super::thoughts;

/// Whose reasoning it is: the format that items name. What names another is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// Anthropic's blocks, by `OpenRouter`'s word for them. Every host of Claude takes them.
    #[default]
    Claude,
    /// What other models think on Bedrock: `redactedContent` as it came.
    Bedrock,
}

impl Format {
    const fn json(self) -> &'static str {
        match self {
            Self::Claude => "\"anthropic-claude-v1\"",
            Self::Bedrock => "\"amazon-bedrock-v1\"",
        }
    }
}

/// A thinking block as an item. `place` is how many parts of the turn precede it.
pub(crate) fn signed(
    text: Escaped<'_>,
    signature: Escaped<'_>,
    (format, place): (Format, u64),
) -> String {
    let mut out = b"{\"type\":\"reasoning.text\",\"text\":".to_vec();
    text.write_quoted(&mut out);
    key("signature", &mut out);
    signature.write_quoted(&mut out);
    rest(out, format, place)
}

/// A redacted thinking block as an item.
pub(crate) fn encrypted(data: Escaped<'_>, (format, place): (Format, u64)) -> String {
    let mut out = b"{\"type\":\"reasoning.encrypted\",\"data\":".to_vec();
    data.write_quoted(&mut out);
    rest(out, format, place)
}

fn rest(mut out: Vec<u8>, format: Format, place: u64) -> String {
    member("format", format.json(), &mut out);
    member("index", &place.to_string(), &mut out);
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default()
}

/// The memory of a turn: which model thought, and its items in order.
pub(crate) fn write(model: &str, items: &[String]) -> String {
    format!(
        "{{\"model\":{},\"details\":[{}]}}",
        quoted(model),
        items.join(",")
    )
}

/// One block to put back, with its place in the turn.
pub(crate) type Thought = thoughts::Thought<What>;

/// What is put back, as it stands within JSON strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Reasoning and its signature.
    Signed {
        /// The words; empty where the provider left them out.
        text: String,
        /// The signature.
        signature: String,
    },
    /// Reasoning that only the provider can read.
    Redacted(String),
}

/// A thought as this format's content block.
pub(crate) fn block(thought: &Thought) -> String {
    match &thought.what {
        What::Signed { text, signature } => format!(
            "{{\"type\":\"thinking\",\"thinking\":\"{text}\",\"signature\":\"{signature}\"}}"
        ),
        What::Redacted(data) => {
            format!("{{\"type\":\"redacted_thinking\",\"data\":\"{data}\"}}")
        }
    }
}

/// The thoughts of a remembered turn; `None` where another model thought them: models refuse each other's.
pub(crate) fn recalled(state: &str, model: &str, format: Format) -> Option<Vec<Thought>> {
    let members = Members::parse(state).ok()?;
    if members.text("model")? != model {
        return None;
    }
    Some(read(&members.find("details").and_then(elements)?, format))
}

/// The thoughts in items that a client kept: ours, or `LiteLLM`'s `thinking_blocks`. What is not signed, and what
/// other providers made, is left out.
pub(crate) fn read(items: &[&RawValue], format: Format) -> Vec<Thought> {
    let mut thoughts: Vec<Thought> = items.iter().filter_map(|raw| one(raw, format)).collect();
    thoughts.sort_by_key(|thought| thought.place);
    thoughts
}

fn one(raw: &RawValue, format: Format) -> Option<Thought> {
    let item = Members::parse(raw.get()).ok()?;
    let foreign = item
        .find("format")
        .is_some_and(|told| told.get() != format.json());
    if foreign {
        return None;
    }
    let what = match item.text("type")?.as_ref() {
        "reasoning.text" => thinking(item.find("text"), item.find("signature")?)?,
        "thinking" => thinking(item.find("thinking"), item.find("signature")?)?,
        "reasoning.encrypted" | "redacted_thinking" => {
            let data = item.find("data").and_then(Escaped::token)?;
            What::Redacted(data.as_str().to_owned())
        }
        _ => return None,
    };
    Some(Thought {
        place: item.count("index").unwrap_or_default(),
        what,
    })
}

fn thinking(text: Option<&RawValue>, signature: &RawValue) -> Option<What> {
    let signature = Escaped::token(signature)?;
    if signature.is_empty() {
        return None;
    }
    // Text that the provider omitted is empty, and the block is whole all the same.
    let text = text.and_then(Escaped::token).unwrap_or(Escaped::EMPTY);
    Some(What::Signed {
        text: text.as_str().to_owned(),
        signature: signature.as_str().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_comes_back_for_the_same_model_only() {
        let items = [
            signed(
                Escaped::trusted("a\\nb"),
                Escaped::trusted("S"),
                (Format::Claude, 0),
            ),
            encrypted(Escaped::trusted("D"), (Format::Claude, 2)),
        ];
        let state = write("claude-x", &items);
        let blocks: Vec<_> = recalled(&state, "claude-x", Format::Claude).unwrap();
        let expected = [
            (
                0,
                r#"{"type":"thinking","thinking":"a\nb","signature":"S"}"#,
            ),
            (2, r#"{"type":"redacted_thinking","data":"D"}"#),
        ];
        let blocks: Vec<_> = blocks
            .iter()
            .map(|thought| (thought.place, block(thought)))
            .collect();
        let expected = expected.map(|(place, block)| (place, block.to_owned()));
        assert_eq!(blocks, expected);
        assert_eq!(recalled(&state, "claude-y", Format::Claude), None);
    }

    #[test]
    fn unsigned_and_foreign_items_are_left_out() {
        // E-77.
        let raw = r#"[{"type":"reasoning.text","text":"x"},{"type":"thinking","thinking":"x","signature":""},
            {"type":"reasoning.encrypted","data":"x","format":"openai-responses-v1"},{"type":"reasoning.summary","summary":"x"},
            {"type":"thinking","thinking":"","signature":"S"}]"#;
        let items: Vec<&RawValue> = serde_json::from_str(raw).unwrap();
        let kept = read(&items, Format::Claude);
        assert_eq!(kept.len(), 1);
        assert_eq!(
            block(&kept[0]),
            r#"{"type":"thinking","thinking":"","signature":"S"}"#
        );
    }
}
