//! The figures of all targets of a configuration, each found by its place when it is first called.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::gateway::pilot::Pilot;
use crate::gateway::site::Site;

use super::families::Figures;
use super::tally::{Tally, Target};

/// A model that the catalogue does not know, and a call that was for nobody.
const OTHER: &str = "other";
const NONE: &str = "none";

/// The figures of all targets.
#[derive(Debug)]
pub struct Tallies {
    /// All figures.
    pub figures: Figures,
    sites: Box<[OnceLock<Arc<Tally>>]>,
    embeddings: HashMap<Box<str>, OnceLock<Arc<Tally>>>,
    others: HashMap<Box<str>, OnceLock<Arc<Tally>>>,
    none: OnceLock<Arc<Tally>>,
}

/// Which target is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Named<'a> {
    /// Its endpoint on the board, where it has one.
    pub endpoint: Option<usize>,
    /// Its provider.
    pub provider: &'a str,
    /// Its model.
    pub model: &'a str,
}

impl Tallies {
    /// Figures for the targets of a board, and for what else its providers may be asked.
    #[must_use]
    pub fn of(figures: Figures, pilot: &Pilot, on: &[Site]) -> Self {
        let (mut embeddings, mut others) = (HashMap::new(), HashMap::new());
        for provider in on.iter().map(|site| &site.provider) {
            for model in &provider.embeddings {
                let name = format!("{}/{}", provider.name, model.id);
                embeddings.insert(name.into(), OnceLock::new());
            }
            others.insert(provider.name.as_str().into(), OnceLock::new());
        }
        Self {
            figures,
            sites: pilot.board.sites.iter().map(|_| OnceLock::new()).collect(),
            embeddings,
            others,
            none: OnceLock::new(),
        }
    }

    /// The figures of a target.
    #[must_use]
    pub fn target(&self, pilot: &Pilot, named: Named<'_>) -> &Arc<Tally> {
        let new = |provider: &str, model: &str, operation| {
            let target = Target {
                provider,
                model,
                operation,
            };
            Arc::new(Tally::of(&self.figures, target))
        };
        let endpoint = named.endpoint;
        let site = endpoint.and_then(|at| Some(pilot.board.endpoints.get(at)?.site));
        if let Some((place, site)) =
            site.and_then(|at| Some((self.sites.get(at)?, pilot.board.sites.get(at)?)))
        {
            let model = site.name.get(site.slash + 1..).unwrap_or(OTHER);
            return place.get_or_init(|| new(named.provider, model, "chat"));
        }
        if !self.embeddings.is_empty() {
            let name = format!("{}/{}", named.provider, named.model);
            if let Some(place) = self.embeddings.get(name.as_str()) {
                return place.get_or_init(|| new(named.provider, named.model, "embeddings"));
            }
        }
        match self.others.get(named.provider) {
            Some(place) => place.get_or_init(|| new(named.provider, OTHER, "chat")),
            None => self.none.get_or_init(|| new(NONE, NONE, "chat")),
        }
    }

    /// Whether a site was ever called.
    #[must_use]
    pub fn knows(&self, site: usize) -> bool {
        self.sites
            .get(site)
            .is_some_and(|place| place.get().is_some())
    }
}
