//! What a provider's own usage object says of its bill: a sum, or counts that are billed in the place of tokens.

use crate::account::Money;
use crate::chat::Tokens;
use crate::chat::json::{Members, whole_number};

/// Ticks in a nano-dollar, where a sum is told in ten-thousand-millionths of a dollar.
const TICKS: u64 = 10;

/// What a usage object says that the call cost, to the next nano-dollar; `None` where it says nothing that can be a
/// sum.
#[must_use]
pub fn said_cost(usage: &str) -> Option<Money> {
    memchr::memmem::find(usage.as_bytes(), b"\"cost")?;
    let members = Members::parse(usage).ok()?;
    if let Some(ticks) = members.count("cost_in_usd_ticks") {
        return Some(Money::nano(ticks.div_ceil(TICKS)));
    }
    let raw = members.find("cost")?;
    let own = match Members::parse(raw.get()) {
        Ok(parts) => Money::rounded_up(parts.find("total_cost")?.get()),
        Err(_) => Money::rounded_up(raw.get()),
    }?;
    // Where the caller has an account of its own behind the provider, that one is paid beside it.
    let own_account = members
        .find("is_byok")
        .is_some_and(|raw| raw.get() == "true");
    let behind = members.find("cost_details").filter(|_| own_account);
    let behind = behind
        .and_then(|raw| Members::parse(raw.get()).ok())
        .and_then(|details| Money::rounded_up(details.find("upstream_inference_cost")?.get()));
    Some(own.plus(behind.unwrap_or(Money::ZERO)))
}

/// The tokens that are billed where a usage object tells them apart from those that were counted: what a provider puts
/// before a prompt itself is counted and not billed.
#[must_use]
pub fn billed(usage: &str, counted: &Tokens) -> Option<Tokens> {
    memchr::memmem::find(usage.as_bytes(), b"\"billed_units\"")?;
    let members = Members::parse(usage).ok()?;
    let units = Members::parse(members.find("billed_units")?.get()).ok()?;
    let count = |name: &str| units.find(name).and_then(|raw| whole_number(raw.get()));
    let (input, output) = (count("input_tokens"), count("output_tokens"));
    if input.is_none() && output.is_none() {
        return None;
    }
    Some(Tokens {
        prompt: input.unwrap_or(0),
        completion: output.unwrap_or(0),
        // The bill does not tell which of its tokens a cache knew: all of them are fresh there.
        cached: None,
        cache_write: None,
        cache_write_1h: None,
        reasoning: None,
        ..*counted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_taken_however_it_is_told() {
        for (usage, nano) in [
            (r#"{"cost":0.00014}"#, Some(140_000)),
            (r#"{"cost":"0.5"}"#, None),
            (r#"{"cost":0}"#, Some(0)),
            (r#"{"cost":1.23456789012e-3}"#, Some(1_234_568)),
            (r#"{"cost":0.0000000001}"#, Some(1)),
            (r#"{"cost":-1}"#, None),
            (r#"{"cost":null}"#, None),
            (r#"{"cost":1e300}"#, None),
            (
                r#"{"cost":{"input_cost":1,"total_cost":0.005}}"#,
                Some(5_000_000),
            ),
            (r#"{"cost":{"input_cost":1}}"#, None),
            (r#"{"cost_in_usd_ticks":158500}"#, Some(15_850)),
            (r#"{"cost_in_usd_ticks":1}"#, Some(1)),
            (
                r#"{"cost":0.001,"is_byok":true,"cost_details":{"upstream_inference_cost":0.02}}"#,
                Some(21_000_000),
            ),
            (
                r#"{"cost":0.001,"is_byok":false,"cost_details":{"upstream_inference_cost":0.02}}"#,
                Some(1_000_000),
            ),
            (r#"{"prompt_tokens":1}"#, None),
        ] {
            assert_eq!(said_cost(usage), nano.map(Money::nano), "{usage}");
        }
    }

    #[test]
    fn what_is_billed_takes_the_place_of_what_was_counted() {
        let counted = Tokens {
            prompt: 500,
            completion: 9,
            cached: Some(400),
            ..Tokens::default()
        };
        let usage =
            r#"{"prompt_tokens":500,"billed_units":{"input_tokens":7.0,"output_tokens":3}}"#;
        let found = billed(usage, &counted).unwrap();
        assert_eq!((found.prompt, found.completion, found.cached), (7, 3, None));
        let zero = r#"{"billed_units":{"input_tokens":0,"output_tokens":0}}"#;
        assert_eq!(billed(zero, &counted).unwrap().prompt, 0);
        assert_eq!(
            billed(r#"{"billed_units":{"search_units":1}}"#, &counted),
            None
        );
        assert_eq!(billed(r#"{"prompt_tokens":500}"#, &counted), None);
    }
}
