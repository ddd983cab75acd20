//! A meter: counts an answer as it passes, and knows when it may have cost too much.
//!
//! It lives here and not with the router, as the calls, the budgets and the hedges that hold one all know this room,
//! and all that it needs of a price is two numbers.

mod gauge;
mod pace;
mod raw;

use crate::chat::{Escaped, Event, Saying, Sink, Tokens};

use super::money::Money;

pub use gauge::Vocabulary;
pub use pace::{Pace, Slack};

use gauge::{Counted, Gauge, len};
use raw::{after, walk};

/// Tokens that a choice costs and nobody sees: its opening, its end, a channel's name.
const PER_CHOICE: u64 = 16;

/// The same for a call: its frame, and what its format spells out round name and arguments.
const PER_CALL: u64 = 48;

/// Bytes per token of usual text, in quarters: for the estimate only.
const QUARTER_BYTES_PER_TOKEN: u64 = 17;

/// Where a chunk says what is new, and a whole answer what it says.
const DELTA: &str = "\"delta\"";
const MESSAGE: &str = "\"message\"";

/// Counts what passes. Give it every event of one attempt.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    pace: Pace,
    /// The most tokens of output that fit the ceiling; `None` where the prompt alone is above it.
    room: Option<u64>,
    choices: u64,
    calls: u64,
    text: u64,
    reasoning: u64,
    arguments: u64,
    gauge: Gauge,
    /// What was reported last, and what had passed then.
    reported: Option<(Tokens, Then)>,
    /// Tokens when the last batch of events was over, and the most that one has brought.
    batch: (u64, u64),
}

/// What had passed at a moment.
#[derive(Clone, Copy, Debug)]
struct Then {
    bytes: u64,
    counted: Counted,
}

impl Meter {
    /// A meter for an attempt that may cost so much.
    #[must_use]
    pub fn new(pace: Pace, ceiling: Money) -> Self {
        Self {
            pace,
            room: pace.start.fits(pace.each, ceiling),
            choices: 1,
            calls: 0,
            text: 0,
            reasoning: 0,
            arguments: 0,
            gauge: Gauge::new(None),
            reported: None,
            batch: (0, 0),
        }
    }

    /// Has a vocabulary count what passes, where it is known how its tokens compare with the model's.
    #[must_use]
    pub fn counted_by(mut self, vocabulary: &'static dyn Vocabulary) -> Self {
        self.gauge = Gauge::new(self.pace.slack.map(|_| vocabulary));
        self
    }

    /// A meter without a ceiling, which only counts: an output token is so many ten-thousandths of one of `o200k`.
    #[must_use]
    pub fn counting(token_parts: u32) -> Self {
        let pace = Pace {
            token_parts,
            ..Pace::default()
        };
        Self::new(pace, Money::MAX)
    }

    /// Choices so far.
    #[must_use]
    pub const fn choices(&self) -> u64 {
        self.choices
    }

    /// Tokens that what went by can be at most, whatever was reported: for holding the report against it.
    #[must_use]
    pub fn seen_most(&self) -> u64 {
        let frames = PER_CHOICE.saturating_mul(self.choices);
        let frames = frames.saturating_add(PER_CALL.saturating_mul(self.calls));
        self.bytes().saturating_add(frames)
    }

    /// Tokens that went by, by guess, whatever was reported.
    #[must_use]
    pub fn seen_estimate(&self) -> u64 {
        self.guess(self.bytes())
    }

    fn guess(&self, bytes: u64) -> u64 {
        let tokens = bytes.saturating_mul(4).div_ceil(QUARTER_BYTES_PER_TOKEN);
        let parts = u64::from(self.pace.token_parts.max(1));
        tokens.saturating_mul(parts) / 10_000
    }

    /// Whether the attempt may have reached its ceiling: a stream is then to be cut.
    ///
    /// The ceiling itself is not over it, but one more token would be.
    #[must_use]
    pub fn over(&self) -> bool {
        self.room.is_none_or(|room| self.output_due() > room)
    }

    /// What is held for the attempt once so many tokens more have passed.
    #[must_use]
    pub fn due_after(&self, tokens: u64) -> Money {
        let output = self.output_due().saturating_add(tokens);
        self.pace.start.plus(self.pace.each.times(output)).upwards()
    }

    /// Lets the attempt cost more.
    pub fn raise(&mut self, ceiling: Money) {
        self.room = self.pace.start.fits(self.pace.each, ceiling);
    }

    /// Tokens of output so far, at most, whatever the vocabulary.
    ///
    /// A token of a byte-level vocabulary is at least one byte of what is said, and JSON's escapes only make text
    /// longer. From a report on, only what came after it is guessed.
    #[must_use]
    pub fn output_most(&self) -> u64 {
        let (bytes, unseen) = (self.bytes(), self.unseen());
        match &self.reported {
            Some((tokens, then)) => {
                let since = bytes.saturating_sub(then.bytes);
                let most = tokens
                    .completion
                    .saturating_add(since)
                    .saturating_add(unseen);
                most.min(bytes.saturating_add(unseen).max(tokens.completion))
            }
            None => bytes.saturating_add(unseen),
        }
    }

    /// Tokens of output that are held to have been made so far: what a vocabulary has counted, with what that may be too
    /// low by, and where none counts, each byte; never more than there can be.
    #[must_use]
    pub fn output_due(&self) -> u64 {
        let due = self.due().saturating_add(self.unseen());
        due.min(self.output_most())
    }

    /// The same, of what was seen.
    fn due(&self) -> u64 {
        let (known, since) = self.since_report();
        let slack = self.pace.slack.unwrap_or(Slack::SAME);
        let counted = slack.on(self.pace.own(since.tokens));
        known.saturating_add(counted).saturating_add(since.bytes)
    }

    /// All events that came together are in. As many tokens as ever came at once may come next, before anybody can look.
    pub fn batched(&mut self) {
        let (before, largest) = self.batch;
        let due = self.due();
        self.batch = (due, largest.max(due.saturating_sub(before)));
    }

    /// Tokens of output so far, by guess where the provider has not said.
    #[must_use]
    pub fn output_estimate(&self) -> u64 {
        let (known, since) = self.since_report();
        let counted = self.pace.own(since.tokens);
        let guess = self.guess(since.bytes);
        known.saturating_add(counted).saturating_add(guess)
    }

    /// What was reported, and what was counted after that.
    fn since_report(&self) -> (u64, Counted) {
        let counted = self.counted();
        match &self.reported {
            Some((tokens, then)) => (tokens.completion, counted.since(then.counted)),
            None => (0, counted),
        }
    }

    fn counted(&self) -> Counted {
        if self.gauge.is_there() {
            return self.gauge.counted();
        }
        Counted {
            tokens: 0,
            bytes: self.bytes(),
        }
    }

    /// Tokens that nobody sees.
    fn unseen(&self) -> u64 {
        let frames = PER_CHOICE.saturating_mul(self.choices);
        let frames = frames.saturating_add(PER_CALL.saturating_mul(self.calls));
        let next = self.pace.unseen.saturating_add(self.batch.1);
        frames.saturating_add(next)
    }

    /// What the provider said of its tokens last.
    #[must_use]
    pub fn reported(&self) -> Option<&Tokens> {
        self.reported.as_ref().map(|(tokens, _)| tokens)
    }

    /// Bytes of text, of reasoning, and of the arguments of calls so far, as they stand in JSON strings.
    #[must_use]
    pub const fn seen(&self) -> (u64, u64, u64) {
        (self.text, self.reasoning, self.arguments)
    }

    fn bytes(&self) -> u64 {
        let said = self.text.saturating_add(self.reasoning);
        said.saturating_add(self.arguments)
    }

    /// A chunk that is handed on as it is: the strings of its deltas, by the members they are values of.
    fn raw(&mut self, json: &str) {
        let mut rest = json;
        let mut found = false;
        while let Some(inside) = after(rest, DELTA) {
            rest = walk(inside, &mut |key, value| self.said(key, value)).unwrap_or_default();
            found = true;
        }
        if !found && let Some(inside) = after(json, MESSAGE) {
            walk(inside, &mut |key, value| self.said(key, value));
        }
    }

    fn said(&mut self, key: &str, value: &str) {
        match key {
            "role" | "id" | "type" => {}
            "reasoning_content" | "reasoning" => add(&mut self.reasoning, len(value)),
            "name" => {
                add(&mut self.calls, 1);
                add(&mut self.arguments, len(value));
            }
            "arguments" | "input" => add(&mut self.arguments, len(value)),
            _ => add(&mut self.text, len(value)),
        }
        if !matches!(key, "role" | "id" | "type") {
            self.weigh(Escaped::trusted(value));
        }
    }

    fn weigh(&mut self, said: Escaped<'_>) {
        if self.gauge.is_there() {
            self.gauge.add(&said.decode());
        }
    }

    const fn choice(&mut self, choice: u32) {
        let count = (choice as u64).saturating_add(1);
        if count > self.choices {
            self.choices = count;
        }
    }
}

fn length(text: Escaped<'_>) -> u64 {
    len(text.as_str())
}

fn add(to: &mut u64, more: u64) {
    *to = to.saturating_add(more);
}

impl Sink for Meter {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Text { choice, text } | Event::Refusal { choice, text } => {
                self.choice(choice);
                add(&mut self.text, length(text));
                self.weigh(text);
            }
            Event::Reasoning { choice, text } => {
                self.choice(choice);
                add(&mut self.reasoning, length(text));
                self.weigh(text);
            }
            Event::ToolStart {
                choice,
                id: _,
                name,
                ..
            } => {
                self.choice(choice);
                add(&mut self.calls, 1);
                add(&mut self.arguments, length(name));
                self.weigh(name);
            }
            Event::ToolArgs { json: text, .. } | Event::ToolInput { text, .. } => {
                add(&mut self.arguments, length(text));
                self.weigh(text);
            }
            Event::Raw(json) | Event::Last(json) => self.raw(json),
            Event::Chunk {
                choice,
                saying,
                words,
                ..
            } => {
                self.choice(choice);
                let count = match saying {
                    Saying::Text | Saying::Refusal => &mut self.text,
                    Saying::Reasoning => &mut self.reasoning,
                    Saying::Arguments(_) => &mut self.arguments,
                };
                add(count, length(words));
                self.weigh(words);
            }
            Event::Usage(usage) => {
                let then = Then {
                    bytes: self.bytes(),
                    counted: self.counted(),
                };
                self.reported = Some((usage.tokens, then));
            }
            // An image, a sound or an encrypted thought is counted by its report alone, or as unseen.
            Event::Field { .. }
            | Event::Detail { .. }
            | Event::Start { .. }
            | Event::Logprobs { .. }
            | Event::Top { .. }
            | Event::Finish { .. }
            | Event::Turn { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
