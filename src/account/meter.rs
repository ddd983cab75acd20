//! A meter: counts an answer as it passes, and knows when it may have cost too much.
//!
//! It lives here and not with the router, as the calls, the budgets and the hedges that hold one all know this room,
//! and all that it needs of a price is two numbers.

use crate::chat::{Escaped, Event, Saying, Sink, Tokens, scan};

use super::amount::Amount;
use super::money::Money;

/// Tokens that a choice costs and nobody sees: its opening, its end, a channel's name.
const PER_CHOICE: u64 = 16;

/// The same for a call: its frame, and what its format spells out round name and arguments.
const PER_CALL: u64 = 48;

/// Bytes per token of usual text, in quarters: for the estimate only.
const QUARTER_BYTES_PER_TOKEN: u64 = 17;

/// Where a chunk says what is new, and a whole answer what it says.
const DELTA: &str = "\"delta\"";
const MESSAGE: &str = "\"message\"";

/// What a call costs at most: so much before the first token of output, so much for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Prompt and fees at most.
    pub start: Amount,
    /// One token of output at most.
    pub each: Amount,
    /// Tokens of output that may be made out of sight: hidden reasoning up to its limit, and what is under way when a
    /// stream is cut.
    pub unseen: u64,
    /// What an output token is in tokens of `o200k`, in ten-thousandths: for the estimate.
    pub token_parts: u32,
}

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
    /// What was reported last, and how many bytes had passed then.
    reported: Option<(Tokens, u64)>,
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
            reported: None,
        }
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
    /// The ceiling itself is not over it, but one more token would be: what is counted is an upper bound.
    #[must_use]
    pub fn over(&self) -> bool {
        self.room.is_none_or(|room| self.output_most() > room)
    }

    /// What the attempt has cost at most so far.
    #[must_use]
    pub fn most(&self) -> Money {
        let output = self.pace.each.times(self.output_most());
        self.pace.start.plus(output).upwards()
    }

    /// What it has cost at most once so many tokens more have passed.
    #[must_use]
    pub fn most_after(&self, tokens: u64) -> Money {
        let output = self.output_most().saturating_add(tokens);
        self.pace.start.plus(self.pace.each.times(output)).upwards()
    }

    /// Lets the attempt cost more.
    pub fn raise(&mut self, ceiling: Money) {
        self.room = self.pace.start.fits(self.pace.each, ceiling);
    }

    /// Tokens of output so far, at most.
    ///
    /// A token of a byte-level vocabulary is at least one byte of what is said, and JSON's escapes only make text
    /// longer. From a report on, only what came after it is guessed.
    #[must_use]
    pub fn output_most(&self) -> u64 {
        let bytes = self.bytes();
        let frames = PER_CHOICE.saturating_mul(self.choices);
        let frames = frames.saturating_add(PER_CALL.saturating_mul(self.calls));
        let unseen = frames.saturating_add(self.pace.unseen);
        match &self.reported {
            Some((tokens, then)) => {
                let since = bytes.saturating_sub(*then);
                let most = tokens
                    .completion
                    .saturating_add(since)
                    .saturating_add(unseen);
                most.min(bytes.saturating_add(unseen).max(tokens.completion))
            }
            None => bytes.saturating_add(unseen),
        }
    }

    /// Tokens of output so far, by guess where the provider has not said.
    #[must_use]
    pub fn output_estimate(&self) -> u64 {
        let (known, bytes) = match &self.reported {
            Some((tokens, then)) => (tokens.completion, self.bytes().saturating_sub(*then)),
            None => (0, self.bytes()),
        };
        known.saturating_add(self.guess(bytes))
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
    }

    const fn choice(&mut self, choice: u32) {
        let count = (choice as u64).saturating_add(1);
        if count > self.choices {
            self.choices = count;
        }
    }
}

/// What stands behind the first `member` and its colon. Within a string its quotes would be escaped.
fn after<'a>(json: &'a str, member: &str) -> Option<&'a str> {
    let mut rest = json;
    loop {
        let at = memchr::memmem::find(rest.as_bytes(), member.as_bytes())?;
        rest = rest.get(at.saturating_add(member.len())..)?;
        if let Some(value) = rest.trim_ascii_start().strip_prefix(':') {
            return Some(value);
        }
    }
}

/// Tells each string of the JSON value that `json` begins with, and the name it stands behind; gives back what comes
/// after the value. `None` where it does not end.
fn walk<'a>(json: &'a str, tell: &mut dyn FnMut(&str, &str)) -> Option<&'a str> {
    let (mut rest, mut depth, mut key) = (json, 0_u32, "");
    loop {
        let at = memchr::memchr3(b'"', b'{', b'}', rest.as_bytes())?;
        let (mark, behind) = (rest.as_bytes().get(at)?, rest.get(at.saturating_add(1)..)?);
        rest = behind;
        match mark {
            b'{' => depth = depth.saturating_add(1),
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(rest);
                }
            }
            _ => {
                let length = scan::string_length(rest.as_bytes())?;
                let inside = rest.get(..length)?;
                rest = rest.get(length.saturating_add(1)..)?;
                if rest.trim_ascii_start().starts_with(':') {
                    key = inside;
                } else {
                    tell(key, inside);
                }
            }
        }
    }
}

fn length(text: Escaped<'_>) -> u64 {
    len(text.as_str())
}

fn len(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
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
            }
            Event::Reasoning { choice, text } => {
                self.choice(choice);
                add(&mut self.reasoning, length(text));
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
            }
            Event::ToolArgs { json: text, .. } | Event::ToolInput { text, .. } => {
                add(&mut self.arguments, length(text));
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
            }
            Event::Usage(usage) => self.reported = Some((usage.tokens, self.bytes())),
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
mod tests {
    use super::*;
    use crate::chat::Usage;

    fn metered(ceiling: u64) -> Meter {
        let pace = Pace {
            start: Amount::from(Money::nano(100)),
            each: Amount::from(Money::nano(2)),
            unseen: 0,
            token_parts: 10_000,
        };
        Meter::new(pace, Money::nano(ceiling))
    }

    fn text(words: &str) -> Event<'_> {
        Event::Text {
            choice: 0,
            text: Escaped::trusted(words),
        }
    }

    #[test]
    fn it_is_over_at_the_first_token_that_might_not_be_paid() {
        let mut meter = metered(100 + 2 * (PER_CHOICE + 10));
        meter.event(text("123456789"));
        assert!(!meter.over());
        meter.event(text("0"));
        assert!(!meter.over(), "exactly the ceiling");
        assert_eq!(meter.most(), Money::nano(100 + 2 * (PER_CHOICE + 10)));
        meter.event(text("1"));
        assert!(meter.over());
        let tight = metered(99);
        assert_eq!(tight.room, None);
        assert!(tight.over(), "the prompt alone is above it");
    }

    #[test]
    fn a_report_replaces_what_was_guessed_before_it() {
        let mut meter = metered(u64::MAX);
        let long = "x".repeat(4_000);
        meter.event(text(&long));
        let guess = meter.output_estimate();
        assert!((900..1_000).contains(&guess), "{guess}");
        let tokens = Tokens {
            completion: 700,
            ..Tokens::default()
        };
        meter.event(Event::Usage(Usage { tokens, raw: None }));
        assert_eq!(
            (meter.output_most(), meter.output_estimate()),
            (700 + PER_CHOICE, 700)
        );
        meter.event(text("abcd"));
        assert_eq!(meter.output_most(), 704 + PER_CHOICE);
        assert_eq!(meter.reported(), Some(&tokens));
    }

    #[test]
    fn chunks_handed_on_count_as_the_events_they_are() {
        let mut meter = metered(u64::MAX);
        let chunks = [
            r#"{"id":"c","model":"delta","n":1,"choices":[{"index":0,"delta":{"content":"say \"delta\": {x}"},"logprobs":{"content":[{"token":"no"}]},"finish_reason":null}]}"#,
            r#"{"choices":[{"index":0,"delta":{"reasoning_content":"hm"}},{"index":1,"delta":{"content":"b"}}]}"#,
            r#"{"choices":[{"delta" : {"content":"spaced"}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}}]}"#,
            r#"{"choices":[{"message":{"role":"assistant","content":"whole"}}]}"#,
        ];
        for chunk in chunks {
            meter.event(Event::Raw(chunk));
        }
        let said = len(r#"say \"delta\": {x}"#) + 1 + len("spaced") + len("whole");
        assert_eq!(meter.seen(), (said, 2, len(r#"f{\"a\":1}"#)));
        assert_eq!(meter.calls, 1);
    }
}
