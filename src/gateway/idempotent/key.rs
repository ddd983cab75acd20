//! Whose key it is, and what was asked under it.

use sha2::{Digest as _, Sha256};

use http::{HeaderMap, HeaderValue};

use crate::chat::{Error, Request};
use crate::gateway::memory::Scope;
use crate::gateway::speech::Speech;
use crate::route::hint::PREFIX;
use crate::store;

/// The header.
pub const HEADER: &str = "idempotency-key";

/// Longest key, in bytes.
const LONGEST: usize = 255;

/// On an error's response: an attempt of the call may have been billed, so that a repeat must not run again.
#[derive(Clone, Copy, Debug)]
pub struct MayBeBilled;

/// A key of one caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Id {
    scope: Scope,
    tenant: Option<Box<str>>,
    key: Box<str>,
}

/// A key, and a print of the request that bears it.
#[derive(Clone, Debug)]
pub struct Repeat {
    /// Whose key.
    pub id: Id,
    /// What is asked.
    pub print: store::Hash,
    /// The key and whose it is, as it is marked in the ledger.
    pub mark: store::Hash,
}

impl Id {
    /// A key of a caller, and of the tenant that it calls for.
    #[must_use]
    pub fn new(key: Box<str>, scope: Scope, tenant: Option<&str>) -> Self {
        let tenant = tenant.map(Into::into);
        Self { scope, tenant, key }
    }

    /// What it weighs, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.key.len() + self.tenant.as_ref().map_or(0, |tenant| tenant.len())
    }
}

/// The key of a request, if it bears one.
///
/// # Errors
/// A key that is none.
pub fn read(headers: &HeaderMap) -> Result<Option<Box<str>>, Error> {
    let mut all = headers.get_all(HEADER).iter();
    let Some(value) = all.next() else {
        return Ok(None);
    };
    let wrong = |what: &str| Err(Error::value(HEADER, format!("'{HEADER}' {what}.")));
    if all.next().is_some() {
        return wrong("is there twice. Send one");
    }
    match value.to_str() {
        Ok("") => wrong("is empty. Send a text that is new for each call, such as a UUID"),
        Ok(key) if key.len() > LONGEST => wrong("is over 255 characters. Send a shorter one"),
        Ok(key) => Ok(Some(key.into())),
        Err(_) => wrong("is not plain text"),
    }
}

impl Repeat {
    /// A key of an owner in its scope, with a print of what is asked: the way of asking, the hints, the body.
    #[must_use]
    pub fn new(
        (id, owner): (Id, Option<u64>),
        speech: Speech,
        headers: &HeaderMap,
        request: &Request,
    ) -> Self {
        let way = format!("{speech:?}");
        let mut parts = vec![
            way.as_bytes(),
            request.model.as_bytes(),
            request.body().as_bytes(),
        ];
        let ours = |name: &&http::HeaderName| name.as_str().starts_with(PREFIX);
        let mut names: Vec<_> = headers.keys().filter(ours).collect();
        names.sort_unstable_by_key(|name| name.as_str());
        for name in names {
            parts.push(name.as_str().as_bytes());
            parts.extend(headers.get_all(name).iter().map(HeaderValue::as_bytes));
        }
        let print = hash(&parts);
        let owner = owner.map_or_else(String::new, |owner| owner.to_string());
        let tenant = id.tenant.as_deref().unwrap_or_default();
        let mark = hash(&[owner.as_bytes(), tenant.as_bytes(), id.key.as_bytes()]);
        Self { id, print, mark }
    }
}

/// A hash of parts, whose ends count.
fn hash(parts: &[&[u8]]) -> store::Hash {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part.len().to_le_bytes());
        sha.update(part);
    }
    let mut hash = store::Hash::default();
    for (to, from) in hash.iter_mut().zip(sha.finalize()) {
        *to = from;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_short_text_that_comes_once() {
        let with = |keys: &[&str]| {
            let mut headers = HeaderMap::new();
            for key in keys {
                headers.append(HEADER, HeaderValue::from_str(key).unwrap());
            }
            read(&headers)
        };
        assert_eq!(with(&[]).unwrap(), None);
        assert_eq!(with(&["a b"]).unwrap().as_deref(), Some("a b"));
        for bad in [&["a", "b"][..], &[""], &["x".repeat(256).as_str()]] {
            assert_eq!(with(bad).unwrap_err().param.as_deref(), Some(HEADER));
        }
    }
}
