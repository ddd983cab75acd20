//! Values of a file as types.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

use super::problem::Flaw;

/// A value as a type, with the place of whatever is wrong in it.
pub(super) fn typed<T: DeserializeOwned>(value: Spanned<DeValue<'_>>) -> Result<T, Flaw> {
    let span: Range<usize> = value.span();
    T::deserialize(ValueDeserializer::from(value)).map_err(|error| {
        let flaw = Flaw::from(error);
        Flaw {
            span: flaw.span.or(Some(span)),
            ..flaw
        }
    })
}
