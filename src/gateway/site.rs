//! Where a provider is reached and with which key: an address and credentials made ready once.

use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Uri};

use crate::catalog::{AuthKind, Provider, Secret};
use crate::route::moment::Moment;

use super::proof::Proof;
use super::rotation::{Rotation, Shown};

/// One provider that is on.
#[derive(Debug)]
pub struct Site {
    /// The provider.
    pub provider: Arc<Provider>,
    scheme: Scheme,
    authority: Authority,
    path: String,
    headers: HeaderMap,
    rotation: Rotation,
    proof: Option<Proof>,
}

/// Why a provider cannot be reached as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSite(pub String);

impl Site {
    /// Makes a provider ready. `base` is its base URL, or what stands in for it.
    ///
    /// # Errors
    /// Where the URL, a header or a key cannot be sent as they are.
    pub fn new(provider: Arc<Provider>, base: &str, keys: &[Secret]) -> Result<Self, BadSite> {
        let bad = |what: &str| BadSite(format!("provider '{}': {what}", provider.name));
        let uri: Uri = base
            .trim_end_matches('/')
            .parse()
            .map_err(|_| bad("base_url is not a URL"))?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(bad("base_url must begin with http:// or https://"));
        };
        let path = parts
            .path_and_query
            .map(|path| path.as_str().trim_end_matches('/').to_owned())
            .unwrap_or_default();
        let mut credentials = Vec::with_capacity(keys.len());
        for key in keys {
            credentials.extend(
                credential(&provider.auth, key)
                    .ok_or_else(|| bad("a key has characters no header takes"))?,
            );
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &provider.quirks.headers {
            let name: HeaderName = name.parse().map_err(|_| bad("a header has a bad name"))?;
            headers.insert(
                name,
                value.parse().map_err(|_| bad("a header has a bad value"))?,
            );
        }
        Ok(Self {
            provider,
            scheme,
            authority,
            path,
            headers,
            rotation: Rotation::new(credentials),
            proof: None,
        })
    }

    /// The address of a path of this provider; `None` where the path cannot be one.
    #[must_use]
    pub fn address(&self, path: &str) -> Option<Uri> {
        let path: PathAndQuery = format!("{}{path}", self.path).parse().ok()?;
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .ok()
    }

    /// Its host.
    #[must_use]
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// Headers that this provider wants on each request.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The key for the next call: the caller's own, or one of ours, which take turns.
    #[must_use]
    pub fn shown(&self, brought: Option<&Secret>, now: Moment) -> Option<Shown> {
        if let Some(key) = brought {
            let (name, value) = credential(&self.provider.auth, key).flatten()?;
            return Some(Shown {
                place: None,
                name,
                value,
            });
        }
        self.rotation.next(now)
    }

    /// Its keys.
    #[must_use]
    pub const fn rotation(&self) -> &Rotation {
        &self.rotation
    }

    /// The same with a credential that is proved where there is no key.
    #[must_use]
    pub fn proved_by(self, proof: Option<Proof>) -> Self {
        Self { proof, ..self }
    }

    /// How its calls are authorised, where they are not by a key.
    #[must_use]
    pub const fn proof(&self) -> Option<&Proof> {
        self.proof.as_ref()
    }
}

/// The header that carries a key: none where the provider takes none, an outer `None` where the key cannot be sent.
#[expect(
    clippy::option_option,
    reason = "`no header is needed` and `no header is possible` are two things"
)]
fn credential(auth: &AuthKind, key: &Secret) -> Option<Option<(HeaderName, HeaderValue)>> {
    let (name, text) = match auth {
        AuthKind::None => return Some(None),
        AuthKind::Bearer => (
            http::header::AUTHORIZATION,
            format!("Bearer {}", key.reveal()),
        ),
        AuthKind::Header(name) => (name.parse().ok()?, key.reveal().to_owned()),
    };
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(Some((name, value)))
}
