//! Keys of the store: taken in at the start and whenever a command has changed them. And what was spent before the
//! start, from which budgets begin.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::account::{Key, Money, Period};
use crate::gateway::keyring::{Door, Owner};
use crate::gateway::{Gateway, Shared};
use crate::store::Away;
use crate::store::sqlite::keys::KeyRow;
use crate::store::sqlite::party::PartySum;

/// How often the store is looked at: what a command says holds after that.
const LOOK: Duration = Duration::from_millis(500);

/// How long a chain of keys that were made from each other may be, where one was revoked.
const LONGEST_CHAIN: usize = 8;

/// Takes the keys of the store in, and begins every purse that is new with what its budget has spent.
///
/// # Errors
/// Where the store cannot be read.
pub async fn begin(shared: &Shared) -> Result<(), Away> {
    let rows = shared.ledger.keys().await?;
    hold(shared, &rows);
    seed(shared, &rows).await
}

/// Takes in what commands change, until it is told to stop.
pub async fn watch(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let mut known = gateway.now().ledger.version().await.ok();
    while tokio::time::timeout(LOOK, stopped.changed()).await.is_err() {
        let shared = gateway.now();
        if shared.keyring.door() == Door::Open {
            continue;
        }
        let version = shared.ledger.version().await.ok();
        if version == known {
            continue;
        }
        // What cannot be read now is asked for again.
        if let Ok(rows) = shared.ledger.keys().await {
            hold(&shared, &rows);
            known = version;
        }
    }
}

fn hold(shared: &Shared, rows: &[KeyRow]) {
    let live = rows.iter().filter(|row| row.revoked.is_none());
    let live: Vec<Key> = live.map(|row| row.key.clone()).collect();
    for name in shared.keyring.hold(&live) {
        tracing::warn!(
            key = name,
            "a key cannot be used: what it was made from is gone, or may do less"
        );
    }
}

async fn seed(shared: &Shared, rows: &[KeyRow]) -> Result<(), Away> {
    let dues = shared.keyring.purses();
    let now = shared.clock.unix();
    for period in [Period::Day, Period::Month, Period::Total] {
        let mut own = dues.iter().filter(|due| due.budget.period == period);
        let Some(first) = own.next() else {
            continue;
        };
        let since = period.span(now).0.saturating_mul(1_000);
        let sums = shared.ledger.parties(since).await?;
        let makers = makers(shared.keyring.own(), rows);
        for due in std::iter::once(first).chain(own) {
            let owner = Owner::of(&due.purse);
            let parts = sums.iter().filter(|sum| counts(owner, sum, &makers));
            let spent: Money = parts.map(|sum| sum.cost).sum();
            shared.counters.seed(due, spent, now).await;
        }
    }
    Ok(())
}

/// What each key was made from; those that were revoked too, as what they spent is spent.
fn makers<'a>(own: &'a [Key], rows: &'a [KeyRow]) -> HashMap<&'a str, &'a str> {
    let stored = rows.iter().map(|row| &row.key);
    let made = stored.chain(own).filter_map(|key| {
        let maker = key.made_from.as_deref()?;
        Some((key.name.as_str(), maker))
    });
    made.collect()
}

/// Whether a sum counts for the owner of a purse.
fn counts(owner: Owner<'_>, sum: &PartySum, makers: &HashMap<&str, &str>) -> bool {
    match owner {
        Owner::All => true,
        Owner::Tenant(name) => sum.tenant.as_deref() == Some(name),
        Owner::Key(name) => {
            let chain = std::iter::successors(sum.key.as_deref(), |key| makers.get(key).copied());
            chain.take(LONGEST_CHAIN + 1).any(|key| key == name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_made_key_has_spent_counts_for_its_makers() {
        let makers = HashMap::from([("dev", "team"), ("team", "root"), ("loop", "loop")]);
        let sum = |key: &str| PartySum {
            key: Some(key.to_owned()),
            tenant: Some("acme".to_owned()),
            cost: Money::nano(1),
        };
        for (purse, key, counted) in [
            ("key:dev", "dev", true),
            ("key:root", "dev", true),
            ("key:dev", "team", false),
            ("key:root", "loop", false),
            ("tenant:acme", "dev", true),
            ("tenant:zeta", "dev", false),
            ("all", "dev", true),
        ] {
            let owner = Owner::of(purse);
            assert_eq!(counts(owner, &sum(key), &makers), counted, "{purse} {key}");
        }
    }
}
