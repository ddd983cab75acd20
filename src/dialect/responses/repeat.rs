//! Deltas that differ from the one before in nothing but their words and their number: taken without being parsed.

use serde_json::value::RawValue;

use crate::chat::Escaped;

use super::super::template::Template;
use super::items::{Piece, Voice};
use super::wire::{Message, count, inside};

/// The delta that was read last.
#[derive(Debug, Default)]
pub(super) struct Repeat {
    template: Template,
    /// Which of the values that differ are the words.
    words: usize,
    voice: Voice,
    item: u64,
    part: u64,
}

impl Repeat {
    /// Keeps an event that was read as a piece, if only what repeats is in it.
    pub(super) fn learn(&mut self, text: &str, message: &Message<'_>, piece: &Piece<'_>) {
        if !inside(message.logprobs).is_empty() {
            return;
        }
        let words = piece.words.as_str();
        let hidden = message.obfuscation.and_then(Escaped::token);
        let number = message.sequence_number.map(RawValue::get);
        let others = [hidden.map(Escaped::as_str), number];
        let mut values = [words; 3];
        let mut length = 1_usize;
        for (slot, value) in values.iter_mut().skip(1).zip(others.into_iter().flatten()) {
            *slot = value;
            length = length.saturating_add(1);
        }
        let values = values.get_mut(..length).unwrap_or_default();
        values.sort_by_key(|value| value.as_ptr().addr());
        let at = values
            .iter()
            .position(|value| std::ptr::eq(*value, words))
            .unwrap_or_default();
        self.template.learn(text, values.iter().copied());
        self.words = at;
        self.voice = piece.voice;
        self.item = piece.item;
        self.part = piece.part;
    }

    /// The piece in an event that repeats the kept one; `None` where it does not.
    pub(super) fn read<'t>(&self, text: &'t str) -> Option<Piece<'t>> {
        let values: [&str; 3] = self.template.read(text)?;
        Some(Piece {
            voice: self.voice,
            item: self.item,
            part: self.part,
            words: Escaped::trusted(values.get(self.words)?),
        })
    }
}

/// The piece of a delta event; `None` where it is none that the client sees.
pub(super) fn piece<'a>(message: &Message<'a>) -> Option<Piece<'a>> {
    let (voice, part) = match message.kind.as_ref() {
        "response.output_text.delta" => (Voice::Text, message.content_index),
        "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
            (Voice::Arguments, None)
        }
        "response.reasoning_summary_text.delta" => (Voice::Summary, message.summary_index),
        "response.reasoning_text.delta" => (Voice::Thought, message.content_index),
        "response.refusal.delta" => (Voice::Refusal, message.content_index),
        _ => return None,
    };
    Some(Piece {
        voice,
        item: count(message.output_index),
        part: count(part),
        words: message.delta.and_then(Escaped::token)?,
    })
}
