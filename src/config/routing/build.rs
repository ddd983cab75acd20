//! From tables to [`Routing`]: strategies first, as everything may name them; then pools, aliases, tenants and
//! experiments.

use std::borrow::Cow;
use std::sync::Arc;

use toml::Spanned;

use crate::catalog::Catalog;
use crate::catalog::family::Points;
use crate::route::names::{Routing, Staying};
use crate::route::need::Hinting;
use crate::route::policy::{CapMode, STRATEGIES, Strategy, Weights};
use crate::route::pool::{self, Member, Pick, Pool};
use crate::route::tenant::Tenant;

use super::super::limits::LimitKeys;
use super::super::problem::Flaw;
use super::name::{self, Found, Ground, LARGEST, within};
use super::tables::{
    Named, PoolTable, RoutingTable, StrategyTable, Tables, TenantTable, WeightsTable,
};
use super::trial;

/// Checks the tables against the catalogue and each other.
pub(crate) fn build(
    tables: &Tables,
    catalog: &Catalog,
    on: &[String],
    notes: &mut Vec<String>,
) -> Result<Routing, Flaw> {
    let ground = Ground { catalog, on };
    let mut routing = Routing::default();
    strategies(&tables.strategies, &tables.routing, ground, &mut routing)?;
    usual(&tables.routing, &mut routing)?;
    pools(&tables.pools, ground, &mut routing, notes)?;
    aliases(&tables.aliases, ground, &mut routing)?;
    for (name, table) in &tables.tenants {
        let tenant = tenant(name, table, ground, &routing)?;
        routing.tenants.push(Arc::new(tenant));
    }
    trial::experiments(&tables.experiments, ground, &mut routing)?;
    Ok(routing)
}

/// The usual strategies as edited, and own ones. `[routing] min_quality` is the floor of those that set none.
fn strategies(
    tables: &Named<StrategyTable>,
    usual: &RoutingTable,
    ground: Ground<'_>,
    routing: &mut Routing,
) -> Result<(), Flaw> {
    let floor = usual.min_quality.map(Points::as_tenths);
    let mut all: Vec<Strategy> = STRATEGIES.to_vec();
    for strategy in &mut all {
        strategy.min_quality = floor.unwrap_or(strategy.min_quality);
    }
    for (named, table) in tables {
        let at = all.iter().position(|known| known.name == *named.get_ref());
        let mut strategy = if let Some(at) = at {
            all.remove(at)
        } else {
            name::check("a strategy", named, ground, routing)?;
            Strategy {
                name: Cow::Owned(named.get_ref().clone()),
                order: table.order.unwrap_or_default(),
                weights: Weights::default(),
                min_quality: floor.unwrap_or(0),
            }
        };
        strategy.order = table.order.unwrap_or(strategy.order);
        let own = table.min_quality.map(Points::as_tenths);
        strategy.min_quality = own.unwrap_or(strategy.min_quality);
        weigh(&mut strategy.weights, &table.weights)?;
        all.insert(at.unwrap_or(all.len()), strategy);
    }
    routing.strategies = all.into_iter().map(Arc::new).collect();
    let named = usual.default_strategy.as_ref();
    let plain = Spanned::new(0..0, routing.default.name.to_string());
    routing.default = Arc::clone(name::strategy(named.unwrap_or(&plain), routing)?);
    Ok(())
}

fn weigh(weights: &mut Weights, table: &WeightsTable) -> Result<(), Flaw> {
    let each = [
        (
            "the weight of cost",
            &mut weights.cost,
            &table.cost,
            0.0,
            LARGEST,
        ),
        (
            "the weight of time",
            &mut weights.time,
            &table.time,
            0.0,
            LARGEST,
        ),
        (
            "the weight of risk",
            &mut weights.risk,
            &table.risk,
            0.0,
            LARGEST,
        ),
        (
            "the weight of quality",
            &mut weights.quality,
            &table.quality,
            0.0,
            LARGEST,
        ),
        (
            "the share of doubt",
            &mut weights.doubt,
            &table.doubt,
            0.0,
            1.0,
        ),
        (
            "the grain of risk",
            &mut weights.grain,
            &table.grain,
            0.000_001,
            1.0,
        ),
    ];
    for (what, weight, said, least, most) in each {
        if let Some(said) = said {
            *weight = within(what, said, (least, most))?;
        }
    }
    Ok(())
}

fn usual(table: &RoutingTable, routing: &mut Routing) -> Result<(), Flaw> {
    if let Some(explore) = &table.explore {
        routing.explore = within("the share that explores", explore, (0.0, 1.0))?;
    }
    if table.task_hints == Some(false) {
        routing.hinting = Hinting::Off;
    }
    if table.session_affinity == Some(false) {
        routing.affinity = Staying::Ignored;
    }
    Ok(())
}

/// Pools by their names first, as they may hold each other.
fn pools(
    tables: &Named<PoolTable>,
    ground: Ground<'_>,
    routing: &mut Routing,
    notes: &mut Vec<String>,
) -> Result<(), Flaw> {
    for (named, table) in tables {
        name::check("a pool", named, ground, routing)?;
        routing.pools.push(Pool {
            name: named.get_ref().clone(),
            members: Vec::new(),
            pick: pick(table, routing)?,
            min_quality: table
                .min_quality
                .as_ref()
                .map(|points| points.get_ref().as_tenths()),
            most: table.max_cost_usd,
        });
    }
    for (at, (named, table)) in tables.iter().enumerate() {
        if table.models.is_empty() {
            let message = format!(
                "the pool '{}' has nothing in it: give it models",
                named.get_ref()
            );
            return Err(Flaw::at(named.span(), message));
        }
        let member = |model| member(model, ground, routing, notes);
        let members = table.models.iter().map(member).collect::<Result<_, _>>()?;
        if let Some(pool) = routing.pools.get_mut(at) {
            pool.members = members;
        }
    }
    let Some(ring) = pool::ring(&routing.pools) else {
        return Ok(());
    };
    let name_of = |at: &usize| routing.pools.get(*at).map(|pool| pool.name.as_str());
    let names: Vec<&str> = ring
        .iter()
        .chain(ring.first())
        .filter_map(name_of)
        .collect();
    let first = ring.first().and_then(|at| tables.get(*at));
    let span = first.map(|(named, _)| named.span());
    let message = format!(
        "pools that hold each other never end: {}",
        names.join(" -> ")
    );
    Err(Flaw { span, message })
}

fn pick(table: &PoolTable, routing: &Routing) -> Result<Pick, Flaw> {
    let (weights, strategy) = match (&table.weights, &table.strategy) {
        (Some(weights), Some(_)) => {
            let message = "give weights or a strategy, not both";
            return Err(Flaw::at(weights.span(), message));
        }
        (None, Some(strategy)) => {
            return Ok(Pick::Strategy(Arc::clone(name::strategy(
                strategy, routing,
            )?)));
        }
        (weights, None) => (weights, &table.min_quality),
    };
    if let Some(floor) = strategy {
        let message =
            "min_quality needs a strategy; a pool in order or by weight takes what it lists";
        return Err(Flaw::at(floor.span(), message));
    }
    let Some(weights) = weights else {
        return Ok(Pick::Order);
    };
    let (given, wanted) = (weights.get_ref().len(), table.models.len());
    if given != wanted {
        let message = format!("there are {given} weights for {wanted} models; give each its own");
        return Err(Flaw::at(weights.span(), message));
    }
    let each = weights.get_ref().iter();
    let each: Vec<f64> = each
        .map(|weight| within("a weight", weight, (0.0, LARGEST)))
        .collect::<Result<_, _>>()?;
    if each.iter().all(|weight| *weight <= 0.0) {
        return Err(Flaw::at(weights.span(), "one weight at least is above 0"));
    }
    Ok(Pick::Weights(each))
}

fn member(
    model: &Spanned<String>,
    ground: Ground<'_>,
    routing: &Routing,
    notes: &mut Vec<String>,
) -> Result<Member, Flaw> {
    let text = model.get_ref();
    match ground.find(model, routing)? {
        Found::Pool => Ok(Member::Pool(routing.pool(text).unwrap_or(usize::MAX))),
        Found::Model => Ok(Member::Name(text.clone())),
        Found::Unlisted => {
            notes.push(format!(
                "'{text}' in a pool is not in the catalogue; it is asked for as it stands, its price unknown"
            ));
            Ok(Member::Name(text.clone()))
        }
        Found::Strategy | Found::Alias => {
            let message = format!(
                "'{text}' is a strategy; a pool holds models, families, providers and pools"
            );
            Err(Flaw::at(model.span(), message))
        }
    }
}

fn aliases(
    tables: &Named<Spanned<String>>,
    ground: Ground<'_>,
    routing: &mut Routing,
) -> Result<(), Flaw> {
    let mut aliases = std::collections::BTreeMap::new();
    for (named, meant) in tables {
        name::check("an alias", named, ground, routing)?;
        if tables
            .iter()
            .any(|(other, _)| other.get_ref() == meant.get_ref())
        {
            let message = format!(
                "'{}' is an alias itself; name what it means",
                meant.get_ref()
            );
            return Err(Flaw::at(meant.span(), message));
        }
        ground.find(meant, routing)?;
        aliases.insert(named.get_ref().clone(), meant.get_ref().clone());
    }
    routing.aliases = aliases;
    Ok(())
}

fn tenant(
    named: &Spanned<String>,
    table: &TenantTable,
    ground: Ground<'_>,
    routing: &Routing,
) -> Result<Tenant, Flaw> {
    name::plain("a tenant", named)?;
    if let (Some(_), Some(pool)) = (&table.model, &table.pool) {
        let message =
            "model is what the tenant always gets, so that its pool is never used; take one out";
        return Err(Flaw::at(pool.span(), message));
    }
    if let Some(model) = &table.model {
        ground.find(model, routing)?;
    }
    let pool = table.pool.as_ref();
    if let Some(pool) = pool.filter(|pool| routing.pool(pool.get_ref()).is_none()) {
        let message = format!("there is no pool '{}'; add [pools.{0}]", pool.get_ref());
        return Err(Flaw::at(pool.span(), message));
    }
    let strategy = table.strategy.as_ref();
    let strategy = strategy
        .map(|strategy| name::strategy(strategy, routing))
        .transpose()?;
    let allow = table.allow.as_ref();
    if let Some(allow) = allow.filter(|allow| allow.get_ref().is_empty()) {
        let message = "an empty list allows nothing; take it out to allow all";
        return Err(Flaw::at(allow.span(), message));
    }
    let limits = LimitKeys {
        rpm: table.rpm.as_ref(),
        tpm: table.tpm.as_ref(),
        concurrency: table.concurrency.as_ref(),
    };
    Ok(Tenant {
        name: named.get_ref().clone(),
        model: table.model.as_ref().map(|model| model.get_ref().clone()),
        pool: pool.map(|pool| pool.get_ref().clone()),
        strategy: strategy.map(Arc::clone),
        most: table.max_cost_usd,
        cap_mode: table.cost_cap_mode.as_ref().map(cap_mode).transpose()?,
        min_quality: table.min_quality.map(Points::as_tenths),
        allow: list(
            allow.map(Spanned::get_ref).map_or(&[], Vec::as_slice),
            ground,
            routing,
        )?,
        deny: list(&table.deny, ground, routing)?,
        budget: table.budget,
        limits: limits.read()?,
    })
}

fn cap_mode(word: &Spanned<String>) -> Result<CapMode, Flaw> {
    match word.get_ref().as_str() {
        "clamp" => Ok(CapMode::Clamp),
        "reject" => Ok(CapMode::Reject),
        "cut" => Ok(CapMode::Cut),
        other => Err(Flaw::at(
            word.span(),
            format!("cost_cap_mode is \"clamp\", \"reject\" or \"cut\", not \"{other}\""),
        )),
    }
}

/// A list as the catalogue names what is on it; a pool stands for all it holds.
fn list(
    names: &[Spanned<String>],
    ground: Ground<'_>,
    routing: &Routing,
) -> Result<Vec<String>, Flaw> {
    let mut all = Vec::with_capacity(names.len());
    for name in names {
        let Some(pool) = routing.pool(name.get_ref()) else {
            all.push(ground.canonical(name)?);
            continue;
        };
        for held in pool::names(&routing.pools, pool) {
            all.push(ground.canonical(&Spanned::new(name.span(), held.to_owned()))?);
        }
    }
    Ok(all)
}
