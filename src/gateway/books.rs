//! What a call holds of the ledger: its place, and the attempt that is out.

use std::time::Duration;

use crate::account::entry::{End, Party};
use crate::account::{CallRow, Intent, Money};
use crate::chat::{Code, Error};
use crate::store::{Away, Entry, Ledger, Slot, Sync};

/// A call's part of the ledger. Dropped with an attempt that is out, that one is lost.
#[derive(Debug, Default)]
pub struct Books {
    slot: Option<Slot>,
    entry: Option<Entry>,
    /// When the attempt that is out began, from the call's beginning on.
    pub began: Duration,
    /// Whose the call is.
    pub party: Party,
    /// How many attempts were written down.
    pub attempts: u32,
    /// What those that have ended came to.
    pub spent: Money,
}

impl Books {
    /// Takes a place for a call that begins.
    ///
    /// # Errors
    /// Where the ledger takes none: nothing was sent, and the call may be sent again.
    pub fn open(ledger: &Ledger) -> Result<Self, Error> {
        let slot = ledger.slot().map_err(unavailable)?;
        Ok(Self {
            slot,
            ..Self::default()
        })
    }

    /// Those of one attempt that outlives its call.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self {
            party: self.party.clone(),
            attempts: 1,
            ..Self::default()
        }
    }

    /// Promises of its notes what a key asks for.
    pub fn promise(&mut self, sync: Sync) {
        if let Some(slot) = &mut self.slot {
            slot.promise(sync);
        }
    }

    /// Whether anything is to be written down.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        self.slot.is_some()
    }

    /// Writes down an attempt, so that it may be sent.
    ///
    /// # Errors
    /// Where the ledger does not take it.
    pub async fn intend(&mut self, intent: Intent) -> Result<(), Error> {
        let Some(slot) = &mut self.slot else {
            return Ok(());
        };
        self.entry = Some(slot.intent(intent).await.map_err(unavailable)?);
        self.attempts += 1;
        Ok(())
    }

    /// Takes the attempt that is out aside, with its beginning.
    pub const fn set_aside(&mut self) -> (Option<Entry>, Duration) {
        (self.entry.take(), self.began)
    }

    /// Goes on with an attempt that was set aside.
    pub fn take_up(&mut self, (entry, began): (Option<Entry>, Duration)) {
        (self.entry, self.began) = (entry, began);
    }

    /// What was written down of the attempt that is out.
    #[must_use]
    pub fn intent(&self) -> Option<&Intent> {
        self.entry.as_ref().and_then(Entry::intent)
    }

    /// The attempt that is out has ended.
    pub fn settle(&mut self, end: End) {
        if let Some(entry) = self.entry.take() {
            let cost = end.paid.cost.unwrap_or(Money::ZERO);
            self.spent = self.spent.plus(cost);
            entry.settle(end);
        }
    }

    /// What the attempts come to with one more that ends now.
    #[must_use]
    pub fn spent_with(&self, end: Option<&End>) -> Money {
        let cost = end.and_then(|end| end.paid.cost);
        self.spent.plus(cost.unwrap_or(Money::ZERO))
    }
}

/// The last rows of a call, ready to be left once its receipt is kept: whoever asks finds one or the other.
#[derive(Debug, Default)]
pub struct Closing {
    /// What the call holds.
    pub books: Books,
    /// How the attempt that is out ended.
    pub end: Option<End>,
    /// The row of the call.
    pub row: Option<CallRow>,
}

impl Closing {
    /// Leaves the rows. A call that sent nothing has none.
    pub fn leave(mut self) {
        if let Some(end) = self.end {
            self.books.settle(end);
        }
        if let (Some(slot), Some(row)) = (self.books.slot.take(), self.row)
            && self.books.attempts > 0
        {
            slot.close(row);
        }
    }
}

fn unavailable(away: Away) -> Error {
    let message =
        format!("Nothing was sent, as the ledger cannot note it: {away}. Try again in a moment.");
    Error::new(Code::LedgerUnavailable, message)
}
