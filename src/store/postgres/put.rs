//! Rows into PostgreSQL. Each statement may be sent twice and does the same as once.

use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use crate::account::Intent;
use crate::store::sqlite::outbox::{Sheaf, hex, plain};

use super::door::Refused;

const ATTEMPTS: &str = "INSERT INTO waypost_attempts
    SELECT * FROM json_populate_recordset(NULL::waypost_attempts, $1::text::json) ON CONFLICT DO NOTHING";

const CALLS: &str = "INSERT INTO waypost_calls
    SELECT * FROM json_populate_recordset(NULL::waypost_calls, $1::text::json) ON CONFLICT DO NOTHING";

const OPEN: &str = "INSERT INTO waypost_open
    SELECT * FROM json_populate_recordset(NULL::waypost_open, $1::text::json)
    ON CONFLICT (call, attempt, node) DO UPDATE SET seen = excluded.seen";

const OVER: &str = "DELETE FROM waypost_open WHERE node = $1 AND seen <> $2";

/// Sends rows; those that are there already stay as they are.
pub(super) async fn sheaf(client: &Client, sheaf: &Sheaf) -> Result<(), Refused> {
    for (statement, rows) in [(ATTEMPTS, &sheaf.attempts), (CALLS, &sheaf.calls)] {
        all(client, statement, rows).await?;
    }
    Ok(())
}

/// Tells what is under way on a node, instead of what was told before.
pub(super) async fn open(
    client: &Client,
    node: &str,
    seen: i64,
    intents: &[Intent],
) -> Result<(), Refused> {
    let rows: Vec<Value> = intents
        .iter()
        .map(|intent| object(node, seen, intent))
        .collect();
    all(client, OPEN, &rows).await?;
    let over: [(&(dyn ToSql + Sync), Type); 2] = [(&node, Type::TEXT), (&seen, Type::INT8)];
    client.execute_typed(OVER, &over).await?;
    Ok(())
}

async fn all(client: &Client, statement: &str, rows: &[Value]) -> Result<(), Refused> {
    if rows.is_empty() {
        return Ok(());
    }
    let text = serde_json::to_string(rows).unwrap_or_default();
    let rows: [(&(dyn ToSql + Sync), Type); 1] = [(&text, Type::TEXT)];
    client.execute_typed(statement, &rows).await?;
    Ok(())
}

fn object(node: &str, seen: i64, intent: &Intent) -> Value {
    let text = |text: Option<&str>| text.map(plain);
    let nano = |money: Option<crate::account::Money>| {
        money.map(|money| i64::try_from(money.as_nano()).unwrap_or(i64::MAX))
    };
    json!({
        "call": hex(&intent.call.bytes()),
        "attempt": intent.attempt,
        "node": node,
        "seen": seen,
        "at": intent.at,
        "key": text(intent.party.key.as_deref()),
        "owner": intent.party.owner.map(u64::cast_signed),
        "tenant": text(intent.party.tenant.as_deref()),
        "tags": text(intent.party.tags.as_deref()),
        "provider": plain(&intent.provider),
        "model": plain(&intent.model),
        "strategy": text(intent.strategy.as_deref()),
        "reason": plain(&intent.reason),
        "estimate": nano(intent.estimate),
        "bound": nano(intent.bound),
    })
}
