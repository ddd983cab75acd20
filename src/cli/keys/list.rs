//! `waypost keys list`.

use std::io::{self, Write};

use clap::Args;
use serde_json::{Value, json};

use crate::account::{Key, Rights};
use crate::config::Config;
use crate::store::sqlite::keys::{KeyRow, all};

use super::place::{KeysError, Place};

/// Arguments of `keys list`.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct ListArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A key, and what is known of it beside its rights.
struct Listed<'a> {
    key: &'a Key,
    state: &'static str,
    row: Option<&'a KeyRow>,
}

/// Lists all keys, those of the configuration first.
///
/// # Errors
/// Why it cannot.
pub fn run(
    args: &ListArgs,
    config: &Config,
    place: &Place,
    now: u64,
    out: &mut dyn Write,
) -> Result<(), KeysError> {
    let rows = place.told(all(&place.connection))?;
    let own = config.keys.iter().map(|key| Listed {
        key,
        state: if key.rights.holds(now) {
            "configured"
        } else {
            "expired"
        },
        row: None,
    });
    let stored = rows.iter().map(|row| Listed {
        key: &row.key,
        state: match row.revoked {
            Some(_) => "revoked",
            None if row.key.rights.holds(now) => "live",
            None => "expired",
        },
        row: Some(row),
    });
    let listed: Vec<Listed<'_>> = own.chain(stored).collect();
    let written = if args.json {
        let all: Vec<Value> = listed.iter().map(told).collect();
        writeln!(out, "{}", Value::from(all))
    } else {
        table(&listed, out)
    };
    written.map_err(KeysError::Output)
}

fn told(one: &Listed<'_>) -> Value {
    let key = one.key;
    json!({
        "name": key.name,
        "state": one.state,
        "from": key.made_from,
        "created": one.row.map(|row| row.created),
        "revoked": one.row.and_then(|row| row.revoked),
        "rights": key.rights,
    })
}

fn table(listed: &[Listed<'_>], out: &mut dyn Write) -> io::Result<()> {
    let longest = |each: fn(&Key) -> &str| {
        let lengths = listed.iter().map(|one| each(one.key).len());
        lengths.max().unwrap_or(0).max(6)
    };
    let name = longest(|key| &key.name);
    let from = longest(|key| key.made_from.as_deref().unwrap_or_default());
    let tenant = longest(|key| key.rights.tenant.as_deref().unwrap_or_default());
    writeln!(
        out,
        "{:name$}  {:10}  {:from$}  {:tenant$}  {:16}  limits",
        "name", "state", "from", "tenant", "budget"
    )?;
    for one in listed {
        let rights = &one.key.rights;
        let budget = rights.budget.map_or_else(String::new, |budget| {
            format!("{}/{}", budget.most, budget.period.as_str())
        });
        writeln!(
            out,
            "{:name$}  {:10}  {:from$}  {:tenant$}  {budget:16}  {}",
            one.key.name,
            one.state,
            one.key.made_from.as_deref().unwrap_or_default(),
            rights.tenant.as_deref().unwrap_or_default(),
            limits(rights)
        )?;
    }
    Ok(())
}

/// `60 rpm, 10000 tpm, 4 at once`.
fn limits(rights: &Rights) -> String {
    let limits = rights.limits;
    let parts = [
        limits.rpm.map(|rpm| format!("{rpm} rpm")),
        limits.tpm.map(|tpm| format!("{tpm} tpm")),
        limits.concurrency.map(|count| format!("{count} at once")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}
