//! How a provider is shown a key, and keys that never show themselves.

use std::fmt;

use serde::Deserialize;

/// How a provider wants its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthKind {
    /// `Authorization: Bearer …`, where there is a key.
    #[default]
    Bearer,
    /// A header of its own, by name, in lower case.
    Header(String),
    /// No key at all.
    None,
}

/// A provider's key. Nothing prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

/// A key that cannot be one: nothing in it, or characters no header takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSecret {
    /// It is empty.
    Empty,
    /// It has blanks round it, line ends or other characters that a header does not take.
    Unsendable,
}

impl Secret {
    /// A key from text.
    ///
    /// # Errors
    /// Where the text is empty or cannot stand in a header.
    pub fn new(text: &str) -> Result<Self, BadSecret> {
        if text.is_empty() {
            return Err(BadSecret::Empty);
        }
        if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.into()))
        } else {
            Err(BadSecret::Unsendable)
        }
    }

    /// The key itself, for the header that carries it and for nothing else.
    #[must_use]
    pub const fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("…")
    }
}

impl fmt::Display for BadSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "the key is empty",
            Self::Unsendable => "the key has blanks or other characters that no header takes",
        })
    }
}

impl std::error::Error for BadSecret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_nothing_of_itself() {
        let secret = Secret::new("sk-test-1234").unwrap();
        let printed = format!("{secret} {secret:?} {:#?}", vec![&secret]);
        assert!(
            !printed.contains("sk") && !printed.contains("1234"),
            "{printed}"
        );
        assert_eq!(secret.reveal(), "sk-test-1234");
    }

    #[test]
    fn what_cannot_be_a_key_is_refused() {
        assert_eq!(Secret::new(""), Err(BadSecret::Empty));
        for bad in ["a b", "key\n", " key", "k\u{e9}y"] {
            assert_eq!(Secret::new(bad), Err(BadSecret::Unsendable), "{bad:?}");
        }
    }
}
