//! `[ledger]`: where calls are noted, what that promises, and for how long.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

pub use crate::account::key::Promise;

use super::postgres::Postgres;
use super::problem::Flaw;
use super::units::days;

/// How calls are noted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ledger {
    /// Whether they are.
    pub enabled: bool,
    /// The file; without one it is in the state folder.
    pub path: Option<PathBuf>,
    /// What a note promises.
    pub sync: Promise,
    /// How long rows are kept.
    #[serde(deserialize_with = "days")]
    pub retention: Duration,
    /// Where the rows of many nodes are brought together.
    #[serde(skip)]
    pub postgres: Option<Postgres>,
    #[serde(rename = "postgres")]
    address: Option<Spanned<String>>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            enabled: true,
            path: None,
            sync: Promise::Balanced,
            retention: Duration::from_hours(400 * 24),
            postgres: None,
            address: None,
        }
    }
}

impl Ledger {
    /// Reads the address, which holds a password and is forgotten.
    pub(super) fn read(self) -> Result<Self, Flaw> {
        let Some(address) = self.address else {
            return Ok(self);
        };
        if !self.enabled {
            let message =
                "[ledger] postgres is of no use without a ledger: take enabled = false out";
            return Err(Flaw::at(address.span(), message));
        }
        let postgres = Postgres::parse(address.get_ref());
        Ok(Self {
            postgres: Some(postgres.map_err(|message| Flaw::at(address.span(), message))?),
            address: None,
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sent_only_from_a_ledger() {
        let ledger = |enabled: bool| Ledger {
            enabled,
            address: Some(Spanned::new(7..9, "postgres://u:p@h/d".to_owned())),
            ..Ledger::default()
        };
        let read = ledger(true).read().expect("an address");
        assert!(read.postgres.is_some() && read.address.is_none());
        let flaw = ledger(false).read().expect_err("no ledger");
        assert_eq!(flaw.span, Some(7..9));
        assert!(
            flaw.message.contains("without a ledger"),
            "{}",
            flaw.message
        );
    }
}
