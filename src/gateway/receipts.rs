//! The last receipts: what each call did and cost, kept in bounded memory for the one who made it.
//!
//! A receipt is kept as the parts of its call and written out only when it is asked for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::account::Money;
use crate::chat::{Code, Error, Tokens};
use crate::dialect::Report;
use crate::net::Body;
use crate::route::explain;
use crate::route::plan::Plan;

use super::answer;
use super::charge::Charge;
use super::memory::Scope;
use super::settle::{Outcome, Tried, Trip};
use super::shared::Shared;

/// How many candidates of a plan a receipt keeps: those that could have been tried, and the next best.
const CANDIDATES: usize = 16;

/// What a receipt weighs beside its plan, in bytes.
const OWN: usize = 1_024;

/// The last receipts.
#[derive(Debug)]
pub struct Receipts {
    kept: Mutex<Kept>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Kept {
    order: VecDeque<(u128, usize)>,
    all: HashMap<u128, Receipt>,
    bytes: usize,
}

#[derive(Debug)]
struct Receipt {
    scope: Scope,
    at: u64,
    provider: String,
    model: String,
    reason: &'static str,
    outcome: &'static str,
    strategy: Option<String>,
    plan: Option<Box<Plan>>,
    failed: Vec<Tried>,
    sent: u32,
    report: Report,
    tokens: Option<Tokens>,
    estimate: Option<Money>,
    most: Option<Money>,
    cap: Option<Money>,
    charge: Option<Charge>,
    first: Option<Duration>,
    whole: Duration,
}

impl Receipts {
    /// Receipts of at most about so many bytes together.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self {
            kept: Mutex::default(),
            bytes,
        }
    }

    /// Keeps what a call came to, and takes its parts for that.
    pub fn keep(&self, trip: &mut Trip) {
        let (Some(scope), Some(id)) = (trip.scope, number(&trip.id)) else {
            return;
        };
        let receipt = Receipt::of(trip, scope);
        let weight = receipt.weight();
        let mut kept = self.held();
        kept.bytes += weight;
        kept.order.push_back((id, weight));
        kept.all.insert(id, receipt);
        while kept.bytes > self.bytes
            && let Some((oldest, weight)) = kept.order.pop_front()
        {
            kept.bytes = kept.bytes.saturating_sub(weight);
            kept.all.remove(&oldest);
        }
    }

    fn held(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `GET /v1/receipts/{id}`: only for whoever made the call.
#[must_use]
pub fn one(shared: &Shared, id: &str, scope: Scope) -> Response<Body> {
    let kept = shared.receipts.held();
    let mine = |receipt: &&Receipt| receipt.scope == scope;
    let receipt = number(id).and_then(|id| kept.all.get(&id).filter(mine));
    let Some(receipt) = receipt else {
        drop(kept);
        let message = format!(
            "There is no receipt '{id}' of a call of yours. The last calls are kept; ask with the key that made the call."
        );
        return answer::refusal(&Error::new(Code::UnknownUrl, message));
    };
    let told = receipt.tell(id, shared);
    drop(kept);
    answer::json(StatusCode::OK, told.to_string().into_bytes())
}

/// The number in a call's id.
fn number(id: &str) -> Option<u128> {
    u128::from_str_radix(id.strip_prefix("req_")?, 16).ok()
}

impl Receipt {
    fn of(trip: &mut Trip, scope: Scope) -> Self {
        let mut plan = trip.route.plan.take();
        if let Some(plan) = &mut plan {
            plan.candidates.truncate(CANDIDATES);
            plan.candidates.shrink_to_fit();
            plan.rejected.shrink_to_fit();
            plan.drawn.retain(|(place, _)| *place < CANDIDATES);
        }
        Self {
            scope,
            at: trip.shared().clock.unix(),
            provider: std::mem::take(&mut trip.provider),
            model: std::mem::take(&mut trip.model),
            reason: trip.reason.map_or("", crate::route::Reason::as_str),
            outcome: match trip.outcome {
                Outcome::ClientGone => "client_gone",
                Outcome::Failed(code) => code,
                Outcome::Answered => "answered",
            },
            strategy: trip
                .route
                .strategy
                .as_ref()
                .map(|known| known.name.to_string()),
            plan,
            failed: std::mem::take(&mut trip.failed),
            sent: trip.sent,
            report: std::mem::take(&mut trip.report),
            tokens: trip.tokens,
            estimate: trip.route.estimate,
            most: trip.route.most,
            cap: trip.route.cap.map(|cap| cap.most),
            charge: trip.charge.take(),
            first: trip.first,
            whole: trip.elapsed(),
        }
    }

    fn weight(&self) -> usize {
        let plan = self.plan.as_ref().map_or(0, |plan| {
            plan.candidates.len() * size_of::<crate::route::plan::Ranked>()
                + plan.rejected.len() * size_of::<crate::route::plan::Rejected>()
        });
        let words = self.failed.iter().map(|tried| 64 + tried.message.len());
        OWN + plan + words.sum::<usize>()
    }

    fn tell(&self, id: &str, shared: &Shared) -> Value {
        let attempt = |tried: &Tried| json!({"provider": tried.provider, "model": tried.model, "outcome": tried.cause, "message": tried.message});
        let mut attempts: Vec<Value> = self.failed.iter().map(attempt).collect();
        attempts
            .push(json!({"provider": self.provider, "model": self.model, "outcome": self.outcome}));
        let plan = self.plan.as_ref();
        let plan = plan.map(|plan| explain::plan(plan, &shared.pilot.board));
        let names = |list: &[std::borrow::Cow<'static, str>]| {
            Value::from(list.iter().map(|name| json!(name)).collect::<Vec<_>>())
        };
        let report = &self.report;
        json!({
            "object": "waypost.receipt",
            "id": id,
            "at": self.at,
            "outcome": self.outcome,
            "provider": self.provider,
            "model": self.model,
            "route": self.reason,
            "strategy": self.strategy,
            "sent": self.sent,
            "attempts": attempts,
            "plan": plan,
            "usage": self.tokens.as_ref().map(usage),
            "cost": self.cost(),
            "params": {"dropped": names(&report.dropped), "emulated": names(&report.emulated), "clamped": names(&report.clamped)},
            "ttft_ms": self.first.map(|first| first.as_millis()),
            "latency_ms": self.whole.as_millis(),
        })
    }

    fn cost(&self) -> Value {
        let charge = self.charge.as_ref();
        let lines = charge.and_then(|charge| charge.bill.as_ref()).map(|bill| {
            let each = bill.lines().map(|line| {
                json!({"item": line.item.as_str(), "count": line.count,
                    "pico_usd_each": line.rate.as_pico(), "usd": dollars(line.amount.nearest())})
            });
            each.collect::<Vec<_>>()
        });
        json!({
            "estimated_usd": self.estimate.map(dollars),
            "max_usd": self.most.map(dollars),
            "cap_usd": self.cap.map(dollars),
            "actual_usd": charge.map(|charge| dollars(charge.money)),
            "exact": charge.map(|charge| charge.exact),
            "lines": lines,
        })
    }
}

fn usage(tokens: &Tokens) -> Value {
    let counts = [
        ("prompt_tokens", Some(tokens.prompt)),
        ("completion_tokens", Some(tokens.completion)),
        ("cached_tokens", tokens.cached),
        ("cache_write_tokens", tokens.cache_write),
        ("reasoning_tokens", tokens.reasoning),
    ];
    let known = counts
        .into_iter()
        .filter_map(|(name, count)| count.map(|count| (name.to_owned(), Value::from(count))));
    Value::Object(known.collect::<Map<_, _>>())
}

/// Dollars as a JSON number.
fn dollars(money: Money) -> Value {
    let number = money.to_string().parse::<serde_json::Number>();
    number.map_or(Value::Null, Value::Number)
}
