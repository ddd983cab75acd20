//! Certificates and authorities of a house, read from the files that the configuration names.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;

use crate::config::{self, Config};
use crate::gateway::clock::Clock;
use crate::net::tls::{Trust, authorities, towards_clients};
use crate::net::{Client, Egress, Tap};

use super::error::StartError;

/// The way to providers, and what it was made of: as long as that stays, so do its connections.
#[derive(Debug)]
pub(super) struct Outward {
    tap: Option<Arc<dyn Tap>>,
    egress: Arc<Egress>,
    made: Mutex<(Trust, Client)>,
}

impl Outward {
    pub(super) fn new(config: &Config, tap: Option<Arc<dyn Tap>>) -> Result<Self, StartError> {
        let egress = Arc::new(Egress::default());
        let trust = trust(&config.tls)?;
        let client = Client::careful(tap.clone(), &trust, Arc::clone(&egress));
        let client = client.map_err(StartError::Tls)?;
        let outward = Self {
            tap,
            egress,
            made: Mutex::new((trust, client)),
        };
        outward.allow(config);
        Ok(outward)
    }

    /// The client for a configuration: the one there is, unless it trusts others.
    pub(super) fn client(&self, config: &Config) -> Result<Client, StartError> {
        let trust = trust(&config.tls)?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.0 != trust {
            let egress = Arc::clone(&self.egress);
            let client = Client::careful(self.tap.clone(), &trust, egress);
            *made = (trust, client.map_err(StartError::Tls)?);
        }
        Ok(made.1.clone())
    }

    /// Lets connections go where a configuration names hosts.
    pub(super) fn allow(&self, config: &Config) {
        let own = config.active.iter();
        self.egress
            .allow(own.filter_map(|active| active.own_host.clone()));
    }
}

/// Whether all files of a configuration's TLS can be used.
///
/// # Errors
/// The first that cannot.
pub fn check(config: &Config) -> Result<(), StartError> {
    trust(&config.tls)?;
    shown(&config.tls, Clock::default()).map(drop)
}

/// What clients are shown, where the house speaks TLS to them.
pub(super) fn shown(
    tls: &config::Tls,
    clock: Clock,
) -> Result<Option<Arc<ServerConfig>>, StartError> {
    let Some(certificate) = tls.certificate() else {
        return Ok(None);
    };
    let chain = read("cert", &certificate.chain)?;
    let key = read("key", &certificate.key)?;
    let config = towards_clients(&chain, &key, clock.unix());
    let config = config.map_err(|why| {
        let file = certificate.chain.display();
        StartError::Certificate(format!("[tls] cert {file}: {why}"))
    })?;
    Ok(Some(Arc::new(config)))
}

fn trust(tls: &config::Tls) -> Result<Trust, StartError> {
    let Some(bundle) = &tls.ca_bundle else {
        return Ok(Trust::Usual);
    };
    let pem = read("ca_bundle", bundle)?;
    authorities(&pem).map_err(|why| {
        let file = bundle.display();
        StartError::Certificate(format!("[tls] ca_bundle {file}: {why}"))
    })
}

fn read(what: &str, file: &Path) -> Result<Vec<u8>, StartError> {
    std::fs::read(file).map_err(|error| {
        StartError::Certificate(format!("[tls] {what} {}: {error}", file.display()))
    })
}
