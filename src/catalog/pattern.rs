//! Patterns of model ids, compiled when first asked: most never are, and hundreds of them compiled would be most of
//! what starting costs. Tests compile every one that comes with the program.

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
    /// A pattern of this text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            compiled: OnceLock::new(),
        }
    }

    /// Whether an id matches. A pattern that is none matches nothing.
    #[must_use]
    pub fn is_match(&self, id: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| Regex::new(&self.text).ok());
        compiled.as_ref().is_some_and(|regex| regex.is_match(id))
    }

    /// Whether it can be compiled at all.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        Regex::new(&self.text).is_ok()
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
    use crate::catalog::Catalog;

    #[test]
    fn every_pattern_of_the_catalogue_is_sound_and_a_broken_one_matches_nothing() {
        let catalog = Catalog::builtin().unwrap();
        for provider in catalog.providers() {
            let models = provider.models.iter();
            let models = models.filter_map(|model| model.pattern.as_ref());
            let rules = provider.rules.iter().map(|rule| &rule.pattern);
            let places = provider.models.iter().flat_map(|model| &model.places);
            let places = places.map(|place| &place.pattern);
            for pattern in models.chain(rules).chain(places) {
                assert!(pattern.is_sound(), "{}: {pattern:?}", provider.name);
            }
        }
        let broken = Pattern::new("(");
        assert!(!broken.is_sound() && !broken.is_match("("));
    }
}
