//! Sums of what was spent, exact to the nano-dollar.

use rusqlite::{Connection, Row, params};

use crate::account::Money;

/// How much longer than its call's beginning an attempt may begin: the longest stream and then some.
pub(crate) const LATEST: u64 = 3 * 3_600 * 1_000;

/// Callers give tags as they like: the dearest are told.
pub(crate) const TAGS: u32 = 1_000;

/// Attempts, once for each of their tags, which have no marks of JSON in them.
const TAGGED: &str =
    "attempts LEFT JOIN json_each('[\"' || replace(tags, ',', '\",\"') || '\"]') AS tag";

/// What sums are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The day, in UTC.
    Day,
    /// Provider and model.
    Model,
    /// The provider.
    Provider,
    /// The tenant.
    Tenant,
    /// The key.
    Key,
    /// The tag; an attempt counts for each of its own.
    Tag,
    /// Nothing: one sum.
    Whole,
}

/// A span of time in Unix milliseconds: from `since`, and before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its first millisecond.
    pub since: u64,
    /// The first that is not in it.
    pub until: u64,
}

/// One sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// What it is of; `None` where there is no tenant or key.
    pub name: Option<String>,
    /// How many attempts.
    pub attempts: u64,
    /// How many of them have no cost, as nobody vouches for a price.
    pub unpriced: u64,
    /// Tokens of prompts.
    pub prompt: u64,
    /// Tokens of completions.
    pub completion: u64,
    /// What they cost.
    pub cost: Money,
    /// How much of that is not the bill to the nano-dollar.
    pub inexact: Money,
}

/// What was spent in a span of time.
///
/// # Errors
/// Where the ledger cannot be read.
pub fn spent(connection: &Connection, span: Span, by: By) -> rusqlite::Result<Vec<Spent>> {
    let name = match by {
        By::Day => "date(at / 1000, 'unixepoch')",
        By::Model => "provider || '/' || model",
        By::Provider => "provider",
        By::Tenant => "tenant",
        By::Key => "key",
        By::Tag => "tag.value",
        By::Whole => "NULL",
    };
    let (from, order) = match by {
        By::Day | By::Model | By::Provider | By::Tenant | By::Key | By::Whole => {
            ("attempts", "name".to_owned())
        }
        By::Tag => (TAGGED, format!("sum(cost) DESC, name LIMIT {TAGS}")),
    };
    // Dollars and what is behind their point are summed apart, so that no sum is too great for a number of SQLite's.
    let sum = |what: &str| format!("sum({what} / 1000000000), sum({what} % 1000000000)");
    let text = format!(
        "SELECT {name} AS name, count(*), count(*) - count(cost), sum(prompt), sum(completion), {}, {}
         FROM {from} WHERE call >= ?1 AND at >= ?2 AND at < ?3 GROUP BY name ORDER BY {order}",
        sum("cost"),
        sum("iif(inexact IS NULL, 0, cost)"),
    );
    let first = crate::account::CallId::first_at(span.since.saturating_sub(LATEST));
    let whole = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
    let mut found = connection.prepare(&text)?;
    let bounds = params![first.bytes(), whole(span.since), whole(span.until)];
    found.query_map(bounds, read)?.collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Spent> {
    Ok(Spent {
        name: row.get(0)?,
        attempts: count(row, 1)?,
        unpriced: count(row, 2)?,
        prompt: count(row, 3)?,
        completion: count(row, 4)?,
        cost: money(row, 5)?,
        inexact: money(row, 7)?,
    })
}

fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    let number: Option<i64> = row.get(at)?;
    Ok(u64::try_from(number.unwrap_or(0)).unwrap_or(0))
}

/// A sum whose dollars and nano-dollars stand in two columns.
pub(super) fn money(row: &Row<'_>, at: usize) -> rusqlite::Result<Money> {
    let dollars = Money::nano(1_000_000_000).times(count(row, at)?);
    Ok(dollars.plus(Money::nano(count(row, at + 1)?)))
}
