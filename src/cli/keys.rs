//! `waypost keys`: makes, lists and revokes the keys of callers. A proxy that serves takes a change in within a second.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::{Auth, Config};
use crate::store::sqlite::keys::{Ended, revoke};

pub mod create;
pub mod list;
pub mod place;

use create::CreateArgs;
use list::ListArgs;
use place::Place;

pub use place::KeysError;

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
  waypost keys create ci-nightly --from ci --tags batch --expires 2027-01-31
  waypost keys list
  waypost keys revoke ci-nightly";

/// What is done with keys.
#[derive(Clone, Debug, Subcommand)]
pub enum What {
    /// Make a key. Its secret is shown this once.
    Create(Box<CreateArgs>),
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
