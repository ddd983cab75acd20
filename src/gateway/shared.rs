//! What all calls share.

use std::sync::Arc;
use std::time::Duration;

use crate::catalog::Catalog;
use crate::net::{Client, Entrance};
use crate::route::Known;
use crate::route::hint::{Hedge, Metadata, Rescue, Unknown};
use crate::store::{Counters, Ledger};

use super::clock::Clock;
use super::copies::Copies;
use super::drains::Drains;
use super::figures::Tallies;
use super::idempotent::desk::Desk;
use super::keyring::Keyring;
use super::load::Load;
use super::memory::Memory;
use super::pilot::Pilot;
use super::receipts::Receipts;
use super::site::Site;
use super::spans::Spans;
use super::wrong::Wrong;

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
    /// Who may call.
    pub keyring: Keyring,
    /// What is counted over calls.
    pub counters: Arc<Counters>,
    /// Calls that bear an idempotency key.
    pub desk: Arc<Desk>,
    /// What is counted for whoever watches.
    pub tallies: Tallies,
    /// The way in.
    pub entrance: Arc<Entrance>,
    /// To whom spans are told.
    pub spans: Arc<Spans>,
    /// Who has shown wrong keys.
    pub wrong: Arc<Wrong>,
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
    /// Where the figures are told.
    pub figures: Shown,
    /// How many calls may be in flight.
    pub in_flight: usize,
    /// How many may wait to be.
    pub queue: usize,
    /// How many bytes of bodies may be in memory.
    pub bodies: usize,
    /// How long open calls may go on once the house is told to end.
    pub drain: Duration,
    /// How long a plain model may be silent before its first word until help is called.
    pub ttft: Duration,
    /// The same between words.
    pub stall: Duration,
    /// What is done for a stream that dies.
    pub rescue: Rescue,
    /// Whether silence brings help.
    pub hedge: Hedge,
    /// How often one target is asked again within a call.
    pub retries: u32,
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
            figures: Shown::Here,
            in_flight: 4096,
            queue: 512,
            bodies: 512 << 20,
            drain: Duration::from_secs(30),
            ttft: Duration::from_secs(10),
            stall: Duration::from_secs(20),
            rescue: Rescue::Verified,
            hedge: Hedge::Auto,
            retries: 2,
            timeout: Duration::from_secs(595),
            idle: Duration::from_mins(5),
            total: Duration::from_hours(1),
            heartbeat: Duration::from_secs(15),
            commit_after: Duration::from_secs(45),
        }
    }
}

/// Where figures are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Where calls are answered.
    Here,
    /// At another address, or nowhere.
    Elsewhere,
}

impl Shared {
    /// The names that are known.
    #[must_use]
    pub fn known(&self) -> Known<'_> {
        Known {
            catalog: &self.catalog,
            on: &self.on,
        }
    }

    /// A provider that is on.
    #[must_use]
    pub fn site(&self, provider: &str) -> Option<&Site> {
        self.sites
            .iter()
            .find(|site| site.provider.name == provider)
    }
}
