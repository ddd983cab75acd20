//! Patterns of model ids. Each is compiled to see that it can be, and kept compiled once it is asked: most never are,
//! and hundreds of them kept would be most of what the idle proxy holds.

use std::fmt;
use std::sync::OnceLock;

use regex_lite::Regex;

/// An anchored regular expression over model ids.
#[derive(Clone)]
pub struct Pattern {
    text: Box<str>,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A pattern of this text, which is compiled once to see that it can be, and again when it is first asked.
    ///
    /// # Errors
    /// What is wrong with the text, and which it is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let sound = Regex::new(text).map_err(|error| format!("the pattern '{text}': {error}"));
        sound.map(|_| Self {
            text: text.into(),
            compiled: OnceLock::new(),
        })
    }

    /// Whether an id matches.
    #[must_use]
    pub fn is_match(&self, id: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| Regex::new(&self.text).ok());
        compiled.as_ref().is_some_and(|regex| regex.is_match(id))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pattern_is_refused_by_name() {
        let error = Pattern::parse("(").unwrap_err();
        assert!(error.starts_with("the pattern '(':"), "{error}");
        let pattern = Pattern::parse(r"^gpt-\d$").unwrap();
        assert!(pattern.is_match("gpt-4") && !pattern.is_match("gpt-four"));
    }
}
