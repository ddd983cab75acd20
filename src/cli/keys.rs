//! `waypost keys`: makes, lists and revokes the keys of callers. A proxy that serves takes a change in within a second.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rusqlite::Connection;

use crate::app::books;
use crate::config::{Auth, Config};
use crate::store::sqlite::keys::{Ended, revoke};
use crate::store::sqlite::{OpenError, open};

use super::folder::state_folder;

pub mod create;
pub mod list;

use create::CreateArgs;
use list::ListArgs;

/// Makes, lists and revokes keys of callers. Their hashes are kept beside the ledger, their secrets nowhere.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct KeysArgs {
    /// Configuration that says where the ledger is [default: waypost.toml if it is there].
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

const EXAMPLES: &str = "Examples:
  waypost keys create ci --budget 50/month --rpm 600
  waypost keys create ci-nightly --from ci --models openai,claude-haiku-4-5 --expires 2027-01-31
  waypost keys list
  waypost keys revoke ci-nightly";

/// What is done with keys.
#[derive(Clone, Debug, Subcommand)]
pub enum What {
    /// Make a key. Its secret is shown this once.
    Create(CreateArgs),
    /// List all keys, those of the configuration too.
    List(ListArgs),
    /// End a key, and those that were made from it. Its name is not given again.
    Revoke(RevokeArgs),
}

/// Arguments of `keys revoke`.
#[derive(Clone, Debug, Args)]
pub struct RevokeArgs {
    /// The key.
    pub name: String,
}

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
    connection: Connection,
}

impl Place {
    fn open(config: &Config) -> Result<Self, KeysError> {
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
    fn told<T>(&self, done: rusqlite::Result<T>) -> Result<T, KeysError> {
        let wrong = |error| KeysError::Ledger(OpenError::Sqlite(self.path.clone(), error));
        done.map_err(wrong)
    }
}

/// Does what is asked; `now` is in Unix seconds.
///
/// # Errors
/// Why it was not done.
pub fn run(
    args: &KeysArgs,
    config: &Config,
    now: u64,
    (out, aside): (&mut dyn Write, &mut dyn Write),
) -> Result<(), KeysError> {
    let place = Place::open(config)?;
    if config.auth != Auth::Keys {
        let note = "note: keys are asked for only once waypost.toml says auth = \"keys\"";
        writeln!(aside, "{note}").map_err(KeysError::Output)?;
    }
    match &args.what {
        What::Create(args) => create::run(args, config, &place, now, (out, aside)),
        What::List(args) => list::run(args, config, &place, now, out),
        What::Revoke(args) => end(&args.name, config, &place, now, out),
    }
}

fn end(
    name: &str,
    config: &Config,
    place: &Place,
    now: u64,
    out: &mut dyn Write,
) -> Result<(), KeysError> {
    if config.keys.iter().any(|key| key.name == *name) {
        let why = format!("the key '{name}' is in waypost.toml; take its [[keys]] out there");
        return Err(KeysError::Wrong(why));
    }
    let said = match place.told(revoke(&place.connection, name, now))? {
        Ended::Now => format!("The key '{name}' is revoked."),
        Ended::Before => format!("The key '{name}' was revoked before."),
        Ended::Unknown => {
            let why = format!("there is no key '{name}'; `waypost keys list` shows all");
            return Err(KeysError::Wrong(why));
        }
    };
    writeln!(out, "{said}").map_err(KeysError::Output)
}
