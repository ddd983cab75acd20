//! The providers that are on, made ready for calls: over the network, or at a replay.

use std::sync::Arc;

use crate::config::{Active, Config};
use crate::fixture::{Exchange, Replay};
use crate::gateway::Site;
use crate::gateway::clock::Clock;
use crate::gateway::proof::Proof;
use crate::net::Client;

use super::error::StartError;

/// The providers that are on, made ready.
pub(super) fn sites(
    config: &Config,
    client: &Client,
    clock: Clock,
) -> Result<Vec<Site>, StartError> {
    let ready = |active: &Active| {
        let (provider, source) = (&active.provider, active.source.as_ref());
        let proof = source.map(|source| Proof::new(source, &provider.name, client, clock));
        let site = Site::new(Arc::clone(provider), &provider.base_url, &active.keys)?;
        Ok(site.proved_by(proof))
    };
    config
        .active
        .iter()
        .map(ready)
        .collect::<Result<_, _>>()
        .map_err(StartError::Site)
}

/// Every provider that recordings are of, reached at the replay, whether it has a key or not. Nothing is proved there.
pub(super) fn replayed_sites(
    config: &Config,
    names: &[String],
    replay: &Replay,
) -> Result<Vec<Site>, StartError> {
    let mut sites = Vec::with_capacity(names.len());
    for name in names {
        let unknown = || {
            StartError::Fixture(format!(
                "there are recordings of '{name}', which is no provider"
            ))
        };
        let provider = config.catalog.provider(name).ok_or_else(unknown)?;
        let base = format!("{}{}", replay.url(name), path_of(&provider.base_url));
        sites.push(Site::new(Arc::clone(provider), &base, &[]).map_err(StartError::Site)?);
    }
    Ok(sites)
}

/// The providers that recordings are of, each once.
pub(super) fn providers_of(exchanges: &[Exchange]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for exchange in exchanges {
        if !names.contains(&exchange.provider) {
            names.push(exchange.provider.clone());
        }
    }
    names
}

/// The path of a URL, without its host.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/')
        .map_or("", |at| rest.get(at..).unwrap_or_default())
}
