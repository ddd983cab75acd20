//! Where keys are kept, and why something was not done there.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::app::books;
use crate::cli::folder::state_folder;
use crate::config::Config;
use crate::store::sqlite::{OpenError, open};

/// Why it was not done.
#[derive(Debug)]
pub enum KeysError {
    /// There is no place where keys would be kept.
    NoFile,
    /// They cannot be read or written.
    Ledger(OpenError),
    /// What was asked for cannot be.
    Wrong(String),
    /// The system gives no chance.
    Random,
    /// The output is gone.
    Output(io::Error),
}

impl fmt::Display for KeysError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile => formatter.write_str(
                "keys are kept beside the ledger, and there is none on disk: set [ledger] path, or list [[keys]] in \
                 waypost.toml",
            ),
            Self::Ledger(error) => error.fmt(formatter),
            Self::Wrong(why) => formatter.write_str(why),
            Self::Random => formatter.write_str("the system gives no random bytes"),
            Self::Output(error) => write!(formatter, "cannot write: {error}"),
        }
    }
}

impl std::error::Error for KeysError {}

/// Where keys are kept.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    /// The open file.
    pub connection: Connection,
}

impl Place {
    /// Opens the place that a configuration means.
    ///
    /// # Errors
    /// Where there is none, or it cannot be opened.
    pub fn open(config: &Config) -> Result<Self, KeysError> {
        let path = books::file(&config.ledger, state_folder().as_deref());
        let path = path.filter(|_| config.ledger.enabled);
        Self::at(&path.ok_or(KeysError::NoFile)?)
    }

    fn at(path: &Path) -> Result<Self, KeysError> {
        let connection = open(path).map_err(KeysError::Ledger)?;
        let path = path.to_owned();
        Ok(Self { path, connection })
    }

    /// What came of a query, with the file named where it failed.
    ///
    /// # Errors
    /// Where it failed.
    pub fn told<T>(&self, done: rusqlite::Result<T>) -> Result<T, KeysError> {
        let wrong = |error| KeysError::Ledger(OpenError::Sqlite(self.path.clone(), error));
        done.map_err(wrong)
    }
}
