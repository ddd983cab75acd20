//! Keys under which something was done once: only their hash, and that of what was asked.

use rusqlite::{Connection, OptionalExtension as _, params};

/// A hash: 16 bytes of SHA-256.
pub type Hash = [u8; 16];

/// How long a key is known, in milliseconds: a day.
pub const KNOWN_FOR: u64 = 24 * 3_600 * 1_000;

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// It is new, and marked from now on.
    New,
    /// The same was asked under it before.
    Same,
    /// Something else was asked under it before.
    Other,
}

/// Marks a key as used; `at` in Unix milliseconds.
pub(crate) fn mark(
    connection: &Connection,
    (key, print): (Hash, Hash),
    at: u64,
) -> rusqlite::Result<Marked> {
    forget(connection, at)?;
    let whole = i64::try_from(at).unwrap_or(i64::MAX);
    let fresh = connection
        .prepare_cached("INSERT OR IGNORE INTO marks VALUES (?1, ?2, ?3)")?
        .execute(params![key, print, whole])?;
    if fresh == 1 {
        return Ok(Marked::New);
    }
    let known: Option<Hash> = connection
        .prepare_cached("SELECT print FROM marks WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    Ok(if known == Some(print) {
        Marked::Same
    } else {
        Marked::Other
    })
}

/// Nothing was done under a key: it is as if it had never come.
pub(crate) fn unmark(connection: &Connection, key: Hash) -> rusqlite::Result<()> {
    let mut gone = connection.prepare_cached("DELETE FROM marks WHERE key = ?1")?;
    gone.execute([key]).map(drop)
}

/// Forgets keys that are a day old.
fn forget(connection: &Connection, now: u64) -> rusqlite::Result<()> {
    let oldest = i64::try_from(now.saturating_sub(KNOWN_FOR)).unwrap_or(i64::MAX);
    let mut old = connection.prepare_cached("DELETE FROM marks WHERE at < ?1")?;
    old.execute([oldest]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::open::open_in_memory;
    use super::*;

    #[test]
    fn a_key_is_known_for_a_day_with_what_was_asked_under_it() {
        let ledger = open_in_memory().unwrap();
        let (a, b) = ([1; 16], [2; 16]);
        let marked = |key, print, at| mark(&ledger, (key, print), at).unwrap();
        assert_eq!(marked(a, b, 10), Marked::New);
        assert_eq!(marked(a, b, 20), Marked::Same);
        assert_eq!(marked(a, a, 20), Marked::Other);
        assert_eq!(marked(b, b, 20), Marked::New);
        unmark(&ledger, b).unwrap();
        assert_eq!(marked(b, a, 30), Marked::New);
        assert_eq!(marked(a, a, KNOWN_FOR + 10), Marked::Other);
        assert_eq!(marked(a, a, KNOWN_FOR + 11), Marked::New);
    }
}
