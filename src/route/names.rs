//! What the `model` field means where a configuration adds names of its own.
//!
//! In order: a provider's prefix, a model of the catalogue, a strategy, a pool, an alias, an experiment. Nothing is
//! hidden by a name further down, as configuration refuses names that are taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::experiment::Experiment;
use super::need::Hinting;
use super::policy::{EXPLORE, STRATEGIES, Strategy};
use super::pool::Pool;
use super::target::{Known, prefixed};
use super::tenant::Tenant;

/// The name that stands for the default strategy.
pub const AUTO: &str = "auto";

/// All that a configuration says of routing.
#[derive(Clone, Debug)]
pub struct Routing {
    /// Every strategy: those that are always there, as edited, and own ones.
    pub strategies: Vec<Arc<Strategy>>,
    /// What `auto` means.
    pub default: Arc<Strategy>,
    /// Whether the kind of task is guessed.
    pub hinting: Hinting,
    /// Which share of calls may go to what is little known.
    pub explore: f64,
    /// Whether what a provider has read before counts.
    pub affinity: Staying,
    /// Lists of models.
    pub pools: Vec<Pool>,
    /// Other names for models, pools and strategies.
    pub aliases: BTreeMap<String, String>,
    /// Tenants.
    pub tenants: Vec<Arc<Tenant>>,
    /// Experiments.
    pub experiments: Vec<Experiment>,
}

/// Whether what a provider has read before counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Staying {
    /// It does, as money and time.
    #[default]
    Counts,
    /// It does not.
    Ignored,
}

/// What a name means.
#[derive(Clone, Copy, Debug)]
pub enum Meaning<'a> {
    /// A model, by its provider or by itself; or nothing that is known.
    Model(&'a str),
    /// A strategy.
    Strategy(&'a Arc<Strategy>),
    /// A pool, by its place.
    Pool(usize),
    /// An experiment.
    Experiment(&'a Experiment),
}

impl Default for Routing {
    fn default() -> Self {
        let strategies: Vec<Arc<Strategy>> = STRATEGIES.into_iter().map(Arc::new).collect();
        let balanced = strategies.iter().find(|known| known.name == "balanced");
        let [_, usual, ..] = STRATEGIES;
        Self {
            default: balanced.map_or_else(|| Arc::new(usual), Arc::clone),
            strategies,
            hinting: Hinting::On,
            explore: EXPLORE,
            affinity: Staying::Counts,
            pools: Vec::new(),
            aliases: BTreeMap::new(),
            tenants: Vec::new(),
            experiments: Vec::new(),
        }
    }
}

impl Routing {
    /// A strategy by its name, in every spelling; `auto` is the default one.
    #[must_use]
    pub fn strategy(&self, name: &str) -> Option<&Arc<Strategy>> {
        if name == AUTO {
            return Some(&self.default);
        }
        let find = |name: &str| self.strategies.iter().find(|known| known.name == name);
        find(name).or_else(|| find(&Strategy::named(name)?.name))
    }

    /// A name as configurations spell it: a strategy's own name for its other spellings.
    #[must_use]
    pub fn spelled<'a>(&'a self, asked: &'a str) -> &'a str {
        match self.strategy(asked) {
            Some(strategy) if asked != AUTO => &strategy.name,
            Some(_) | None => asked,
        }
    }

    /// A pool's place by its name.
    #[must_use]
    pub fn pool(&self, name: &str) -> Option<usize> {
        self.pools.iter().position(|pool| pool.name == name)
    }

    /// A tenant by its name.
    #[must_use]
    pub fn tenant(&self, name: &str) -> Option<&Arc<Tenant>> {
        self.tenants.iter().find(|tenant| tenant.name == name)
    }

    /// What a name means. Names of ours are looked at first, as plain models are asked for most and then cost no look
    /// into the catalogue; where a model has the name, it is the model's all the same.
    #[must_use]
    pub fn meaning<'a>(&'a self, asked: &'a str, known: Known<'_>) -> Meaning<'a> {
        let own = self.own(asked);
        let own = own.or_else(|| {
            let meant = self.aliases.get(asked)?;
            // An alias means no alias again.
            Some(self.own(meant).unwrap_or(Meaning::Model(meant)))
        });
        own.filter(|_| is_free(asked, known))
            .unwrap_or(Meaning::Model(asked))
    }

    /// What a name of ours means that is no alias.
    fn own<'a>(&'a self, asked: &str) -> Option<Meaning<'a>> {
        if let Some(strategy) = self.strategy(asked) {
            return Some(Meaning::Strategy(strategy));
        }
        if let Some(pool) = self.pool(asked) {
            return Some(Meaning::Pool(pool));
        }
        let mut all = self.experiments.iter();
        all.find(|one| one.name == asked).map(Meaning::Experiment)
    }
}

/// Whether no model has a name.
fn is_free(asked: &str, known: Known<'_>) -> bool {
    prefixed(asked, known).is_none() && known.catalog.serving(asked).is_empty()
}

#[cfg(test)]
mod tests {
    use crate::catalog::{Catalog, load};
    use crate::route::experiment::{Split, Sticky, Trial};
    use crate::route::pool::{Member, Pick};

    use super::*;

    fn routing() -> Routing {
        let pool = Pool {
            name: "smart".to_owned(),
            members: vec![Member::Name("openai".to_owned())],
            pick: Pick::Order,
            min_quality: None,
            most: None,
        };
        let trial = Trial::Split(Split {
            arms: vec![("smart".to_owned(), 1.0)],
            sticky: Sticky::Key,
        });
        let alias = |name: &str, meant: &str| (name.to_owned(), meant.to_owned());
        Routing {
            pools: vec![pool],
            aliases: [
                alias("quick", "fastest"),
                alias("clever", "smart"),
                alias("mini", "openai/gpt-5.6-luna"),
                alias("gpt-5.6-sol", "smart"),
            ]
            .into(),
            experiments: vec![Experiment {
                name: "trial".to_owned(),
                on: Vec::new(),
                trial,
            }],
            ..Routing::default()
        }
    }

    #[test]
    fn names_mean_one_thing_in_order() {
        let catalog = Catalog::assemble(load::builtin().unwrap()).unwrap();
        let (routing, on) = (routing(), ["openai".to_owned()]);
        let known = Known {
            catalog: &catalog,
            on: &on,
        };
        let table = [
            ("openai/fastest", "model openai/fastest"),
            ("gemini:anything", "model gemini:anything"),
            ("gpt-5.6-sol", "model gpt-5.6-sol"),
            ("auto", "strategy balanced"),
            ("lowest_cost", "strategy lowest-cost"),
            ("smart", "pool 0"),
            ("quick", "strategy fastest"),
            ("clever", "pool 0"),
            ("mini", "model openai/gpt-5.6-luna"),
            ("trial", "experiment trial"),
            ("nobody", "model nobody"),
        ];
        for (asked, wanted) in table {
            let told = match routing.meaning(asked, known) {
                Meaning::Model(name) => format!("model {name}"),
                Meaning::Strategy(strategy) => format!("strategy {}", strategy.name),
                Meaning::Pool(at) => format!("pool {at}"),
                Meaning::Experiment(experiment) => format!("experiment {}", experiment.name),
            };
            assert_eq!(told, wanted, "{asked}");
        }
    }
}
