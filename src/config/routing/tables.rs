//! The tables as they are written.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::account::{Budget, Money};
use crate::catalog::family::Points;
use crate::route::policy::Order;

use super::super::problem::Flaw;
use super::super::typed::typed;
use super::super::units::positive_time;

/// Tables by name, in the order of the file.
pub(super) type Named<T> = Vec<(Spanned<String>, T)>;

/// All tables of routing.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(super) routing: RoutingTable,
    pub(super) strategies: Named<StrategyTable>,
    pub(super) pools: Named<PoolTable>,
    pub(super) aliases: Named<Spanned<String>>,
    pub(super) tenants: Named<TenantTable>,
    pub(super) experiments: Named<ExperimentTable>,
}

/// `[routing]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RoutingTable {
    pub(super) default_strategy: Option<Spanned<String>>,
    pub(super) min_quality: Option<Points>,
    pub(super) task_hints: Option<bool>,
    pub(super) explore: Option<Spanned<f64>>,
    pub(super) session_affinity: Option<bool>,
}

/// `[strategies.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct StrategyTable {
    pub(super) order: Option<Order>,
    pub(super) weights: WeightsTable,
    pub(super) min_quality: Option<Points>,
}

/// `weights` of a strategy; what is not said stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WeightsTable {
    pub(super) cost: Option<Spanned<f64>>,
    pub(super) time: Option<Spanned<f64>>,
    pub(super) risk: Option<Spanned<f64>>,
    pub(super) quality: Option<Spanned<f64>>,
    pub(super) doubt: Option<Spanned<f64>>,
    pub(super) grain: Option<Spanned<f64>>,
}

/// `[pools.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PoolTable {
    pub(super) models: Vec<Spanned<String>>,
    pub(super) weights: Option<Spanned<Vec<Spanned<f64>>>>,
    pub(super) strategy: Option<Spanned<String>>,
    pub(super) min_quality: Option<Spanned<Points>>,
    pub(super) max_cost_usd: Option<Money>,
}

/// `[tenants.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TenantTable {
    pub(super) model: Option<Spanned<String>>,
    pub(super) pool: Option<Spanned<String>>,
    pub(super) strategy: Option<Spanned<String>>,
    pub(super) max_cost_usd: Option<Money>,
    pub(super) cost_cap_mode: Option<Spanned<String>>,
    pub(super) min_quality: Option<Points>,
    pub(super) allow: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) deny: Vec<Spanned<String>>,
    pub(super) budget: Option<Budget>,
    pub(super) rpm: Option<Spanned<u64>>,
    pub(super) tpm: Option<Spanned<u64>>,
    pub(super) concurrency: Option<Spanned<u32>>,
}

/// `[experiments.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ExperimentTable {
    pub(super) applies_to: Vec<Spanned<String>>,
    pub(super) split: Option<Spanned<BTreeMap<String, Spanned<f64>>>>,
    pub(super) sticky: Option<Spanned<String>>,
    pub(super) shadow: Option<Spanned<String>>,
    pub(super) share: Option<Spanned<f64>>,
    pub(super) max_cost_usd: Option<Money>,
    pub(super) timeout: Option<Span>,
}

/// A length of time that is not nothing.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Span(#[serde(deserialize_with = "positive_time")] pub(super) Duration);

impl Tables {
    /// Takes the tables of routing out of a file.
    pub(crate) fn take(root: &mut DeTable<'_>) -> Result<Self, Flaw> {
        let routing = root.remove("routing").map(typed).transpose()?;
        Ok(Self {
            routing: routing.unwrap_or_default(),
            strategies: named(root, "strategies")?,
            pools: named(root, "pools")?,
            aliases: named(root, "aliases")?,
            tenants: named(root, "tenants")?,
            experiments: named(root, "experiments")?,
        })
    }
}

/// Every table under a key, by name.
fn named<T: DeserializeOwned>(root: &mut DeTable<'_>, key: &str) -> Result<Named<T>, Flaw> {
    let Some(value) = root.remove(key) else {
        return Ok(Vec::new());
    };
    let span = value.span();
    let DeValue::Table(table) = value.into_inner() else {
        let message = format!("{key} are tables: [{key}.NAME]");
        return Err(Flaw::at(span, message));
    };
    let mut all = Vec::with_capacity(table.len());
    for (name, value) in table {
        let name = Spanned::new(name.span(), name.into_inner().into_owned());
        all.push((name, typed(value)?));
    }
    all.sort_by_key(|(name, _): &(Spanned<String>, T)| name.span().start);
    Ok(all)
}
