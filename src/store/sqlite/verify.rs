//! Whether a ledger agrees with itself: what a call came to is what its attempts came to together.

use rusqlite::{Connection, Row};

use crate::account::{CallId, Money};

use super::sums::money;

/// Calls that do not agree, of which so many are told.
const TOLD: u32 = 20;

/// What all was added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many calls there are.
    pub calls: u64,
    /// What they came to.
    pub cost: Money,
    /// Those that do not agree with their attempts, the first of them.
    pub odd: Vec<Odd>,
}

/// A call that does not agree with its attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Odd {
    /// The call.
    pub call: CallId,
    /// How many attempts it had, and how many have a row.
    pub attempts: (u64, u64),
    /// What it came to, and what they did together.
    pub cost: (Money, Money),
}

/// Adds everything up again. An attempt whose call has no row yet is under way.
///
/// # Errors
/// Where the ledger cannot be read.
pub fn verify(connection: &Connection) -> rusqlite::Result<Verified> {
    let dollars = |what: &str| format!("sum({what} / 1000000000), sum({what} % 1000000000)");
    let all = format!("SELECT count(*), {} FROM calls", dollars("cost"));
    let (calls, cost) =
        connection.query_row(&all, [], |row| Ok((count(row, 0)?, money(row, 1)?)))?;
    let odd = format!(
        "SELECT calls.call, calls.attempts, count(attempts.call), coalesce(calls.cost, 0) / 1000000000,
             coalesce(calls.cost, 0) % 1000000000, {}
         FROM calls LEFT JOIN attempts USING (call) GROUP BY calls.call
         HAVING calls.attempts <> count(attempts.call) OR coalesce(calls.cost, 0) <> coalesce(sum(attempts.cost), 0)
         LIMIT {TOLD}",
        dollars("attempts.cost")
    );
    let mut found = connection.prepare(&odd)?;
    let odd = found.query_map([], |row| {
        Ok(Odd {
            call: CallId::of(row.get(0)?),
            attempts: (count(row, 1)?, count(row, 2)?),
            cost: (money(row, 3)?, money(row, 5)?),
        })
    })?;
    let odd = odd.collect::<rusqlite::Result<_>>()?;
    Ok(Verified { calls, cost, odd })
}

fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(at)?;
    Ok(u64::try_from(number).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::super::open::open_in_memory;
    use super::*;

    #[test]
    fn a_call_is_what_its_attempts_are_together() {
        let connection = open_in_memory().unwrap();
        let attempt = |call: u8, attempt: u8, cost: &str| {
            let text = format!(
                "INSERT INTO attempts (call, attempt, at, provider, model, reason, outcome, latency_ms, cost)
                 VALUES (x'000000000000000000000000000000{call:02x}', {attempt}, 5, 'p', 'm', 'forced', 'answered', 9, {cost})"
            );
            connection.execute_batch(&text).unwrap();
        };
        let call = |call: u8, attempts: u8, cost: &str| {
            let text = format!(
                "INSERT INTO calls (call, at, provider, model, reason, attempts, outcome, latency_ms, cost)
                 VALUES (x'000000000000000000000000000000{call:02x}', 5, 'p', 'm', 'forced', {attempts}, 'answered', 9, {cost})"
            );
            connection.execute_batch(&text).unwrap();
        };
        attempt(1, 1, "3");
        attempt(1, 2, "4000000000");
        call(1, 2, "4000000003");
        attempt(2, 1, "NULL");
        call(2, 1, "NULL");
        attempt(3, 1, "9");
        let sound = verify(&connection).unwrap();
        assert_eq!(
            (sound.calls, sound.odd.len()),
            (2, 0),
            "the third is under way"
        );
        assert_eq!(sound.cost, Money::nano(4_000_000_003));
        call(3, 2, "9");
        attempt(4, 1, "5");
        call(4, 1, "6");
        let odd = verify(&connection).unwrap().odd;
        let told = odd
            .iter()
            .map(|odd| (odd.attempts, odd.cost.0.as_nano(), odd.cost.1.as_nano()));
        let told: Vec<_> = told.collect();
        assert_eq!(told, [((2, 1), 9, 9), ((1, 1), 6, 5)]);
    }
}
