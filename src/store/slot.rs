//! What a call holds of the ledger: a place from its admission on, and an entry for each attempt that is out.

use std::sync::Arc;

use crate::account::entry::End;
use crate::account::{Attempt, CallRow, Intent};

use super::desk::{Away, Desk, Row, Sync};

/// A call's place. It is taken at admission, so that its first attempt cannot find the ledger crowded.
#[derive(Debug)]
pub struct Slot {
    desk: Arc<Desk>,
    place: Option<u32>,
    sync: Sync,
    /// Whether the place holds an attempt that is not out.
    written: bool,
}

impl Slot {
    pub(super) fn take(desk: &Arc<Desk>) -> Result<Self, Away> {
        let place = desk.place()?;
        Ok(Self {
            desk: Arc::clone(desk),
            place: Some(place),
            sync: desk.sync,
            written: false,
        })
    }

    /// Promises something else than usual: a key may ask for more.
    pub fn promise(&mut self, sync: Sync) {
        self.sync = sync;
    }

    /// Writes down an attempt; when this returns well, it may be sent.
    ///
    /// # Errors
    /// Where it cannot be written down. Then it may not be sent.
    pub async fn intent(&mut self, intent: Intent) -> Result<Entry, Away> {
        let place = match self.place {
            Some(place) => place,
            None => *self.place.insert(self.desk.place()?),
        };
        // Until it is out, the place stays the call's own: whoever goes away now has sent nothing.
        match self.sync {
            Sync::Off => {}
            Sync::Balanced => self.write(place, &intent)?,
            Sync::Full => {
                self.write(place, &intent)?;
                self.desk.durable().await?;
            }
        }
        self.written = false;
        self.place = None;
        Ok(Entry {
            desk: Arc::clone(&self.desk),
            place,
            intent: Some(Box::new(intent)),
        })
    }

    fn write(&mut self, place: u32, intent: &Intent) -> Result<(), Away> {
        self.written = true;
        self.desk.write(place, intent)
    }

    /// Leaves the row of the whole call.
    pub fn close(self, row: CallRow) {
        self.desk.leave(Row::Call(Box::new(row)));
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            if self.written {
                self.desk.erase(place);
            }
            self.desk.free(place);
        }
    }
}

/// An attempt that is out. Dropped without a settlement it is lost, and held at what it can cost at most.
#[derive(Debug)]
pub struct Entry {
    desk: Arc<Desk>,
    place: u32,
    intent: Option<Box<Intent>>,
}

impl Entry {
    /// What was written down.
    #[must_use]
    pub fn intent(&self) -> Option<&Intent> {
        self.intent.as_deref()
    }

    /// Leaves the row of the attempt. It never waits and cannot fail.
    pub fn settle(mut self, end: End) {
        self.finish(end);
    }

    fn finish(&mut self, end: End) {
        if let Some(intent) = self.intent.take() {
            let intent = *intent;
            self.desk
                .leave(Row::Attempt(self.place, Box::new(Attempt { intent, end })));
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(bound) = self.intent.as_ref().map(|intent| intent.bound) {
            self.finish(End::unheard("lost", bound));
        }
    }
}
