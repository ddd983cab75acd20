//! What all calls share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::catalog::Catalog;
use crate::net::Client;
use crate::route::hint::{Metadata, Unknown};
use crate::store::Ledger;

use super::clock::Clock;
use super::copies::Copies;
use super::drains::Drains;
use super::idempotent::desk::Desk;
use super::memory::Memory;
use super::pilot::Pilot;
use super::receipts::Receipts;
use super::site::Site;

/// The running house under one configuration. What lives on when another one takes its place is shared with that.
#[derive(Debug)]
pub struct Shared {
    /// Who exists and what they sell.
    pub catalog: Catalog,
    /// The providers that are on, in the order of preference.
    pub sites: Vec<Site>,
    /// Their names, in the same order.
    pub on: Vec<String>,
    /// What the configuration says.
    pub settings: Settings,
    /// The way to providers.
    pub client: Client,
    /// State of turns.
    pub memory: Arc<Memory>,
    /// The present.
    pub clock: Clock,
    /// What is going on now.
    pub load: Arc<Load>,
    /// What routing knows.
    pub pilot: Arc<Pilot>,
    /// The last receipts.
    pub receipts: Arc<Receipts>,
    /// Where calls are noted before they are sent.
    pub ledger: Ledger,
    /// Shadow copies that are under way.
    pub copies: Arc<Copies>,
    /// Streams that are read on without their client.
    pub drains: Arc<Drains>,
    /// Calls that bear an idempotency key.
    pub desk: Arc<Desk>,
}

/// Limits and defaults of every call.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Whether callers bring their own provider key.
    pub passthrough: bool,
    /// What to do with hints that are not known.
    pub unknown_hints: Unknown,
    /// How much answers tell unless the caller says otherwise.
    pub metadata: Metadata,
    /// Longest body, in bytes.
    pub body: usize,
    /// How long a body may pause.
    pub body_idle: Duration,
    /// How many calls may be in flight.
    pub in_flight: usize,
    /// How long open calls may go on once the house is told to end.
    pub drain: Duration,
    /// The time to the first event of a stream, or for the whole of an answer.
    pub timeout: Duration,
    /// How long a stream may be silent.
    pub idle: Duration,
    /// How long a stream may take in all.
    pub total: Duration,
    /// Silence after which a comment is sent; zero sends none.
    pub heartbeat: Duration,
    /// Silence after which a stream's head is sent before its first event; zero waits.
    pub commit_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            passthrough: false,
            unknown_hints: Unknown::Reject,
            metadata: Metadata::Summary,
            body: 32 * 1024 * 1024,
            body_idle: Duration::from_secs(15),
            in_flight: 4096,
            drain: Duration::from_secs(30),
            timeout: Duration::from_secs(595),
            idle: Duration::from_mins(5),
            total: Duration::from_hours(1),
            heartbeat: Duration::from_secs(15),
            commit_after: Duration::from_secs(45),
        }
    }
}

/// Counts of what is going on now.
#[derive(Debug, Default)]
pub struct Load {
    in_flight: AtomicUsize,
    draining: AtomicBool,
    cut: AtomicBool,
    ending: CancellationToken,
}

impl Load {
    /// Takes a place for one call; given back when dropped.
    pub fn enter(&self, limit: usize) -> Option<()> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        if before >= limit {
            self.leave();
            return None;
        }
        Some(())
    }

    /// Gives a place back.
    pub fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Says that no new calls are wanted.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether no new calls are wanted.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Says that what still goes on has to end.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.ending.cancel();
    }

    /// Whether what still goes on has to end.
    pub fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    /// Does some work, unless it has to end before it is done.
    pub async fn unless_cut<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.ending.run_until_cancelled(work).await
    }

    /// How many calls there are.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// A provider that is on.
    #[must_use]
    pub fn site(&self, provider: &str) -> Option<&Site> {
        self.sites
            .iter()
            .find(|site| site.provider.name == provider)
    }
}
