//! What a request wants embedded: texts, or tokens of the model's own vocabulary.

use serde_json::value::RawValue;

use super::error::Error;
use super::json::{Escaped, elements, whole_number};

/// The `input` of an embeddings request, borrowed from its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// Texts, each one input, as they stand on the wire.
    Texts(Vec<Escaped<'a>>),
    /// Lists of token ids, so many.
    Tokens(usize),
}

impl Input<'_> {
    /// How many inputs there are, and so how many embeddings come back.
    #[must_use]
    pub const fn count(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Tokens(count) => *count,
        }
    }
}

/// How the client wants embeddings written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// As lists of numbers.
    #[default]
    Float,
    /// As base64 of little-endian 32-bit floats.
    Base64,
}

/// Reads `encoding_format`.
///
/// # Errors
/// Where it is neither `float` nor `base64`.
pub fn encoding(raw: Option<&str>) -> Result<Encoding, Error> {
    match raw {
        None | Some("\"float\"") => Ok(Encoding::Float),
        Some("\"base64\"") => Ok(Encoding::Base64),
        Some(_) => Err(Error::value(
            "encoding_format",
            "'encoding_format' must be \"float\" or \"base64\".",
        )),
    }
}

/// Reads `input`: a text, a list of texts, a list of token ids, or a list of such lists.
///
/// # Errors
/// Where it has none of these shapes, or is empty.
pub(super) fn input(raw: Option<&str>) -> Result<Input<'_>, Error> {
    let shape = || {
        let message = "'input' must be a string, a list of strings, a list of token ids, or a list of such lists.";
        Error::value("input", message)
    };
    let value: &RawValue = serde_json::from_str(raw.ok_or_else(missing)?).map_err(|_| shape())?;
    if let Some(text) = Escaped::token(value) {
        return Ok(Input::Texts(vec![full(text, "input")?]));
    }
    let list = elements(value).ok_or_else(shape)?;
    let first = list.first().ok_or_else(|| empty("input"))?.get();
    if first.starts_with('"') {
        let texts = list.iter().enumerate().map(|(at, raw)| {
            let path = format!("input[{at}]");
            full(Escaped::token(raw).ok_or_else(shape)?, &path)
        });
        return texts.collect::<Result<_, _>>().map(Input::Texts);
    }
    if first.starts_with('[') {
        for (at, raw) in list.iter().enumerate() {
            let tokens = elements(raw).ok_or_else(shape)?;
            if tokens.is_empty() {
                return Err(empty(&format!("input[{at}]")));
            }
            all_tokens(&tokens).ok_or_else(shape)?;
        }
        return Ok(Input::Tokens(list.len()));
    }
    all_tokens(&list).ok_or_else(shape)?;
    Ok(Input::Tokens(1))
}

fn full<'a>(text: Escaped<'a>, path: &str) -> Result<Escaped<'a>, Error> {
    if text.is_empty() {
        return Err(empty(path));
    }
    Ok(text)
}

fn all_tokens(list: &[&RawValue]) -> Option<()> {
    let is_token = |raw: &&RawValue| whole_number(raw.get()).is_some();
    list.iter().all(is_token).then_some(())
}

fn missing() -> Error {
    Error::value("input", "'input' is missing: it is what to embed.")
}

fn empty(path: &str) -> Error {
    Error::value(
        path,
        format!("'{path}' is empty: there is nothing to embed."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_read() {
        let texts = |list: &[&'static str]| {
            Input::Texts(list.iter().map(|text| Escaped::trusted(text)).collect())
        };
        let table = [
            (r#""a\n""#, texts(&[r"a\n"])),
            (r#"["a", "b"]"#, texts(&["a", "b"])),
            ("[1, 2, 3]", Input::Tokens(1)),
            ("[[1], [2, 3]]", Input::Tokens(2)),
        ];
        for (raw, expected) in table {
            assert_eq!(input(Some(raw)).unwrap(), expected, "{raw}");
        }
    }

    #[test]
    fn what_is_no_input_names_its_place() {
        let table = [
            (None, "input"),
            (Some(r#""""#), "input"),
            (Some("[]"), "input"),
            (Some("7"), "input"),
            (Some(r#"{"a":1}"#), "input"),
            (Some(r#"["a", ""]"#), "input[1]"),
            (Some(r#"["a", 1]"#), "input"),
            (Some(r#"[1, "a"]"#), "input"),
            (Some("[1.5]"), "input"),
            (Some("[[1], []]"), "input[1]"),
            (Some("[[1], 2]"), "input"),
        ];
        for (raw, param) in table {
            let error = input(raw).unwrap_err();
            assert_eq!(error.param.as_deref(), Some(param), "{raw:?}");
        }
    }

    #[test]
    fn encodings_are_two() {
        assert_eq!(encoding(None).unwrap(), Encoding::Float);
        assert_eq!(encoding(Some("\"base64\"")).unwrap(), Encoding::Base64);
        let error = encoding(Some("\"int8\"")).unwrap_err();
        assert_eq!(error.param.as_deref(), Some("encoding_format"));
    }
}
