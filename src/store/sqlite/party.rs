//! Sums by key and tenant, from which budgets begin after a start.

use rusqlite::{Connection, Row, params};

use crate::account::{CallId, Money};

use super::sums::{LATEST, money};

/// What one key has cost for one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartySum {
    /// The key; `None` for calls without one.
    pub key: Option<String>,
    /// The tenant, if any.
    pub tenant: Option<String>,
    /// What it came to.
    pub cost: Money,
}

const SUMS: &str = "SELECT key, tenant, sum(cost / 1000000000), sum(cost % 1000000000)
    FROM attempts WHERE call >= ?1 AND at >= ?2 GROUP BY key, tenant";

/// Before the rows that a number of calls have are gone, what they cost is added up.
const KEEP: &str = "INSERT INTO swept
    SELECT coalesce(key, ''), coalesce(tenant, ''), sum(cost / 1000000000), sum(cost % 1000000000)
    FROM attempts WHERE cost IS NOT NULL
    AND call IN (SELECT call FROM attempts WHERE call < ?1 ORDER BY call LIMIT ?2)
    GROUP BY 1, 2
    ON CONFLICT DO UPDATE SET dollars = dollars + excluded.dollars + (nano + excluded.nano) / 1000000000,
        nano = (nano + excluded.nano) % 1000000000";

/// What was spent since then, in Unix milliseconds; since ever with what was swept away.
///
/// # Errors
/// Where it cannot be read.
pub fn sums(connection: &Connection, since: u64) -> rusqlite::Result<Vec<PartySum>> {
    let first = CallId::first_at(since.saturating_sub(LATEST));
    let since = i64::try_from(since).unwrap_or(i64::MAX);
    let mut found = connection.prepare(SUMS)?;
    let mut sums: Vec<PartySum> = found
        .query_map(params![first.bytes(), since], read)?
        .collect::<Result<_, _>>()?;
    if since == 0 {
        let mut swept = connection
            .prepare("SELECT nullif(key, ''), nullif(tenant, ''), dollars, nano FROM swept")?;
        for sum in swept.query_map([], read)? {
            sums.push(sum?);
        }
    }
    Ok(sums)
}

/// Adds up what the first rows have cost that are to be swept away.
pub(crate) fn keep(connection: &Connection, before: [u8; 16], few: u32) -> rusqlite::Result<()> {
    connection
        .prepare_cached(KEEP)?
        .execute(params![before, few])
        .map(drop)
}

fn read(row: &Row<'_>) -> rusqlite::Result<PartySum> {
    Ok(PartySum {
        key: row.get(0)?,
        tenant: row.get(1)?,
        cost: money(row, 2)?,
    })
}
