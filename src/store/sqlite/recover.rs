//! After a crash: what was open becomes rows that say so.

use rusqlite::{Connection, TransactionBehavior};

use crate::account::entry::End;
use crate::account::{Attempt, CallRow, Intent};

use super::rows::{put_attempt, put_call};

/// Gives every intent that has no row one that holds it at what it can cost at most; says how many there were. Calls
/// whose end nobody wrote get theirs as well.
pub(crate) fn recover(
    connection: &mut Connection,
    intents: Vec<Intent>,
) -> rusqlite::Result<usize> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut open = 0;
    for intent in intents {
        let end = End::unheard("unknown", intent.bound);
        let call = call_of(&intent, end.clone());
        let fresh = put_attempt(&transaction, &Attempt { intent, end })?;
        if fresh {
            open += 1;
            put_call(&transaction, &call)?;
        }
    }
    transaction.commit()?;
    Ok(open)
}

fn call_of(intent: &Intent, end: End) -> CallRow {
    CallRow {
        call: intent.call,
        at: intent.at,
        party: intent.party.clone(),
        provider: intent.provider.clone(),
        model: intent.model.clone(),
        strategy: intent.strategy.clone(),
        reason: intent.reason.clone(),
        attempts: intent.attempt,
        end,
        estimate: intent.estimate,
        most: intent.bound,
        params: None,
        trial: None,
        copy_of: None,
    }
}
