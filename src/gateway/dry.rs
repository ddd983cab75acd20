//! A dry run: the plan is the answer, and nothing is sent.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::account::Money;
use crate::chat::json as written;
use crate::chat::{Error, Request};
use crate::route::explain;
use crate::route::hint::{Hints, Run, Unknown};
use crate::route::plan::Plan;
use crate::route::policy::CapMode;

use super::course::{Course, Leg};
use super::load::Room;
use super::plot::plot;
use super::receive::Received;
use super::shared::Shared;
use super::tell::{text, usd};
use super::trace::Trace;

/// The course of a call as JSON, with the plan that it comes of where one was made.
#[must_use]
pub fn told(shared: &Shared, course: &Course, plan: Option<&Plan>) -> Vec<u8> {
    let mut out = b"{\"object\":\"waypost.plan\"".to_vec();
    text("route", course.reason.as_str(), &mut out);
    if plan.is_some() {
        text("strategy", &course.rules.strategy.name, &mut out);
    }
    if let Some(leg) = course.legs.first() {
        text("provider", &leg.candidate.provider.name, &mut out);
        text("model", &leg.candidate.model, &mut out);
    }
    cost(course, &mut out);
    let tries: Vec<Value> = course
        .legs
        .iter()
        .map(|leg| one(shared, course, leg))
        .collect();
    written::member("attempts", &Value::from(tries).to_string(), &mut out);
    if !course.beyond.is_empty() {
        // Named or found, but more than one call tries.
        let beyond = Value::from(course.beyond.clone());
        written::member("beyond", &beyond.to_string(), &mut out);
    }
    if let Some(plan) = plan {
        let plan = explain::plan(plan, &shared.pilot.board);
        written::member("plan", &plan.to_string(), &mut out);
    }
    out.push(b'}');
    out
}

/// Plans a call that nobody has made, and says the plan; `said` are hints as headers have them.
///
/// # Errors
/// What is wrong with the request, or why nothing fits it.
pub fn ahead(shared: &Shared, body: Vec<u8>, said: &[(&str, &str)]) -> Result<Vec<u8>, Error> {
    let request = Request::parse(body)?;
    let (hints, _) = Hints::read(said.iter().copied(), &request, Unknown::Reject)?;
    let received = Received {
        hints: Hints {
            run: Run::Dry,
            ..hints
        },
        request,
        scope: shared.memory.scope(None),
        trace: Trace::default(),
        room: Room::none(Arc::clone(&shared.load)),
        key: None,
        holder: None,
        dues: None,
        repeat: None,
        copies_for: None,
        brought: None,
        patience: None,
    };
    let course = plot(shared, &received)?;
    Ok(told(shared, &course, course.plan.as_deref()))
}

fn cost(course: &Course, out: &mut Vec<u8>) {
    let first = course.legs.first().and_then(|leg| leg.foreseen.as_ref());
    written::key("cost", out);
    out.push(b'{');
    usd(
        "estimated_usd",
        first.and_then(|foreseen| foreseen.cost),
        out,
    );
    usd("max_usd", course.most, out);
    if let Some(cap) = course.rules.cap {
        usd("cap_usd", Some(cap.most), out);
        text("cap_mode", word(cap.mode), out);
    }
    out.push(b'}');
}

const fn word(mode: CapMode) -> &'static str {
    match mode {
        CapMode::Clamp => "clamp",
        CapMode::Reject => "reject",
        CapMode::Cut => "cut",
    }
}

/// One target that would be tried: what it would be asked, and what it can cost.
fn one(shared: &Shared, course: &Course, leg: &Leg) -> Value {
    let grant = course.grant(&shared.pilot, leg, Money::ZERO);
    let grant = grant.unwrap_or_default();
    let expected = leg.foreseen.as_ref().and_then(|foreseen| foreseen.cost);
    json!({
        "endpoint": leg.name(),
        "effort": leg.candidate.effort.map(crate::dialect::Effort::as_str),
        "max_output_tokens": grant.limit,
        "cut_at_cap": grant.meter.is_some(),
        "estimated_usd": expected.map(|money| money.to_string()),
        "max_usd": grant.bound.map(|money| money.to_string()),
    })
}
