//! What a client has been shown of an answer.

use super::super::event::{Event, Saying};
use super::strand::Strand;

/// How many bytes of text are kept; beyond them a hash has to do.
const ROOM: usize = 256 * 1024;

/// What was shown, choice by choice.
#[derive(Clone, Debug)]
pub struct Said {
    pub(super) choices: Vec<Choice>,
    room: usize,
    /// Something was shown that cannot be held against anything.
    blind: bool,
    /// A choice was at its end.
    ended: bool,
}

/// What was shown of one choice.
#[derive(Clone, Debug, Default)]
pub(super) struct Choice {
    pub(super) index: u32,
    pub(super) text: Strand,
    pub(super) refusal: Strand,
    pub(super) reasoning: Strand,
    /// Members without an event of their own: their names and values.
    pub(super) fields: Strand,
    pub(super) calls: Vec<Call>,
    /// Whether items of `reasoning_details` were shown.
    pub(super) details: bool,
}

/// What was shown of one call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) index: u32,
    /// The id that the client knows it by, escaped.
    pub(super) id: String,
    pub(super) name: Strand,
    pub(super) custom: bool,
    pub(super) given: Strand,
}

impl Default for Said {
    fn default() -> Self {
        Self {
            choices: Vec::new(),
            room: ROOM,
            blind: false,
            ended: false,
        }
    }
}

impl Said {
    /// Keeps what an event shows.
    pub fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Text { choice, text } => self.words(choice, Saying::Text, text.as_str()),
            Event::Reasoning { choice, text } => {
                self.words(choice, Saying::Reasoning, text.as_str());
            }
            Event::Refusal { choice, text } => self.words(choice, Saying::Refusal, text.as_str()),
            Event::ToolArgs {
                choice,
                index,
                json: text,
            }
            | Event::ToolInput {
                choice,
                index,
                text,
            } => self.words(choice, Saying::Arguments(index), text.as_str()),
            Event::Chunk {
                choice,
                saying,
                words,
                ..
            } => self.words(choice, saying, words.as_str()),
            Event::ToolStart {
                choice,
                index,
                id,
                name,
                custom,
                ..
            } => {
                let mut named = Strand::default();
                named.add(name.as_str(), &mut self.room);
                self.choice(choice).calls.push(Call {
                    index,
                    id: id.as_str().to_owned(),
                    name: named,
                    custom,
                    given: Strand::default(),
                });
            }
            Event::Field { choice, name, json } => {
                let field = field(name, json);
                let mut room = self.room;
                self.choice(choice).fields.add(&field, &mut room);
                self.room = room;
            }
            Event::Detail { choice, .. } => self.choice(choice).details = true,
            Event::Raw(_) => self.blind = true,
            Event::Start { .. }
            | Event::Logprobs { .. }
            | Event::Top { .. }
            | Event::Usage(_)
            | Event::Turn { .. } => {}
            Event::Finish { .. } | Event::Last(_) => self.ended = true,
        }
    }

    /// Whether another answer can be held against it.
    #[must_use]
    pub const fn can_be_repeated(&self) -> bool {
        !self.blind && !self.ended
    }

    /// Whether anything of the answer itself was shown: text, a call, anything but reasoning.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        self.blind || self.choices.iter().any(Choice::is_answer)
    }

    /// How many characters of text, and of calls' arguments, were shown.
    #[must_use]
    pub fn characters(&self) -> usize {
        let strands = self.choices.iter().flat_map(|choice| {
            let given = choice.calls.iter().map(|call| &call.given);
            [&choice.text, &choice.refusal].into_iter().chain(given)
        });
        strands
            .map(Strand::characters)
            .fold(0, usize::saturating_add)
    }

    fn words(&mut self, choice: u32, saying: Saying, text: &str) {
        if text.is_empty() {
            return;
        }
        let mut room = self.room;
        let choice = self.choice(choice);
        let strand = match saying {
            Saying::Text => Some(&mut choice.text),
            Saying::Reasoning => Some(&mut choice.reasoning),
            Saying::Refusal => Some(&mut choice.refusal),
            Saying::Arguments(index) => choice
                .calls
                .iter_mut()
                .find(|call| call.index == index)
                .map(|call| &mut call.given),
        };
        if let Some(strand) = strand {
            strand.add(text, &mut room);
        }
        self.room = room;
    }

    fn choice(&mut self, index: u32) -> &mut Choice {
        let found = self.choices.iter().position(|choice| choice.index == index);
        let at = found.unwrap_or(self.choices.len());
        if found.is_none() {
            self.choices.push(Choice {
                index,
                ..Choice::default()
            });
        }
        #[expect(clippy::indexing_slicing, reason = "it was found or pushed above")]
        &mut self.choices[at]
    }
}

impl Choice {
    fn is_answer(&self) -> bool {
        let empty = self.text.is_empty()
            && self.refusal.is_empty()
            && self.fields.is_empty()
            && self.calls.is_empty();
        !empty
    }
}

/// A member as text that another is held against. No name and no JSON has a bare line end.
pub(super) fn field(name: &str, json: &str) -> String {
    format!("{name}\n{json}\n")
}
