//! The catalogue itself: who serves what, found by name.

use std::collections::HashMap;
use std::sync::Arc;

use super::embedding::Embedding;
use super::endpoint::{Model, Provider, Status};
use super::nearest;

/// Every provider and what it sells.
#[derive(Debug)]
pub struct Catalog {
    providers: Vec<Arc<Provider>>,
    names: HashMap<String, usize>,
    families: HashMap<String, Vec<(usize, usize)>>,
}

impl Catalog {
    /// A catalogue of providers whose names and aliases are told apart.
    pub(super) fn new(providers: Vec<Arc<Provider>>) -> Self {
        let mut names = HashMap::new();
        let mut families: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
        for (at, provider) in providers.iter().enumerate() {
            names.insert(provider.name.clone(), at);
            names.extend(provider.aliases.iter().map(|alias| (alias.clone(), at)));
            for (place, model) in provider.models.iter().enumerate() {
                families
                    .entry(model.family.clone())
                    .or_default()
                    .push((at, place));
            }
        }
        Self {
            providers,
            names,
            families,
        }
    }

    /// Every provider.
    #[must_use]
    pub fn providers(&self) -> &[Arc<Provider>] {
        &self.providers
    }

    /// A provider by its name or an alias.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&Arc<Provider>> {
        self.names.get(name).and_then(|at| self.providers.get(*at))
    }

    /// Who serves a bare id, alias, dated snapshot or family, and as which of their models: at most one of each
    /// provider. [`Model::sent_as`] tells what to send.
    #[must_use]
    pub fn serving(&self, bare: &str) -> Vec<(&Arc<Provider>, &Model)> {
        let mut named: Vec<Option<&Model>> = self
            .providers
            .iter()
            .map(|provider| provider.model(bare))
            .collect();
        if named.iter().all(Option::is_none) {
            named = self
                .providers
                .iter()
                .map(|provider| snapshot(provider, bare))
                .collect();
        }
        let mut families: Vec<&str> = named
            .iter()
            .flatten()
            .map(|model| model.family.as_str())
            .collect();
        if families.is_empty() {
            families.push(bare);
        }
        let relatives = self.relatives(&families);
        let serving = self
            .providers
            .iter()
            .enumerate()
            .filter_map(|(at, provider)| {
                let model = named
                    .get(at)
                    .copied()
                    .flatten()
                    .or_else(|| relatives.get(&at).copied())?;
                Some((provider, model))
            });
        serving.collect()
    }

    /// Who serves an embedding model by a bare id, alias or family, each once.
    #[must_use]
    pub fn embedding(&self, bare: &str) -> Vec<(&Arc<Provider>, &Embedding)> {
        let named = self.providers.iter().find_map(|one| one.embedding(bare));
        let family = named.map_or(bare, Embedding::family);
        let serving = self.providers.iter().filter_map(|provider| {
            let of_family = |one: &&Embedding| one.family() == family;
            let found = provider.embedding(bare);
            let found = found.or_else(|| provider.embeddings.iter().find(of_family));
            Some((provider, found?))
        });
        serving.collect()
    }

    /// For each provider its best member of some families: what is offered before what may not be.
    fn relatives(&self, families: &[&str]) -> HashMap<usize, &Model> {
        let mut found: HashMap<usize, &Model> = HashMap::new();
        for (at, place) in families
            .iter()
            .filter_map(|family| self.families.get(*family))
            .flatten()
        {
            let Some(model) = self
                .providers
                .get(*at)
                .and_then(|provider| provider.models.get(*place))
            else {
                continue;
            };
            let best = found.entry(*at).or_insert(model);
            if best.status != Status::Active && model.status == Status::Active {
                *best = model;
            }
        }
        found
    }

    /// The names of models, or else of providers, most like a name that is not known, as `provider/model`.
    #[must_use]
    pub fn nearest(&self, name: &str, count: usize) -> Vec<String> {
        nearest::names(&self.providers, name, count)
    }
}

/// A dated snapshot that is not known to be gone.
fn snapshot<'a>(provider: &'a Provider, bare: &str) -> Option<&'a Model> {
    provider.resolve(bare).model
}

#[cfg(test)]
mod tests;
