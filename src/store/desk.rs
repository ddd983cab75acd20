//! Where calls leave their rows and the one writer picks them up.
//!
//! A call has its place before it begins, so leaving a row cannot fail and never waits; the places bound what the desk
//! holds while the disk is away.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

use crate::account::key::Promise;
use crate::account::{Attempt, CallRow, Intent};

use super::spool::Spool;

/// How long rows are gathered before they are committed together.
const GATHER: Duration = Duration::from_millis(80);
/// Rows that are not waited beyond.
const MANY: usize = 4_096;

/// What a row promises when a call goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sync {
    /// It survives the process; the disk has it at most 100 ms later.
    #[default]
    Balanced,
    /// The disk has it.
    Full,
    /// Nothing.
    Off,
}

impl From<Promise> for Sync {
    fn from(promise: Promise) -> Self {
        match promise {
            Promise::Off => Self::Off,
            Promise::Balanced => Self::Balanced,
            Promise::Full => Self::Full,
        }
    }
}

/// The ledger takes no row, so nothing may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Away {
    /// More is open than it keeps: calls that run, or rows that the disk does not take.
    Crowded,
    /// The disk does not take what is about to be sent.
    Disk(std::io::ErrorKind),
    /// It was closed, or has failed for good.
    Closed,
    /// It is not here, and the store of all nodes does not answer.
    Far,
}

impl fmt::Display for Away {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crowded => {
                formatter.write_str("it has no place left: the disk has not taken earlier rows")
            }
            Self::Disk(kind) => write!(formatter, "the disk refuses it ({kind})"),
            Self::Closed => formatter.write_str("it is closed, or its disk has failed"),
            Self::Far => formatter
                .write_str("PostgreSQL does not answer, and this node has calls of its own only"),
        }
    }
}

/// Something for the writer to keep.
#[derive(Debug)]
pub(super) enum Row {
    /// An attempt, and the place that its intent has.
    Attempt(u32, Box<Attempt>),
    /// A call.
    Call(Box<CallRow>),
}

/// Work on the connection, between commits.
pub(super) type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// What the writer takes at once.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) rows: Vec<Row>,
    pub(super) jobs: Vec<Job>,
    /// Those who wait until the disk has the intents.
    pub(super) waits: Vec<oneshot::Sender<()>>,
    /// Told when the writer is through; its presence says that it should end.
    pub(super) closing: Option<oneshot::Sender<()>>,
    idle: bool,
}

/// The desk.
pub struct Desk {
    queue: Mutex<Batch>,
    bell: Condvar,
    /// Rung after each commit.
    pub(super) news: Arc<Notify>,
    places: Mutex<Places>,
    spool: Option<Spool>,
    /// What is promised where a call does not say otherwise.
    pub(super) sync: Sync,
    unsynced: AtomicBool,
    away: AtomicBool,
    /// No new calls are taken.
    closed: AtomicBool,
    /// The disk once could not keep an intent.
    failed: AtomicBool,
    /// Nobody writes any more.
    dead: AtomicBool,
}

#[derive(Debug)]
struct Places {
    free: Vec<u32>,
    next: u32,
    most: u32,
}

impl fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Desk")
            .field("open", &self.open())
            .finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk with so many places; without a spool nothing outlasts the process.
    pub(super) fn new(spool: Option<Spool>, sync: Sync, most: u32) -> Self {
        Self {
            queue: Mutex::default(),
            bell: Condvar::new(),
            news: Arc::default(),
            places: Mutex::new(Places {
                free: Vec::new(),
                next: 0,
                most,
            }),
            spool,
            sync,
            unsynced: AtomicBool::new(false),
            away: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            dead: AtomicBool::new(false),
        }
    }

    /// A place that is free.
    pub(super) fn place(&self) -> Result<u32, Away> {
        if self.is_closed() {
            return Err(Away::Closed);
        }
        let mut places = held(&self.places);
        if let Some(place) = places.free.pop() {
            return Ok(place);
        }
        if places.next == places.most {
            return Err(Away::Crowded);
        }
        places.next += 1;
        Ok(places.next - 1)
    }

    /// Gives a place back.
    pub(super) fn free(&self, place: u32) {
        held(&self.places).free.push(place);
    }

    /// How many places are taken.
    pub(super) fn open(&self) -> usize {
        let places = held(&self.places);
        usize::try_from(places.next).map_or(0, |next| next.saturating_sub(places.free.len()))
    }

    /// Writes down what is about to be sent; safe from a killed process when it returns.
    pub(super) fn write(&self, place: u32, intent: &Intent) -> Result<(), Away> {
        let Some(spool) = &self.spool else {
            return Ok(());
        };
        spool.put(place, intent).map_err(|error| {
            if !self.away.swap(true, Ordering::Relaxed) {
                tracing::error!(%error, file = %spool.path().display(), "the ledger cannot be written");
            }
            Away::Disk(error.kind())
        })?;
        if !self.unsynced.swap(true, Ordering::AcqRel) {
            self.ring(&held(&self.queue));
        }
        Ok(())
    }

    /// Unwrites what was not sent after all.
    pub(super) fn erase(&self, place: u32) {
        if let Some(spool) = &self.spool {
            let _ = spool.erase(place);
        }
    }

    /// Waits until the disk has all that was written down before.
    pub(super) async fn durable(&self) -> Result<(), Away> {
        let (told, heard) = oneshot::channel();
        self.press(|queue| queue.waits.push(told))?;
        heard.await.map_err(|_| Away::Closed)
    }

    /// Leaves a row.
    pub(super) fn leave(&self, row: Row) {
        let mut queue = held(&self.queue);
        queue.rows.push(row);
        if queue.rows.len() == MANY {
            self.bell.notify_one();
        }
        self.ring(&queue);
    }

    /// Leaves work that is done after every row that was left before it.
    pub(super) fn ask(&self, job: Job) -> Result<(), Away> {
        self.press(|queue| queue.jobs.push(job))
    }

    /// Takes no more calls, and tells when the writer is through; `None` where there is none.
    pub(super) fn close(&self) -> Option<oneshot::Receiver<()>> {
        let (told, heard) = oneshot::channel();
        self.closed.store(true, Ordering::Release);
        self.press(|queue| queue.closing = Some(told)).ok()?;
        Some(heard)
    }

    /// Leaves what somebody waits for, where there is a writer.
    fn press(&self, put: impl FnOnce(&mut Batch)) -> Result<(), Away> {
        let mut queue = held(&self.queue);
        if self.dead.load(Ordering::Acquire) {
            return Err(Away::Closed);
        }
        put(&mut queue);
        self.bell.notify_one();
        Ok(())
    }

    fn ring(&self, queue: &MutexGuard<'_, Batch>) {
        if queue.idle {
            self.bell.notify_one();
        }
    }

    /// Whether rows are not committed now: they are kept and tried again.
    pub(super) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed) || self.is_closed()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// The writer's side.
impl Desk {
    /// Waits for something to do, for so long, and then a moment for more of it.
    pub(super) fn next(&self, patience: Duration) -> Batch {
        let mut queue = held(&self.queue);
        queue.idle = true;
        let nothing = |queue: &mut Batch| {
            let unsynced = self.unsynced.load(Ordering::Acquire);
            queue.rows.is_empty() && !queue.is_pressing() && !unsynced
        };
        let waited = self.bell.wait_timeout_while(queue, patience, nothing);
        let mut queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        queue.idle = false;
        let gathers = |queue: &mut Batch| !queue.is_pressing() && queue.rows.len() < MANY;
        let waited = self.bell.wait_timeout_while(queue, GATHER, gathers);
        std::mem::take(&mut *waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Brings the intents to the disk. After a failure the disk is not trusted again, as it may have forgotten what it
    /// could not write.
    pub(super) fn sync(&self) -> Result<(), Away> {
        let Some(spool) = &self.spool else {
            return Ok(());
        };
        if self.failed.load(Ordering::Acquire) {
            return Err(Away::Closed);
        }
        if !self.unsynced.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        spool.sync().map_err(|error| {
            self.failed.store(true, Ordering::Release);
            tracing::error!(%error, file = %spool.path().display(), "the disk of the ledger has failed; no call is taken");
            self.fail();
            Away::Closed
        })
    }

    /// Takes no more calls.
    pub(super) fn fail(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Says that nobody writes any more, to those who wait as well.
    pub(super) fn abandon(&self) {
        self.fail();
        self.dead.store(true, Ordering::Release);
        let left = std::mem::take(&mut *held(&self.queue));
        drop(left);
    }

    /// Notes whether the last commit went well; says whether that is news.
    pub(super) fn note(&self, away: Standing) -> bool {
        let away = away == Standing::Away;
        self.away.swap(away, Ordering::Relaxed) != away
    }

    /// Forgets the intents, where all have their row.
    pub(super) fn forget(&self) {
        if let Some(spool) = &self.spool
            && self.open() == 0
            && let Err(error) = spool.clear()
        {
            tracing::warn!(%error, "the file of open calls cannot be emptied");
        }
    }
}

/// Whether rows are committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// They are.
    Well,
    /// They are kept and tried again.
    Away,
}

impl Batch {
    /// Whether somebody waits.
    fn is_pressing(&self) -> bool {
        !self.jobs.is_empty() || !self.waits.is_empty() || self.closing.is_some()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
