//! Deltas that differ from the one before in nothing but their words: taken without being parsed.

use crate::chat::Escaped;

use super::super::template::Template;
use super::wire::{Call, Part, Told, token, typed};

/// The delta that was read last.
#[derive(Debug, Default)]
pub(super) struct Repeat {
    template: Template,
    index: u64,
    kind: Kind,
}

/// What the words of a delta are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    #[default]
    Text,
    /// Thinking.
    Thinking,
    /// A plan of calls.
    Plan,
    /// Arguments of a call.
    Arguments,
}

/// What is new: words, of which kind, in which part or call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    pub(super) kind: Kind,
    pub(super) index: u64,
    pub(super) words: Escaped<'a>,
}

impl<'a> Piece<'a> {
    /// The words of an event; `None` where it brings none.
    pub(super) fn of(told: &Told<'a>) -> Option<Self> {
        let news = told.delta.as_ref()?.message.as_ref()?;
        let (kind, words) = match told.kind.as_ref() {
            "content-start" | "content-delta" => {
                let part: Part<'a> = typed(news.content);
                match (token(part.text), token(part.thinking)) {
                    (text, thinking) if text.is_empty() => (Kind::Thinking, thinking),
                    (text, _) => (Kind::Text, text),
                }
            }
            "tool-plan-delta" => (Kind::Plan, token(news.tool_plan)),
            "tool-call-delta" => {
                let call: Call<'a> = typed(news.tool_calls);
                (Kind::Arguments, token(call.function?.arguments))
            }
            _ => return None,
        };
        let index = told.index.unwrap_or_default();
        (!words.is_empty()).then_some(Self { kind, index, words })
    }
}

impl Repeat {
    /// Keeps an event if it is a delta of words and nothing else.
    pub(super) fn learn(&mut self, text: &str, told: &Told<'_>) {
        if told.logprobs.is_some() || told.kind == "content-start" {
            return;
        }
        if let Some(piece) = Piece::of(told) {
            self.template.learn(text, [piece.words.as_str()]);
            self.index = piece.index;
            self.kind = piece.kind;
        }
    }

    /// The words of an event that repeats the kept one; `None` where it does not.
    pub(super) fn read<'t>(&self, text: &'t str) -> Option<Piece<'t>> {
        let [words] = self.template.read(text)?;
        Some(Piece {
            kind: self.kind,
            index: self.index,
            words: Escaped::trusted(words),
        })
    }
}
