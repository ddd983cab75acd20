//! OpenAI's own count: the vocabulary `o200k`, of all its models since GPT-4o.
//!
//! The vocabulary is 0.8 MB in the binary and 24 MB once it is loaded, which takes some 90 ms. Whoever has a thread to
//! spare calls [`Counter::warm`] there; until then estimates serve.

use std::sync::OnceLock;

use crate::account::Vocabulary;

static VOCABULARY: OnceLock<&'static tiktoken::CoreBpe> = OnceLock::new();

/// A loaded vocabulary.
#[derive(Clone, Copy)]
pub struct Counter(&'static tiktoken::CoreBpe);

impl std::fmt::Debug for Counter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Counter(o200k)")
    }
}

impl Counter {
    /// Loads the vocabulary if it is not there yet. Takes long: never on a request's way.
    pub fn warm() -> Option<Self> {
        if let Some(ready) = Self::ready() {
            return Some(ready);
        }
        let vocabulary = tiktoken::get_encoding("o200k_base")?;
        Some(Self(VOCABULARY.get_or_init(|| vocabulary)))
    }

    /// The counter, if it is loaded.
    #[must_use]
    pub fn ready() -> Option<Self> {
        VOCABULARY.get().map(|vocabulary| Self(vocabulary))
    }

    /// Tokens of a text, exactly.
    #[must_use]
    pub fn count(&self, text: &str) -> u64 {
        u64::try_from(self.0.count(text)).unwrap_or(u64::MAX)
    }
}

/// The counter as it comes to be loaded.
#[derive(Clone, Copy, Debug)]
pub struct LateCounter;

impl Vocabulary for LateCounter {
    fn count(&self, text: &str) -> Option<u64> {
        Some(Counter::ready()?.count(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_as_the_reference_does() {
        let counter = Counter::warm().unwrap();
        // Counts of OpenAI's own tiktoken for o200k_base.
        for (text, tokens) in [
            ("", 0),
            ("hello world", 2),
            ("tiktoken is great!", 6),
            ("お誕生日おめでとう", 8),
        ] {
            assert_eq!(counter.count(text), tokens, "{text}");
        }
        assert!(Counter::ready().is_some());
    }
}
