//! The one writer: a thread that commits what calls have left, many rows at once.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tokio::sync::oneshot;

use crate::store::desk::{Batch, Desk, Row, Standing};

use super::rows::{put_attempt, put_call};
use super::sweep::{Unsent, keep_last, sweep};

/// How soon a commit that failed is tried again.
const AGAIN: Duration = Duration::from_millis(250);
/// How often old rows are looked for.
const SWEEP: Duration = Duration::from_mins(10);
/// How often a commit is tried at the end before its rows are given up.
const LAST_TRIES: u32 = 8;
/// Rows of a ledger that ends with the process.
const IN_MEMORY: u32 = 10_000;
/// Rows after which those are counted again.
const COUNT_AFTER: usize = 1_000;

/// What it is told of rows that grow old.
pub(crate) enum Keeping {
    /// Rows are kept so long, by this clock's milliseconds.
    For(Duration, Now, Unsent),
    /// The last rows are kept.
    Last,
}

/// Unix milliseconds.
pub(crate) type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

pub(crate) struct Writer {
    desk: Arc<Desk>,
    connection: Connection,
    keeping: Keeping,
    /// Rows that are not committed yet.
    pending: Vec<Row>,
    swept: u64,
    sweeps: bool,
    since_count: usize,
}

/// However the thread ends, calls learn that nobody writes any more.
struct Gone(Arc<Desk>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Writer {
    pub(crate) fn new(desk: Arc<Desk>, connection: Connection, keeping: Keeping) -> Self {
        Self {
            desk,
            connection,
            keeping,
            pending: Vec::new(),
            swept: 0,
            sweeps: true,
            since_count: 0,
        }
    }

    /// Writes until the desk is closed; gives back whom to tell once all that this thread held is let go.
    pub(crate) fn run(mut self) -> oneshot::Sender<()> {
        let _gone = Gone(Arc::clone(&self.desk));
        loop {
            let patience = if self.pending.is_empty() {
                SWEEP
            } else {
                AGAIN
            };
            let patience = if self.sweeps { AGAIN } else { patience };
            let mut batch = self.desk.next(patience);
            let closing = batch.closing.take();
            self.serve(batch);
            if let Some(told) = closing {
                self.finish();
                return told;
            }
            self.sweep();
        }
    }

    fn serve(&mut self, batch: Batch) {
        self.pending.extend(batch.rows);
        if self.desk.sync().is_ok() {
            for wait in batch.waits {
                let _ = wait.send(());
            }
        }
        self.commit();
        for job in batch.jobs {
            job(&mut self.connection);
        }
    }

    /// Commits all that is pending. What cannot be committed now is kept.
    fn commit(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        match write(&mut self.connection, &self.pending) {
            Ok(()) => {
                if self.desk.note(Standing::Well) {
                    tracing::info!(rows = self.pending.len(), "the ledger takes rows again");
                }
                self.committed();
            }
            Err(error) if is_of_a_row(&error) => self.one_by_one(),
            Err(error) => {
                if self.desk.note(Standing::Away) {
                    tracing::error!(%error, rows = self.pending.len(), "the ledger takes no rows; they are kept and tried again");
                }
            }
        }
    }

    fn committed(&mut self) {
        self.desk.news.notify_one();
        self.since_count += self.pending.len();
        for row in self.pending.drain(..) {
            if let Row::Attempt(place, _) = row {
                self.desk.free(place);
            }
        }
        // After a burst.
        self.pending.shrink_to(COUNT_AFTER);
    }

    /// A row that can never be written must not hold up the others.
    fn one_by_one(&mut self) {
        let rows = std::mem::take(&mut self.pending);
        for row in rows {
            let one = [row];
            let written = write(&mut self.connection, &one);
            let [row] = one;
            match written {
                Ok(()) => self.desk.news.notify_one(),
                Err(error) if is_of_a_row(&error) => {
                    tracing::error!(%error, ?row, "a row cannot be written and is told here instead");
                }
                Err(_) => {
                    self.pending.push(row);
                    continue;
                }
            }
            if let Row::Attempt(place, _) = row {
                self.desk.free(place);
            }
        }
    }

    fn sweep(&mut self) {
        let swept = match &self.keeping {
            Keeping::For(span, now, unsent) => {
                let now = now();
                let interval = u64::try_from(SWEEP.as_millis()).unwrap_or(u64::MAX);
                if !self.sweeps && now.saturating_sub(self.swept) < interval {
                    return;
                }
                self.swept = now;
                let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
                sweep(&self.connection, now.saturating_sub(span), *unsent)
            }
            Keeping::Last if self.since_count >= COUNT_AFTER => {
                self.since_count = 0;
                keep_last(&self.connection, IN_MEMORY).map(|()| false)
            }
            Keeping::Last => Ok(false),
        };
        self.sweeps = swept.unwrap_or_else(|error| {
            tracing::warn!(%error, "old rows of the ledger stay for now");
            false
        });
    }

    /// The last commit, and a tidy file.
    fn finish(&mut self) {
        for _ in 0..LAST_TRIES {
            if self.pending.is_empty() {
                break;
            }
            std::thread::sleep(AGAIN);
            self.commit();
        }
        if !self.pending.is_empty() {
            tracing::error!(
                rows = self.pending.len(),
                "rows of the ledger were not taken to the end; their calls are found again as unknown"
            );
            return;
        }
        let _ = self
            .connection
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
        self.desk.forget();
    }
}

fn write(connection: &mut Connection, rows: &[Row]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for row in rows {
        match row {
            Row::Attempt(_, attempt) => {
                put_attempt(&transaction, attempt)?;
            }
            Row::Call(call) => put_call(&transaction, call)?,
        }
    }
    transaction.commit()
}

/// Whether it is the row's fault, and not that of disk or file.
fn is_of_a_row(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig)
    )
}
