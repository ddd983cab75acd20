//! `rpm`, `tpm` and `concurrency`, as keys and tenants have them.

use toml::Spanned;

use crate::account::Rate;
use crate::account::key::Limits;

use super::problem::Flaw;

/// `rpm`, `tpm` and `concurrency` of a key or a tenant.
#[derive(Clone, Debug, Default)]
pub(super) struct LimitKeys<'a> {
    pub(super) rpm: Option<&'a Spanned<u64>>,
    pub(super) tpm: Option<&'a Spanned<u64>>,
    pub(super) concurrency: Option<&'a Spanned<u32>>,
}

impl LimitKeys<'_> {
    pub(super) fn read(&self) -> Result<Limits, Flaw> {
        for rate in [self.rpm, self.tpm].into_iter().flatten() {
            if Rate::per_minute(*rate.get_ref()).is_none() {
                let message = "is from 1 to 60000000000 a minute; to let nothing through, revoke";
                return Err(Flaw::at(rate.span(), format!("a rate {message} the key")));
            }
        }
        if let Some(none) = self.concurrency.filter(|count| *count.get_ref() == 0) {
            return Err(Flaw::at(none.span(), "concurrency is 1 at least"));
        }
        Ok(Limits {
            rpm: self.rpm.map(|rate| *rate.get_ref()),
            tpm: self.tpm.map(|rate| *rate.get_ref()),
            concurrency: self.concurrency.map(|count| *count.get_ref()),
        })
    }
}
