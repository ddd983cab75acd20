//! What an answer tells of its call: the `waypost` object.

use crate::account::Money;
use crate::chat::json;
use crate::dialect::Report;
use crate::route::explain;
use crate::route::hint::Metadata;

use super::ending::{Done, Outcome, Tried};
use super::settle::Trip;

/// The `waypost` object, unless the caller wants none.
#[must_use]
pub fn describe(trip: &Trip) -> Option<String> {
    if trip.metadata == Metadata::Off {
        return None;
    }
    let mut out = Vec::with_capacity(384);
    out.push(b'{');
    text("provider", &trip.provider, &mut out);
    text("model", &trip.model, &mut out);
    text(
        "route",
        trip.reason.map_or("", crate::route::Reason::as_str),
        &mut out,
    );
    if let Some(strategy) = &trip.route.strategy {
        text("strategy", &strategy.name, &mut out);
    }
    let labels = [
        ("tenant", trip.labels.tenant.as_deref()),
        ("experiment", trip.labels.experiment()),
        ("arm", trip.labels.arm()),
    ];
    for (name, label) in labels {
        if let Some(label) = label {
            text(name, label, &mut out);
        }
    }
    cost(trip, &mut out);
    attempts(&trip.failed, (&trip.provider, &trip.model), &mut out);
    if trip.metadata == Metadata::Full {
        full(trip, &mut out);
    }
    rescue(trip.relief.done.as_ref(), &mut out);
    params(&trip.report, &mut out);
    let whole = trip.elapsed().as_millis().to_string();
    json::member("latency_ms", &whole, &mut out);
    if let Some(first) = trip.first {
        json::member("ttft_ms", &first.as_millis().to_string(), &mut out);
    }
    if trip.tokens.is_none() && trip.outcome == Outcome::Answered {
        text("usage", "missing", &mut out);
    }
    if trip.skipped > 0 {
        json::member("skipped_events", &trip.skipped.to_string(), &mut out);
    }
    text("request_id", &trip.id, &mut out);
    text("receipt", &format!("/v1/receipts/{}", trip.id), &mut out);
    out.push(b'}');
    String::from_utf8(out).ok()
}

/// What `usage.cost` says, where anybody may see it.
#[must_use]
pub fn cost_in_usage(trip: &Trip) -> Option<String> {
    let cost = trip.cost()?;
    (trip.metadata != Metadata::Off).then(|| cost.to_string())
}

/// Whose answer was carried on, from where, and how.
fn rescue(done: Option<&Done>, out: &mut Vec<u8>) {
    let Some(done) = done else { return };
    json::key("rescue", out);
    out.push(b'{');
    text("from", &done.from, out);
    json::member("at_chars", &done.at.to_string(), out);
    text("how", done.how.as_str(), out);
    if !done.how.is_verified() {
        json::member("unverified", "true", out);
    }
    out.push(b'}');
}

/// What the call was thought to cost, can cost and did cost; what nobody knows is left out.
fn cost(trip: &Trip, out: &mut Vec<u8>) {
    let route = &trip.route;
    let charge = trip.charge.as_ref();
    if route.estimate.is_none() && route.most.is_none() && charge.is_none() {
        return;
    }
    json::key("cost", out);
    out.push(b'{');
    let sums = [
        ("estimated_usd", route.estimate),
        ("max_usd", route.most),
        ("actual_usd", trip.cost()),
    ];
    for (name, money) in sums {
        usd(name, money, out);
    }
    if let Some(charge) = charge {
        json::member("exact", if charge.exact { "true" } else { "false" }, out);
        text("source", charge.source.as_str(), out);
        if let Some(doubt) = charge.doubt {
            text("reason", doubt.as_str(), out);
        }
    }
    out.push(b'}');
}

/// An amount as a number of dollars, exactly, where there is one.
pub fn usd(name: &str, money: Option<Money>, out: &mut Vec<u8>) {
    if let Some(money) = money {
        json::member(name, &money.to_string(), out);
    }
}

/// The targets that were tried, and how each ended.
pub fn attempts(failed: &[Tried], (provider, model): (&str, &str), out: &mut Vec<u8>) {
    json::key("attempts", out);
    out.push(b'[');
    for tried in failed {
        json::comma(out);
        out.push(b'{');
        text("provider", &tried.provider, out);
        text("model", &tried.model, out);
        text("outcome", tried.cause, out);
        out.push(b'}');
    }
    json::comma(out);
    out.push(b'{');
    text("provider", provider, out);
    text("model", model, out);
    text("outcome", "answered", out);
    out.extend_from_slice(b"}]");
}

/// Who else there was, and the plan with its reasons.
fn full(trip: &Trip, out: &mut Vec<u8>) {
    json::key("candidates", out);
    list(trip.planned.iter(), out);
    if let Some(plan) = &trip.route.plan {
        let plan = explain::plan(plan, &trip.shared().pilot.board);
        json::member("plan", &plan.to_string(), out);
    }
}

/// What the translation could not carry over.
pub fn params(report: &Report, out: &mut Vec<u8>) {
    json::key("params", out);
    out.push(b'{');
    let lists = [
        ("dropped", &report.dropped),
        ("emulated", &report.emulated),
        ("clamped", &report.clamped),
    ];
    for (name, list) in lists {
        json::key(name, out);
        self::list(list.iter(), out);
    }
    out.push(b'}');
}

/// A list of texts.
pub fn list(entries: impl Iterator<Item = impl AsRef<str>>, out: &mut Vec<u8>) {
    out.push(b'[');
    for entry in entries {
        json::comma(out);
        json::quote(entry.as_ref(), out);
    }
    out.push(b']');
}

/// One member that is a text.
pub fn text(name: &str, value: &str, out: &mut Vec<u8>) {
    json::key(name, out);
    json::quote(value, out);
}
