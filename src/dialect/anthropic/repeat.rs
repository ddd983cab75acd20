//! Deltas that differ from the one before in nothing but their words: taken without being parsed.

use crate::chat::Escaped;

use super::super::template::Template;
use super::wire::{Message, Piece};

/// The delta that was read last.
#[derive(Debug, Default)]
pub(super) struct Repeat {
    template: Template,
    index: u64,
    kind: Kind,
}

/// What its words are.
#[derive(Clone, Copy, Debug, Default)]
enum Kind {
    #[default]
    Text,
    Thinking,
    Json,
}

impl Repeat {
    /// Keeps an event if it is a delta of words and nothing else.
    pub(super) fn learn(&mut self, text: &str, message: &Message<'_>) {
        if message.kind != "content_block_delta" {
            return;
        }
        let Some(delta) = &message.delta else {
            return;
        };
        let (kind, words) = match (delta.text, delta.thinking, delta.partial_json) {
            (Some(raw), None, None) => (Kind::Text, raw),
            (None, Some(raw), None) => (Kind::Thinking, raw),
            (None, None, Some(raw)) => (Kind::Json, raw),
            _ => return,
        };
        if let (Some(words), None, None) = (Escaped::token(words), delta.signature, delta.citation)
        {
            self.template.learn(text, [words.as_str()]);
            self.index = message.index.unwrap_or_default();
            self.kind = kind;
        }
    }

    /// The block and the words of an event that repeats the kept one; `None` where it does not.
    pub(super) fn read<'t>(&self, text: &'t str) -> Option<(u64, Piece<'t>)> {
        let [words] = self.template.read(text)?;
        let words = Escaped::trusted(words);
        let mut piece = Piece::NONE;
        match self.kind {
            Kind::Text => piece.text = words,
            Kind::Thinking => piece.thinking = words,
            Kind::Json => piece.json = words,
        }
        Some((self.index, piece))
    }
}
