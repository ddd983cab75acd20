//! The ledger of a house: on disk where calls are real, in memory where they are played.

use std::path::{Path, PathBuf};

use crate::config::{self, Promise};
use crate::gateway::clock::Clock;
use crate::store::ledger::PLACES;
use crate::store::sqlite::OpenError;
use crate::store::{Ledger, Options, Sync};

/// The file in the state folder.
const FILE: &str = "waypost.db";

/// Where the ledger is, if it has a file.
#[must_use]
pub fn file(configured: &config::Ledger, state: Option<&Path>) -> Option<PathBuf> {
    let usual = || state.map(|folder| folder.join(FILE));
    configured.path.clone().or_else(usual)
}

/// Opens the ledger of a house: in this file, or else in memory.
///
/// # Errors
/// Why it cannot be kept where it should be.
pub fn open(
    configured: &config::Ledger,
    kept: Option<PathBuf>,
    clock: Clock,
) -> Result<Ledger, OpenError> {
    if !configured.enabled {
        return Ok(Ledger::Off);
    }
    let options = |file: Option<PathBuf>| Options {
        file,
        sync: match configured.sync {
            Promise::Balanced => Sync::Balanced,
            Promise::Full => Sync::Full,
            Promise::Off => Sync::Off,
        },
        retention: configured.retention,
        places: PLACES,
        now: Box::new(move || clock.moment().as_millis()),
    };
    match Ledger::open(options(kept)) {
        // Nobody chose this place: a machine without one that can be written still gets its proxy.
        Err(error @ OpenError::File(..)) if configured.path.is_none() => {
            tracing::warn!(%error, "the ledger is kept in memory and ends with the process");
            Ledger::open(options(None))
        }
        opened => opened,
    }
}
