//! A model that turns texts into vectors. One cannot stand in for another: their vectors have nothing in common.

use std::sync::Arc;

use serde::Deserialize;

use super::endpoint::Provider;
use super::lookup::Catalog;
use super::price::Price;

/// An embedding model at a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Embedding {
    /// What goes into the request.
    pub id: String,
    /// The model itself, whoever serves it; its id where empty.
    pub family: String,
    /// Other exact ids for it here.
    pub aliases: Vec<String>,
    /// How long its vectors are unless asked otherwise.
    pub dimensions: Option<u32>,
    /// Longest input in tokens.
    pub max_input: Option<u64>,
    /// What it costs, where known; there is no output to pay for.
    pub price: Option<Price>,
    /// What else is worth knowing.
    pub note: String,
}

impl Embedding {
    /// The model itself, whoever serves it.
    #[must_use]
    pub fn family(&self) -> &str {
        if self.family.is_empty() {
            &self.id
        } else {
            &self.family
        }
    }
}

impl Provider {
    /// The embedding model of an exact id or alias.
    #[must_use]
    pub fn embedding(&self, id: &str) -> Option<&Embedding> {
        let is_it = |one: &&Embedding| one.id == id || one.aliases.iter().any(|alias| alias == id);
        self.embeddings.iter().find(is_it)
    }
}

impl Catalog {
    /// Who serves an embedding model by a bare id, alias or family, each once.
    #[must_use]
    pub fn embedding(&self, bare: &str) -> Vec<(&Arc<Provider>, &Embedding)> {
        let named = self.providers().iter().find_map(|one| one.embedding(bare));
        let family = named.map_or(bare, Embedding::family);
        let serving = self.providers().iter().filter_map(|provider| {
            let of_family = |one: &&Embedding| one.family() == family;
            let found = provider.embedding(bare);
            let found = found.or_else(|| provider.embeddings.iter().find(of_family));
            Some((provider, found?))
        });
        serving.collect()
    }
}
