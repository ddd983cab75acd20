//! The tables in PostgreSQL, as steps that are taken once and in order. A step that is out is never changed, and steps
//! only add what may be left empty: nodes of different versions send at the same time.

use tokio_postgres::Client;

use super::door::Refused;

/// The columns are those of the ledger of a node, and the node. Money is in nano-dollars.
const STEPS: &[&str] = &[ROWS_OF_NODES];

/// Whoever changes the tables holds this lock ("waypost" in ASCII).
const LOCK: i64 = 0x0077_6179_706f_7374;

const ROWS_OF_NODES: &str = "
CREATE TABLE waypost_attempts (
    call         bytea  NOT NULL,
    attempt      bigint NOT NULL,
    node         text   NOT NULL,
    at           bigint NOT NULL,
    key          text,
    owner        bigint,
    tenant       text,
    tags         text,
    provider     text   NOT NULL,
    model        text   NOT NULL,
    strategy     text,
    reason       text   NOT NULL,
    estimate     bigint,
    bound        bigint,
    outcome      text   NOT NULL,
    prompt       bigint,
    cached       bigint,
    cache_write  bigint,
    completion   bigint,
    reasoning    bigint,
    cost         bigint,
    inexact      text,
    price        text,
    ttft_ms      bigint,
    latency_ms   bigint NOT NULL,
    PRIMARY KEY (call, attempt, node)
);

CREATE TABLE waypost_calls (
    call         bytea  NOT NULL,
    node         text   NOT NULL,
    at           bigint NOT NULL,
    key          text,
    owner        bigint,
    tenant       text,
    tags         text,
    provider     text   NOT NULL,
    model        text   NOT NULL,
    strategy     text,
    reason       text   NOT NULL,
    attempts     bigint NOT NULL,
    outcome      text   NOT NULL,
    prompt       bigint,
    cached       bigint,
    cache_write  bigint,
    completion   bigint,
    reasoning    bigint,
    estimate     bigint,
    most         bigint,
    cost         bigint,
    inexact      text,
    price        text,
    params       text,
    experiment   text,
    arm          text,
    copy_of      bytea,
    ttft_ms      bigint,
    latency_ms   bigint NOT NULL,
    PRIMARY KEY (call, node)
);

CREATE TABLE waypost_open (
    call         bytea  NOT NULL,
    attempt      bigint NOT NULL,
    node         text   NOT NULL,
    seen         bigint NOT NULL,
    at           bigint NOT NULL,
    key          text,
    owner        bigint,
    tenant       text,
    tags         text,
    provider     text   NOT NULL,
    model        text   NOT NULL,
    strategy     text,
    reason       text   NOT NULL,
    estimate     bigint,
    bound        bigint,
    PRIMARY KEY (call, attempt, node)
);

CREATE INDEX waypost_open_node ON waypost_open (node);
";

/// Takes the steps that have not been taken, all or none; of several nodes that start at once, one.
///
/// Where nothing is to be done, nothing but reading is asked of the role that connects.
pub(super) async fn migrate(client: &mut Client) -> Result<(), Refused> {
    let all = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if taken(client).await? >= all {
        return Ok(());
    }
    let transaction = client.transaction().await?;
    let lock = format!("SELECT pg_advisory_xact_lock({LOCK})");
    transaction.batch_execute(&lock).await?;
    let from = taken(transaction.client()).await?;
    if from == 0 {
        let first = "CREATE TABLE waypost_schema (version bigint NOT NULL); INSERT INTO waypost_schema VALUES (0)";
        transaction.batch_execute(first).await?;
    }
    for step in STEPS.iter().skip(usize::try_from(from).unwrap_or(0)) {
        transaction.batch_execute(step).await?;
    }
    let done = format!("UPDATE waypost_schema SET version = {all} WHERE version < {all}");
    transaction.batch_execute(&done).await?;
    Ok(transaction.commit().await?)
}

/// How many steps have been taken.
async fn taken(client: &Client) -> Result<i64, Refused> {
    let there = "SELECT to_regclass('waypost_schema') IS NOT NULL";
    let there: bool = client.query_typed_one(there, &[]).await?.try_get(0)?;
    if !there {
        return Ok(0);
    }
    let version = "SELECT max(version) FROM waypost_schema";
    let version: Option<i64> = client.query_typed_one(version, &[]).await?.try_get(0)?;
    Ok(version.unwrap_or(0))
}
