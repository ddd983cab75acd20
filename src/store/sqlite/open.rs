//! Opens the file: its rights, its settings, its migrations. What is not a ledger of ours is never written to.

use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::schema::{APPLICATION, STEPS};

/// How long another process's write is waited for. Nobody's call waits with us.
const BUSY: Duration = Duration::from_secs(5);

/// Why a ledger cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The file cannot be made or read.
    File(PathBuf, io::Error),
    /// The file is something else, or damaged.
    NotOurs(PathBuf, String),
    /// A later version of Waypost has written it.
    Newer(PathBuf, i64),
    /// The file is gone, and calls that were open in it are not.
    Gone(PathBuf),
    /// Rows are sent to PostgreSQL, and there is no file to keep them in until they have arrived.
    NoSpool,
    /// PostgreSQL cannot be used as configured.
    Postgres(String),
    /// SQLite refused.
    Sqlite(PathBuf, rusqlite::Error),
    /// The system gives no thread.
    Thread(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => {
                write!(
                    formatter,
                    "the ledger {} cannot be opened: {error}; set [ledger] path to a file that can be written",
                    path.display()
                )
            }
            Self::NotOurs(path, why) => write!(
                formatter,
                "{} is not a ledger, or is damaged ({why}); nothing was changed. Move it away, or set [ledger] path",
                path.display()
            ),
            Self::Newer(path, version) => write!(
                formatter,
                "the ledger {} was written by a later version (schema {version}, here {}); nothing was changed",
                path.display(),
                STEPS.len()
            ),
            Self::Gone(path) => write!(
                formatter,
                "the ledger {} is gone, but calls that were open in it are kept beside it; bring it back, or remove \
                 the files {}-open-* to begin anew",
                path.display(),
                path.display()
            ),
            Self::Sqlite(path, error) => {
                write!(
                    formatter,
                    "the ledger {} cannot be used: {error}",
                    path.display()
                )
            }
            Self::NoSpool => formatter.write_str(
                "[ledger] postgres needs a file beside it, which keeps rows while PostgreSQL is away; set [ledger] \
                 path to one that can be written",
            ),
            Self::Postgres(why) => write!(formatter, "[ledger] postgres: {why}"),
            Self::Thread(error) => write!(formatter, "the ledger gets no thread: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// Opens a ledger to read and write, making it where it is not there; only its owner may read it.
///
/// # Errors
/// Why it cannot be used.
pub fn open(path: &Path) -> Result<Connection, OpenError> {
    make(path).map_err(|error| OpenError::File(path.to_owned(), error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let wrong = |error| unreadable(path, error);
    let mut connection = Connection::open_with_flags(path, flags).map_err(wrong)?;
    connection.busy_timeout(BUSY).map_err(wrong)?;
    check(&connection, path)?;
    settle(&connection).map_err(wrong)?;
    migrate(&mut connection).map_err(wrong)?;
    Ok(connection)
}

/// A ledger that ends with the process.
///
/// # Errors
/// Why there is none.
pub fn open_in_memory() -> Result<Connection, OpenError> {
    let wrong = |error| OpenError::Sqlite(PathBuf::from(":memory:"), error);
    let mut connection = Connection::open_in_memory().map_err(wrong)?;
    migrate(&mut connection).map_err(wrong)?;
    Ok(connection)
}

/// Opens a ledger that is there, beside a proxy that may be writing it.
///
/// # Errors
/// Why it cannot be read.
pub fn open_to_read(path: &Path) -> Result<Connection, OpenError> {
    let missing = |error| OpenError::File(path.to_owned(), error);
    std::fs::metadata(path).map_err(missing)?;
    let wrong = |error| unreadable(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(wrong)?;
    connection.busy_timeout(BUSY).map_err(wrong)?;
    check(&connection, path)?;
    Ok(connection)
}

fn make(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o600);
    options.open(path).map(drop)
}

/// An empty file is a new ledger; any other must be one of ours that we understand.
fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let number = |name: &str| {
        let read = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        read.map_err(|error| unreadable(path, error))
    };
    let (application, version) = (number("application_id")?, number("user_version")?);
    let empty = application == 0 && version == 0 && number("schema_version")? == 0;
    if !empty && application != i64::from(APPLICATION) {
        let why = "it belongs to another program".to_owned();
        return Err(OpenError::NotOurs(path.to_owned(), why));
    }
    if usize::try_from(version).is_ok_and(|version| version <= STEPS.len()) {
        return Ok(());
    }
    Err(OpenError::Newer(path.to_owned(), version))
}

/// A small cache and no mapping: the idle proxy holds next to nothing of it.
fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", "off")?;
    connection.pragma_update(None, "cache_size", -512)?;
    connection.pragma_update_and_check(None, "journal_size_limit", 16 << 20, |_| Ok(()))
}

/// Takes the steps that the file has not taken yet, all or none.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let all = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let taken = |connection: &Connection| {
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
    };
    if taken(connection)? == all {
        return Ok(());
    }
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Another process may have been faster.
    let from = usize::try_from(taken(&transaction)?).unwrap_or(0);
    for step in STEPS.iter().skip(from) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", all)?;
    transaction.commit()
}

fn unreadable(path: &Path, error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            OpenError::NotOurs(path.to_owned(), error.to_string())
        }
        _ => OpenError::Sqlite(path.to_owned(), error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn place(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("waypost-{name}-{}", fastrand::u64(..)));
        folder.join("new/waypost.db")
    }

    #[test]
    fn a_ledger_is_made_for_its_owner_alone_and_opened_again() {
        let path = place("open");
        drop(open(&path).expect("a new one"));
        let mode = std::fs::metadata(&path).expect("it").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = open(&path).expect("the same");
        let mode: String = again
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .expect("mode");
        assert_eq!(mode, "wal");
        let wal = format!("{}-wal", path.display());
        let mode = std::fs::metadata(wal).expect("wal").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        open_to_read(&path).expect("a reader beside the writer");
    }

    #[test]
    fn what_is_not_ours_is_refused_and_left_alone() {
        let path = place("foreign");
        let folder = path.parent().expect("folder");
        std::fs::create_dir_all(folder).expect("folder");
        let foreign = Connection::open(&path).expect("another program's");
        foreign.execute_batch("CREATE TABLE t (a)").expect("table");
        drop(foreign);
        assert!(matches!(open(&path), Err(OpenError::NotOurs(..))));
        let text = folder.join("notes.txt");
        std::fs::write(&text, "not a database at all, but a text of some length").expect("text");
        assert!(matches!(open(&text), Err(OpenError::NotOurs(..))));
        let same = std::fs::read_to_string(&text).expect("text");
        assert_eq!(same, "not a database at all, but a text of some length");
    }

    #[test]
    fn an_earlier_schema_is_taken_on_with_all_that_is_in_it() {
        for steps in 1..STEPS.len() {
            let path = place("earlier");
            std::fs::create_dir_all(path.parent().expect("folder")).expect("folder");
            let earlier = Connection::open(&path).expect("a file");
            for step in STEPS.iter().take(steps) {
                earlier.execute_batch(step).expect("a step");
            }
            earlier
                .pragma_update(None, "application_id", APPLICATION)
                .expect("ours");
            let version = i64::try_from(steps).expect("a few");
            earlier
                .pragma_update(None, "user_version", version)
                .expect("version");
            earlier
                .execute_batch(
                    "INSERT INTO calls (call, at, provider, model, reason, attempts, outcome, latency_ms)
                     VALUES (x'00', 5, 'p', 'm', 'forced', 1, 'answered', 9)",
                )
                .expect("a row");
            drop(earlier);
            let now = open(&path).expect("taken on");
            let number = |text: &str| now.query_row(text, [], |row| row.get::<_, i64>(0));
            assert_eq!(number("SELECT at FROM calls"), Ok(5), "{steps}");
            assert_eq!(number("SELECT count(*) FROM keys"), Ok(0));
            let all = i64::try_from(STEPS.len()).expect("a few");
            assert_eq!(number("PRAGMA user_version"), Ok(all));
        }
    }

    #[test]
    fn a_later_schema_is_refused() {
        let path = place("later");
        let ours = open(&path).expect("a new one");
        ours.pragma_update(None, "user_version", 9_999)
            .expect("version");
        drop(ours);
        assert!(matches!(open(&path), Err(OpenError::Newer(_, 9_999))));
    }
}
