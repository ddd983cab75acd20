//! What outlasts a configuration: what holds until the end, and what earlier ones knew.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::config::{self, Config, Metrics};
use crate::gateway::pilot::Pilot;

/// Earlier configurations whose receipts can still tell their plans.
const EARLIER: usize = 4;

/// What was set when the house began and holds until it ends.
#[derive(Debug)]
pub(super) struct Fixed {
    listen: SocketAddr,
    ledger: config::Ledger,
    state: Option<config::State>,
    back: Option<SocketAddr>,
    telemetry: Option<config::Telemetry>,
}

/// What earlier configurations knew of endpoints.
#[derive(Debug, Default)]
pub(super) struct Earlier(Mutex<VecDeque<Arc<Pilot>>>);

impl Fixed {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            listen: config.listen,
            ledger: config.ledger.clone(),
            state: config.state.clone(),
            back: back(config),
            telemetry: config.telemetry.clone(),
        }
    }

    /// What of a configuration waits for a restart.
    pub(super) fn waits(&self, config: &Config) -> Vec<String> {
        let changed = [
            ("listen", self.listen != config.listen),
            ("[ledger]", self.ledger != config.ledger),
            ("[state]", self.state != config.state),
            ("[metrics] listen", self.back != back(config)),
            ("[telemetry]", self.telemetry != config.telemetry),
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
    pub(super) fn keep(&self, pilot: Arc<Pilot>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == EARLIER {
            kept.pop_front();
        }
        kept.push_back(pilot);
    }
}
