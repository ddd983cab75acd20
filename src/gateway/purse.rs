//! What a call holds of the purses that it is paid from: reserved before each attempt, extended as a stream goes on,
//! settled at its end. An attempt that is out and of which nobody hears any more is held to have cost what it holds.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use crate::account::{Meter, Money};
use crate::store::Counters;
use crate::store::counters::{Due, Lacking, Want};

use super::clock::Clock;
use super::failed::Lost;
use super::watch::may_be_billed;

/// How long a call waits for what others give back, over all of its attempts.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a stream in its midst waits for what others give back, each time that a purse has nothing more.
const PAUSE: Duration = Duration::from_secs(1);

/// Tokens of output that a stream's first slice is for.
pub const FIRST: u64 = 32;

/// Slices grow up to so many tokens.
const LARGEST: u64 = 4_096;

/// What a call holds.
#[derive(Debug)]
pub struct Hold {
    counters: Arc<Counters>,
    clock: Clock,
    dues: Arc<[Due]>,
    /// Reserved for the attempt that is under way.
    held: Money,
    /// What lost attempts may have cost.
    kept: Money,
    lease: Option<Lease>,
    /// The next slice of the lease, where it has been asked for.
    asked: Option<Slice>,
    until: Option<Instant>,
    /// Whether an attempt may be under way.
    out: bool,
}

/// What lets a stream be paid slice by slice.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// What it may cost at most, whatever the purses hold.
    pub cap: Money,
    /// What keeps it within that.
    pub kept_by: KeptBy,
    /// Tokens of output that the next slice is for.
    pub slice: u64,
}

/// What keeps a stream within what it may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptBy {
    /// Its meter: it is cut there.
    Meter,
    /// Its output limit: once all of that is reserved there is nothing to count any more. A meter may count more than
    /// there is, and would cut what is well within.
    Limit,
}

/// Whether a stream that has used up its slices may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Further {
    /// Up to this ceiling.
    To(Money),
    /// It has reached its own cap.
    Capped,
    /// A purse has nothing left.
    Spent(Lacking),
}

/// A slice that is asked for.
struct Slice {
    /// Whether it is the last that is ever needed.
    last: bool,
    answer: Pin<Box<dyn Future<Output = Result<Money, Lacking>> + Send + Sync>>,
}

impl fmt::Debug for Slice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Slice")
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

impl Hold {
    /// A hold on nothing yet.
    #[must_use]
    pub const fn new(counters: Arc<Counters>, clock: Clock, dues: Arc<[Due]>) -> Self {
        Self {
            counters,
            clock,
            dues,
            held: Money::ZERO,
            kept: Money::ZERO,
            lease: None,
            asked: None,
            until: None,
            out: false,
        }
    }

    /// Reserves what an attempt may cost, or the first slice of it. What others give back is waited for, but not long.
    ///
    /// # Errors
    /// The purse that has not so much.
    pub async fn reserve(&mut self, sum: Money, lease: Option<Lease>) -> Result<(), Lacking> {
        let now = self.clock.now();
        let until = *self.until.get_or_insert(now + PATIENCE);
        let patience = until.saturating_duration_since(now);
        let unix = self.clock.unix();
        let reserved = self.counters.reserve(&self.dues, sum, unix, patience).await;
        reserved?;
        (self.held, self.lease) = (sum, lease);
        Ok(())
    }

    /// The attempt goes upstream next.
    pub const fn goes_out(&mut self) {
        self.out = true;
    }

    /// What the attempt that is under way may cost, as far as that is reserved; `None` where nothing is.
    #[must_use]
    pub fn most(&self) -> Option<Money> {
        (!self.held.is_zero()).then_some(self.held)
    }

    /// Extends the lease of a stream whose meter is over.
    pub fn poll_extend(&mut self, meter: &Meter, cx: &mut Context<'_>) -> Poll<Further> {
        let Some(slice) = self.asked.take().or_else(|| self.ask(meter)) else {
            return Poll::Ready(Further::Capped);
        };
        let slice = self.asked.insert(slice);
        let (last, given) = (slice.last, ready!(slice.answer.as_mut().poll(cx)));
        self.asked = None;
        Poll::Ready(match given {
            Ok(given) => {
                self.held = self.held.plus(given);
                Further::To(if last { Money::MAX } else { self.held })
            }
            Err(lacking) => Further::Spent(lacking),
        })
    }

    /// Asks for the next slice; `None` where the stream has reached its cap.
    fn ask(&mut self, meter: &Meter) -> Option<Slice> {
        let lease = self.lease.as_mut()?;
        let next = meter.due_after(1);
        let last = next > lease.cap;
        if last && lease.kept_by == KeptBy::Meter {
            return None;
        }
        let least = next.min(lease.cap).minus(self.held);
        let wanted = meter.due_after(lease.slice).min(lease.cap);
        let want = Want {
            least,
            wanted: wanted.minus(self.held).max(least),
            mine: self.held.plus(self.kept),
        };
        lease.slice = lease.slice.saturating_mul(2).min(LARGEST);
        let (counters, dues) = (Arc::clone(&self.counters), Arc::clone(&self.dues));
        let now = self.clock.unix();
        let answer = Box::pin(async move { counters.take(&dues, want, now, PAUSE).await });
        Some(Slice { last, answer })
    }

    /// The attempt was lost: what it may have cost stays, the rest comes back.
    pub fn lost(&mut self, lost: &Lost) {
        (self.lease, self.asked, self.out) = (None, None, false);
        let held = std::mem::take(&mut self.held);
        if may_be_billed(lost) {
            self.kept = self.kept.plus(held);
        } else if !held.is_zero() {
            let now = self.clock.unix();
            self.counters.settle(&self.dues, (held, Money::ZERO), now);
        }
    }

    /// The last attempt is over and has cost so much; where nobody knows, what is held for it.
    pub fn settle(&mut self, cost: Option<Money>) {
        let unheard = if self.out { self.held } else { Money::ZERO };
        let reserved = self.held.plus(self.kept);
        let cost = self.kept.plus(cost.unwrap_or(unheard));
        (self.held, self.kept) = (Money::ZERO, Money::ZERO);
        (self.lease, self.asked, self.out) = (None, None, false);
        if !(reserved.is_zero() && cost.is_zero()) {
            let now = self.clock.unix();
            self.counters.settle(&self.dues, (reserved, cost), now);
        }
    }
}

impl Drop for Hold {
    /// However the call ended. What was settled before is settled with nothing more.
    fn drop(&mut self) {
        self.settle(None);
    }
}
