//! `GET /v1/receipts/{id}`: what one call did and cost, for whoever made it.

use http::{HeaderMap, Response, StatusCode};

use serde_json::{Value, json};

use crate::account::{Attempt, CallId, CallRow};
use crate::chat::{Code, Error};
use crate::net::Body;
use crate::store::Away;

use super::admit::holder;
use super::answer;
use super::receipts::{dollars, each, usage};
use super::receive::{caller, owner};
use super::shared::Shared;

/// The receipt of a call: the one that is kept whole, else what the ledger has of it. The key that made it has to be
/// shown, or one of its tenant.
pub async fn one(shared: &Shared, id: &str, headers: &HeaderMap) -> Response<Body> {
    match find(shared, id, headers).await {
        Ok(receipt) => answer::json(StatusCode::OK, receipt.to_string().into_bytes()),
        Err(error) => answer::refusal(&error),
    }
}

async fn find(shared: &Shared, id: &str, headers: &HeaderMap) -> Result<Value, Error> {
    let scope = caller(shared, headers)?;
    let holder = holder(shared, headers)?;
    let tenant = holder
        .as_ref()
        .and_then(|holder| holder.rights.tenant.as_deref());
    if let Some(receipt) = shared.receipts.find(id, (scope, tenant)) {
        return Ok(receipt);
    }
    let owner = owner(headers)?;
    let kept = match CallId::parse(id) {
        Some(call) => shared.ledger.find(call).await.map_err(away)?,
        None => None,
    };
    // It may have ended while the ledger was asked, and then there is the whole one.
    if let Some(receipt) = shared.receipts.find(id, (scope, tenant)) {
        return Ok(receipt);
    }
    // A call that runs has no row of its own yet.
    let own = kept
        .as_ref()
        .and_then(|kept| Some((kept.call.as_ref()?, &kept.attempts)));
    let own = own.filter(|(call, _)| {
        let same = tenant.is_some() && call.party.tenant.as_deref() == tenant;
        same || call.party.owner == owner
    });
    own.map(|(call, attempts)| noted(id, call, attempts)).ok_or_else(|| {
        let message = format!(
            "There is no receipt '{id}' of a call of yours. Ask with the key that made the call, or with one of its tenant."
        );
        Error::new(Code::UnknownUrl, message)
    })
}

fn away(away: Away) -> Error {
    let message = format!("The ledger cannot be read: {away}. Try again in a moment.");
    Error::new(Code::LedgerUnavailable, message)
}

/// What the ledger has of a call, in the words of a receipt. The plan and the lines of the bill are not kept there.
fn noted(id: &str, call: &CallRow, attempts: &[Attempt]) -> Value {
    let paid = &call.end.paid;
    let trial = call.trial.as_ref();
    json!({
        "object": "waypost.receipt",
        "id": id,
        "from": "ledger",
        "at": call.at / 1_000,
        "outcome": call.end.outcome,
        "provider": call.provider,
        "model": call.model,
        "route": call.reason,
        "strategy": call.strategy,
        "tenant": call.party.tenant,
        "tags": each(call.party.tags.as_deref()),
        "experiment": trial.map(|(experiment, _)| experiment),
        "arm": trial.map(|(_, arm)| arm),
        "copy_of": call.copy_of.map(|id| id.to_string()),
        "sent": call.attempts,
        "attempts": attempts.iter().map(attempt).collect::<Vec<_>>(),
        "usage": paid.tokens.as_ref().map(usage),
        "cost": {
            "estimated_usd": call.estimate.map(dollars),
            "max_usd": call.most.map(dollars),
            "actual_usd": paid.cost.map(dollars),
            "exact": paid.cost.map(|_| paid.inexact.is_none()),
            "reason": paid.inexact,
            "price_version": paid.price,
        },
        "params_note": call.params,
        "ttft_ms": call.end.first.map(|first| first.as_millis()),
        "latency_ms": call.end.latency.as_millis(),
    })
}

fn attempt(row: &Attempt) -> Value {
    json!({
        "provider": row.intent.provider,
        "model": row.intent.model,
        "outcome": row.end.outcome,
        "usage": row.end.paid.tokens.as_ref().map(usage),
        "max_usd": row.intent.bound.map(dollars),
        "actual_usd": row.end.paid.cost.map(dollars),
        "reason": row.end.paid.inexact,
        "latency_ms": row.end.latency.as_millis(),
    })
}
