//! What a house is made of, whether it serves or only plans.

use std::path::Path;
use std::sync::Arc;

use crate::config::{self, Auth, Config};
use crate::gateway::clock::Clock;
use crate::gateway::copies::Copies;
use crate::gateway::drains::Drains;
use crate::gateway::figures::{Figures, Tallies};
use crate::gateway::idempotent::desk::Desk;
use crate::gateway::keyring::{Door, Keyring};
use crate::gateway::load::Load;
use crate::gateway::memory::Memory;
use crate::gateway::pilot::Pilot;
use crate::gateway::receipts::Receipts;
use crate::gateway::site::BadSite;
use crate::gateway::spans::Spans;
use crate::gateway::state;
use crate::gateway::{Settings, Shared, Shown, Site};
use crate::net::{Client, Entrance, Terms};
use crate::route::health::Snapshot;
use crate::route::hint::{Hedge, Metadata, Rescue, Unknown};
use crate::store::{Counters, Ledger};

/// How much state of turns is kept, in bytes.
const MEMORY: u64 = 64 * 1024 * 1024;

/// How much of the last receipts is kept, in bytes.
const RECEIPTS: usize = 16 * 1024 * 1024;
/// What a house is made of beside its configuration.
#[derive(Debug)]
pub struct Found {
    /// The providers that are on.
    pub sites: Vec<Site>,
    /// The way to them.
    pub client: Client,
    /// The present.
    pub clock: Clock,
    /// Where calls are noted.
    pub ledger: Ledger,
    /// What is counted.
    pub figures: Figures,
    /// The way in.
    pub entrance: Arc<Entrance>,
    /// Where figures are told.
    pub shown: Shown,
    /// What is counted over calls.
    pub counters: Counters,
    /// To whom spans are told.
    pub spans: Arc<Spans>,
}

/// What all calls share, with what was learned before a restart; says whether anything was.
#[must_use]
pub fn shared(config: Config, found: Found, state: Option<&Path>) -> (Shared, Learned) {
    let (snapshot, note) = state.map(state::read).unwrap_or_default();
    if let Some(note) = note {
        tracing::warn!(note, "statistics");
    }
    let learned = if snapshot == Snapshot::default() {
        Learned::Nothing
    } else {
        Learned::Something
    };
    let Found {
        sites,
        client,
        clock,
        ledger,
        figures,
        entrance,
        shown,
        counters,
        spans,
    } = found;
    let on = sites.iter().map(|site| &site.provider);
    let pilot = Arc::new(Pilot::new(on, config.routing.clone(), &snapshot));
    let shared = Shared {
        tallies: Tallies::of(figures, &pilot, &sites),
        entrance,
        pilot,
        receipts: Arc::new(Receipts::new(RECEIPTS)),
        copies: Arc::new(Copies::default()),
        drains: Arc::new(Drains::default()),
        desk: Arc::new(Desk::default()),
        ledger,
        on: names(&sites),
        keyring: keyring(&config),
        counters: Arc::new(counters),
        sites,
        settings: settings(&config, shown),
        catalog: config.catalog,
        client,
        memory: Arc::new(Memory::new(MEMORY)),
        clock,
        load: Arc::new(Load::default()),
        spans,
        wrong: Arc::default(),
    };
    (shared, learned)
}

/// What all calls share under another configuration: what is under way, learned or counted lives on.
#[must_use]
pub fn follow(
    config: Config,
    (sites, client): (Vec<Site>, Client),
    old: &Shared,
    shown: Shown,
) -> Shared {
    let on = sites.iter().map(|site| &site.provider);
    let pilot = Arc::new(Pilot::follow(on, config.routing.clone(), &old.pilot));
    Shared {
        tallies: Tallies::of(old.tallies.figures.clone(), &pilot, &sites),
        entrance: Arc::clone(&old.entrance),
        pilot,
        receipts: Arc::clone(&old.receipts),
        copies: Arc::clone(&old.copies),
        drains: Arc::clone(&old.drains),
        desk: Arc::clone(&old.desk),
        ledger: old.ledger.clone(),
        on: names(&sites),
        keyring: keyring(&config),
        counters: Arc::clone(&old.counters),
        sites,
        settings: settings(&config, shown),
        catalog: config.catalog,
        client,
        memory: Arc::clone(&old.memory),
        clock: old.clock,
        load: Arc::clone(&old.load),
        spans: Arc::clone(&old.spans),
        wrong: Arc::clone(&old.wrong),
    }
}

fn names(sites: &[Site]) -> Vec<String> {
    let names = sites.iter().map(|site| site.provider.name.clone());
    names.collect()
}

/// Whether a house knows how its endpoints fared before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// It goes by what the catalogue lets expect.
    Nothing,
    /// It has statistics of earlier calls.
    Something,
}

/// Whom a house that only plans knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The providers that are on.
    On,
    /// Every provider of the catalogue, as if it were on.
    All,
}

/// A house that plans and never opens a door: it listens nowhere and asks nobody.
///
/// # Errors
/// Why it cannot be, in words.
pub fn planner(
    config: Config,
    reach: Reach,
    state: Option<&Path>,
) -> Result<(Shared, Learned), String> {
    let client = Client::new(None).map_err(|error| error.to_string())?;
    let on = config.active.iter().map(|active| &active.provider);
    let all = config.catalog.providers().iter();
    let providers: Vec<_> = match reach {
        Reach::On => on.cloned().collect(),
        Reach::All => all.cloned().collect(),
    };
    // Planning needs no address: one that is incomplete without settings does not matter.
    let sites = providers
        .into_iter()
        .map(|provider| Site::new(provider, NOWHERE, &[]));
    let found = Found {
        sites: sites
            .collect::<Result<_, _>>()
            .map_err(|BadSite(what)| what)?,
        client,
        clock: Clock::default(),
        ledger: Ledger::Off,
        figures: Figures::new().map_err(|error| error.to_string())?,
        entrance: Arc::new(Entrance::new(Terms::default())),
        shown: Shown::Elsewhere,
        counters: Counters::default(),
        spans: Arc::default(),
    };
    Ok(shared(config, found, state))
}

/// The address of those who are never asked.
const NOWHERE: &str = "http://127.0.0.1:9";

fn keyring(config: &Config) -> Keyring {
    let door = match config.auth {
        Auth::Keys => Door::Keyed,
        Auth::Loopback | Auth::None | Auth::Passthrough => Door::Open,
    };
    let together = config.together;
    Keyring::new(door, config.keys.clone(), &config.routing.tenants)
        .together(together.budget, together.unpriced)
}

fn settings(config: &Config, shown: Shown) -> Settings {
    Settings {
        figures: shown,
        passthrough: config.auth == Auth::Passthrough,
        unknown_hints: unknown_hints(config.unknown_hints),
        metadata: metadata(config.metadata),
        body: config.limits.body,
        body_idle: config.limits.body_idle_timeout,
        in_flight: config.limits.in_flight,
        queue: config.limits.queue,
        bodies: config.limits.bodies,
        drain: config.limits.drain,
        ttft: config.resilience.ttft_timeout,
        stall: config.resilience.stall_timeout,
        rescue: match config.resilience.rescue {
            config::Rescue::Verified => Rescue::Verified,
            config::Rescue::Continue => Rescue::Continue,
            config::Rescue::Off => Rescue::Off,
        },
        hedge: match config.resilience.hedge {
            config::Hedge::Auto => Hedge::Auto,
            config::Hedge::Off => Hedge::Off,
        },
        idle: config.resilience.idle_timeout,
        total: config.resilience.stream_timeout,
        retries: u32::try_from(config.resilience.retries).unwrap_or(0),
        timeout: config.resilience.timeout,
        heartbeat: config.resilience.heartbeat,
        commit_after: config.resilience.commit_after,
    }
}

const fn unknown_hints(configured: config::UnknownHints) -> Unknown {
    match configured {
        config::UnknownHints::Reject => Unknown::Reject,
        config::UnknownHints::Warn => Unknown::Warn,
    }
}

const fn metadata(configured: config::Metadata) -> Metadata {
    match configured {
        config::Metadata::Off => Metadata::Off,
        config::Metadata::Summary => Metadata::Summary,
        config::Metadata::Full => Metadata::Full,
    }
}
