//! The last receipts: what each call did and cost, kept in bounded memory for the one who made it.
//!
//! A receipt is kept as the parts of its call and written out only when it is asked for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::account::Money;
use crate::catalog::cost::Version;
use crate::chat::Tokens;
use crate::dialect::Report;
use crate::route::explain;
use crate::route::plan::{Plan, Rejected};
use crate::route::policy::{Cap, Strategy};
use crate::route::ranked::Ranked;

use super::charge::{Charge, Doubt};
use super::ending::{Done, Labels, Outcome, Tried};
use super::memory::Scope;
use super::pilot::Pilot;

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

/// What a call did and cost.
#[derive(Debug)]
pub struct Receipt {
    /// Whose call it was.
    pub scope: Scope,
    /// What it was planned on. Once that is gone, a few configurations later, its plan cannot be told any more.
    pub pilot: Weak<Pilot>,
    /// When it ended, in Unix seconds.
    pub at: u64,
    /// Who answered, or was tried last.
    pub provider: String,
    /// With which model.
    pub model: String,
    /// Why that was chosen.
    pub reason: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// The strategy that chose.
    pub strategy: Option<Arc<Strategy>>,
    /// The plan.
    pub plan: Option<Box<Plan>>,
    /// Targets that failed before.
    pub failed: Vec<Tried>,
    /// How many attempts went upstream.
    pub sent: u32,
    /// What the translation could not carry over.
    pub report: Report,
    /// The usage.
    pub tokens: Option<Tokens>,
    /// What it was likely to cost.
    pub estimate: Option<Money>,
    /// What it could cost at most.
    pub most: Option<Money>,
    /// The cap.
    pub cap: Option<Cap>,
    /// What it cost.
    pub charge: Option<Charge>,
    /// What answers that were given up in their midst came to.
    pub given_up: Money,
    /// Whose answer was carried on by another, from where, and how.
    pub rescue: Option<Done>,
    /// Whose it was, and what it was tried for.
    pub labels: Labels,
    /// Time to the first event.
    pub first: Option<Duration>,
    /// Time to its end.
    pub whole: Duration,
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

    /// Keeps what a call came to.
    pub fn keep(&self, id: &str, mut receipt: Receipt) {
        let Some(id) = number(id) else {
            return;
        };
        receipt.trim();
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

    /// A receipt as JSON, for whoever made the call: the same key, or a key of the tenant that it was made for.
    #[must_use]
    pub fn find(&self, id: &str, (scope, tenant): (Scope, Option<&str>)) -> Option<Value> {
        let kept = self.held();
        let receipt = kept.all.get(&number(id)?)?;
        let same = tenant.is_some() && receipt.labels.tenant.as_deref() == tenant;
        (receipt.scope == scope || same).then(|| receipt.tell(id))
    }

    fn held(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number in a call's id.
fn number(id: &str) -> Option<u128> {
    u128::from_str_radix(id.strip_prefix("req_")?, 16).ok()
}

impl Receipt {
    /// Drops of the plan what nobody will look at.
    fn trim(&mut self) {
        for tried in &mut self.failed {
            tried.message = String::new();
        }
        if let Some(plan) = &mut self.plan {
            plan.candidates.truncate(CANDIDATES);
            plan.candidates.shrink_to_fit();
            plan.rejected.shrink_to_fit();
            plan.drawn.retain(|(place, _)| *place < CANDIDATES);
        }
    }

    fn weight(&self) -> usize {
        let plan = self.plan.as_ref().map_or(0, |plan| {
            plan.candidates.len() * size_of::<Ranked>()
                + plan.rejected.len() * size_of::<Rejected>()
        });
        OWN + plan + 64 * self.failed.len()
    }

    fn tell(&self, id: &str) -> Value {
        let pilot = self.pilot.upgrade();
        // Providers repeat prompts in what they say, and a receipt is no place for those.
        let attempt = |tried: &Tried| json!({"provider": tried.provider, "model": tried.model, "outcome": tried.cause});
        let mut attempts: Vec<Value> = self.failed.iter().map(attempt).collect();
        attempts
            .push(json!({"provider": self.provider, "model": self.model, "outcome": self.outcome.as_str()}));
        let plan = self.plan.as_ref().zip(pilot.as_ref());
        let plan = plan.map(|(plan, pilot)| explain::plan(plan, &pilot.board));
        let names = |list: &[std::borrow::Cow<'static, str>]| {
            Value::from(list.iter().map(|name| json!(name)).collect::<Vec<_>>())
        };
        let report = &self.report;
        json!({
            "object": "waypost.receipt",
            "id": id,
            "at": self.at,
            "outcome": self.outcome.as_str(),
            "provider": self.provider,
            "model": self.model,
            "route": self.reason,
            "strategy": self.strategy.as_ref().map(|known| &known.name),
            "tenant": self.labels.tenant,
            "tags": each(self.labels.tags.as_deref()),
            "experiment": self.labels.experiment(),
            "arm": self.labels.arm(),
            "copy_of": self.labels.copy_of,
            "sent": self.sent,
            "attempts": attempts,
            "rescue": self.rescue.as_ref().map(rescue),
            "plan": plan,
            "usage": self.tokens.as_ref().map(usage),
            "cost": self.cost(),
            "others": pilot.and_then(|pilot| self.others(&pilot)),
            "params": {"dropped": names(&report.dropped), "emulated": names(&report.emulated), "clamped": names(&report.clamped)},
            "ttft_ms": self.first.map(|first| first.as_millis()),
            "latency_ms": self.whole.as_millis(),
        })
    }

    /// What the other candidates of the plan would have cost for the same tokens, the cheapest first; what is saved is
    /// below nothing where they are cheaper.
    fn others(&self, pilot: &Pilot) -> Option<Value> {
        let (charge, plan) = (self.charge.as_ref()?, self.plan.as_ref()?);
        let mut seen = Vec::with_capacity(plan.candidates.len());
        let each = plan.candidates.iter().filter_map(|ranked| {
            let place = ranked.site;
            let (provider, model) = pilot.seller(place)?;
            let own = provider.name == self.provider && model.answers_to(&self.model);
            if own || seen.contains(&place) {
                return None;
            }
            seen.push(place);
            let (cost, _) = pilot.bill((place, &model.id), self.at, None, &charge.tokens)?;
            Some((cost.money, provider.name.as_str(), model.id.as_str()))
        });
        let mut each: Vec<_> = each.collect();
        each.sort_unstable();
        let told = each.into_iter().map(|(money, provider, model)| {
            json!({"provider": provider, "model": model, "usd": dollars(money),
                "saved_usd": saved(money, charge.money)})
        });
        Some(told.collect())
    }

    fn cost(&self) -> Value {
        let charge = self.charge.as_ref();
        let version = charge.and_then(|charge| charge.version);
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
            "cap_usd": self.cap.map(|cap| dollars(cap.most)),
            "actual_usd": charge.map(|charge| dollars(charge.money.plus(self.given_up))),
            "given_up_usd": (!self.given_up.is_zero()).then(|| dollars(self.given_up)),
            "exact": charge.map(|charge| charge.exact),
            "source": charge.map(|charge| charge.source.as_str()),
            "reason": charge.and_then(|charge| charge.doubt).map(Doubt::as_str),
            "tokens": charge.map(|charge| usage(&charge.tokens)),
            "price_version": version.map(|version| version.to_string()),
            "price_own": version.map(Version::is_own),
            "lines": lines,
        })
    }
}

/// What was carried on, in the words of the metadata.
fn rescue(done: &Done) -> Value {
    let mut told = json!({"from": done.from, "at_chars": done.at, "how": done.how.as_str()});
    if !done.how.is_verified() {
        told["unverified"] = Value::from(true);
    }
    told
}

/// A usage in a receipt's words.
pub(super) fn usage(tokens: &Tokens) -> Value {
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

/// The tags of a call, each by itself.
pub(super) fn each(tags: Option<&str>) -> Vec<&str> {
    tags.map_or_else(Vec::new, |tags| tags.split(',').collect())
}

/// What is saved by paying one sum and not another; below nothing where the other is less.
fn saved(other: Money, paid: Money) -> Value {
    if other >= paid {
        return dollars(other.minus(paid));
    }
    let number = format!("-{}", paid.minus(other)).parse::<serde_json::Number>();
    number.map_or(Value::Null, Value::Number)
}

/// Dollars as a JSON number.
pub(super) fn dollars(money: Money) -> Value {
    let number = money.to_string().parse::<serde_json::Number>();
    number.map_or(Value::Null, Value::Number)
}
