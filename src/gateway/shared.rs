//! What all calls share.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

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

/// The running house.
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
    pub memory: Memory,
    /// The present.
    pub clock: Clock,
    /// What is going on now.
    pub load: Load,
    /// What routing knows.
    pub pilot: Pilot,
    /// The last receipts.
    pub receipts: Receipts,
    /// Where calls are noted before they are sent.
    pub ledger: Ledger,
    /// Shadow copies that are under way.
    pub copies: Copies,
    /// Streams that are read on without their client.
    pub drains: Drains,
    /// Calls that bear an idempotency key.
    pub desk: Desk,
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
