//! A house that runs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::account::Purse;
use crate::fixture::{Recorder, Replay};
use crate::gateway::Gateway;
use crate::net::Entrance;

use super::back::Serving;
use super::fixed::{Earlier, Fixed};
use super::tls::Outward;

/// A running house.
#[derive(Debug)]
pub struct App {
    pub(super) addr: SocketAddr,
    pub(super) gateway: Arc<Gateway>,
    pub(super) entrance: Arc<Entrance>,
    pub(super) fixed: Fixed,
    pub(super) outward: Outward,
    pub(super) back: Option<Serving>,
    pub(super) earlier: Earlier,
    pub(super) played: Vec<String>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) serving: JoinHandle<()>,
    pub(super) keeping: Option<JoinHandle<()>>,
    pub(super) keys: JoinHandle<()>,
    pub(super) breakers: JoinHandle<()>,
    pub(super) state: Option<PathBuf>,
    pub(super) replay: Option<Replay>,
    pub(super) recorder: Option<Arc<Recorder>>,
}

impl App {
    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where figures are told, if that is a place of its own.
    #[must_use]
    pub fn back(&self) -> Option<SocketAddr> {
        self.back.as_ref().map(|back| back.addr)
    }

    /// The providers that are on.
    #[must_use]
    pub fn providers(&self) -> Vec<String> {
        self.gateway.now().on.clone()
    }

    /// What is spent and reserved of a purse: `key:NAME`, `tenant:NAME` or `all`; `None` where nobody was paid from it.
    pub async fn purse(&self, id: &str) -> Option<Purse> {
        self.gateway.now().counters.purse(id).await
    }

    /// How many calls of a key or a tenant are under way, where that is limited.
    pub async fn inside(&self, id: &str) -> u32 {
        self.gateway.now().counters.inside(id).await
    }

    /// What plays the providers, where nothing goes to the network.
    #[must_use]
    pub const fn replay(&self) -> Option<&Replay> {
        self.replay.as_ref()
    }
}
