//! How a host wraps the Messages API: the vendor's own address, or a cloud that names model and version elsewhere.

use super::super::codec::Shape;
use super::super::params::{Fate, Row, find};
use super::params::PARAMS;

/// What differs from one host of the Messages API to another, around a body that is the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope {
    /// What becomes of each chat member here.
    pub(crate) params: &'static [Row],
    /// Who names model and version.
    pub(crate) host: Host,
    /// Where betas are named.
    pub(crate) betas: Betas,
    /// Whether the body says that a stream is wanted; else the path alone does.
    pub(crate) says_stream: bool,
    /// What follows the base URL, for a model and the shape of its answer.
    pub(crate) path: fn(&str, Shape) -> String,
}

/// Who names model and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// The vendor: the body names the model, a header the version.
    Vendor,
    /// A cloud: the path names the model, the body this version. Files, images by URL and late system messages are
    /// the vendor's own.
    Cloud(&'static str),
}

/// Where betas are named, and which are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Betas {
    /// In the header `anthropic-beta`.
    Header,
    /// In the member `anthropic_beta`.
    Body,
}

/// The vendor's own.
pub(crate) static VENDOR: Envelope = Envelope {
    params: &PARAMS,
    host: Host::Vendor,
    betas: Betas::Header,
    says_stream: true,
    path: |_, _| "/v1/messages".to_owned(),
};

impl Envelope {
    /// Whether a member of the provider's own is taken here as it is.
    pub(super) fn takes(&self, member: &str) -> bool {
        find(self.params, member).is_some_and(|row| row.fate == Fate::Sent)
    }

    /// Whether this is a cloud.
    pub(super) const fn is_cloud(&self) -> bool {
        matches!(self.host, Host::Cloud(_))
    }
}
