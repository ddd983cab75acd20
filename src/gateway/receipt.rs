//! `GET /v1/receipts/{id}`: what one call did and cost, for whoever made it.

use http::{HeaderMap, Response, StatusCode};

use serde_json::{Value, json};

use crate::account::entry::Party;
use crate::account::{Attempt, CallId};
use crate::chat::{Code, Error};
use crate::net::Body;
use crate::store::{Away, Kept};

use super::answer;
use super::receipts::{dollars, usage};
use super::receive::{caller, owner};
use super::shared::Shared;

/// The receipt of a call: the one that is kept whole, else what the ledger has of it. The key that made it has to be
/// shown.
pub async fn one(shared: &Shared, id: &str, headers: &HeaderMap) -> Response<Body> {
    match find(shared, id, headers).await {
        Ok(receipt) => answer::json(StatusCode::OK, receipt.to_string().into_bytes()),
        Err(error) => answer::refusal(&error),
    }
}

async fn find(shared: &Shared, id: &str, headers: &HeaderMap) -> Result<Value, Error> {
    let scope = caller(shared, headers)?;
    if let Some(receipt) = shared.receipts.find(id, scope, &shared.pilot) {
        return Ok(receipt);
    }
    let owner = owner(headers)?;
    let kept = match CallId::parse(id) {
        Some(call) => shared.ledger.find(call).await.map_err(away)?,
        None => None,
    };
    let kept = kept.filter(|kept| whose(kept).is_some_and(|party| party.owner == owner));
    let kept = kept.map(|kept| noted(id, &kept));
    kept.ok_or_else(|| {
        let message = format!(
            "There is no receipt '{id}' of a call of yours. Ask with the key that made the call."
        );
        Error::new(Code::UnknownUrl, message)
    })
}

fn away(away: Away) -> Error {
    let message = format!("The ledger cannot be read: {away}. Try again in a moment.");
    Error::new(Code::LedgerUnavailable, message)
}

fn whose(kept: &Kept) -> Option<&Party> {
    let call = kept.call.as_ref().map(|call| &call.party);
    call.or_else(|| kept.attempts.first().map(|attempt| &attempt.intent.party))
}

/// What the ledger has of a call, in the words of a receipt. The plan and the lines of the bill are not kept there.
fn noted(id: &str, kept: &Kept) -> Value {
    let attempts: Vec<Value> = kept.attempts.iter().map(attempt).collect();
    let mut out = json!({"object": "waypost.receipt", "id": id, "from": "ledger"});
    let call = kept.call.as_ref();
    let whole = call.map(|call| {
        json!({
            "at": call.at / 1_000,
            "outcome": call.end.outcome,
            "provider": call.provider,
            "model": call.model,
            "route": call.reason,
            "strategy": call.strategy,
            "tenant": call.party.tenant,
            "experiment": call.trial.as_ref().map(|(experiment, _)| experiment),
            "arm": call.trial.as_ref().map(|(_, arm)| arm),
            "copy_of": call.copy_of.map(|id| id.to_string()),
            "params_note": call.params,
            "usage": call.end.paid.tokens.as_ref().map(usage),
            "cost": {
                "estimated_usd": call.estimate.map(dollars),
                "max_usd": call.most.map(dollars),
                "actual_usd": call.end.paid.cost.map(dollars),
                "exact": call.end.paid.cost.map(|_| call.end.paid.inexact.is_none()),
                "inexact": call.end.paid.inexact,
            },
            "ttft_ms": call.end.first.map(|first| first.as_millis()),
            "latency_ms": call.end.latency.as_millis(),
        })
    });
    if let Some(out) = out.as_object_mut() {
        if let Some(Value::Object(whole)) = whole {
            out.extend(whole);
        }
        out.insert("attempts".to_owned(), Value::from(attempts));
    }
    out
}

fn attempt(row: &Attempt) -> Value {
    json!({
        "provider": row.intent.provider,
        "model": row.intent.model,
        "outcome": row.end.outcome,
        "usage": row.end.paid.tokens.as_ref().map(usage),
        "max_usd": row.intent.bound.map(dollars),
        "actual_usd": row.end.paid.cost.map(dollars),
        "inexact": row.end.paid.inexact,
        "latency_ms": row.end.latency.as_millis(),
    })
}
