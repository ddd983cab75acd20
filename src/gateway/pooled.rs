//! The course of a call that names a pool: its steps in their order, each left to who can do the job.

use std::sync::Arc;

use crate::chat::Error;
use crate::route::plan::{self, NoRoute, Plan, Rejected};
use crate::route::policy::{Mask, Naming, Policy};
use crate::route::pool::{self, Step};
use crate::route::reason::Rejection;
use crate::route::target::prefixed;
use crate::route::{self, Known, MAX_TARGETS, Reason};

use super::course::{Course, Leg};
use super::legs::{foresee, legs, no_route, open};
use super::outlook::Outlook;
use super::receive::Received;
use super::rules::{Lists, Rules, canonical};
use super::shared::Shared;

/// Plots the course through a pool.
///
/// # Errors
/// Why nothing of it fits.
pub fn pooled(
    shared: &Shared,
    received: &Received,
    mut rules: Rules,
    (at, known): (usize, Known<'_>),
) -> Result<Course, Error> {
    let outlook = Outlook::of(shared, received)?;
    if rules.cap.is_some() {
        outlook.can_be_capped()?;
    }
    let pools = &shared.pilot.routing.pools;
    let steps = if rules.insists {
        // Who names a strategy beside a pool has it choose among all of it.
        vec![Step {
            names: pool::names(pools, at),
            ..Step::default()
        }]
    } else {
        pool::steps(pools, at, rules.seed)
    };
    let strategy = steps.first().and_then(|step| step.strategy);
    if let Some(strategy) = strategy {
        rules.strategy = Arc::clone(strategy);
    }
    let lists = rules.lists(&shared.pilot);
    let mut way = Way::default();
    for step in &steps {
        if way.legs.len() < MAX_TARGETS {
            way.take(shared, received, (&rules, &lists, &outlook), (step, known));
        }
    }
    if way.legs.is_empty() {
        let none = way.none.unwrap_or_default();
        return Err(no_route(shared, &none));
    }
    way.legs.truncate(MAX_TARGETS);
    let mut course = Course {
        legs: way.legs,
        reason: Reason::Pool,
        rules,
        lists,
        outlook: Some(Box::new(outlook)),
        plan: way.plan,
        most: None,
        beyond: Vec::new(),
    };
    foresee(&mut course, shared);
    Ok(course)
}

/// What has been found so far on the way through a pool.
#[derive(Debug, Default)]
pub struct Way {
    /// The targets, in the order of trying.
    pub legs: Vec<Leg>,
    plan: Option<Box<Plan>>,
    none: Option<NoRoute>,
}

impl Way {
    /// Adds what one step finds.
    pub fn take(
        &mut self,
        shared: &Shared,
        received: &Received,
        (rules, lists, outlook): (&Rules, &Lists, &Outlook),
        (step, known): (&Step<'_>, Known<'_>),
    ) {
        let found = plan_of(shared, (rules, lists, outlook), step, known);
        match found {
            Ok(plan) => {
                for ranked in plan.attempts().take(MAX_TARGETS) {
                    let known = |leg: &Leg| leg.endpoint == Some(ranked.endpoint);
                    if !self.legs.iter().any(known) {
                        self.legs.extend(open(shared, received, ranked));
                    }
                }
                self.plan.get_or_insert_with(|| Box::new(plan));
            }
            Err(none) => {
                // What the catalogue does not list is asked for as it stands.
                let unlisted = unlisted(shared, rules, step, known);
                if unlisted.is_empty() {
                    let before = self.none.get_or_insert_with(NoRoute::default);
                    let others = |one: &Rejected| one.why == Rejection::NotInOnly;
                    let own = none.rejected.into_iter().filter(|one| !others(one));
                    before.rejected.extend(own);
                    before.cheapest = match (before.cheapest, none.cheapest) {
                        (Some(one), Some(other)) => Some(one.min(other)),
                        (one, other) => one.or(other),
                    };
                }
                self.legs.extend(unlisted);
            }
        }
    }
}

/// The plan of one step. A single model stays as it is; what leaves anything open is left to the strategy.
fn plan_of(
    shared: &Shared,
    (rules, lists, outlook): (&Rules, &Lists, &Outlook),
    step: &Step<'_>,
    known: Known<'_>,
) -> Result<Plan, NoRoute> {
    let pilot = &shared.pilot;
    let names: Vec<String> = step
        .names
        .iter()
        .filter_map(|name| canonical(&shared.catalog, name))
        .collect();
    let mask = Mask::of(&pilot.board, &names);
    let lists = lists.clone().also_on(mask);
    let one_model = match step.names.as_slice() {
        [name] => known.catalog.provider(name).is_none(),
        _ => false,
    };
    let open = step.strategy.is_some() || rules.insists || !one_model;
    let policy = Policy {
        strategy: step.strategy.unwrap_or(&rules.strategy),
        min_quality: rules.floor(step.min_quality),
        naming: if open { Naming::Open } else { Naming::Model },
        ..rules.policy(&lists)
    };
    plan::plan(&outlook.scene(pilot, &policy), rules.seed)
}

/// The models of a step that a provider is asked for though the catalogue does not list them.
fn unlisted(shared: &Shared, rules: &Rules, step: &Step<'_>, known: Known<'_>) -> Vec<Leg> {
    let strange = step.names.iter().filter(|name| {
        prefixed(name, known)
            .is_some_and(|(provider, model)| shared.pilot.place(provider, model).is_none())
    });
    let chosen = strange.filter_map(|name| route::resolve(name, known).ok());
    let candidates = chosen.flat_map(|chosen| chosen.candidates);
    let may = candidates
        .filter(|candidate| rules.allows(candidate) && rules.excludes(candidate).is_none());
    legs(shared, may.collect())
}
