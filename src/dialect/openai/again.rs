//! Chunks that differ from the one before in nothing but what they say: told without being parsed.

use serde_json::value::RawValue;

use crate::chat::{Escaped, Event, Saying, Sink};

use super::super::template::Template;
use super::choice::Choice;
use super::edits::Edits;

/// The chunk that was handed on last.
#[derive(Debug, Default)]
pub(super) struct Again {
    template: Template,
    /// What goes round the words where the chunk is changed on its way; both empty where it is not.
    head: String,
    tail: String,
    /// What the words are, and of which choice.
    says: Option<(u32, Saying)>,
}

impl Again {
    /// The next chunk is to be parsed.
    pub(super) fn forget(&mut self) {
        self.template.forget();
    }

    /// Keeps a chunk whose words may differ in the next one, and so may OpenAI's `obfuscation`.
    pub(super) fn learn(
        &mut self,
        text: &str,
        (words, obfuscation): (Escaped<'_>, Option<&RawValue>),
        says: (u32, Saying),
        edits: &mut Edits,
    ) {
        let noise = obfuscation.and_then(Escaped::token);
        let values = [Some(words), noise];
        self.template
            .learn(text, values.into_iter().flatten().map(Escaped::as_str));
        self.says = Some(says);
        self.head.clear();
        self.tail.clear();
        if !edits.is_empty() {
            edits.apply_round(text, words.as_str(), &mut self.head, &mut self.tail);
        }
    }

    /// Hands a chunk on that repeats the one before but for its words. `None`: it does not.
    pub(super) fn repeat(
        &self,
        text: &str,
        choices: &mut [Choice],
        scratch: &mut String,
        sink: &mut dyn Sink,
    ) -> Option<()> {
        let [words, _] = self.template.read(text)?;
        if words.is_empty() {
            return None;
        }
        let (index, saying) = self.says?;
        if saying == Saying::Reasoning {
            let mut choices = choices.iter_mut();
            let choice = choices.find(|choice| choice.index == index)?;
            choice.keep(Escaped::trusted(words));
        }
        let chunk = |json| Event::Chunk {
            json,
            choice: index,
            saying,
            words: Escaped::trusted(words),
        };
        if self.head.is_empty() {
            sink.event(chunk(text));
            return Some(());
        }
        scratch.clear();
        for part in [self.head.as_str(), words, self.tail.as_str()] {
            scratch.push_str(part);
        }
        sink.event(chunk(scratch));
        Some(())
    }
}
