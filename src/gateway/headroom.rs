//! What heads of answers say of a provider's limits: whoever is told that nothing is left asks elsewhere before it is
//! refused.

use std::time::Duration;

use crate::route::health::{Left, Share};

/// A head's words of limits, under OpenAI's names for them.
#[must_use]
pub fn left(carried: &[(&'static str, String)]) -> Option<Left> {
    let left = Left {
        calls: share(carried, CALLS),
        tokens: share(carried, TOKENS),
    };
    (left != Left::default()).then_some(left)
}

/// What is left, of how much, and when it is back.
const CALLS: [&str; 3] = [
    "x-ratelimit-remaining-requests",
    "x-ratelimit-limit-requests",
    "x-ratelimit-reset-requests",
];
const TOKENS: [&str; 3] = [
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-reset-tokens",
];

fn share(carried: &[(&'static str, String)], names: [&str; 3]) -> Option<Share> {
    let [left, of, reset] = names.map(|name| {
        let found = carried.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    });
    Some(Share {
        left: left?.parse().ok()?,
        of: of.and_then(|of| of.parse().ok()),
        reset_in: reset.and_then(millis).unwrap_or(0),
    })
}

/// A span as OpenAI writes it: `1h2m3.5s`, `120ms`; some providers write plain seconds.
fn millis(span: &str) -> Option<u64> {
    let mut sum = 0.0;
    let mut rest = span;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, unit) = rest.split_at(digits.unwrap_or(rest.len()));
        let end = unit
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(unit.len());
        let (unit, after) = unit.split_at(end);
        let each = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "" if number.len() == span.len() => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        sum += number.parse::<f64>().ok()? * each;
        rest = after;
    }
    let span = Duration::try_from_secs_f64(sum).ok()?;
    u64::try_from(span.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_providers_write_them() {
        let rows = [
            ("120ms", Some(120)),
            ("1s", Some(1_000)),
            ("6m0s", Some(360_000)),
            ("1h2m3.5s", Some(3_723_500)),
            ("5", Some(5_000)),
            ("soon", None),
            ("1m5", None),
        ];
        for (span, wanted) in rows {
            assert_eq!(millis(span), wanted, "{span}");
        }
    }

    #[test]
    fn a_head_tells_of_calls_and_tokens() {
        let head = [
            ("x-ratelimit-remaining-requests", "7".to_owned()),
            ("x-ratelimit-reset-requests", "2s".to_owned()),
            ("x-ratelimit-remaining-tokens", "many".to_owned()),
        ];
        let calls = Some(Share {
            left: 7,
            of: None,
            reset_in: 2_000,
        });
        let tokens = None;
        assert_eq!(left(&head), Some(Left { calls, tokens }));
        assert_eq!(left(&[]), None);
    }
}
