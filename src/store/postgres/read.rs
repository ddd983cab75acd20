//! Rows and sums out of PostgreSQL.

use std::borrow::Cow;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use crate::account::entry::{End, Paid, Party, Tokens};
use crate::account::{Attempt, CallId, CallRow, Intent, Money};
use crate::store::kept::Kept;
use crate::store::sqlite::sums::{By, LATEST, Span, Spent, TAGS};

use super::door::{Refused, Target, connect};

/// How long sums may take: they may go through many rows.
const SUMS: Duration = Duration::from_mins(2);

/// Reads what all nodes have sent.
#[derive(Debug)]
pub struct Reader {
    client: Client,
}

impl Reader {
    /// Connects.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn connect(target: &Target) -> Result<Self, Refused> {
        let client = connect(target).await?;
        Ok(Self { client })
    }

    /// What was spent in a span of time, on all nodes.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn spent(&self, span: Span, by: By) -> Result<Vec<Spent>, Refused> {
        let whole = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
        let first = CallId::first_at(span.since.saturating_sub(LATEST)).bytes();
        let (first, since, until) = (first.as_slice(), whole(span.since), whole(span.until));
        let bounds: [(&(dyn ToSql + Sync), Type); 3] = [
            (&first, Type::BYTEA),
            (&since, Type::INT8),
            (&until, Type::INT8),
        ];
        let text = sums(by);
        let rows = timeout(SUMS, self.client.query_typed(&text, &bounds)).await??;
        Ok(rows.iter().map(sum).collect::<Result<_, _>>()?)
    }

    /// How many attempts are under way, as the nodes told last, and what they can cost at most.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn open(&self) -> Result<(u64, Money), Refused> {
        let text = "SELECT count(*), coalesce(sum(bound / 1000000000), 0)::bigint,
            coalesce(sum(bound % 1000000000), 0)::bigint FROM waypost_open";
        let row = timeout(SUMS, self.client.query_typed_one(text, &[])).await??;
        Ok((natural(&row, 0)?.unwrap_or(0), dollars(&row, 1)?))
    }
}

fn sums(by: By) -> String {
    let name = match by {
        By::Day => "to_char(to_timestamp(at / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
        By::Model => "provider || '/' || model",
        By::Provider => "provider",
        By::Tenant => "tenant",
        By::Key => "key",
        By::Tag => "tag",
        By::Whole => "NULL::text",
    };
    let (from, order) = match by {
        By::Day | By::Model | By::Provider | By::Tenant | By::Key | By::Whole => (
            "waypost_attempts",
            format!("({name}) COLLATE \"C\" NULLS FIRST"),
        ),
        By::Tag => (
            "waypost_attempts LEFT JOIN LATERAL unnest(string_to_array(tags, ',')) AS tag ON true",
            format!("sum(cost) DESC NULLS LAST, 1 LIMIT {TAGS}"),
        ),
    };
    let sum =
        |what: &str| format!("sum({what} / 1000000000)::bigint, sum({what} % 1000000000)::bigint");
    format!(
        "SELECT {name}, count(*), count(*) - count(cost), sum(prompt)::bigint, sum(completion)::bigint, {}, {}
         FROM {from} WHERE call >= $1 AND at >= $2 AND at < $3
         GROUP BY 1 ORDER BY {order}",
        sum("cost"),
        sum("CASE WHEN inexact IS NULL THEN 0 ELSE cost END"),
    )
}

fn sum(row: &Row) -> Result<Spent, Error> {
    let count = |at: usize| Ok::<_, Error>(natural(row, at)?.unwrap_or(0));
    Ok(Spent {
        name: row.try_get(0)?,
        attempts: count(1)?,
        unpriced: count(2)?,
        prompt: count(3)?,
        completion: count(4)?,
        cost: dollars(row, 5)?,
        inexact: dollars(row, 7)?,
    })
}

/// Dollars, and behind them nano-dollars.
fn dollars(row: &Row, at: usize) -> Result<Money, Error> {
    let dollars = Money::nano(1_000_000_000).times(natural(row, at)?.unwrap_or(0));
    Ok(dollars.plus(Money::nano(natural(row, at + 1)?.unwrap_or(0))))
}

/// What is kept of a call.
pub(crate) async fn find(client: &Client, call: CallId) -> Result<Kept, Refused> {
    let bytes = call.bytes();
    let bytes = bytes.as_slice();
    let of: [(&(dyn ToSql + Sync), Type); 1] = [(&bytes, Type::BYTEA)];
    let rows = "SELECT * FROM waypost_calls WHERE call = $1 LIMIT 1";
    let found = client.query_typed(rows, &of).await?;
    let rows = "SELECT * FROM waypost_attempts WHERE call = $1 ORDER BY attempt";
    let attempts = client.query_typed(rows, &of).await?;
    Ok(Kept {
        call: found.first().map(|row| of_call(row, call)).transpose()?,
        attempts: attempts
            .iter()
            .map(|row| of_attempt(row, call))
            .collect::<Result<_, _>>()?,
    })
}

fn of_attempt(row: &Row, call: CallId) -> Result<Attempt, Error> {
    let number = natural(row, "attempt")?.unwrap_or(0);
    Ok(Attempt {
        intent: Intent {
            call,
            attempt: u32::try_from(number).unwrap_or(u32::MAX),
            at: natural(row, "at")?.unwrap_or(0),
            party: party(row)?,
            provider: text(row, "provider")?.unwrap_or_default().into(),
            model: text(row, "model")?.unwrap_or_default().into(),
            strategy: text(row, "strategy")?.map(Into::into),
            reason: Cow::Owned(text(row, "reason")?.unwrap_or_default()),
            estimate: money(row, "estimate")?,
            bound: money(row, "bound")?,
        },
        end: end(row)?,
    })
}

fn of_call(row: &Row, call: CallId) -> Result<CallRow, Error> {
    let attempts = natural(row, "attempts")?.unwrap_or(0);
    let trial = text(row, "experiment")?.zip(text(row, "arm")?);
    let copy_of: Option<&[u8]> = row.try_get("copy_of")?;
    Ok(CallRow {
        call,
        at: natural(row, "at")?.unwrap_or(0),
        party: party(row)?,
        provider: text(row, "provider")?.unwrap_or_default().into(),
        model: text(row, "model")?.unwrap_or_default().into(),
        strategy: text(row, "strategy")?.map(Into::into),
        reason: Cow::Owned(text(row, "reason")?.unwrap_or_default()),
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        end: end(row)?,
        estimate: money(row, "estimate")?,
        most: money(row, "most")?,
        params: text(row, "params")?.map(Into::into),
        trial: trial.map(|(experiment, arm)| (experiment.into(), arm.into())),
        copy_of: copy_of
            .and_then(|bytes| bytes.try_into().ok())
            .map(CallId::of),
    })
}

fn end(row: &Row) -> Result<End, Error> {
    let span = |name: &str| Ok::<_, Error>(natural(row, name)?.map(Duration::from_millis));
    Ok(End {
        outcome: Cow::Owned(text(row, "outcome")?.unwrap_or_default()),
        paid: Paid {
            tokens: tokens(row)?,
            cost: money(row, "cost")?,
            inexact: text(row, "inexact")?.map(Cow::Owned),
            price: text(row, "price")?.map(Into::into),
        },
        first: span("ttft_ms")?,
        latency: span("latency_ms")?.unwrap_or_default(),
    })
}

fn party(row: &Row) -> Result<Party, Error> {
    let owner: Option<i64> = row.try_get("owner")?;
    Ok(Party {
        key: text(row, "key")?.map(Into::into),
        owner: owner.map(i64::cast_unsigned),
        tenant: text(row, "tenant")?.map(Into::into),
        tags: text(row, "tags")?.map(Into::into),
    })
}

fn tokens(row: &Row) -> Result<Option<Tokens>, Error> {
    let Some(prompt) = natural(row, "prompt")? else {
        return Ok(None);
    };
    Ok(Some(Tokens {
        prompt,
        cached: natural(row, "cached")?,
        cache_write: natural(row, "cache_write")?,
        completion: natural(row, "completion")?.unwrap_or(0),
        reasoning: natural(row, "reasoning")?,
        ..Tokens::default()
    }))
}

fn natural<I>(row: &Row, at: I) -> Result<Option<u64>, Error>
where
    I: tokio_postgres::row::RowIndex + std::fmt::Display,
{
    let number: Option<i64> = row.try_get(at)?;
    Ok(number.map(|number| u64::try_from(number).unwrap_or(0)))
}

fn money(row: &Row, name: &str) -> Result<Option<Money>, Error> {
    Ok(natural(row, name)?.map(Money::nano))
}

fn text(row: &Row, name: &str) -> Result<Option<String>, Error> {
    row.try_get(name)
}
