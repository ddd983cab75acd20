//! A turn's reasoning as the proxy keeps it for clients that do not: what was thought, and what was planned.
//!
//! Clients see both as `reasoning_content`; the provider takes them back in two places
//! (docs.cohere.com/v2/docs/tool-use-usage-patterns: the assistant's turn goes back with its `tool_plan`).

use crate::chat::Escaped;
use crate::chat::json::{Members, key, member, quoted};
use serde_json::value::RawValue;

/// The reasoning of one turn, escaped as on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Thought {
    /// What was thought before it was said.
    pub(super) thinking: String,
    /// What was planned before tools were called.
    pub(super) plan: String,
}

impl Thought {
    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.thinking.is_empty() && self.plan.is_empty()
    }

    /// The memory of a turn.
    pub(super) fn write(&self, model: &str) -> String {
        let mut out = b"{".to_vec();
        member("model", &quoted(model), &mut out);
        for (name, text) in [("thinking", &self.thinking), ("plan", &self.plan)] {
            if !text.is_empty() {
                key(name, &mut out);
                Escaped::trusted(text).write_quoted(&mut out);
            }
        }
        out.push(b'}');
        String::from_utf8(out).unwrap_or_default()
    }

    /// Reads the memory of a turn; `None` where another provider's model made it.
    pub(super) fn read(state: &str) -> Option<Self> {
        let members = Members::parse(state).ok()?;
        let text = |name: &str| members.find(name).and_then(Escaped::token);
        let thought = Self {
            thinking: owned(text("thinking")),
            plan: owned(text("plan")),
        };
        (!thought.is_empty()).then_some(thought)
    }
}

/// The text of reasoning items that a client kept, joined.
pub(super) fn texts(items: &[&RawValue]) -> String {
    let text = |raw: &&RawValue| {
        let item = Members::parse(raw.get()).ok()?;
        let text = item.find("text").or_else(|| item.find("thinking"))?;
        Escaped::token(text).map(|text| text.as_str().to_owned())
    };
    items.iter().filter_map(text).collect()
}

fn owned(text: Option<Escaped<'_>>) -> String {
    text.unwrap_or(Escaped::EMPTY).as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_comes_back() {
        let thought = Thought {
            thinking: r"a\nb".to_owned(),
            plan: r#"I \"will\" look."#.to_owned(),
        };
        let state = thought.write("command-x");
        assert_eq!(
            state,
            r#"{"model":"command-x","thinking":"a\nb","plan":"I \"will\" look."}"#
        );
        assert_eq!(Thought::read(&state), Some(thought));
        assert_eq!(
            Thought::read(r#"{"model":"m","details":[{"signature":"s"}]}"#),
            None
        );
    }

    #[test]
    fn texts_of_items_are_joined() {
        let raw = r#"[{"type":"reasoning.text","text":"a"},{"type":"thinking","thinking":"b"},{"type":"reasoning.encrypted","data":"x"}]"#;
        let items: Vec<&RawValue> = serde_json::from_str(raw).unwrap();
        assert_eq!(texts(&items), "ab");
    }
}
