//! The credential that a caller shows.

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName};

use crate::chat::{Code, Error};

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
    let text = |name: HeaderName| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
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
