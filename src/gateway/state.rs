//! Live statistics over a restart: a small snapshot in the state folder, written now and then and read at the start.

use std::io;
use std::path::{Path, PathBuf};

use crate::route::board::Board;
use crate::route::health::{Snapshot, Vitals};

/// The file in the state folder.
const FILE: &str = "statistics.json";

/// No snapshot is longer.
const LONGEST: u64 = 16 * 1024 * 1024;

/// What was known before a restart; nothing where there is nothing that can be read, with a note on why.
#[must_use]
pub fn read(folder: &Path) -> (Snapshot, Option<String>) {
    let path = folder.join(FILE);
    let note = |why: &dyn std::fmt::Display| {
        Some(format!(
            "the statistics in {} cannot be read and are begun anew: {why}",
            path.display()
        ))
    };
    match std::fs::metadata(&path) {
        Ok(found) if found.len() > LONGEST => return (Snapshot::default(), note(&"too long")),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return (Snapshot::default(), None);
        }
        Err(error) => return (Snapshot::default(), note(&error)),
    }
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => return (Snapshot::default(), note(&error)),
    };
    match serde_json::from_str(&text) {
        Ok(snapshot) => (snapshot, None),
        Err(error) => (Snapshot::default(), note(&error)),
    }
}

/// Writes what is known, whole or not at all.
///
/// # Errors
/// Where the folder cannot be written.
pub fn write(folder: &Path, board: &Board, vitals: &Vitals) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let text = serde_json::to_vec(&vitals.snapshot(board))?;
    let part: PathBuf = folder.join(format!("{FILE}.{}", std::process::id()));
    std::fs::write(&part, text)?;
    std::fs::rename(&part, folder.join(FILE))
}
