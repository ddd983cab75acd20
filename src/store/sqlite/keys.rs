//! Keys that are made on the command line: their hashes and what they may do. No secret is kept.

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, params};

use crate::account::key::Hash;
use crate::account::{Key, Rights};

/// A key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The key.
    pub key: Key,
    /// When it was made, in Unix seconds.
    pub created: u64,
    /// When it was revoked. It is kept all the same: its name stands in the ledger.
    pub revoked: Option<u64>,
}

/// What came of making a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It is there.
    New,
    /// There is one of this name, or was.
    Taken,
}

/// What came of revoking a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is revoked now.
    Now,
    /// It was revoked before.
    Before,
    /// There is none of this name.
    Unknown,
}

/// Keeps a new key. The name of one that was revoked is not given to another, as rows of the ledger bear it.
///
/// # Errors
/// Where it cannot be written.
pub fn make(connection: &Connection, key: &Key, now: u64) -> rusqlite::Result<Made> {
    let rights = serde_json::to_string(&key.rights).map_err(unwritable)?;
    let made = connection.execute(
        "INSERT INTO keys (name, hash, made_from, rights, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            key.name,
            key.hash.bytes(),
            key.made_from,
            rights,
            whole(now)
        ],
    );
    match made {
        Ok(_) => Ok(Made::New),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Ok(Made::Taken)
        }
        Err(error) => Err(error),
    }
}

/// Revokes a key.
///
/// # Errors
/// Where it cannot be written.
pub fn revoke(connection: &Connection, name: &str, now: u64) -> rusqlite::Result<Ended> {
    let changed = connection.execute(
        "UPDATE keys SET revoked = ?2 WHERE name = ?1 AND revoked IS NULL",
        params![name, whole(now)],
    )?;
    if changed > 0 {
        return Ok(Ended::Now);
    }
    let known = connection
        .query_row("SELECT 1 FROM keys WHERE name = ?1", [name], |_| Ok(()))
        .optional()?;
    Ok(known.map_or(Ended::Unknown, |()| Ended::Before))
}

/// All keys by name, with those that were revoked. One whose rights cannot be read is none, and said so: whoever shows it
/// is refused, and the others are not.
///
/// # Errors
/// Where they cannot be read.
pub fn all(connection: &Connection) -> rusqlite::Result<Vec<KeyRow>> {
    let mut found = connection.prepare_cached(
        "SELECT name, hash, made_from, rights, created, revoked FROM keys ORDER BY name",
    )?;
    let rows = found.query_map([], read)?;
    rows.filter_map(Result::transpose).collect()
}

/// A number that is another after somebody else has written to the file.
///
/// # Errors
/// Where it cannot be read.
pub fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "data_version", |row| row.get(0))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<KeyRow>> {
    let (name, rights): (String, String) = (row.get(0)?, row.get(3)?);
    let rights = match serde_json::from_str::<Rights>(&rights) {
        Ok(rights) => rights,
        Err(error) => {
            tracing::error!(key = name, %error, "a stored key cannot be read, and is refused");
            return Ok(None);
        }
    };
    let natural = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(Some(KeyRow {
        key: Key {
            name,
            hash: Hash::new(row.get(1)?),
            made_from: row.get(2)?,
            rights,
        },
        created: natural(row.get(4)?),
        revoked: row.get::<_, Option<i64>>(5)?.map(natural),
    }))
}

fn unwritable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::open::open_in_memory;
    use super::*;
    use crate::account::key::Limits;
    use crate::account::{Budget, Money, Period};

    fn key(name: &str, secret: &str) -> Key {
        let budget = Budget {
            most: Money::nano(5),
            period: Period::Month,
        };
        let limits = Limits {
            rpm: Some(60),
            ..Limits::default()
        };
        Key {
            name: name.to_owned(),
            hash: Hash::of(secret),
            made_from: Some("root".to_owned()),
            rights: Rights {
                expires: Some(9),
                models: vec![vec!["openai".to_owned()]],
                budget: Some(budget),
                limits,
                tags: vec!["batch".to_owned()],
                ..Rights::default()
            },
        }
    }

    #[test]
    fn keys_are_read_back_as_they_were_made_and_end_once() {
        let connection = open_in_memory().unwrap();
        let one = key("ci", "secret of ci");
        assert_eq!(make(&connection, &one, 7).unwrap(), Made::New);
        let same_name = key("ci", "another");
        let same_secret = key("other", "secret of ci");
        for taken in [same_name, same_secret] {
            assert_eq!(make(&connection, &taken, 7).unwrap(), Made::Taken);
        }
        let row = |revoked| KeyRow {
            key: one.clone(),
            created: 7,
            revoked,
        };
        assert_eq!(all(&connection).unwrap(), [row(None)]);
        assert_eq!(revoke(&connection, "ci", 8).unwrap(), Ended::Now);
        assert_eq!(revoke(&connection, "ci", 9).unwrap(), Ended::Before);
        assert_eq!(revoke(&connection, "zz", 9).unwrap(), Ended::Unknown);
        assert_eq!(all(&connection).unwrap(), [row(Some(8))]);
        assert_eq!(make(&connection, &one, 9).unwrap(), Made::Taken);
    }

    #[test]
    fn a_row_without_rights_is_no_key_and_harms_no_other() {
        let connection = open_in_memory().unwrap();
        for (name, rights) in [
            ("blank", ""),
            ("null", "null"),
            ("odd", "{\"limits\":null}"),
        ] {
            make(&connection, &key(name, name), 7).unwrap();
            let text = "UPDATE keys SET rights = ?2 WHERE name = ?1";
            connection.execute(text, [name, rights]).unwrap();
        }
        make(&connection, &key("sound", "of it"), 7).unwrap();
        let names = all(&connection)
            .unwrap()
            .into_iter()
            .map(|row| row.key.name);
        assert_eq!(names.collect::<Vec<_>>(), ["sound"]);
    }
}
