//! What of an answer must come back in a later turn: its reasoning, and the phase of its text.

use super::state::{self, Item};

/// What is kept of one answer.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Reasoning of which is not known yet what it led to.
    pending: Vec<Item>,
    /// Reasoning that led to something the client sees, as details.
    details: Vec<String>,
    /// How many items of reasoning those are.
    thoughts: u64,
    phase: Phase,
}

/// The phase of the answer's text, escaped.
#[derive(Debug, Default)]
enum Phase {
    #[default]
    Unsaid,
    Said(String),
    /// Messages of several phases, which chat completions cannot tell apart.
    Mixed,
}

impl Kept {
    /// Takes a complete item of reasoning. What is not encrypted cannot come back.
    pub(super) fn reasoned(&mut self, item: Item) {
        if !item.data.is_empty() {
            self.pending.push(item);
        }
    }

    /// Something that the client sees follows; `place` is how many such things precede it. Gives back the details of
    /// the reasoning that led to it.
    pub(super) fn shown(&mut self, place: u64) -> Vec<String> {
        let mut fresh = Vec::new();
        for item in self.pending.drain(..) {
            fresh.extend(item.details(place.saturating_add(self.thoughts)));
            self.thoughts = self.thoughts.saturating_add(1);
        }
        self.details.extend(fresh.iter().cloned());
        fresh
    }

    /// Something that the client does not see, and will not send back, follows: the reasoning that led to it would stand
    /// before nothing, and be refused.
    pub(super) fn hidden(&mut self) {
        self.pending.clear();
    }

    /// Takes the phase of a message.
    pub(super) fn in_phase(&mut self, phase: &str) {
        self.phase = match std::mem::take(&mut self.phase) {
            Phase::Unsaid => Phase::Said(phase.to_owned()),
            Phase::Said(known) if known == phase => Phase::Said(known),
            Phase::Said(_) | Phase::Mixed => Phase::Mixed,
        };
    }

    /// The phase of all of the text.
    pub(super) fn phase(&self) -> Option<&str> {
        match &self.phase {
            Phase::Said(phase) if !phase.is_empty() => Some(phase),
            Phase::Unsaid | Phase::Said(_) | Phase::Mixed => None,
        }
    }

    /// The memory of the turn, if there is anything to remember.
    pub(super) fn state(&self, model: &str) -> Option<String> {
        let is_empty = self.details.is_empty() && self.phase().is_none();
        (!is_empty).then(|| state::write(model, &self.details, self.phase()))
    }
}
