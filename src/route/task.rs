//! A guess at what kind of work a request is, by rules on its shape and some words of it.
//!
//! It changes two things only: how long an answer is expected to be, and how much a difference in quality counts. It
//! never rejects anything, reads a few hundred bytes, knows English words best, and can be turned off. What it said
//! and why stands in the plan.

use std::fmt::Write as _;

use super::ability::{Abilities, Ability};

/// A kind of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Task {
    /// Writing or mending code.
    Code,
    /// Text into a given structure.
    Extraction,
    /// Long text into short.
    Summary,
    /// Stories, poems, slogans.
    Creative,
    /// A very long prompt.
    LongContext,
    /// Anything else, or the classifier is off.
    #[default]
    General,
}

/// A guess and the rule it came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guess {
    /// The kind of work.
    pub task: Task,
    /// The rule, in a few words.
    pub why: &'static str,
}

/// What the classifier is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape<'a> {
    /// What is needed.
    pub needs: Abilities,
    /// Prompt tokens, estimated.
    pub prompt: u64,
    /// The last user message as it stands on the wire.
    pub asked: &'a str,
    /// The system prompt as it stands on the wire.
    pub system: &'a str,
}

/// What a kind of work means: the published table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meaning {
    /// The word for it.
    pub word: &'static str,
    /// Tokens of a typical answer, without thinking.
    pub answer: u32,
    /// The share of the effort ladder's thinking that is typical.
    pub thinking: f64,
    /// How much what is missing to perfect quality counts.
    pub keen: f64,
}

impl Task {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Code,
        Self::Extraction,
        Self::Summary,
        Self::Creative,
        Self::LongContext,
        Self::General,
    ];

    /// What it means.
    #[must_use]
    pub const fn meaning(self) -> Meaning {
        let (word, answer, thinking, keen) = match self {
            Self::Code => ("code", 700, 0.8, 1.25),
            Self::Extraction => ("extraction", 200, 0.25, 0.7),
            Self::Summary => ("summary", 300, 0.25, 0.8),
            Self::Creative => ("creative", 800, 0.3, 0.9),
            Self::LongContext => ("long-context", 500, 0.5, 1.1),
            Self::General => ("general", 350, 0.4, 1.0),
        };
        Meaning {
            word,
            answer,
            thinking,
            keen,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.meaning().word
    }
}

/// The published table of kinds of work, as Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(
        "| task | a typical answer, in tokens | share of an effort's thinking | missing quality counts |\n|---|--:|--:|--:|\n",
    );
    for task in Task::ALL {
        let meaning = task.meaning();
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | × {} |",
            meaning.word, meaning.answer, meaning.thinking, meaning.keen
        );
    }
    out
}

/// A prompt of so many tokens is long whatever it asks.
const LONG: u64 = 60_000;

/// How many bytes of each end of a text are read.
const WINDOW: usize = 400;

/// Guesses the kind of work. The first rule that fits holds.
#[must_use]
pub fn guess(shape: &Shape<'_>) -> Guess {
    let (asked, system) = (ends(shape.asked), ends(shape.system));
    let says = |words: &[&str]| words.iter().any(|word| asked.contains(word));
    let told = |words: &[&str]| words.iter().any(|word| system.contains(word));
    let short = shape.asked.len() < 2_000;
    let of = |task, why| Guess { task, why };
    if shape.prompt >= LONG {
        return of(Task::LongContext, "the prompt is long");
    }
    if says(&["```", "traceback (most recent", "unified diff"]) || says(CODE) || told(CODER) {
        return of(Task::Code, "it shows or asks for code");
    }
    if shape.needs.has(Ability::JsonSchema) {
        return of(Task::Extraction, "a JSON schema is given");
    }
    if says(SUMMARY) {
        return of(Task::Summary, "it asks for less text than it gives");
    }
    if says(EXTRACTION) || shape.needs.has(Ability::JsonObject) {
        return of(Task::Extraction, "it asks for a structure or a label");
    }
    if short && says(CREATIVE) {
        return of(Task::Creative, "it asks for a text of imagination");
    }
    if makes_a_program(&asked) {
        return of(Task::Code, "it asks for a program");
    }
    of(Task::General, "no rule fits")
}

const CODE: &[&str] = &[
    "write a function",
    "refactor",
    "unit test",
    "stack trace",
    "compile error",
    "this bug",
    "sql query",
    "regular expression",
    "in python",
    "in rust",
    "in typescript",
    "in javascript",
    "pull request",
    "source code",
];

const CODER: &[&str] = &[
    "software engineer",
    "coding assistant",
    "programmer",
    "coding agent",
];

/// What is done to programs.
const MAKING: &[&str] = &[
    "write",
    "implement",
    "create",
    "build",
    "fix",
    "debug",
    "code",
    "generate",
    "port",
    "convert",
    "optimize",
    "optimise",
    "make",
    "translate",
    "rewrite",
    "add",
];

/// Programs and their parts, and the languages they are in.
const PROGRAM: &[&str] = &[
    "function",
    "program",
    "script",
    "class",
    "method",
    "algorithm",
    "module",
    "endpoint",
    "component",
    "regex",
    "query",
    "sql",
    "api",
    "parser",
    "compiler",
    "unittest",
    "dockerfile",
    "makefile",
    "bash",
    "python",
    "rust",
    "javascript",
    "typescript",
    "java",
    "kotlin",
    "golang",
    "c++",
    "c#",
    "ruby",
    "php",
    "html",
    "css",
    "react",
];

/// How many words may stand between what is done and what it is done to.
const NEAR: usize = 6;

/// Whether a word of making is soon followed by one for a program.
fn makes_a_program(asked: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '+' | '#');
    let words: Vec<&str> = asked
        .split(|c| !is_part(c))
        .filter(|word| !word.is_empty())
        .collect();
    let named = |word: &str| {
        let one = word.strip_suffix('s').unwrap_or(word);
        PROGRAM.contains(&word) || PROGRAM.contains(&one)
    };
    words.iter().enumerate().any(|(at, word)| {
        let after = words.iter().skip(at.saturating_add(1)).take(NEAR);
        MAKING.contains(word) && after.copied().any(named)
    })
}

const SUMMARY: &[&str] = &[
    "summar",
    "tl;dr",
    "tldr",
    "in one sentence",
    "key points",
    "condense",
    "zusammenfass",
    "resum",
];

const EXTRACTION: &[&str] = &[
    "extract",
    "classify",
    "as json",
    "in json",
    "label the",
    "categorize",
    "categorise",
    "sentiment",
    "fill in the fields",
];

const CREATIVE: &[&str] = &[
    "write a story",
    "short story",
    "write a poem",
    "a poem",
    "lyrics",
    "haiku",
    "slogan",
    "brainstorm",
    "screenplay",
    "fairy tale",
];

/// Both ends of a text in lower case, where tasks are stated.
fn ends(text: &str) -> String {
    let bytes = text.as_bytes();
    let tail = bytes
        .len()
        .saturating_sub(WINDOW)
        .max(WINDOW.min(bytes.len()));
    let head = bytes.get(..WINDOW.min(bytes.len())).unwrap_or_default();
    let tail = bytes.get(tail..).unwrap_or_default();
    let mut ends = String::from_utf8_lossy(head).to_ascii_lowercase();
    ends.push('\n');
    ends.push_str(&String::from_utf8_lossy(tail).to_ascii_lowercase());
    ends
}

#[cfg(test)]
mod tests;
