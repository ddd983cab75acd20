//! Rows into the tables, and out of them.

use std::borrow::Cow;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::account::entry::Tokens;
use crate::account::entry::{End, Paid, Party, Word};
use crate::account::{Attempt, CallId, CallRow, Intent, Money};

const ATTEMPT: &str = "INSERT OR IGNORE INTO attempts VALUES
    (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)";

const CALL: &str = "INSERT OR IGNORE INTO calls VALUES
    (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24,
     ?25, ?26, ?27, ?28)";

/// Puts an attempt where it is not there already; says whether it was not.
pub(crate) fn put_attempt(connection: &Connection, row: &Attempt) -> rusqlite::Result<bool> {
    let Attempt { intent, end } = row;
    let [prompt, cached, write, completion, reasoning] = counts(end.paid.tokens.as_ref());
    let changed = connection.prepare_cached(ATTEMPT)?.execute(params![
        intent.call.bytes(),
        intent.attempt,
        whole(intent.at),
        intent.party.key,
        owner(&intent.party),
        intent.party.tenant,
        intent.party.tags,
        intent.provider,
        intent.model,
        intent.strategy,
        intent.reason,
        nano(intent.estimate),
        nano(intent.bound),
        end.outcome,
        prompt,
        cached,
        write,
        completion,
        reasoning,
        nano(end.paid.cost),
        end.paid.inexact,
        end.paid.price,
        millis(end.first),
        millis(Some(end.latency)),
    ])?;
    Ok(changed == 1)
}

/// Puts a call where it is not there already.
pub(crate) fn put_call(connection: &Connection, row: &CallRow) -> rusqlite::Result<()> {
    let end = &row.end;
    let [prompt, cached, write, completion, reasoning] = counts(end.paid.tokens.as_ref());
    let trial = row.trial.as_ref();
    connection.prepare_cached(CALL)?.execute(params![
        row.call.bytes(),
        whole(row.at),
        row.party.key,
        owner(&row.party),
        row.party.tenant,
        row.party.tags,
        row.provider,
        row.model,
        row.strategy,
        row.reason,
        row.attempts,
        end.outcome,
        prompt,
        cached,
        write,
        completion,
        reasoning,
        nano(row.estimate),
        nano(row.most),
        nano(end.paid.cost),
        end.paid.inexact,
        end.paid.price,
        row.params,
        trial.map(|(experiment, _)| experiment),
        trial.map(|(_, arm)| arm),
        row.copy_of.map(CallId::bytes),
        millis(end.first),
        millis(Some(end.latency)),
    ])?;
    Ok(())
}

/// The rows of a call.
pub(crate) fn attempts(connection: &Connection, call: CallId) -> rusqlite::Result<Vec<Attempt>> {
    let mut found =
        connection.prepare_cached("SELECT * FROM attempts WHERE call = ?1 ORDER BY attempt")?;
    let rows = found.query_map([call.bytes()], read_attempt)?;
    rows.collect()
}

/// The row of a call.
pub(crate) fn call(connection: &Connection, call: CallId) -> rusqlite::Result<Option<CallRow>> {
    let mut found = connection.prepare_cached("SELECT * FROM calls WHERE call = ?1")?;
    found.query_row([call.bytes()], read_call).optional()
}

fn read_attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        intent: Intent {
            call: CallId::of(row.get("call")?),
            attempt: row.get("attempt")?,
            at: natural(row, "at")?.unwrap_or(0),
            party: party(row)?,
            provider: row.get("provider")?,
            model: row.get("model")?,
            strategy: row.get("strategy")?,
            reason: word(row, "reason")?.unwrap_or_default(),
            estimate: money(row, "estimate")?,
            bound: money(row, "bound")?,
        },
        end: end(row)?,
    })
}

fn read_call(row: &Row<'_>) -> rusqlite::Result<CallRow> {
    let trial: (Option<Box<str>>, Option<Box<str>>) = (row.get("experiment")?, row.get("arm")?);
    Ok(CallRow {
        call: CallId::of(row.get("call")?),
        at: natural(row, "at")?.unwrap_or(0),
        party: party(row)?,
        provider: row.get("provider")?,
        model: row.get("model")?,
        strategy: row.get("strategy")?,
        reason: word(row, "reason")?.unwrap_or_default(),
        attempts: row.get("attempts")?,
        end: end(row)?,
        estimate: money(row, "estimate")?,
        most: money(row, "most")?,
        params: row.get("params")?,
        trial: trial.0.zip(trial.1),
        copy_of: row.get::<_, Option<[u8; 16]>>("copy_of")?.map(CallId::of),
    })
}

fn end(row: &Row<'_>) -> rusqlite::Result<End> {
    let span =
        |name: &str| Ok::<_, rusqlite::Error>(natural(row, name)?.map(Duration::from_millis));
    Ok(End {
        outcome: word(row, "outcome")?.unwrap_or_default(),
        paid: Paid {
            tokens: tokens(row)?,
            cost: money(row, "cost")?,
            inexact: word(row, "inexact")?,
            price: row.get("price")?,
        },
        first: span("ttft_ms")?,
        latency: span("latency_ms")?.unwrap_or_default(),
    })
}

fn party(row: &Row<'_>) -> rusqlite::Result<Party> {
    Ok(Party {
        key: row.get("key")?,
        owner: row.get::<_, Option<i64>>("owner")?.map(i64::cast_unsigned),
        tenant: row.get("tenant")?,
        tags: row.get("tags")?,
    })
}

fn tokens(row: &Row<'_>) -> rusqlite::Result<Option<Tokens>> {
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

fn counts(tokens: Option<&Tokens>) -> [Option<i64>; 5] {
    let Some(tokens) = tokens else {
        return [None; 5];
    };
    [
        Some(whole(tokens.prompt)),
        tokens.cached.map(whole),
        tokens.cache_write.map(whole),
        Some(whole(tokens.completion)),
        tokens.reasoning.map(whole),
    ]
}

fn owner(party: &Party) -> Option<i64> {
    party.owner.map(u64::cast_signed)
}

fn nano(money: Option<Money>) -> Option<i64> {
    money.map(|money| whole(money.as_nano()))
}

fn millis(span: Option<Duration>) -> Option<i64> {
    span.map(|span| i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn natural(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<u64>> {
    let number: Option<i64> = row.get(name)?;
    Ok(number.map(|number| u64::try_from(number).unwrap_or(0)))
}

fn money(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<Money>> {
    Ok(natural(row, name)?.map(Money::nano))
}

fn word(row: &Row<'_>, name: &str) -> rusqlite::Result<Option<Word>> {
    Ok(row.get::<_, Option<String>>(name)?.map(Cow::Owned))
}
