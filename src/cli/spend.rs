//! `waypost spend`: what was spent, from the ledger, while the proxy serves or not.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::account::Money;
use crate::app::books;
use crate::catalog::Date;
use crate::config::Config;
use crate::store::postgres::{Reader, Refused, Target};
use crate::store::sqlite::outbox::waiting;
use crate::store::sqlite::sums::{self, Span, Spent, spent};
use crate::store::sqlite::verify::{Odd, Verified, verify};
use crate::store::sqlite::{OpenError, open_to_read};

use super::folder::state_folder;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// Sums up what was spent, exactly: by day, model, provider, tenant or key.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  waypost spend\n  waypost spend --by model --since 2026-11-01\n  \
    waypost spend --by tenant --json | jq '.[] | {name, usd}'"
)]
pub struct SpendArgs {
    /// Configuration that says where the ledger is [default: waypost.toml if it is there].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What the sums are told apart by.
    #[arg(long, value_enum, default_value_t)]
    pub by: By,
    /// From this day on, in UTC.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub since: Option<u64>,
    /// Up to and with this day, in UTC.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub until: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// Add everything up again: whether each call of this node came to what its attempts did together.
    #[arg(long, conflicts_with_all = ["by", "since", "until", "json"])]
    pub verify: bool,
}

/// What sums are told apart by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The day, in UTC.
    #[default]
    Day,
    /// Provider and model.
    Model,
    /// The provider.
    Provider,
    /// The tenant.
    Tenant,
    /// The key.
    Key,
    /// The tag: an attempt counts for each of its own. The thousand dearest are told.
    Tag,
}

/// Why there are no sums.
#[derive(Debug)]
pub enum SpendError {
    /// There is no place where a ledger would be.
    NoFile,
    /// It cannot be read.
    Ledger(OpenError),
    /// So many calls at least do not agree with their attempts.
    Odd(usize),
    /// The output is gone.
    Output(io::Error),
}

impl fmt::Display for SpendError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile => formatter.write_str(
                "there is no ledger on disk: it is off, or there is no state folder; set [ledger] path",
            ),
            Self::Ledger(error) => error.fmt(formatter),
            Self::Odd(calls) => write!(
                formatter,
                "{calls} calls or more are not what their attempts are together; keep the file and tell of it"
            ),
            Self::Output(error) => write!(formatter, "the sums cannot be written: {error}"),
        }
    }
}

impl std::error::Error for SpendError {}

/// What was found, and what is to be known about it.
struct Found {
    sums: Vec<Spent>,
    notes: Vec<String>,
}

/// Prints the sums, and to `aside` what they do not have in them.
///
/// # Errors
/// Why there are none.
pub async fn run(
    args: &SpendArgs,
    config: &Config,
    out: &mut impl Write,
    aside: &mut impl Write,
) -> Result<(), SpendError> {
    let path = books::file(&config.ledger, state_folder().as_deref());
    if args.verify {
        return verified(path, out);
    }
    let span = Span {
        since: args.since.unwrap_or(0),
        until: args.until.map_or(u64::MAX, |day| day.saturating_add(DAY)),
    };
    let by = by(args.by);
    let Found { sums, notes } = match books::target(&config.ledger).map_err(SpendError::Ledger)? {
        None => here(path, span, by)?,
        Some(target) => match everywhere(&target, span, by).await {
            Ok(found) => late(found, path),
            Err(error) => {
                let mut found = here(path, span, by)?;
                found.notes.push(format!(
                    "PostgreSQL cannot be read ({error}); these are the sums of this node alone."
                ));
                found
            }
        },
    };
    for note in notes {
        writeln!(aside, "{note}").map_err(SpendError::Output)?;
    }
    let written = if args.json {
        let all: Vec<Value> = sums.iter().map(line).collect();
        writeln!(out, "{}", Value::from(all))
    } else {
        table(&sums, args.by, out)
    };
    written.map_err(SpendError::Output)
}

/// Adds everything up again.
fn verified(path: Option<PathBuf>, out: &mut impl Write) -> Result<(), SpendError> {
    let path = path.ok_or(SpendError::NoFile)?;
    let connection = open_to_read(&path).map_err(SpendError::Ledger)?;
    let found =
        verify(&connection).map_err(|error| SpendError::Ledger(OpenError::Sqlite(path, error)))?;
    let Verified { calls, cost, odd } = found;
    for Odd {
        call,
        attempts: (said, found),
        cost: (own, together),
    } in &odd
    {
        writeln!(
            out,
            "{call}: {own} USD of {said} attempts; {found} are there, for {together} USD"
        )
        .map_err(SpendError::Output)?;
    }
    if !odd.is_empty() {
        return Err(SpendError::Odd(odd.len()));
    }
    writeln!(
        out,
        "{calls} calls are what their attempts are together: {cost} USD."
    )
    .map_err(SpendError::Output)
}

/// Sums of this node.
fn here(path: Option<PathBuf>, span: Span, by: sums::By) -> Result<Found, SpendError> {
    let path = path.ok_or(SpendError::NoFile)?;
    let connection = open_to_read(&path).map_err(SpendError::Ledger)?;
    let sums = spent(&connection, span, by)
        .map_err(|error| SpendError::Ledger(OpenError::Sqlite(path, error)))?;
    let notes = Vec::new();
    Ok(Found { sums, notes })
}

/// Sums of all nodes.
async fn everywhere(target: &Target, span: Span, by: sums::By) -> Result<Found, Refused> {
    let reader = Reader::connect(target).await?;
    let sums = reader.spent(span, by).await?;
    let (open, most) = reader.open().await?;
    let under_way = format!("{open} attempts are under way and can cost {most} USD at most.");
    let notes = (open > 0).then_some(under_way).into_iter().collect();
    Ok(Found { sums, notes })
}

/// Notes what of this node has not arrived where sums were read.
fn late(mut found: Found, path: Option<PathBuf>) -> Found {
    let here = path.and_then(|path| open_to_read(&path).ok());
    let rows = here.and_then(|connection| waiting(&connection).ok());
    if let Some(rows) = rows.filter(|rows| *rows > 0) {
        let note = format!("{rows} rows of this node have not arrived in PostgreSQL yet.");
        found.notes.push(note);
    }
    found
}

const fn by(by: By) -> sums::By {
    match by {
        By::Day => sums::By::Day,
        By::Model => sums::By::Model,
        By::Provider => sums::By::Provider,
        By::Tenant => sums::By::Tenant,
        By::Key => sums::By::Key,
        By::Tag => sums::By::Tag,
    }
}

fn line(sum: &Spent) -> Value {
    json!({
        "name": sum.name,
        "attempts": sum.attempts,
        "unpriced": sum.unpriced,
        "prompt_tokens": sum.prompt,
        "completion_tokens": sum.completion,
        "usd": sum.cost.to_string(),
        "nano_usd": sum.cost.as_nano(),
        "inexact_usd": sum.inexact.to_string(),
    })
}

fn table(sums: &[Spent], by: By, out: &mut impl Write) -> io::Result<()> {
    if sums.is_empty() {
        return writeln!(out, "Nothing was spent then.");
    }
    let name = |sum: &Spent| sum.name.clone().unwrap_or_else(|| "-".to_owned());
    let names = sums.iter().map(|sum| name(sum).chars().count());
    let wide = names.max().unwrap_or(0).max(4);
    writeln!(
        out,
        "{:wide$}  {:>9}  {:>12}  {:>12}  {:>16}  {:>16}",
        "", "attempts", "prompt", "completion", "usd", "of it inexact"
    )?;
    for sum in sums {
        writeln!(
            out,
            "{:wide$}  {:>9}  {:>12}  {:>12}  {:>16}  {:>16}",
            name(sum),
            sum.attempts,
            sum.prompt,
            sum.completion,
            sum.cost,
            sum.inexact
        )?;
    }
    let cost: Money = sums.iter().map(|sum| sum.cost).sum();
    let unpriced: u64 = sums.iter().map(|sum| sum.unpriced).sum();
    if by == By::Tag {
        return writeln!(out, "What has several tags is in each of them.");
    }
    writeln!(out, "Together {cost} USD.")?;
    if unpriced > 0 {
        writeln!(out, "{unpriced} attempts have no price and are not in it.")?;
    }
    Ok(())
}

/// The first millisecond of a day.
fn day(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is not a day like 2026-11-25");
    let wanted = Date::parse(text).ok_or_else(wrong)?;
    // The calendar is in one place; here its days since 1970 are looked up, up to the year 2200.
    let (mut low, mut high) = (0, 84_000);
    while low < high {
        let middle = u64::midpoint(low, high);
        if Date::of_unix(middle * 86_400) < wanted {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let found = Date::of_unix(low * 86_400) == wanted;
    found.then_some(low * DAY).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_the_calendar_has_them() {
        assert_eq!(day("1970-01-01"), Ok(0));
        assert_eq!(day("2026-11-25"), Ok(1_795_564_800_000));
        for bad in ["2026-02-30", "today", "2026-13-01", "1969-12-31"] {
            assert!(day(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sums_are_exact_in_a_table() {
        let sum = |name: Option<&str>, nano| Spent {
            name: name.map(str::to_owned),
            attempts: 1,
            cost: Money::nano(nano),
            ..Spent::default()
        };
        let mut out = Vec::new();
        table(
            &[sum(Some("acme"), 1), sum(None, 2_000_000_000)],
            By::Day,
            &mut out,
        )
        .expect("written");
        let text = String::from_utf8(out).expect("text");
        assert!(text.contains("acme"), "{text}");
        assert!(text.contains("Together 2.000000001 USD."), "{text}");
    }
}
