//! A dry run: the plan is the answer, and nothing is sent.

use http::{HeaderMap, Response};
use serde_json::{Value, json};

use crate::account::Money;
use crate::chat::json as written;
use crate::net::Body;
use crate::route::explain;
use crate::route::policy::CapMode;

use super::answer;
use super::course::{Course, Grant, Leg};
use super::ending::Outcome;
use super::settle::Trip;
use super::tell::{text, usd};

/// Answers with the course of a call.
#[must_use]
pub fn run(mut trip: Box<Trip>, course: &Course) -> Response<Body> {
    let first = course.legs.first();
    if let Some(leg) = first {
        trip.tries(leg, &Grant::default());
    }
    trip.outcome = Outcome::Answered;
    let mut out = b"{\"object\":\"waypost.plan\"".to_vec();
    text("route", course.reason.as_str(), &mut out);
    if let Some(strategy) = &trip.route.strategy {
        text("strategy", &strategy.name, &mut out);
    }
    if let Some(leg) = first {
        text("provider", &leg.candidate.provider.name, &mut out);
        text("model", &leg.candidate.model, &mut out);
    }
    cost(&trip, &mut out);
    let tries: Vec<Value> = course
        .legs
        .iter()
        .map(|leg| one(&trip, course, leg))
        .collect();
    written::member("attempts", &Value::from(tries).to_string(), &mut out);
    if let Some(plan) = &trip.route.plan {
        let plan = explain::plan(plan, &trip.shared().pilot.board);
        written::member("plan", &plan.to_string(), &mut out);
    }
    out.push(b'}');
    answer::whole(&trip, HeaderMap::new(), out)
}

fn cost(trip: &Trip, out: &mut Vec<u8>) {
    let route = &trip.route;
    written::key("cost", out);
    out.push(b'{');
    usd("estimated_usd", route.estimate, out);
    usd("max_usd", route.most, out);
    if let Some(cap) = route.cap {
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
fn one(trip: &Trip, course: &Course, leg: &Leg) -> Value {
    let grant = course.grant(&trip.shared().pilot, leg, Money::ZERO);
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
