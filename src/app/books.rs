//! The ledger of a house: on disk where calls are real, in memory where they are played.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{self, Trust};
use crate::gateway::clock::Clock;
use crate::store::ledger::PLACES;
use crate::store::postgres::{self, Target};
use crate::store::sqlite::OpenError;
use crate::store::{Ledger, Options};

/// The file in the state folder.
const FILE: &str = "waypost.db";

/// Where the ledger is, if it has a file.
#[must_use]
pub fn file(configured: &config::Ledger, state: Option<&Path>) -> Option<PathBuf> {
    let usual = || state.map(|folder| folder.join(FILE));
    configured.path.clone().or_else(usual)
}

/// Where the rows of all nodes are brought together, if they are.
///
/// # Errors
/// Where its certificates cannot be read.
pub fn target(configured: &config::Ledger) -> Result<Option<Target>, OpenError> {
    let Some(found) = &configured.postgres else {
        return Ok(None);
    };
    let trust = match found.trust {
        Trust::Verified => postgres::Trust::Verified,
        Trust::Anyone => postgres::Trust::Anyone,
    };
    Target::new(found.driver.clone(), trust, found.roots.as_deref())
        .map(Some)
        .map_err(OpenError::Postgres)
}

/// Opens the ledger of a house that plays: in memory.
///
/// # Errors
/// Why it cannot be kept.
pub fn played(configured: &config::Ledger, clock: Clock) -> Result<Ledger, OpenError> {
    let mut nowhere = configured.clone();
    nowhere.path = None;
    nowhere.postgres = None;
    open(&nowhere, None, clock)
}

/// Opens the ledger of a house: in its file, or else in memory.
///
/// # Errors
/// Why it cannot be kept where it should be.
pub fn open(
    configured: &config::Ledger,
    state: Option<&Path>,
    clock: Clock,
) -> Result<Ledger, OpenError> {
    if !configured.enabled {
        return Ok(Ledger::Off);
    }
    let options = |file: Option<PathBuf>, postgres| Options {
        file,
        postgres,
        sync: configured.sync.into(),
        retention: configured.retention,
        places: PLACES,
        now: Arc::new(move || clock.moment().as_millis()),
    };
    let target = target(configured)?;
    let must = configured.path.is_some() || target.is_some();
    match Ledger::open(options(file(configured, state), target)) {
        // Nobody chose this place: a machine without one that can be written still gets its proxy.
        Err(error @ OpenError::File(..)) if !must => {
            tracing::warn!(%error, "the ledger is kept in memory and ends with the process");
            Ledger::open(options(None, None))
        }
        opened => opened,
    }
}
