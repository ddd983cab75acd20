//! Chunks that are OpenAI's to the letter, handed on as they are.
//!
//! This is the way of almost every chunk of a long answer. Whatever is odd about a chunk sends it the other way,
//! through events.

use memchr::memchr2;
use serde_json::value::RawValue;

use crate::chat::json::whole_number;
use crate::chat::{Escaped, Event, Saying, Sink};

use super::super::tiers::tier;
use super::answer::Answer;
use super::pieces::{Choice as Piece, Chunk, Delta, said, words};

impl Answer {
    /// Hands a chunk on if it can stay as it is. `None`: it cannot.
    pub(super) fn verbatim(
        &mut self,
        text: &str,
        chunk: &Chunk<'_>,
        sink: &mut dyn Sink,
    ) -> Option<()> {
        let piece = chunk.choices.as_ref()?.single()?;
        if !self.reply.stream || !self.fits(text, chunk) || !is_open(piece) {
            return None;
        }
        self.edits.clear();
        self.mend_members(text, chunk)?;
        let delta = piece.delta.as_ref()?;
        let index = piece.index.map(RawValue::get)?;
        let index = index.parse::<u32>().ok()?;
        let choice = self
            .choices
            .iter_mut()
            .find(|choice| choice.index == index)?;
        if !choice.is_plain() {
            return None;
        }
        let said = said_by(delta)?;
        let (words, saying) = match &said {
            SaidBy::Text(words) => (*words, Saying::Text),
            SaidBy::Reasoning(words) => (*words, Saying::Reasoning),
            SaidBy::Renamed(raw) => {
                self.edits
                    .rename(text, "reasoning", raw, "\"reasoning_content\"")?;
                (Escaped::token(raw)?, Saying::Reasoning)
            }
            SaidBy::Arguments(call) => {
                if !choice.calls.continues(call) {
                    return None;
                }
                choice.calls.passed(call);
                (said_in(call)?, Saying::Arguments(place(call)?))
            }
        };
        if saying == Saying::Reasoning {
            choice.keep(words);
        }
        let varies = (words, chunk.obfuscation);
        self.again
            .learn(text, varies, (index, saying), &mut self.edits);
        self.hand_on(text, (index, saying, words), sink);
        Some(())
    }

    fn hand_on(
        &mut self,
        text: &str,
        (choice, saying, words): (u32, Saying, Escaped<'_>),
        sink: &mut dyn Sink,
    ) {
        let chunk = |json| Event::Chunk {
            json,
            choice,
            saying,
            words,
        };
        if self.edits.is_empty() {
            return sink.event(chunk(text));
        }
        self.scratch.clear();
        self.edits.apply(text, &mut self.scratch);
        sink.event(chunk(&self.scratch));
    }

    /// Whether everything round the choice is as OpenAI sends it, and as the first chunk had it.
    fn fits(&self, text: &str, chunk: &Chunk<'_>) -> bool {
        let Some(first) = &self.first else {
            return false;
        };
        let same = |raw: Option<&RawValue>, known: &str| raw.is_some_and(|raw| raw.get() == known);
        let has_identity = first.id.len() > 2 && first.model.len() > 2 && first.created != "0";
        has_identity
            && same(chunk.id, &first.id)
            && same(chunk.model, &first.model)
            && same(chunk.created, &first.created)
            && same(chunk.object, "\"chat.completion.chunk\"")
            && said(chunk.usage).is_none()
            && chunk.groq.is_none()
            && chunk.error.is_none()
            && chunk.tier.is_none_or(has_known_tier)
            && memchr2(b'\n', b'\r', text.as_bytes()).is_none()
    }

    /// `usage` is there exactly if asked for, and `obfuscation` is between the provider and us.
    fn mend_members(&mut self, text: &str, chunk: &Chunk<'_>) -> Option<()> {
        match (chunk.usage, self.reply.include_usage) {
            (Some(raw), false) => self.edits.cut(text, "usage", raw)?,
            (None, true) => self.edits.at_end(text, ",\"usage\":null"),
            (Some(_), true) | (None, false) => {}
        }
        if let Some(raw) = chunk.obfuscation {
            self.edits.cut(text, "obfuscation", raw)?;
        }
        Some(())
    }
}

fn has_known_tier(raw: &RawValue) -> bool {
    raw.get() == "null"
        || Escaped::token(raw).is_some_and(|word| tier(word.as_str()) == Some(raw.get()))
}

/// Whether a choice goes on, and says so.
fn is_open(piece: &Piece<'_>) -> bool {
    piece.finish.is_some_and(|raw| raw.get() == "null") && piece.message.is_none()
}

/// The one thing a plain delta says.
#[derive(Debug)]
enum SaidBy<'d, 'a> {
    Text(Escaped<'a>),
    Reasoning(Escaped<'a>),
    /// Reasoning under the name that OpenAI's clients do not read.
    Renamed(&'a RawValue),
    Arguments(&'d super::pieces::Call<'a>),
}

/// The place of a call that goes on: its own in the provider's list, which is the client's.
fn place(call: &super::pieces::Call<'_>) -> Option<u32> {
    u32::try_from(whole_number(call.index?.get())?).ok()
}

/// The piece of arguments that a fragment brings.
fn said_in<'a>(call: &super::pieces::Call<'a>) -> Option<Escaped<'a>> {
    words(call.function.as_ref()?.arguments)
}

fn said_by<'d, 'a>(delta: &'d Delta<'a>) -> Option<SaidBy<'d, 'a>> {
    let none = |raw: Option<&RawValue>| raw.is_none();
    if !none(delta.role)
        || !none(delta.refusal)
        || !none(delta.details)
        || !none(delta.function_call)
    {
        return None;
    }
    let parts = (
        delta.content,
        delta.reasoning_content,
        delta.reasoning,
        &delta.calls,
    );
    match parts {
        (Some(content), None, None, None) => words(Some(content)).map(SaidBy::Text),
        (None, Some(text), None, None) => words(Some(text)).map(SaidBy::Reasoning),
        (None, None, Some(text), None) => words(Some(text)).map(|_| SaidBy::Renamed(text)),
        (None, None, None, Some(calls)) => calls.single().map(SaidBy::Arguments),
        _ => None,
    }
}
