//! `[ledger]`: where calls are noted, what that promises, and for how long.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::problem::Flaw;
use super::units::days;

/// What the note of a call promises before it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Promise {
    /// It survives the process, and a power cut 100 ms later.
    #[default]
    Balanced,
    /// It survives a power cut.
    Full,
    /// Nothing.
    Off,
}

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
    /// For many nodes; not in this version.
    postgres: Option<Spanned<String>>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            enabled: true,
            path: None,
            sync: Promise::Balanced,
            retention: Duration::from_hours(400 * 24),
            postgres: None,
        }
    }
}

impl Ledger {
    /// Refuses what comes later.
    pub(super) fn check(&self) -> Result<(), Flaw> {
        match &self.postgres {
            None => Ok(()),
            Some(url) => Err(Flaw::at(
                url.span(),
                "[ledger] postgres comes in a later version; with path the ledger is a file",
            )),
        }
    }
}
