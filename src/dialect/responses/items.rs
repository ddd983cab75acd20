//! The items of an answer that are being written: what was told of each, so that nothing is told twice or not at all.

use crate::chat::Escaped;

use super::call::Call;

/// What is new in an item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    /// Whose words they are.
    pub(super) voice: Voice,
    /// Which item they are in.
    pub(super) item: u64,
    /// Which part of it.
    pub(super) part: u64,
    /// The words.
    pub(super) words: Escaped<'a>,
}

/// What words are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Voice {
    /// Answer text.
    #[default]
    Text,
    /// A refusal.
    Refusal,
    /// A summary of the reasoning.
    Summary,
    /// The reasoning itself.
    Thought,
    /// What is passed to a tool.
    Arguments,
}

/// An item that began.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) index: u64,
    pub(super) kind: Kind,
}

/// What an item is.
#[derive(Debug)]
pub(super) enum Kind {
    /// Text for the client.
    Message(Message),
    /// The model's reasoning.
    Reasoning(Reasoning),
    /// A call that the client answers.
    Call(Call),
    /// Anything else: tools that the provider runs itself, and what is not known.
    Hidden,
}

/// A message so far.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// The parts that were told, each with the code points before it.
    pub(super) told: Vec<(u64, u64)>,
    /// Citations that came on their own: part and JSON.
    pub(super) citations: Vec<(u64, String)>,
}

impl Message {
    /// Notes that a part is being told; `points` code points of text precede what comes.
    pub(super) fn tell(&mut self, part: u64, points: u64) {
        if !self.has_told(part) {
            self.told.push((part, points));
        }
    }

    /// Whether anything of a part was told.
    pub(super) fn has_told(&self, part: u64) -> bool {
        self.told.iter().rev().any(|(known, _)| *known == part)
    }

    /// How many code points of text precede a part.
    pub(super) fn start(&self, part: u64) -> u64 {
        let told = self.told.iter().find(|(known, _)| *known == part);
        told.map_or(0, |(_, start)| *start)
    }
}

/// An item of reasoning so far. Some providers tell reasoning and summary alike: only what comes first is told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reasoning {
    told: Option<(Voice, u64)>,
}

/// What stands before words of reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// Nothing: they go on.
    Nothing,
    /// The gap between two paragraphs.
    Gap,
    /// They are not told at all.
    Silent,
}

impl Reasoning {
    /// Whether anything was told.
    pub(super) const fn has_told(self) -> bool {
        self.told.is_some()
    }

    /// Notes that words are told, and gives back what stands before them. `first`: nothing was told by items before.
    pub(super) fn lead(&mut self, voice: Voice, part: u64, first: bool) -> Lead {
        match self.told {
            Some((known, _)) if known != voice => Lead::Silent,
            Some((_, known)) if known == part => Lead::Nothing,
            None if first => {
                self.told = Some((voice, part));
                Lead::Nothing
            }
            Some(_) | None => {
                self.told = Some((voice, part));
                Lead::Gap
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_parted_and_nothing_is_told_twice() {
        let mut reasoning = Reasoning::default();
        let mut lead = |voice, part, first| reasoning.lead(voice, part, first);
        assert_eq!(lead(Voice::Summary, 0, true), Lead::Nothing);
        assert_eq!(lead(Voice::Summary, 0, false), Lead::Nothing);
        assert_eq!(lead(Voice::Summary, 1, false), Lead::Gap);
        assert_eq!(lead(Voice::Thought, 0, false), Lead::Silent);
        assert_eq!(
            Reasoning::default().lead(Voice::Thought, 0, false),
            Lead::Gap
        );
    }
}
