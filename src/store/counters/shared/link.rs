//! Keeps a line to the server: comes, gives signs of life, and comes back.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};
use tokio::time::timeout;

use super::node::Core;
use super::own::Line;
use super::script::{Asking, BEAT, HOUSE, JOIN, gate};

/// How often a sign of life is given.
const BEAT_EVERY: Duration = Duration::from_secs(2);
/// After how long without one a lease ends.
const LEASE: Duration = Duration::from_secs(15);
/// How long all nodes have to come back to a server that has started again, before it is believed.
const COME_BACK: Duration = Duration::from_secs(2);
/// How soon it is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// Unix seconds.
type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Keeps the line for as long as anybody holds the counters.
pub(super) async fn keep(core: Weak<Core>, client: Client, now: Now) {
    let mut quiet = false;
    while let Some(held) = core
        .upgrade()
        .filter(|core| !core.closed.load(Ordering::Acquire))
    {
        let wake = Arc::clone(&held.wake);
        let patience = match held.line() {
            Some(line) => {
                let asking = Asking::new().word(&line.lease).word(LEASE.as_millis());
                let _ = held.ask(&line, &BEAT, asking).await;
                BEAT_EVERY
            }
            None => match join(&held, &client, &now).await {
                Ok(()) => {
                    quiet = false;
                    tracing::info!("counters are shared between nodes");
                    BEAT_EVERY
                }
                Err(error) => {
                    if !std::mem::replace(&mut quiet, true) {
                        tracing::error!(%error, "the counters that nodes share cannot be reached");
                    }
                    AGAIN
                }
            },
        };
        let patience = if held.line().is_some() {
            patience
        } else {
            AGAIN
        };
        drop(held);
        let _ = timeout(patience, wake.notified()).await;
    }
}

/// Comes under a new lease and tells all that this node knows, until nothing of it has changed meanwhile.
async fn join(core: &Core, client: &Client, now: &Now) -> Result<(), RedisError> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(CONNECT));
    let mut connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await?;
    let run = run_of(&mut connection).await?;
    let lease: Arc<str> = format!("{}-{:08x}", core.process, fastrand::u32(..)).into();
    loop {
        let (asking, changes) = tell(core, &lease, &run, now());
        let said = asking.ask(&JOIN, connection.clone()).await?;
        core.mine().lease = Arc::clone(&lease);
        let wait = said.get(1).and_then(|wait| wait.parse().ok()).unwrap_or(0);
        if wait > 0 {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            continue;
        }
        let mut mine = core.mine();
        if mine.changes == changes {
            mine.line = Some(Line { connection, lease });
            return Ok(());
        }
    }
}

/// All that this node knows, and how often that had changed until now.
fn tell(core: &Core, lease: &str, run: &str, now: u64) -> (Asking, u64) {
    let mine = core.mine();
    let places = core.gates.places();
    let asking = Asking::new()
        .key(HOUSE)
        .word(&mine.lease)
        .word(lease)
        .word(&core.process)
        .word(run)
        .word(LEASE.as_millis())
        .word(COME_BACK.as_millis())
        .word(now)
        .word(mine.purses())
        .word(places.len());
    let asking = mine.tell(asking, now);
    let changes = mine.changes;
    drop(mine);
    let asking = places.iter().fold(asking, |asking, (id, inside)| {
        asking.word(gate(id)).word(inside)
    });
    (asking, changes)
}

/// Which run of the server this is: another one may have lost something.
async fn run_of(connection: &mut MultiplexedConnection) -> Result<String, RedisError> {
    let told: String = redis::cmd("INFO")
        .arg("server")
        .query_async(connection)
        .await?;
    let mut lines = told.lines();
    let run = lines.find_map(|line| line.strip_prefix("run_id:"));
    Ok(run.unwrap_or_default().trim().to_owned())
}
