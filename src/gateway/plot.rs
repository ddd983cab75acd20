//! From a request to its course: what is named is tried as named, what is left open is planned.

use crate::chat::{Ask, Code, Error};
use crate::route::hint::{Hints, Run};
use crate::route::plan::{self, NoRoute, Plan};
use crate::route::{self, Candidate, Known, MAX_TARGETS, Reason};

use super::asked::Wish;
use super::course::{CAP, Course, Leg};
use super::legs::{foresee, legs, no_route, open};
use super::outlook::Outlook;
use super::pooled::pooled;
use super::receive::Received;
use super::rules::{Lists, Rules};
use super::shared::Shared;
use super::spare::tail;

/// Plots the course of a call.
///
/// # Errors
/// What cannot be asked for, or why nothing fits.
pub fn plot(shared: &Shared, received: &Received) -> Result<Course, Error> {
    let rules = Rules::of(shared, received)?;
    if received.request.ask != Ask::Chat {
        only_chat(&rules, received)?;
    }
    let known = shared.known();
    let mut course = match rules.wish {
        Wish::Best => best(shared, received, rules, known)?,
        Wish::Model => named(shared, received, rules, known)?,
        Wish::Pool(at) => pooled(shared, received, rules, (at, known))?,
    };
    tail(&mut course, shared, received, known)?;
    if shared.settings.passthrough {
        one_provider(&course)?;
    }
    if course.outlook.is_some() {
        course.keep_affordable(&shared.pilot)?;
    }
    Ok(course)
}

/// What only chat completions can be asked: embeddings of two models cannot be compared, and prompts of the others are
/// not counted yet.
fn only_chat(rules: &Rules, received: &Received) -> Result<(), Error> {
    let hints = [
        (rules.wish != Wish::Model, "model"),
        (rules.cap.is_some(), CAP),
        (received.hints.run == Run::Dry, "x-waypost-dry-run"),
        (received.hints.strategy.is_some(), "x-waypost-strategy"),
    ];
    let Some((_, name)) = hints.into_iter().find(|(said, _)| *said) else {
        return Ok(());
    };
    let message = format!(
        "'{name}' asks for routing by strategy or cost, which chat completions alone have. Name a model, and leave the hint out."
    );
    Err(Error::new(Code::UnsupportedHint, message).at(name))
}

/// A strategy chooses.
fn best(
    shared: &Shared,
    received: &Received,
    rules: Rules,
    known: Known<'_>,
) -> Result<Course, Error> {
    if known.on.is_empty() {
        return Err(route::nobody(known));
    }
    let outlook = Outlook::of(shared, received)?;
    if rules.cap.is_some() {
        outlook.can_be_capped()?;
    }
    let lists = rules.lists(&shared.pilot);
    let plan = planned(shared, &rules, &lists, &outlook).map_err(|none| no_route(shared, &none))?;
    let legs = plan.attempts().take(MAX_TARGETS);
    let legs = legs
        .filter_map(|ranked| open(shared, received, ranked))
        .collect();
    Ok(Course {
        legs,
        reason: Reason::Strategy,
        rules,
        lists,
        outlook: Some(Box::new(outlook)),
        plan: Some(Box::new(plan)),
        most: None,
        beyond: Vec::new(),
    })
}

/// The plan by the rules of the call.
fn planned(
    shared: &Shared,
    rules: &Rules,
    lists: &Lists,
    outlook: &Outlook,
) -> Result<Plan, NoRoute> {
    let policy = rules.policy(lists);
    plan::plan(&outlook.scene(&shared.pilot, &policy), rules.seed)
}

/// A model that is named: forced, or left to whoever serves it.
fn named(
    shared: &Shared,
    received: &Received,
    rules: Rules,
    known: Known<'_>,
) -> Result<Course, Error> {
    let renamed = rules.named.as_ref().map(|name| Hints {
        model: Some(name.clone()),
        ..received.hints.clone()
    });
    let hints = renamed.as_ref().unwrap_or(&received.hints);
    let mut chosen = route::choose(&received.request, hints, known)?;
    permitted(&rules, &mut chosen.candidates)?;
    let chats = received.request.ask == Ask::Chat;
    let several = chats && chosen.candidates.len() > 1;
    let counted = rules.cap.is_some() || received.dues.is_some();
    let asked = counted || received.hints.run == Run::Dry;
    let mut legs = legs(shared, chosen.candidates);
    let lists = rules.lists(&shared.pilot);
    let outlook = if several || chats && (asked || received.hints.session.is_some()) {
        Some(outlook(shared, received, &rules, &legs)?)
    } else {
        None
    };
    let mut plan = None;
    let mut ours = lists;
    if let Some(outlook) = outlook.as_ref().filter(|_| several) {
        let places = legs.iter().filter_map(|leg| leg.endpoint);
        let sites = places.filter_map(|at| Some(shared.pilot.board.endpoints.get(at)?.site));
        ours = ours.within(&shared.pilot, sites);
        match planned(shared, &rules, &ours, outlook) {
            Ok(made) => {
                legs = ordered(legs, &made);
                plan = Some(Box::new(made));
            }
            Err(none) if rules.cap.is_some() => return Err(no_route(shared, &none)),
            // Who names a model is told by its provider what that cannot do.
            Err(_) => {}
        }
    }
    let mut course = Course {
        legs,
        reason: chosen.reason,
        rules,
        lists: ours,
        outlook: outlook.map(Box::new),
        plan,
        most: None,
        beyond: Vec::new(),
    };
    foresee(&mut course, shared);
    Ok(course)
}

fn outlook(
    shared: &Shared,
    received: &Received,
    rules: &Rules,
    legs: &[Leg],
) -> Result<Outlook, Error> {
    let mut outlook = Outlook::of(shared, received)?;
    if rules.cap.is_some() {
        outlook.can_be_capped()?;
    }
    for leg in legs {
        let endpoint = leg
            .endpoint
            .and_then(|at| shared.pilot.board.endpoints.get(at));
        if let Some(endpoint) = endpoint {
            outlook.price_as_asked(&shared.pilot, &leg.candidate, endpoint);
        }
    }
    Ok(outlook)
}

/// The legs in the plan's order, each as it was named.
fn ordered(legs: Vec<Leg>, plan: &Plan) -> Vec<Leg> {
    let mut legs: Vec<Option<Leg>> = legs.into_iter().map(Some).collect();
    let mut out = Vec::with_capacity(legs.len());
    for ranked in plan.attempts() {
        let its = |leg: &&mut Option<Leg>| {
            leg.as_ref()
                .is_some_and(|leg| leg.endpoint == Some(ranked.endpoint))
        };
        if let Some(leg) = legs.iter_mut().find(its).and_then(Option::take) {
            out.push(Leg {
                ranked: Some(*ranked),
                foreseen: Some(ranked.prediction),
                bound: ranked.bound,
                ..leg
            });
        }
    }
    out
}

/// Keeps what the lists let pass.
fn permitted(rules: &Rules, candidates: &mut Vec<Candidate>) -> Result<(), Error> {
    let first = candidates.first().map(|first| first.model.clone());
    candidates.retain(|candidate| rules.allows(candidate));
    if let (true, Some(first)) = (candidates.is_empty(), first) {
        let whom = match (&rules.holder, &rules.tenant) {
            (None, Some(tenant)) => format!("the tenant '{}'", tenant.name),
            (Some(_), _) | (None, None) => "your key".to_owned(),
        };
        let message = format!("The model '{first}' is not open to {whom}.");
        return Err(Error::new(Code::ModelNotFound, message).at("model"));
    }
    let mut excluded = None;
    candidates.retain(|candidate| {
        let why = rules.excludes(candidate);
        excluded = excluded.or(why);
        why.is_none()
    });
    match (candidates.is_empty(), excluded) {
        (true, Some(header)) => {
            let message = format!("'{header}' leaves nothing of the model that is asked for.");
            Err(Error::value(header, message))
        }
        _ => Ok(()),
    }
}

/// A caller's own key goes to the provider that the caller named, and to no other.
fn one_provider(course: &Course) -> Result<(), Error> {
    let mut names = course.legs.iter().map(|leg| &leg.candidate.provider.name);
    let first = names.next();
    let others = names.any(|name| Some(name) != first);
    let open = match course.reason {
        Reason::BareModel => true,
        Reason::Strategy | Reason::Pool => course.rules.only.len() != 1,
        Reason::Forced | Reason::ForcedRetired | Reason::ForcedUnknown => false,
    };
    if open || others {
        let message = "The key you send goes to one provider: name it, as 'provider/model', and let any fallback be \
                       a model of the same provider.";
        return Err(Error::value("model", message));
    }
    Ok(())
}
