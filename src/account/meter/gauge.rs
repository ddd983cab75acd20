//! Tokens of a text that comes in pieces which were cut anywhere.
//!
//! A vocabulary counts whole words. What may be the beginning of one waits for the rest, and meanwhile each of its bytes
//! is held to be a token, as it is where no vocabulary is there yet.

use std::fmt;

/// Counts the tokens of a text.
pub trait Vocabulary: fmt::Debug + Sync {
    /// How many there are; `None` where it is not loaded yet.
    fn count(&self, text: &str) -> Option<u64>;
}

/// A longer word is counted as it stands. That may be a token more than it is, never fewer.
const LONGEST: usize = 48;

/// Counts what is added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gauge {
    vocabulary: Option<&'static dyn Vocabulary>,
    tokens: u64,
    bytes: u64,
    word: [u8; LONGEST],
    length: usize,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Tokens of the vocabulary.
    pub(super) tokens: u64,
    /// Bytes that nobody has counted as tokens.
    pub(super) bytes: u64,
}

impl Gauge {
    pub(super) const fn new(vocabulary: Option<&'static dyn Vocabulary>) -> Self {
        Self {
            vocabulary,
            tokens: 0,
            bytes: 0,
            word: [0; LONGEST],
            length: 0,
        }
    }

    pub(super) const fn is_there(&self) -> bool {
        self.vocabulary.is_some()
    }

    pub(super) fn counted(&self) -> Counted {
        Counted {
            tokens: self.tokens,
            bytes: self
                .bytes
                .saturating_add(u64::try_from(self.length).unwrap_or(0)),
        }
    }

    pub(super) fn add(&mut self, text: &str) {
        let held = self.word.get(..self.length).unwrap_or_default();
        let held = std::str::from_utf8(held).unwrap_or_default();
        let mut said = String::with_capacity(held.len().saturating_add(text.len()));
        said.push_str(held);
        said.push_str(text);
        let word = last_word(&said);
        let rest = said.len().saturating_sub(word);
        let whole = if rest > LONGEST { said.len() } else { word };
        let (whole, word) = said.split_at_checked(whole).unwrap_or((&said, ""));
        self.count(whole);
        self.keep(word);
    }

    fn count(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let counted = self
            .vocabulary
            .and_then(|vocabulary| vocabulary.count(text));
        let (sum, more) = match counted {
            Some(tokens) => (&mut self.tokens, tokens),
            None => (&mut self.bytes, len(text)),
        };
        *sum = sum.saturating_add(more);
    }

    fn keep(&mut self, word: &str) {
        self.length = 0;
        if let Some(place) = self.word.get_mut(..word.len()) {
            place.copy_from_slice(word.as_bytes());
            self.length = word.len();
        }
    }
}

impl Counted {
    /// What was counted after an earlier moment.
    pub(super) const fn since(self, then: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(then.tokens),
            bytes: self.bytes.saturating_sub(then.bytes),
        }
    }
}

pub(super) fn len(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// Where the last word begins, with the space before it: no token reaches from the end of a word into the space that
/// follows.
fn last_word(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut end = bytes.len();
    while let Some(at) = bytes
        .get(..end)
        .and_then(|part| memchr::memrchr(b' ', part))
    {
        let before = at.checked_sub(1).and_then(|at| bytes.get(at));
        if before.is_some_and(u8::is_ascii_graphic) {
            return at;
        }
        end = at;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token for each word and each run of spaces beyond the first, and two for each comma.
    #[derive(Debug)]
    struct Words;

    impl Vocabulary for Words {
        fn count(&self, text: &str) -> Option<u64> {
            let tokens = text.split_whitespace().chain(text.matches(','));
            Some(tokens.count() as u64)
        }
    }

    #[derive(Debug)]
    struct Unloaded;

    impl Vocabulary for Unloaded {
        fn count(&self, _: &str) -> Option<u64> {
            None
        }
    }

    fn counted(vocabulary: &'static dyn Vocabulary, pieces: &[&str]) -> (u64, u64) {
        let mut gauge = Gauge::new(Some(vocabulary));
        for piece in pieces {
            gauge.add(piece);
        }
        let Counted { tokens, bytes } = gauge.counted();
        (tokens, bytes)
    }

    #[test]
    fn words_are_counted_once_wherever_they_are_cut() {
        let text = "The old  light\u{f6}house, keeper climbed the stairs.";
        for size in 1..12 {
            let chars: Vec<char> = text.chars().collect();
            let pieces: Vec<String> = chars
                .chunks(size)
                .map(|piece| piece.iter().collect())
                .collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            assert_eq!(
                counted(&Words, &pieces),
                (7, " stairs.".len() as u64),
                "{size}"
            );
        }
    }

    #[test]
    fn what_never_ends_is_counted_as_it_stands_and_what_cannot_be_by_the_byte() {
        let long = "x".repeat(30);
        assert_eq!(counted(&Words, &[&long, &long, "y"]), (1, 1));
        assert_eq!(counted(&Unloaded, &["one two", " three"]), (0, 13));
    }
}
