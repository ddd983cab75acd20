//! Old rows go, a few at a time, so that none of it is felt.

use rusqlite::{Connection, params};

use crate::account::CallId;

/// Rows that go at once.
const FEW: u32 = 500;

/// Deletes some rows of calls that began before `oldest`, in Unix milliseconds; says whether there may be more.
pub(crate) fn sweep(connection: &Connection, oldest: u64) -> rusqlite::Result<bool> {
    let before = CallId::first_at(oldest).bytes();
    let mut gone = 0;
    for table in ["attempts", "calls"] {
        let text = format!(
            "DELETE FROM {table} WHERE call IN (SELECT call FROM {table} WHERE call < ?1 ORDER BY call LIMIT ?2)"
        );
        gone += connection
            .prepare_cached(&text)?
            .execute(params![before, FEW])?;
    }
    Ok(gone > 0)
}

/// Keeps the last rows only, so many of each table.
pub(crate) fn keep_last(connection: &Connection, rows: u32) -> rusqlite::Result<()> {
    for table in ["attempts", "calls"] {
        let text = format!(
            "DELETE FROM {table} WHERE call <= (SELECT call FROM {table} ORDER BY call DESC LIMIT 1 OFFSET ?1)"
        );
        connection.prepare_cached(&text)?.execute([rows])?;
    }
    Ok(())
}
