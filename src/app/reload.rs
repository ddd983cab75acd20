//! Another configuration in the place of the one that runs: all of it or nothing. Calls that run keep the old one.

use std::sync::Arc;

use crate::config::Config;
use crate::gateway::figures::Reload;

use super::back::{shown, terms};
use super::error::StartError;
use super::house::follow;
use super::keys;
use super::rehearsal::{disturbances, only_played};
use super::running::App;
use super::sites::{replayed_sites, sites};

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
    pub async fn reload(&self, config: Config) -> Result<Vec<String>, StartError> {
        config.check_listen(self.addr).map_err(StartError::Config)?;
        let old = self.gateway.now();
        let client = self.outward.client(&config)?;
        let sites = if let Some(replay) = &self.replay {
            replayed_sites(&config, &self.played, replay)?
        } else {
            only_played(&config).map_err(StartError::Config)?;
            sites(&config, &client, old.clock)?
        };
        let terms = terms(&config, old.clock)?;
        let mut notes = config.notes.clone();
        notes.extend(self.fixed.waits(&config));
        self.outward.allow(&config);
        let shown = shown(config.metrics, self.addr);
        if let Some(replay) = &self.replay {
            replay.disturb(disturbances(&config));
        }
        let shared = follow(config, (sites, client), &old, shown);
        keys::begin(&shared).await.map_err(StartError::Spent)?;
        self.earlier.keep(Arc::clone(&old.pilot));
        self.entrance.change(terms);
        self.gateway.change(Arc::new(shared));
        old.tallies.figures.reloaded(Reload::Done);
        Ok(notes)
    }
}
