//! Sends rows from the ledger of this node to PostgreSQL, in the order of their commits, until they have arrived.
//!
//! It has a thread, a connection to the ledger and a small runtime of its own: whatever PostgreSQL does, no call waits
//! for it.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;
use tokio_postgres::Client;

use crate::account::CallId;
use crate::store::kept::Kept;
use crate::store::spool::look;
use crate::store::sqlite::outbox::{empty, is_settled, node, take};
use crate::store::sqlite::sums::LATEST;
use crate::store::sqlite::writer::Now;

use super::door::{Refused, Target, connect};
use super::schema::migrate;
use super::{put, read};

/// Rows that are sent together.
const MANY: u32 = 500;
/// How long rows are gathered before they are sent.
const GATHER: Duration = Duration::from_millis(100);
/// How long PostgreSQL may take over what it was sent.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it may take to change its tables, or wait for another node that does.
const MIGRATION: Duration = Duration::from_mins(1);
/// How long an answer may take that somebody waits for.
const ANSWER: Duration = Duration::from_secs(2);
/// How soon it is asked again after a refusal, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How often it is told what is under way.
const OPEN_EVERY: Duration = Duration::from_secs(5);
/// Places of the file of open calls that are looked through for that.
const OPEN: u64 = 8_192;
/// How long the end waits for the last rows to arrive.
const LAST: Duration = Duration::from_secs(5);

/// What both sides of the sending share.
pub(crate) struct Line {
    /// Rung when rows were committed.
    news: Arc<Notify>,
    client: ArcSwapOption<Client>,
    closing: AtomicBool,
    through: Mutex<Option<oneshot::Receiver<()>>>,
}

/// The sender.
pub(crate) struct Shipper {
    target: Target,
    connection: Connection,
    /// The ledger, beside which the files of open calls are.
    file: PathBuf,
    node: String,
    line: Arc<Line>,
    now: Now,
    /// How many rows are sent together: fewer after a refusal of one of them.
    most: u32,
    /// Whether PostgreSQL was told of calls that may be over.
    told_open: bool,
    /// What it refused last, so that it is logged once.
    refused: Option<String>,
}

impl fmt::Debug for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Line")
            .field("open", &self.client.load().is_some())
            .finish_non_exhaustive()
    }
}

impl Line {
    /// What PostgreSQL has of a call.
    pub(crate) async fn find(&self, call: CallId) -> Result<Kept, Refused> {
        let client = self.client.load_full().ok_or(Refused::Gone)?;
        timeout(ANSWER, read::find(&client, call)).await?
    }

    /// Ends when what was committed has arrived, or PostgreSQL is away.
    pub(crate) async fn close(&self) {
        self.hang_up();
        let through = self.through.lock();
        let through = through.unwrap_or_else(PoisonError::into_inner).take();
        if let Some(through) = through
            && timeout(LAST, through).await.is_err()
        {
            tracing::warn!(
                "PostgreSQL is slow; rows that have not arrived are sent after the next start"
            );
        }
    }

    /// Ends without waiting.
    pub(crate) fn hang_up(&self) {
        self.closing.store(true, Ordering::Release);
        self.news.notify_one();
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}

impl Shipper {
    /// A sender for this ledger.
    pub(crate) fn new(
        target: Target,
        connection: Connection,
        file: PathBuf,
        now: Now,
        news: Arc<Notify>,
    ) -> rusqlite::Result<Self> {
        // What is forgotten after a power cut is sent again, and known there.
        connection.pragma_update(None, "synchronous", "normal")?;
        Ok(Self {
            target,
            node: node(&connection)?,
            connection,
            file,
            now,
            line: Arc::new(Line {
                news,
                client: ArcSwapOption::empty(),
                closing: AtomicBool::new(false),
                through: Mutex::new(None),
            }),
            most: MANY,
            told_open: true,
            refused: None,
        })
    }

    /// Begins to send.
    pub(crate) fn start(mut self) -> std::io::Result<Arc<Line>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let line = Arc::clone(&self.line);
        let (told, heard) = oneshot::channel();
        *line.through.lock().unwrap_or_else(PoisonError::into_inner) = Some(heard);
        let thread = std::thread::Builder::new().name("ledger ship".to_owned());
        thread.spawn(move || {
            runtime.block_on(self.run());
            self.line.client.store(None);
            drop(self);
            let _ = told.send(());
        })?;
        Ok(line)
    }

    async fn run(&mut self) {
        let mut pause = PAUSES.0;
        loop {
            let ended = self.session(&mut pause).await;
            self.line.client.store(None);
            let Err(refused) = ended else {
                return;
            };
            self.note(&refused);
            if self.line.is_closing() {
                return;
            }
            self.rest(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Sends for as long as PostgreSQL takes; well ended it was told to.
    async fn session(&mut self, pause: &mut Duration) -> Result<(), Refused> {
        let mut client = connect(&self.target).await?;
        timeout(MIGRATION, Box::pin(migrate(&mut client))).await??;
        let client = Arc::new(client);
        self.line.client.store(Some(Arc::clone(&client)));
        if self.refused.take().is_some() {
            tracing::info!(node = self.node, "PostgreSQL takes rows again");
        } else {
            tracing::info!(node = self.node, "rows go to PostgreSQL");
        }
        loop {
            // Whoever closes has committed all before.
            let closing = self.line.is_closing();
            while self.send(&client).await? {
                *pause = PAUSES.0;
            }
            timeout(PATIENCE, self.tell_open(&client)).await??;
            if closing {
                return Ok(());
            }
            if client.is_closed() {
                return Err(Refused::Gone);
            }
            self.wait(OPEN_EVERY).await;
            self.rest(GATHER).await;
        }
    }

    /// Sends some rows; says whether there may be more.
    async fn send(&mut self, client: &Client) -> Result<bool, Refused> {
        let Some(sheaf) = take(&self.connection, self.most, &self.node)? else {
            return Ok(false);
        };
        let sent = timeout(PATIENCE, put::sheaf(client, &sheaf)).await;
        match sent.map_err(Refused::from).flatten() {
            Ok(()) => {}
            // One of them is at fault: fewer are sent until it is alone.
            Err(error) if error.is_of_rows() && sheaf.places > 1 => {
                self.most = (sheaf.places / 2).max(1);
                return Ok(true);
            }
            Err(error) if error.is_of_rows() => {
                let row = sheaf.attempts.first().or_else(|| sheaf.calls.first());
                tracing::error!(%error, ?row, "a row is not taken by PostgreSQL and stays in the ledger of this node");
            }
            Err(error) => return Err(error),
        }
        empty(&self.connection, &sheaf)?;
        let more = sheaf.places == self.most;
        self.most = (self.most * 2).min(MANY);
        Ok(more)
    }

    /// Tells what is under way here.
    async fn tell_open(&mut self, client: &Client) -> Result<(), Refused> {
        let now = (self.now)();
        let mut open = look(&self.file, OPEN);
        // A place that is free still has its last call in it, whose row may have grown old and gone.
        open.retain(|intent| intent.at >= now.saturating_sub(LATEST));
        let mut failed = None;
        open.retain(|intent| match is_settled(&self.connection, intent) {
            Ok(settled) => !settled,
            Err(error) => {
                failed = Some(error);
                false
            }
        });
        if let Some(error) = failed {
            return Err(error.into());
        }
        if open.is_empty() && !self.told_open {
            return Ok(());
        }
        let seen = i64::try_from(now).unwrap_or(i64::MAX);
        put::open(client, &self.node, seen, &open).await?;
        self.told_open = !open.is_empty();
        Ok(())
    }

    /// Waits for news or the end, for so long.
    async fn wait(&self, most: Duration) {
        let _ = timeout(most, self.line.news.notified()).await;
    }

    /// Waits so long, or for the end.
    async fn rest(&self, length: Duration) {
        let closing = async {
            while !self.line.is_closing() {
                self.line.news.notified().await;
            }
        };
        let _ = timeout(length, closing).await;
    }

    fn note(&mut self, refused: &Refused) {
        let said = refused.to_string();
        if self.refused.as_deref() != Some(&said) {
            tracing::error!(
                error = said,
                "PostgreSQL takes no rows; they are kept in the ledger of this node and sent once it does"
            );
            self.refused = Some(said);
        }
    }
}
