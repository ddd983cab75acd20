//! The credential that a caller shows.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName};

use crate::chat::{Code, Error};

/// What stands for a header that is no text: a key that nobody can have, as keys have no spaces in them.
const UNREADABLE: &str = "Bearer not a text";

/// The caller's one credential: the bearer token, `x-api-key` or `api-key`; several only if they agree.
///
/// # Errors
/// Where two different ones are shown.
pub fn credential(headers: &HeaderMap) -> Result<Option<&str>, Error> {
    let ambiguous = || {
        let message = "Two different keys were sent. Send one 'Authorization: Bearer …' header.";
        Error::new(Code::AmbiguousCredentials, message).at("authorization")
    };
    if headers.get_all(AUTHORIZATION).iter().count() > 1 {
        return Err(ambiguous());
    }
    // What is no text is no key of anybody's, and still one that was sent.
    let text = |name: HeaderName| {
        let value = headers.get(name)?;
        Some(value.to_str().unwrap_or(UNREADABLE).trim())
    };
    let bearer = text(AUTHORIZATION)
        .and_then(|value| {
            value
                .strip_prefix("Bearer ")
                .or_else(|| value.strip_prefix("bearer "))
        })
        .map(str::trim);
    let plain = text(HeaderName::from_static("x-api-key"))
        .or_else(|| text(HeaderName::from_static("api-key")));
    match (bearer, plain) {
        (Some(bearer), Some(plain)) if bearer != plain => Err(ambiguous()),
        (bearer, plain) => Ok(bearer.or(plain).filter(|key| !key.is_empty())),
    }
}
