//! What is wrong with a configuration, and where.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The exit code for a configuration that cannot be used (`EX_CONFIG` of sysexits).
pub const EX_CONFIG: u8 = 78;

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, where it is in one.
    pub file: Option<PathBuf>,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl Problem {
    /// A problem that stands in no file.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            file: None,
            line: None,
            column: None,
            message: message.into(),
        }
    }

    /// A problem with a file as a whole.
    #[must_use]
    pub fn with(file: &Path, message: impl Into<String>) -> Self {
        Self {
            file: Some(file.to_owned()),
            ..Self::new(message)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(formatter, "{}:", file.display())?;
            if let (Some(line), Some(column)) = (self.line, self.column) {
                write!(formatter, "{line}:{column}:")?;
            }
            formatter.write_str(" ")?;
        }
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// A problem by its place in the text, before it is known which file that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Bytes of the text.
    pub(super) span: Option<Range<usize>>,
    /// What is wrong.
    pub(super) message: String,
}

impl Flaw {
    /// A flaw at a place.
    pub(super) fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            span: Some(span),
            message: message.into(),
        }
    }

    /// A flaw of the whole.
    pub(super) fn anywhere(message: impl Into<String>) -> Self {
        Self {
            span: None,
            message: message.into(),
        }
    }

    /// The same as people look for it.
    pub(super) fn place(self, file: &Path, text: &str) -> Problem {
        let before = self.span.and_then(|span| text.get(..span.start));
        Problem {
            file: Some(file.to_owned()),
            line: before.map(|before| before.matches('\n').count().saturating_add(1)),
            column: before.map(|before| {
                let line = before.rsplit('\n').next().unwrap_or_default();
                line.chars().count().saturating_add(1)
            }),
            message: self.message,
        }
    }
}

impl From<toml::de::Error> for Flaw {
    fn from(error: toml::de::Error) -> Self {
        Self {
            span: error.span(),
            message: unquoted(error.message().trim()).replace('\n', "; "),
        }
    }
}

/// A message without the text that stood where it should not: it may be a key under a wrong name.
fn unquoted(message: &str) -> String {
    let (Some((before, rest)), Some((_, expected))) = (
        message.split_once("string \""),
        message.rsplit_once("\", expected "),
    ) else {
        return message.to_owned();
    };
    if rest.len() < expected.len() {
        return message.to_owned();
    }
    format!("{before}string, expected {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stood_in_the_wrong_place_is_not_repeated() {
        let rows = [
            (
                "invalid type: string \"sk-\\\", expected x\", expected a sequence",
                "invalid type: string, expected a sequence",
            ),
            (
                "unknown field `x`, expected `y`",
                "unknown field `x`, expected `y`",
            ),
            (
                "invalid type: integer `1`, expected a string",
                "invalid type: integer `1`, expected a string",
            ),
        ];
        for (message, told) in rows {
            assert_eq!(unquoted(message), told);
        }
    }
}
