//! What is still to be sent to a store that many nodes share.
//!
//! A row and its place in the outbox are one commit, as triggers make them; the place is emptied after the row has
//! arrived. Whatever happens between the two sends a row again, and there it is known.

use std::fmt::Write as _;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, Statement, TransactionBehavior, params};
use serde_json::{Map, Value};

use crate::account::{CallId, Intent};

/// All that is there already is to be sent, and all that comes.
const BEGIN: &str = "
INSERT INTO outbox (call, attempt)
    SELECT call, attempt FROM attempts UNION ALL SELECT call, 0 FROM calls ORDER BY 1;
CREATE TRIGGER attempts_out AFTER INSERT ON attempts BEGIN
    INSERT INTO outbox (call, attempt) VALUES (new.call, new.attempt);
END;
CREATE TRIGGER calls_out AFTER INSERT ON calls BEGIN
    INSERT INTO outbox (call, attempt) VALUES (new.call, 0);
END;
";

const BEGUN: &str = "SELECT count(*) FROM sqlite_schema WHERE name = 'attempts_out'";

const ATTEMPTS: &str = "
SELECT attempts.* FROM outbox JOIN attempts USING (call, attempt) WHERE seq <= ?1 ORDER BY seq";

const CALLS: &str = "
SELECT calls.* FROM outbox JOIN calls USING (call) WHERE seq <= ?1 AND attempt = 0 ORDER BY seq";

/// Some of what is to be sent, the first of it first.
#[derive(Debug)]
pub(crate) struct Sheaf {
    /// The last place in it.
    last: i64,
    /// How many places there are.
    pub(crate) places: u32,
    /// Rows of attempts, each an object with its columns and the node's name.
    pub(crate) attempts: Vec<Value>,
    /// Rows of calls.
    pub(crate) calls: Vec<Value>,
}

/// From now on every row is to be sent; where that is new, those that are there as well.
pub(crate) fn begin(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let begun: u32 = transaction.query_row(BEGUN, [], |row| row.get(0))?;
    if begun == 0 {
        transaction.execute_batch(BEGIN)?;
    }
    transaction.commit()
}

/// The name of this node among those that share a store.
pub(crate) fn node(connection: &Connection) -> rusqlite::Result<String> {
    connection.query_row("SELECT id FROM node", [], |row| row.get(0))
}

/// The first rows to be sent, at most so many; `None` where all have arrived.
pub(crate) fn take(
    connection: &Connection,
    most: u32,
    node: &str,
) -> rusqlite::Result<Option<Sheaf>> {
    let (last, places): (Option<i64>, u32) = connection.query_row(
        "SELECT max(seq), count(*) FROM (SELECT seq FROM outbox ORDER BY seq LIMIT ?1)",
        [most],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let Some(last) = last else {
        return Ok(None);
    };
    Ok(Some(Sheaf {
        last,
        places,
        attempts: objects(&mut *connection.prepare_cached(ATTEMPTS)?, last, node)?,
        calls: objects(&mut *connection.prepare_cached(CALLS)?, last, node)?,
    }))
}

/// These have arrived.
pub(crate) fn empty(connection: &Connection, sheaf: &Sheaf) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM outbox WHERE seq <= ?1")?
        .execute([sheaf.last])
        .map(drop)
}

/// How many rows are to be sent.
///
/// # Errors
/// Where the ledger cannot be read.
pub fn waiting(connection: &Connection) -> rusqlite::Result<u64> {
    let count: i64 = connection.query_row("SELECT count(*) FROM outbox", [], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The earliest call that has a row to be sent.
pub(crate) fn earliest(connection: &Connection) -> rusqlite::Result<Option<CallId>> {
    let call: Option<[u8; 16]> = connection
        .prepare_cached("SELECT min(call) FROM outbox")?
        .query_row([], |row| row.get(0))?;
    Ok(call.map(CallId::of))
}

/// Whether what was written down before an attempt has its row.
pub(crate) fn is_settled(connection: &Connection, intent: &Intent) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM attempts WHERE call = ?1 AND attempt = ?2")?
        .exists(params![intent.call.bytes(), intent.attempt])
}

/// Bytes as PostgreSQL reads them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("\\x".to_owned(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn objects(rows: &mut Statement<'_>, last: i64, node: &str) -> rusqlite::Result<Vec<Value>> {
    let names: Vec<String> = rows.column_names().map(str::to_owned).collect();
    let found = rows.query_map([last], |row| object(row, &names, node))?;
    found.collect()
}

fn object(row: &Row<'_>, names: &[String], node: &str) -> rusqlite::Result<Value> {
    let mut object = Map::with_capacity(names.len() + 1);
    object.insert("node".to_owned(), node.into());
    for (at, name) in names.iter().enumerate() {
        let value = match row.get_ref(at)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => number.into(),
            ValueRef::Real(number) => number.into(),
            ValueRef::Text(text) => plain(&String::from_utf8_lossy(text)).into(),
            ValueRef::Blob(bytes) => hex(bytes).into(),
        };
        object.insert(name.clone(), value);
    }
    Ok(object.into())
}

/// No text of PostgreSQL's has a zero in it.
pub(crate) fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::open::open_in_memory;

    fn put(connection: &Connection, number: u64) {
        for (table, more) in [
            ("attempts", "call, attempt, at"),
            ("calls", "call, attempts, at"),
        ] {
            let text = format!(
                "INSERT INTO {table} ({more}, provider, model, reason, outcome, latency_ms) VALUES (?1, 1, 7, 'p', ?2, 'r', 'answered', 1)"
            );
            let call = CallId::new(number, 1).bytes();
            connection
                .execute(&text, params![call, "m\0"])
                .expect("a row");
        }
    }

    #[test]
    fn rows_wait_until_they_are_taken_out_and_are_told_as_they_are() {
        let mut connection = open_in_memory().expect("a ledger");
        put(&connection, 1);
        assert_eq!(waiting(&connection), Ok(0), "nobody asked for them");
        begin(&mut connection).expect("begun");
        assert_eq!(waiting(&connection), Ok(2), "those before are sent as well");
        begin(&mut connection).expect("begun again");
        put(&connection, 2);
        assert_eq!(waiting(&connection), Ok(4), "and none twice");
        assert_eq!(earliest(&connection), Ok(Some(CallId::new(1, 1))));

        let sheaf = take(&connection, 3, "n").expect("read").expect("some");
        assert_eq!((sheaf.attempts.len(), sheaf.calls.len()), (2, 1));
        let first = &sheaf.attempts[0];
        assert_eq!(first["node"], "n");
        assert_eq!(first["call"], hex(&CallId::new(1, 1).bytes()));
        assert_eq!(first["model"], "m\u{fffd}");
        assert_eq!(first["tenant"], Value::Null);
        put(&connection, 0);
        empty(&connection, &sheaf).expect("emptied");
        assert_eq!(waiting(&connection), Ok(3), "what came meanwhile waits");
        assert_eq!(earliest(&connection), Ok(Some(CallId::new(0, 1))));
    }

    #[test]
    fn every_ledger_has_a_name_of_its_own_and_keeps_it() {
        let (one, other) = (
            open_in_memory().expect("one"),
            open_in_memory().expect("other"),
        );
        let name = node(&one).expect("a name");
        assert_eq!(name.len(), 16);
        assert_eq!(node(&one), Ok(name.clone()));
        assert_ne!(node(&other), Ok(name));
    }
}
