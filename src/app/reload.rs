//! Another configuration in the place of the one that runs: all of it or nothing. Calls that run keep the old one.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::{self, Config, Metrics};
use crate::gateway::figures::Reload;
use crate::gateway::pilot::Pilot;

use super::back::shown;
use super::house::follow;
use super::sites::{replayed_sites, sites};
use super::{App, StartError, terms};

/// Earlier configurations whose receipts can still tell their plans.
const EARLIER: usize = 4;

/// What was set when the house began and holds until it ends.
#[derive(Debug)]
pub(super) struct Fixed {
    listen: SocketAddr,
    ledger: config::Ledger,
    back: Option<SocketAddr>,
}

/// What earlier configurations knew of endpoints.
#[derive(Debug, Default)]
pub(super) struct Earlier(Mutex<VecDeque<Arc<Pilot>>>);

impl Fixed {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            listen: config.listen,
            ledger: config.ledger.clone(),
            back: back(config),
        }
    }

    /// What of a configuration waits for a restart.
    fn waits(&self, config: &Config) -> Vec<String> {
        let changed = [
            ("listen", self.listen != config.listen),
            ("[ledger]", self.ledger != config.ledger),
            ("[metrics] listen", self.back != back(config)),
        ];
        let changed = changed.into_iter().filter(|(_, changed)| *changed);
        let told = changed.map(|(name, _)| format!("{name} was changed, which needs a restart"));
        told.collect()
    }
}

fn back(config: &Config) -> Option<SocketAddr> {
    match config.metrics {
        Metrics::At(addr) => Some(addr),
        Metrics::Loopback | Metrics::Open => None,
    }
}

impl Earlier {
    fn keep(&self, pilot: Arc<Pilot>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == EARLIER {
            kept.pop_front();
        }
        kept.push_back(pilot);
    }
}

impl App {
    /// Notes that a configuration came and was refused.
    pub fn reload_refused(&self) {
        let shared = self.gateway.now();
        shared.tallies.figures.reloaded(Reload::Refused);
    }

    /// Puts a configuration in the place of the one that runs; gives back what is to be told of it. The ledger, counts,
    /// statistics and connections go on.
    ///
    /// # Errors
    /// Why it cannot be used; then nothing has changed.
    pub fn reload(&self, config: Config) -> Result<Vec<String>, StartError> {
        config.check_listen(self.addr).map_err(StartError::Config)?;
        let old = self.gateway.now();
        let client = self.outward.client(&config)?;
        let sites = match &self.replay {
            Some(replay) => replayed_sites(&config, &self.played, replay)?,
            None => sites(&config, &client, old.clock)?,
        };
        let terms = terms(&config, old.clock)?;
        let mut notes = config.notes.clone();
        notes.extend(self.fixed.waits(&config));
        self.outward.allow(&config);
        let shown = shown(config.metrics, self.addr);
        let shared = follow(config, (sites, client), &old, shown);
        self.earlier.keep(Arc::clone(&old.pilot));
        self.entrance.change(terms);
        self.gateway.change(Arc::new(shared));
        old.tallies.figures.reloaded(Reload::Done);
        Ok(notes)
    }
}
