//! Old rows go, a few at a time, so that none of it is felt.

use rusqlite::{Connection, params};

use crate::account::CallId;

use super::outbox::earliest;
use super::party::keep;

/// Rows that go at once.
const FEW: u32 = 500;

/// What becomes of old rows that are still to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// They stay, and all later ones with them.
    Stay,
    /// They go: nobody sends them.
    Go,
}

/// Deletes some rows of calls that began before `oldest`, in Unix milliseconds; says whether there may be more.
pub(crate) fn sweep(
    connection: &Connection,
    oldest: u64,
    unsent: Unsent,
) -> rusqlite::Result<bool> {
    let before = CallId::first_at(oldest);
    let before = match unsent {
        Unsent::Stay => earliest(connection)?.map_or(before, |first| before.min(first)),
        Unsent::Go => before,
    };
    let before = before.bytes();
    let whole = connection.unchecked_transaction()?;
    keep(connection, before, FEW)?;
    let mut gone = 0;
    for table in ["attempts", "calls"] {
        let text = format!(
            "DELETE FROM {table} WHERE call IN (SELECT call FROM {table} WHERE call < ?1 ORDER BY call LIMIT ?2)"
        );
        gone += connection
            .prepare_cached(&text)?
            .execute(params![before, FEW])?;
    }
    if unsent == Unsent::Go {
        connection
            .prepare_cached("DELETE FROM outbox WHERE call < ?1")?
            .execute([before])?;
    }
    whole.commit()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::open::open_in_memory;
    use crate::store::sqlite::outbox::{begin, empty, take, waiting};

    fn ledger() -> Connection {
        let mut connection = open_in_memory().expect("a ledger");
        begin(&mut connection).expect("begun");
        for at in 1..=3 {
            connection
                .execute(
                    "INSERT INTO calls (call, at, provider, model, reason, attempts, outcome, latency_ms)
                     VALUES (?1, 7, 'p', 'm', 'r', 1, 'answered', 1)",
                    [CallId::new(at, 1).bytes()],
                )
                .expect("a row");
        }
        connection
    }

    fn calls(connection: &Connection) -> u32 {
        let all = "SELECT count(*) FROM calls";
        connection.query_row(all, [], |row| row.get(0)).expect("it")
    }

    #[test]
    fn old_rows_stay_until_they_have_arrived() {
        let connection = ledger();
        let swept = sweep(&connection, 100, Unsent::Stay);
        assert_eq!((swept, calls(&connection)), (Ok(false), 3));
        let first = take(&connection, 2, "n").expect("read").expect("some");
        empty(&connection, &first).expect("arrived");
        assert_eq!(sweep(&connection, 100, Unsent::Stay), Ok(true));
        assert_eq!((calls(&connection), waiting(&connection)), (1, Ok(1)));
    }

    #[test]
    fn old_rows_go_where_nobody_sends_them() {
        let connection = ledger();
        assert_eq!(sweep(&connection, 3, Unsent::Go), Ok(true));
        assert_eq!((calls(&connection), waiting(&connection)), (1, Ok(1)));
    }
}
