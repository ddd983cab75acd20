//! The plain routing API over the very same call: what its answers tell of a call, and in which form.

use http::{HeaderMap, Response};
use serde_json::{Value, json};

use crate::account::Money;
use crate::chat::Error;
use crate::chat::json as written;
use crate::chat::plain::{Facts, whole};
use crate::net::Body;
use crate::route::explain;

use super::answer;
use super::course::Course;
use super::dry;
use super::settle::Trip;
use super::speech::Speech;
use super::tell::{text, usd};

/// The header of a strategy.
pub const STRATEGY: &str = "x-waypost-strategy";

/// How many alternatives are told.
const ALTERNATIVES: usize = 5;

/// What is known of a call when its answer begins.
#[must_use]
pub fn begin(trip: &Trip) -> Vec<u8> {
    let mut out = b"{".to_vec();
    written::key("request_id", &mut out);
    written::quote(&trip.id, &mut out);
    text("model_used", &trip.model, &mut out);
    text("provider", &trip.provider, &mut out);
    text(
        "route",
        trip.reason.map_or("", crate::route::Reason::as_str),
        &mut out,
    );
    if let Some(strategy) = &trip.route.strategy {
        text("strategy", &strategy.name, &mut out);
    }
    cost("estimated_cost", trip.route.estimate, &mut out);
    cost("max_cost", trip.route.most, &mut out);
    written::member("alternatives", &alternatives(trip).to_string(), &mut out);
    out.remove(0);
    out
}

/// What is known at its end.
#[must_use]
pub fn end(trip: &Trip) -> Vec<u8> {
    let mut out = b"{".to_vec();
    let charge = trip.charge.as_ref();
    cost("actual_cost", charge.map(|charge| charge.money), &mut out);
    if let Some(charge) = charge {
        written::member(
            "exact",
            if charge.exact { "true" } else { "false" },
            &mut out,
        );
        text("cost_source", charge.source.as_str(), &mut out);
        if let Some(doubt) = charge.doubt {
            text("cost_reason", doubt.as_str(), &mut out);
        }
    }
    let metrics = json!({
        "latency_ms": millis(Some(trip.elapsed())),
        "ttft_ms": millis(trip.first),
    });
    written::member("metrics", &metrics.to_string(), &mut out);
    text("receipt", &format!("/v1/receipts/{}", trip.id), &mut out);
    out.remove(0);
    out
}

/// A sum, or `null` where nobody knows it.
fn cost(name: &str, money: Option<Money>, out: &mut Vec<u8>) {
    match money {
        Some(_) => usd(name, money, out),
        None => written::member(name, "null", out),
    }
}

fn millis(span: Option<std::time::Duration>) -> Value {
    span.map_or(Value::Null, |span| {
        u64::try_from(span.as_millis()).unwrap_or(u64::MAX).into()
    })
}

/// Who else would have done, from the best on.
fn alternatives(trip: &Trip) -> Value {
    let board = &trip.shared().pilot.board;
    let Some(plan) = &trip.route.plan else {
        return json!([]);
    };
    let taken = trip.route.endpoint.and_then(|at| board.endpoints.get(at));
    let taken = taken.map(|endpoint| endpoint.site);
    let others = plan.attempts().filter(|ranked| Some(ranked.site) != taken);
    let told = others.take(ALTERNATIVES).map(|ranked| {
        let site = board.sites.get(ranked.site);
        json!({
            "provider": site.map(crate::route::board::Site::provider),
            "model": site.map(crate::route::board::Site::model),
            "effort": ranked.effort.map(crate::dialect::Effort::as_str),
            "estimated_cost": ranked.prediction.cost.map(explain::usd),
            "max_cost": ranked.bound.map(explain::usd),
            "latency_ms": crate::route::number::count(ranked.prediction.time),
            "ttft_ms": crate::route::number::count(ranked.prediction.wait),
        })
    });
    Value::Array(told.collect())
}

/// A whole answer in the form that its client speaks; `chat` is the chat completion.
#[must_use]
pub fn answered(trip: &Trip, carried: HeaderMap, chat: Vec<u8>) -> Response<Body> {
    match trip.speech {
        Speech::OpenAi(_) => answer::whole(trip, carried, chat),
        Speech::Plain(_) => {
            let facts = Facts {
                before: begin(trip),
                after: end(trip),
            };
            match whole(&chat, &facts) {
                Ok(body) => answer::whole(trip, carried, body),
                Err(error) => answer::failure(trip, &error, None, carried),
            }
        }
    }
}

/// The plan of a call as the plain API tells it: no result, and what to expect instead of what was.
#[must_use]
pub fn recommended(trip: &Trip, course: &Course) -> Vec<u8> {
    let mut out = b"{".to_vec();
    written::member("result", "null", &mut out);
    out.push(b',');
    out.extend_from_slice(&begin(trip));
    written::member("actual_cost", "null", &mut out);
    let foreseen = course.legs.first().and_then(|leg| leg.foreseen.as_ref());
    let time = |of: fn(&crate::route::predict::Prediction) -> f64| {
        foreseen.map(|foreseen| crate::route::number::count(of(foreseen)))
    };
    let metrics = json!({"latency_ms": time(|foreseen| foreseen.time), "ttft_ms": time(|foreseen| foreseen.wait)});
    written::member("expected", &metrics.to_string(), &mut out);
    written::key("plan", &mut out);
    let plan = trip.route.plan.as_deref();
    out.extend_from_slice(&dry::told(trip.shared(), course, plan));
    out.push(b'}');
    out
}

/// A refusal in the words that its client knows.
#[must_use]
pub fn worded(speech: Speech, error: Error, headers: &[&'static str]) -> Error {
    match speech {
        Speech::OpenAi(_) => error,
        Speech::Plain(_) => crate::chat::plain::in_own_words(error, |name| headers.contains(&name)),
    }
}
