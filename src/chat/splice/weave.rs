//! The events of another answer, kept back while they repeat what was shown.

use std::borrow::Cow;

use super::super::event::{Event, Saying, Sink};
use super::super::json::Escaped;
use super::said::{Choice, Said, field};
use super::strand::{Repeat, Strand, form};

/// Holds another answer against what was shown.
///
/// Nothing of a choice is passed on before everything that was shown of it has been repeated: text, calls and fields.
/// Reasoning is no part of the answer: it need not repeat, but then nothing more of it is shown.
#[derive(Clone, Debug)]
pub struct Splice {
    choices: Vec<Repeated>,
    logprobs: Option<(u32, String)>,
    differs: bool,
}

/// How far one choice has been repeated.
#[derive(Clone, Debug)]
struct Repeated {
    index: u32,
    text: Repeat,
    refusal: Repeat,
    fields: Repeat,
    calls: Vec<Again>,
    reasoning: Repeat,
    thoughts: Thoughts,
    details: bool,
}

/// How far one call has been repeated.
#[derive(Clone, Debug)]
struct Again {
    index: u32,
    /// The id that the client knows it by, escaped.
    id: String,
    /// The other answer's id for it, once it began, escaped.
    other: Option<String>,
    name: Strand,
    custom: bool,
    given: Repeat,
}

/// Whether reasoning may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thoughts {
    /// It repeats so far.
    Repeat,
    /// It was kept back once, so that what follows would have a gap before it.
    Withheld,
}

/// What becomes of words.
enum Verdict {
    /// They were shown already.
    Known,
    /// This many bytes of them were.
    From(usize),
    /// They are not what was shown.
    Differ,
}

impl Splice {
    /// Holds an answer against what was shown.
    #[must_use]
    pub fn onto(said: &Said) -> Self {
        Self {
            choices: said.choices.iter().map(Repeated::of).collect(),
            logprobs: None,
            differs: !said.can_be_repeated(),
        }
    }

    /// Whether the answer has turned out to be another: nothing more of it is passed on.
    #[must_use]
    pub const fn differs(&self) -> bool {
        self.differs
    }

    /// The id that the client knows a call by, escaped; given the other answer's. Its own where it was not shown before.
    #[must_use]
    pub fn call_id<'a>(&'a self, id: &'a str) -> &'a str {
        let calls = self.choices.iter().flat_map(|choice| &choice.calls);
        let mut same = calls.filter(|call| call.other.as_deref() == Some(id));
        same.next().map_or(id, |call| &call.id)
    }

    /// Takes an event of the other answer, and passes on what has not been shown.
    pub fn event(&mut self, event: Event<'_>, out: &mut dyn Sink) {
        if self.differs {
            return;
        }
        match event {
            Event::Text { choice, text } => self.words(choice, Saying::Text, text, out),
            Event::Refusal { choice, text } => self.words(choice, Saying::Refusal, text, out),
            Event::Chunk {
                choice,
                saying: saying @ (Saying::Text | Saying::Refusal | Saying::Arguments(_)),
                words,
                ..
            } => self.words(choice, saying, words, out),
            Event::ToolArgs {
                choice,
                index,
                json: text,
            }
            | Event::ToolInput {
                choice,
                index,
                text,
            } => self.given((choice, index), text, event, out),
            Event::Reasoning { choice, text }
            | Event::Chunk {
                choice,
                saying: Saying::Reasoning,
                words: text,
                ..
            } => self.reasoning(choice, text, out),
            Event::Detail { choice, .. } => self.detail(choice, event, out),
            Event::ToolStart { choice, .. } => self.call(choice, event, out),
            Event::Field { choice, name, json } => {
                self.field(choice, &field(name, json), event, out);
            }
            Event::Logprobs { choice, json } => self.logprobs = Some((choice, json.to_owned())),
            Event::Finish { choice, .. } => self.unless_due(choice, event, out),
            Event::Raw(_) | Event::Last(_) => self.differs = true,
            Event::Start { .. } | Event::Top { .. } | Event::Usage(_) | Event::Turn { .. } => {
                out.event(event);
            }
        }
    }

    fn choice(&mut self, index: u32) -> Option<&mut Repeated> {
        self.choices.iter_mut().find(|choice| choice.index == index)
    }

    /// Passes an event on that nothing was shown of, if all that was shown has been repeated.
    fn unless_due(&mut self, choice: u32, event: Event<'_>, out: &mut dyn Sink) {
        if self.choice(choice).is_some_and(|choice| choice.is_due()) {
            self.differs = true;
        } else {
            out.event(event);
        }
    }

    fn words(&mut self, index: u32, saying: Saying, text: Escaped<'_>, out: &mut dyn Sink) {
        if text.is_empty() {
            return;
        }
        let logprobs = self.logprobs.take();
        let verdict = match self.choice(index) {
            Some(choice) => choice.words(saying, text.as_str()),
            None => Verdict::From(0),
        };
        let from = match verdict {
            Verdict::Known => return,
            Verdict::Differ => return self.differs = true,
            Verdict::From(from) => from,
        };
        if let Some((choice, json)) = logprobs.filter(|_| from == 0) {
            out.event(Event::Logprobs {
                choice,
                json: &json,
            });
        }
        let rest = super::units::after(text.as_str(), from);
        out.event(said(index, saying, Escaped::trusted(&rest)));
    }

    /// Arguments of a call, or the input of a custom tool.
    fn given(&mut self, at: (u32, u32), text: Escaped<'_>, event: Event<'_>, out: &mut dyn Sink) {
        let (index, call) = at;
        let verdict = match self.choice(index) {
            Some(choice) if !text.is_empty() => {
                choice.words(Saying::Arguments(call), text.as_str())
            }
            Some(_) | None => Verdict::From(0),
        };
        match verdict {
            Verdict::Known => {}
            Verdict::Differ => self.differs = true,
            Verdict::From(0) => out.event(event),
            Verdict::From(from) => {
                let rest: Cow<'_, str> = super::units::after(text.as_str(), from);
                let text = Escaped::trusted(&rest);
                out.event(match event {
                    Event::ToolInput { .. } => Event::ToolInput {
                        choice: index,
                        index: call,
                        text,
                    },
                    _ => said(index, Saying::Arguments(call), text),
                });
            }
        }
    }

    fn reasoning(&mut self, index: u32, text: Escaped<'_>, out: &mut dyn Sink) {
        let from = match self.choice(index) {
            Some(choice) => choice.think(text.as_str()),
            None => Some(0),
        };
        if let Some(from) = from {
            let rest = super::units::after(text.as_str(), from);
            out.event(said(index, Saying::Reasoning, Escaped::trusted(&rest)));
        }
    }

    /// An item of `reasoning_details` is shown only where none was, and all reasoning before it.
    fn detail(&mut self, index: u32, event: Event<'_>, out: &mut dyn Sink) {
        if let Some(choice) = self.choice(index) {
            let fits = !choice.details
                && choice.thoughts == Thoughts::Repeat
                && !choice.reasoning.is_due()
                && !choice.is_due();
            if !fits {
                choice.thoughts = Thoughts::Withheld;
                return;
            }
        }
        out.event(event);
    }

    fn call(&mut self, choice: u32, event: Event<'_>, out: &mut dyn Sink) {
        let Event::ToolStart {
            index,
            id,
            name,
            custom,
            ..
        } = event
        else {
            return;
        };
        let calls = self.choice(choice).map(|choice| &mut choice.calls);
        let known = calls.and_then(|calls| calls.iter_mut().find(|call| call.index == index));
        match known {
            None => self.unless_due(choice, event, out),
            Some(call) => {
                let same = call.custom == custom && call.name.is(name.as_str());
                call.other = Some(id.as_str().to_owned());
                self.differs = !same;
            }
        }
    }

    fn field(&mut self, index: u32, field: &str, event: Event<'_>, out: &mut dyn Sink) {
        let Some(choice) = self.choice(index).filter(|choice| choice.fields.is_due()) else {
            return self.unless_due(index, event, out);
        };
        let field = form(field);
        let same = choice.fields.take(&field) == Some(field.len());
        self.differs = !same;
    }
}

impl Repeated {
    fn of(choice: &Choice) -> Self {
        let calls = choice.calls.iter().map(|call| Again {
            index: call.index,
            id: call.id.clone(),
            other: None,
            name: call.name.clone(),
            custom: call.custom,
            given: Repeat::of(call.given.clone()),
        });
        Self {
            index: choice.index,
            text: Repeat::of(choice.text.clone()),
            refusal: Repeat::of(choice.refusal.clone()),
            fields: Repeat::of(choice.fields.clone()),
            calls: calls.collect(),
            reasoning: Repeat::of(choice.reasoning.clone()),
            thoughts: Thoughts::Repeat,
            details: choice.details,
        }
    }

    /// Whether anything of the answer that was shown has not been repeated.
    fn is_due(&self) -> bool {
        let calls = &self.calls;
        self.text.is_due()
            || self.refusal.is_due()
            || self.fields.is_due()
            || calls
                .iter()
                .any(|call| call.other.is_none() || call.given.is_due())
    }

    fn words(&mut self, saying: Saying, text: &str) -> Verdict {
        let repeat = match saying {
            Saying::Text => Some(&mut self.text),
            Saying::Refusal => Some(&mut self.refusal),
            Saying::Reasoning => Some(&mut self.reasoning),
            Saying::Arguments(index) => {
                let call = self.calls.iter_mut().find(|call| call.index == index);
                call.map(|call| &mut call.given)
            }
        };
        let said = form(text);
        let taken = match repeat {
            Some(repeat) => repeat.take(&said),
            None => Some(0),
        };
        match taken {
            None => Verdict::Differ,
            Some(count) if count == said.len() => Verdict::Known,
            Some(_) if self.is_due() => Verdict::Differ,
            Some(count) => Verdict::From(count),
        }
    }

    /// From where on reasoning may be shown; `None` where it may not.
    fn think(&mut self, text: &str) -> Option<usize> {
        if self.thoughts == Thoughts::Withheld {
            return None;
        }
        match self.words(Saying::Reasoning, text) {
            Verdict::Known => None,
            Verdict::From(from) => Some(from),
            Verdict::Differ => {
                self.thoughts = Thoughts::Withheld;
                None
            }
        }
    }
}

/// Words as the event that says them.
fn said(choice: u32, saying: Saying, text: Escaped<'_>) -> Event<'_> {
    match saying {
        Saying::Text => Event::Text { choice, text },
        Saying::Reasoning => Event::Reasoning { choice, text },
        Saying::Refusal => Event::Refusal { choice, text },
        Saying::Arguments(index) => Event::ToolArgs {
            choice,
            index,
            json: text,
        },
    }
}
