//! `[tls]`: the certificate that clients see, and the authorities that providers are trusted by.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::problem::Flaw;

/// What is said of TLS. The files are read when the house begins, and again when they change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    cert: Option<Spanned<PathBuf>>,
    key: Option<PathBuf>,
    /// Authorities in PEM that alone are trusted to vouch for providers; without it, those that browsers trust are.
    pub ca_bundle: Option<PathBuf>,
}

/// The files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate and what leads to its authority, in PEM.
    pub chain: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

impl Tls {
    /// What clients are shown, where the proxy speaks TLS to them.
    #[must_use]
    pub fn certificate(&self) -> Option<Certificate> {
        Some(Certificate {
            chain: self.cert.as_ref()?.get_ref().clone(),
            key: self.key.clone()?,
        })
    }

    /// All its files.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let cert = self.cert.as_ref().map(Spanned::get_ref);
        cert.into_iter().chain(&self.key).chain(&self.ca_bundle)
    }

    pub(super) fn check(&self) -> Result<(), Flaw> {
        match (&self.cert, &self.key) {
            (Some(_), Some(_)) | (None, None) => Ok(()),
            (Some(cert), None) => Err(Flaw::at(cert.span(), "[tls] cert needs key beside it")),
            (None, Some(_)) => Err(Flaw::anywhere("[tls] key needs cert beside it")),
        }
    }
}
