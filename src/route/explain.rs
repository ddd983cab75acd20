//! A plan in words and figures, as JSON: the same for a dry run, the command line, full metadata and the Control
//! Center.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::account::Money;

use super::board::Board;
use super::effort::Basis;
use super::number::count;
use super::plan::{NoRoute, Plan, Rejected};
use super::ranked::Ranked;
use super::reason::Rejection;
use super::score::Terms;

/// The whole plan.
#[must_use]
pub fn plan(plan: &Plan, board: &Board) -> Value {
    let candidates = plan
        .candidates
        .iter()
        .map(|ranked| candidate(plan, ranked, board));
    let drawn = plan.drawn.iter().map(|(place, value)| {
        let name = plan
            .candidates
            .get(*place)
            .map(|ranked| name(ranked.endpoint, board));
        json!({"endpoint": name, "value": value})
    });
    json!({
        "strategy": plan.strategy,
        "task": {"kind": plan.task.task.as_str(), "why": plan.task.why},
        "last_resort": plan.last_resort,
        "draw": {
            "how": plan.how.as_str(),
            "seed": plan.seed,
            "near": plan.rules.near,
            "explore": plan.rules.explore,
            "drawn": drawn.collect::<Vec<_>>(),
        },
        "candidates": candidates.collect::<Vec<_>>(),
        "rejected": rejections(&plan.rejected, board),
    })
}

/// Why nothing fits.
#[must_use]
pub fn no_route(none: &NoRoute, board: &Board) -> Value {
    json!({
        "cheapest_max_usd": none.cheapest.map(usd),
        "rejected": rejections(&none.rejected, board),
    })
}

/// Why nothing fits, as a sentence for people: each model with its reason, and what would help.
#[must_use]
pub fn sentence(none: &NoRoute, board: &Board) -> String {
    let mut out = match none.cheapest {
        Some(cheapest) => {
            format!("No model fits the cost cap: the cheapest worst case is ${cheapest}.")
        }
        None => "No model fits this request.".to_owned(),
    };
    // Whoever names one endpoint is not told the names of all the others.
    let listed = [Rejection::NotInOnly, Rejection::Ignored];
    let others = |rejected: &&Rejected| listed.contains(&rejected.why);
    for rejected in none.rejected.iter().filter(|rejected| !others(rejected)) {
        let (word, detail) = (rejected.why.as_str(), rejected.why.detail());
        let _ = write!(out, " {}: {word}", name(rejected.endpoint, board));
        if !detail.is_empty() {
            let _ = write!(out, " ({detail})");
        }
        out.push('.');
    }
    for reason in listed {
        let same = none.rejected.iter().filter(|one| one.why == reason);
        let count = same.count();
        if count > 0 {
            let _ = write!(out, " And {count} more: {}.", reason.as_str());
        }
    }
    out
}

/// An endpoint's name: `provider/model`, and `@effort` where one is asked for.
#[must_use]
pub fn name(endpoint: usize, board: &Board) -> String {
    let Some(endpoint) = board.endpoints.get(endpoint) else {
        return String::new();
    };
    let site = &board.site(endpoint).name;
    endpoint.effort.map_or_else(
        || site.to_string(),
        |effort| format!("{site}@{}", effort.as_str()),
    )
}

fn candidate(plan: &Plan, ranked: &Ranked, board: &Board) -> Value {
    let prediction = &ranked.prediction;
    let site = board.sites.get(ranked.site);
    let best = plan
        .candidates
        .iter()
        .map(|ranked| ranked.utility)
        .fold(f64::MIN, f64::max);
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    put("endpoint", json!(name(ranked.endpoint, board)));
    put("provider", json!(site.map(super::board::Site::provider)));
    put("model", json!(site.map(super::board::Site::model)));
    put(
        "effort",
        json!(ranked.effort.map(crate::dialect::caps::Effort::as_str)),
    );
    put("max_output_tokens", json!(ranked.limit));
    let cost = json!({"estimated_usd": prediction.cost.map(usd), "expected_usd": prediction.spent.map(usd),
        "max_usd": ranked.bound.map(usd)});
    put("cost", cost);
    let thought = prediction.thinking > 0 && !prediction.taught;
    let guessed = [
        (prediction.basis == Basis::Interpolated, "quality"),
        (thought, "thinking_tokens"),
    ];
    let guessed = guessed.into_iter().filter(|(is, _)| *is);
    let guessed: Vec<&str> = guessed.map(|(_, name)| name).collect();
    let predicted = json!({
        "input_tokens": prediction.input, "cached_tokens": prediction.cached, "output_tokens": prediction.output,
        "thinking_tokens": prediction.thinking,
        "ttft_ms": count(prediction.wait), "latency_ms": count(prediction.time),
        "success": round(1.0 - prediction.risk), "quality": prediction.quality.map(round),
        "interpolated": guessed,
    });
    put("predicted", predicted);
    let terms = Terms::of(&plan.weights, prediction, ranked.losses);
    let score = json!({
        "utility": round(ranked.utility), "below_best": round(best - ranked.utility), "cost": round(terms.cost),
        "time": round(terms.time), "risk": round(terms.risk), "quality": round(terms.quality),
        "losses": round(terms.losses),
    });
    put("score", score);
    let losses: Vec<&str> = ranked
        .losses
        .each()
        .map(super::ability::Ability::as_str)
        .collect();
    put("losses", json!(losses));
    put("lot", json!(ranked.lot));
    Value::Object(out)
}

fn rejections(rejected: &[Rejected], board: &Board) -> Value {
    let each = rejected.iter().map(|rejected| {
        let (word, detail) = (rejected.why.as_str(), rejected.why.detail());
        let detail = Some(detail).filter(|detail| !detail.is_empty());
        json!({"endpoint": name(rejected.endpoint, board), "reason": word, "detail": detail})
    });
    Value::Array(each.collect())
}

/// Dollars as a number, exactly as a decimal has them.
#[must_use]
pub fn usd(money: Money) -> Value {
    money
        .to_string()
        .parse::<serde_json::Number>()
        .map_or(Value::Null, Value::Number)
}

/// Four digits behind the point: more would be noise.
fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
