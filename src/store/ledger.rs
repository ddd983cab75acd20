//! The ledger as calls see it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

use crate::account::CallId;

use super::desk::{Away, Desk, Sync};
use super::kept::Kept;
use super::postgres::door::Target;
use super::postgres::ship::{Line, Shipper};
use super::slot::Slot;
use super::spool::{self, Left, Spool};
use super::sqlite::keys::{self, KeyRow};
use super::sqlite::marks::{self, Hash, Marked};
use super::sqlite::open::{OpenError, open, open_in_memory, open_to_read};
use super::sqlite::outbox;
use super::sqlite::party::{self, PartySum};
use super::sqlite::recover::recover;
use super::sqlite::rows;
use super::sqlite::sums::{By, Span, Spent, spent};
use super::sqlite::sweep::Unsent;
use super::sqlite::writer::{Keeping, Now, Writer};

/// The writer needs little: SQLite's own frames are small.
const STACK: usize = 256 * 1024;

/// Where rows go.
#[derive(Clone, Debug, Default)]
pub enum Ledger {
    /// Nowhere.
    #[default]
    Off,
    /// Into SQLite, in this process.
    Sqlite(Arc<Open>),
}

/// An open ledger. When the last one who holds it lets it go, its writer ends.
#[derive(Debug)]
pub struct Open {
    desk: Arc<Desk>,
    /// Where rows are sent to the store of all nodes.
    line: Option<Arc<Line>>,
}

/// How a ledger is kept.
pub struct Options {
    /// The file; without one, rows end with the process, and only the last are kept.
    pub file: Option<PathBuf>,
    /// What an intent promises.
    pub sync: Sync,
    /// How long rows are kept.
    pub retention: Duration,
    /// How many attempts may be without a committed row at once.
    pub places: u32,
    /// Unix milliseconds.
    pub now: Now,
    /// The store of all nodes, if there is one. The file keeps what has not arrived there.
    pub postgres: Option<Target>,
}

/// The usual number of [`Options::places`]: rows of about 64 MiB.
pub const PLACES: u32 = 65_536;

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("file", &self.file)
            .field("sync", &self.sync)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens a ledger, and gives rows to what a crash has left open.
    ///
    /// # Errors
    /// Why it cannot be kept.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let (connection, spool, check) = match &options.file {
            Some(path) => {
                let (connection, spool, check) = on_disk(path, &options)?;
                (connection, Some(spool), check)
            }
            None if options.postgres.is_some() => return Err(OpenError::NoSpool),
            None => (open_in_memory()?, None, None),
        };
        let keeping = match options.file {
            Some(_) => Keeping::For(
                options.retention,
                Arc::clone(&options.now),
                unsent(&options),
            ),
            None => Keeping::Last,
        };
        let desk = Arc::new(Desk::new(spool, options.sync, options.places));
        let writer = Writer::new(Arc::clone(&desk), connection, keeping);
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .stack_size(STACK);
        thread
            .spawn(move || {
                let _ = writer.run().send(());
            })
            .map_err(OpenError::Thread)?;
        if let Some(path) = check {
            check_aside(path, Arc::clone(&desk))?;
        }
        let line = ship(options, Arc::clone(&desk.news))?;
        Ok(Self::Sqlite(Arc::new(Open { desk, line })))
    }

    /// A place for a call; `None` where no ledger is kept.
    ///
    /// # Errors
    /// Where it takes no more calls.
    pub fn slot(&self) -> Result<Option<Slot>, Away> {
        match self {
            Self::Off => Ok(None),
            Self::Sqlite(open) => Slot::take(&open.desk).map(Some),
        }
    }

    /// What is kept of a call, up to this moment: here, or else in the store of all nodes.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn find(&self, call: CallId) -> Result<Option<Kept>, Away> {
        let here = self.find_here(call).await?;
        let Some(line) = self.line().filter(|_| here.is_none()) else {
            return Ok(here);
        };
        match line.find(call).await {
            Ok(kept) => Ok(Some(kept).filter(|kept| !kept.is_nothing())),
            Err(error) => {
                tracing::warn!(%error, "PostgreSQL cannot be asked for a call");
                Err(Away::Far)
            }
        }
    }

    async fn find_here(&self, call: CallId) -> Result<Option<Kept>, Away> {
        let found = self.work(move |connection| {
            Ok(Kept {
                call: rows::call(connection, call)?,
                attempts: rows::attempts(connection, call)?,
            })
        });
        let kept = found.await?;
        Ok(kept.filter(|kept| !kept.is_nothing()))
    }

    fn line(&self) -> Option<&Line> {
        match self {
            Self::Off => None,
            Self::Sqlite(open) => open.line.as_deref(),
        }
    }

    /// What was spent here, up to this moment.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn spent(&self, span: Span, by: By) -> Result<Vec<Spent>, Away> {
        let sums = self.work(move |connection| spent(connection, span, by));
        Ok(sums.await?.unwrap_or_default())
    }

    /// Marks a key as used for what is asked, on the disk when this returns; `at` in Unix milliseconds. Where no ledger
    /// is kept, every key is new.
    ///
    /// # Errors
    /// Where it cannot be marked.
    pub async fn mark(&self, key: Hash, print: Hash, at: u64) -> Result<Marked, Away> {
        let marked = self.work(move |connection| marks::mark(connection, (key, print), at));
        Ok(marked.await?.unwrap_or(Marked::New))
    }

    /// Nothing was done under a key: it may be used again.
    pub async fn unmark(&self, key: Hash) {
        // Where it stays, its repeat is refused and not done twice.
        let _ = self
            .work(move |connection| marks::unmark(connection, key))
            .await;
    }

    /// What each key has spent for each tenant since these Unix milliseconds; since ever, if they are none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn parties(&self, since: u64) -> Result<Vec<PartySum>, Away> {
        let sums = self.work(move |connection| party::sums(connection, since));
        Ok(sums.await?.unwrap_or_default())
    }

    /// The keys that are kept beside it.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub async fn keys(&self) -> Result<Vec<KeyRow>, Away> {
        let all = self.work(|connection| keys::all(connection));
        Ok(all.await?.unwrap_or_default())
    }

    /// A number that is another once another process has written, as the commands for keys do.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn version(&self) -> Result<i64, Away> {
        let version = self.work(|connection| keys::version(connection));
        Ok(version.await?.unwrap_or_default())
    }

    /// Work on the connection, after every row that was left before: tables beside the ledger's own are kept this
    /// way. `None` where no ledger is kept.
    ///
    /// # Errors
    /// Where it could not be done; why is logged.
    pub async fn work<T, F>(&self, work: F) -> Result<Option<T>, Away>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let Self::Sqlite(open) = self else {
            return Ok(None);
        };
        let (told, heard) = oneshot::channel();
        open.desk.ask(Box::new(move |connection| {
            let done = work(connection);
            let _ = told.send(done);
        }))?;
        match heard.await {
            Ok(Ok(done)) => Ok(Some(done)),
            Ok(Err(error)) => {
                tracing::error!(%error, "the ledger refused");
                Err(Away::Disk(std::io::ErrorKind::Other))
            }
            Err(_) => Err(Away::Closed),
        }
    }

    /// Whether rows are not committed at the moment. They are kept and tried again, but nobody with a limit should
    /// spend meanwhile.
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::Off => false,
            Self::Sqlite(open) => open.desk.is_away(),
        }
    }

    /// How many attempts have no committed row, and how many calls hold a place for one.
    #[must_use]
    pub fn open_places(&self) -> usize {
        match self {
            Self::Off => 0,
            Self::Sqlite(open) => open.desk.open(),
        }
    }

    /// Commits what was left and takes no more.
    pub async fn close(&self) {
        if let Self::Sqlite(open) = self
            && let Some(through) = open.desk.close()
        {
            let _ = through.await;
        }
        if let Some(line) = self.line() {
            line.close().await;
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        drop(self.desk.close());
        if let Some(line) = &self.line {
            line.hang_up();
        }
    }
}

type OnDisk = (Connection, Spool, Option<PathBuf>);

/// Opens file and spool. After an unclean end, what was open gets rows, and the file is to be checked.
fn on_disk(path: &Path, options: &Options) -> Result<OnDisk, OpenError> {
    let failed = |error| OpenError::File(path.to_owned(), error);
    let there = std::fs::metadata(path).is_ok_and(|facts| facts.len() > 0);
    if !there && spool::is_anything_left(path) {
        return Err(OpenError::Gone(path.to_owned()));
    }
    let mut connection = open(path)?;
    let (own, Left { intents, files }) = spool::claim(path).map_err(failed)?;
    let wrong = |error| OpenError::Sqlite(path.to_owned(), error);
    if options.postgres.is_some() {
        outbox::begin(&mut connection).map_err(wrong)?;
    }
    let unclean = !files.is_empty() || !intents.is_empty();
    if unclean {
        let open = recover(&mut connection, intents).map_err(wrong)?;
        tracing::warn!(
            open,
            "the last run did not end well; calls that were open are held at what they can cost at most"
        );
        for file in &files {
            file.clear().map_err(failed)?;
        }
        own.clear().map_err(failed)?;
    }
    if options.sync == Sync::Off {
        connection
            .pragma_update(None, "synchronous", "off")
            .map_err(wrong)?;
    }
    Ok((connection, own, unclean.then(|| path.to_owned())))
}

/// Old rows that have not arrived where they are sent to stay.
const fn unsent(options: &Options) -> Unsent {
    match options.postgres {
        Some(_) => Unsent::Stay,
        None => Unsent::Go,
    }
}

/// Begins to send rows, where they are sent anywhere.
fn ship(options: Options, news: Arc<Notify>) -> Result<Option<Arc<Line>>, OpenError> {
    let (Some(target), Some(file)) = (options.postgres, options.file) else {
        return Ok(None);
    };
    let connection = open(&file)?;
    let wrong = |error| OpenError::Sqlite(file.clone(), error);
    let shipper = Shipper::new(target, connection, file.clone(), options.now, news);
    let line = shipper.map_err(wrong)?.start().map_err(OpenError::Thread)?;
    Ok(Some(line))
}

/// Looks through the whole file beside the calls. Where it is damaged, no more calls are taken.
fn check_aside(path: PathBuf, desk: Arc<Desk>) -> Result<(), OpenError> {
    let thread = std::thread::Builder::new().name("ledger check".to_owned());
    let checked = move || {
        let found = open_to_read(&path).map_err(|error| error.to_string());
        let found = found.and_then(|connection| {
            let said = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
            said.map_err(|error: rusqlite::Error| error.to_string())
        });
        match found {
            Ok(said) if said == "ok" => tracing::info!("the ledger is sound"),
            Ok(said) | Err(said) => {
                let file = path.display();
                tracing::error!(%file, found = said, "the ledger is damaged; no call is taken");
                desk.fail();
            }
        }
    };
    thread.spawn(checked).map(drop).map_err(OpenError::Thread)
}
