//! What follows the first target of a call: the caller's list where there is one, with the aliases, pools and strategies
//! in it put in their places; else what the plan or the name leaves.

use crate::chat::{Ask, Error};
use crate::route::hint::Fallback;
use crate::route::names::Meaning;
use crate::route::plan;
use crate::route::policy::{Naming, Policy, Strategy};
use crate::route::pool;
use crate::route::{self, Known, MAX_TARGETS};

use super::course::{Course, Leg};
use super::legs::{foresee, legs, open};
use super::outlook::Outlook;
use super::pooled::Way;
use super::receive::Received;
use super::rules::{Lists, Rules, permitted};
use super::shared::Shared;

/// The header of the list, as errors name it.
const LIST: &str = "x-waypost-fallback";

/// Puts the targets that follow behind the first, and leaves out those beyond the sixth.
///
/// # Errors
/// Names in the list that nobody knows, or that cannot follow.
pub fn tail(
    course: &mut Course,
    shared: &Shared,
    received: &Received,
    known: Known<'_>,
) -> Result<(), Error> {
    match &received.hints.fallback {
        Fallback::Unsaid => {}
        Fallback::Off => course.legs.truncate(1),
        Fallback::Models(names) => {
            pinned(&course.rules)?;
            course.legs.truncate(1);
            if !course.legs.is_empty() {
                follow(course, shared, received, (names, known))?;
                foresee(course, shared);
            }
        }
    }
    let beyond = course.legs.get(MAX_TARGETS..).unwrap_or_default();
    course.beyond = beyond.iter().map(Leg::name).collect();
    course.legs.truncate(MAX_TARGETS);
    Ok(())
}

fn follow(
    course: &mut Course,
    shared: &Shared,
    received: &Received,
    (names, known): (&[String], Known<'_>),
) -> Result<(), Error> {
    let routing = &shared.pilot.routing;
    let mut plain: Vec<&str> = Vec::new();
    for name in names {
        let meaning = routing.meaning(name, known);
        if let Meaning::Model(model) = meaning {
            plain.push(model);
            continue;
        }
        if let Meaning::Experiment(_) = meaning {
            return Err(no_follower(name, "an experiment"));
        }
        if received.request.ask != Ask::Chat {
            return Err(no_follower(name, "a pool or a strategy of chat models"));
        }
        models(
            course,
            shared,
            received,
            (&std::mem::take(&mut plain), known),
        )?;
        if let Meaning::Strategy(strategy) = meaning {
            permitted(course.rules.holder.as_deref(), strategy)?;
        }
        let found = several(course, shared, received, (meaning, known))?;
        add(course, shared, found);
    }
    models(course, shared, received, (&plain, known))
}

/// Models that are named, each at whoever serves it.
fn models(
    course: &mut Course,
    shared: &Shared,
    received: &Received,
    (names, known): (&[&str], Known<'_>),
) -> Result<(), Error> {
    let Some(first) = course.legs.first().filter(|_| !names.is_empty()) else {
        return Ok(());
    };
    let mut more = route::listed(&received.request, names, &first.candidate, known)?;
    more.retain(|candidate| {
        course.rules.excludes(candidate).is_none() && course.rules.allows(candidate)
    });
    add(course, shared, legs(shared, more));
    Ok(())
}

/// What a pool or a strategy finds.
fn several(
    course: &mut Course,
    shared: &Shared,
    received: &Received,
    (meaning, known): (Meaning<'_>, Known<'_>),
) -> Result<Vec<Leg>, Error> {
    let outlook = match course.outlook.take() {
        Some(outlook) => outlook,
        None => Box::new(Outlook::of(shared, received)?),
    };
    let lists = course.rules.lists(&shared.pilot);
    let view = (&course.rules, &lists, &*outlook);
    let found = match meaning {
        Meaning::Pool(at) => {
            let mut way = Way::default();
            for step in &pool::steps(&shared.pilot.routing.pools, at, course.rules.seed) {
                way.take(shared, received, view, (step, known));
            }
            way.legs
        }
        Meaning::Strategy(strategy) => best(shared, received, view, strategy),
        Meaning::Model(_) | Meaning::Experiment(_) => Vec::new(),
    };
    course.outlook = Some(outlook);
    Ok(found)
}

/// What a strategy finds best among all endpoints; nothing where nothing fits.
fn best(
    shared: &Shared,
    received: &Received,
    (rules, lists, outlook): (&Rules, &Lists, &Outlook),
    strategy: &Strategy,
) -> Vec<Leg> {
    let policy = Policy {
        strategy,
        naming: Naming::Open,
        ..rules.policy(lists)
    };
    let plan = plan::plan(&outlook.scene(&shared.pilot, &policy), rules.seed);
    let Ok(plan) = plan else { return Vec::new() };
    let ranked = plan.attempts().take(MAX_TARGETS);
    ranked
        .filter_map(|ranked| open(shared, received, ranked))
        .collect()
}

/// Adds targets, none twice: neither under another name nor at another effort.
fn add(course: &mut Course, shared: &Shared, more: Vec<Leg>) {
    let site = |leg: &Leg| {
        let endpoint = shared.pilot.board.endpoints.get(leg.endpoint?)?;
        Some((endpoint.site, leg.candidate.model.clone()))
    };
    for leg in more {
        let same = |known: &Leg| {
            let listed = site(known).is_some() && site(known) == site(&leg);
            listed || known.name() == leg.name()
        };
        if !course.legs.iter().any(same) {
            course.legs.push(leg);
        }
    }
}

fn no_follower(name: &str, what: &str) -> Error {
    let message = format!(
        "In the fallback list: '{name}' is {what}, and cannot be fallen back on here. Name models, and for chat \
         completions also pools, aliases and strategies."
    );
    Error::value(LIST, message)
}

/// What a tenant always gets has no fallback that a caller could name.
fn pinned(rules: &Rules) -> Result<(), Error> {
    let pin = rules
        .tenant
        .as_ref()
        .filter(|tenant| tenant.model.is_some());
    pin.map_or(Ok(()), |tenant| {
        let message = format!(
            "The tenant '{}' always gets the model that its configuration names. Leave the fallback list out.",
            tenant.name
        );
        Err(Error::value(LIST, message))
    })
}
