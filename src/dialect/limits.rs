//! Rate-limit headers of all providers under OpenAI's names.

use std::fmt::Write as _;

/// OpenAI's own names, which most providers use too.
const OPENAI: [&str; 6] = [
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
];

/// Anthropic's names for the same, in the same order
/// (docs.claude.com/en/api/rate-limits, seen November 2026).
const ANTHROPIC: [&str; 6] = [
    "anthropic-ratelimit-requests-limit",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-requests-reset",
    "anthropic-ratelimit-tokens-limit",
    "anthropic-ratelimit-tokens-remaining",
    "anthropic-ratelimit-tokens-reset",
];

/// Headers in which providers name the answer.
const REQUEST_ID: [&str; 3] = ["request-id", "x-request-id", "x-amzn-requestid"];

/// What of a provider's head the client gets: limits under OpenAI's names, and the provider's id of the answer.
///
/// `headers` are walked once, names in lower case. `now` is in Unix seconds: Anthropic gives points in time where
/// OpenAI gives spans.
#[must_use]
pub fn carried<'a>(
    headers: impl Iterator<Item = (&'a str, &'a str)>,
    now: u64,
) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    for (name, value) in headers {
        if REQUEST_ID.contains(&name) {
            out.push(("x-upstream-request-id", value.to_owned()));
        } else if name.contains("ratelimit-") {
            out.extend(limit(name, value, now));
        }
    }
    out
}

/// One limit under OpenAI's name for it.
fn limit(name: &str, value: &str, now: u64) -> Option<(&'static str, String)> {
    if !is_figure(value) {
        return None;
    }
    if let Some(ours) = OPENAI.into_iter().find(|known| *known == name) {
        return Some((ours, value.to_owned()));
    }
    let at = ANTHROPIC.iter().position(|known| *known == name)?;
    let ours = OPENAI.into_iter().nth(at)?;
    let value = if name.ends_with("reset") {
        span_until(value, now)?
    } else {
        value.to_owned()
    };
    Some((ours, value))
}

/// Whether a value is what a limit can be: a number, a span or a moment. Whatever else a provider writes there is not
/// for its callers.
fn is_figure(value: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_digit() || b".:+-hmsdTZ ".contains(&byte);
    value.len() <= LONGEST && value.bytes().all(known)
}

/// The longest value of a limit.
const LONGEST: usize = 40;

/// The time from `now` to an RFC 3339 point in time, as OpenAI writes spans: `6m0s`.
fn span_until(point: &str, now: u64) -> Option<String> {
    let seconds = unix(point)?.saturating_sub(now);
    let (minutes, rest) = (seconds.checked_div(60)?, seconds.checked_rem(60)?);
    let mut out = String::new();
    if minutes > 0 {
        let _ = write!(out, "{minutes}m");
    }
    let _ = write!(out, "{rest}s");
    Some(out)
}

/// Unix seconds of `YYYY-MM-DDTHH:MM:SSZ`; fractions and offsets other than Z are not read.
fn unix(point: &str) -> Option<u64> {
    let number = |from: usize, to: usize| point.get(from..to)?.parse::<u64>().ok();
    if !point.ends_with('Z') || point.get(10..11)? != "T" {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let days = days_since_epoch(year, month, day)?;
    let seconds = days
        .checked_mul(86_400)?
        .checked_add(hour.checked_mul(3600)?)?;
    seconds
        .checked_add(minute.checked_mul(60)?)?
        .checked_add(second)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, counted in years that begin in March.
fn days_since_epoch(year: u64, month: u64, day: u64) -> Option<u64> {
    let (year, month) = if month > 2 {
        (year, month.checked_sub(3)?)
    } else {
        (year.checked_sub(1)?, month.checked_add(9)?)
    };
    let leaps = (year / 4)
        .checked_sub(year / 100)?
        .checked_add(year / 400)?;
    let in_year = month
        .checked_mul(153)?
        .checked_add(2)?
        .checked_div(5)?
        .checked_add(day)?
        .checked_sub(1)?;
    year.checked_mul(365)?
        .checked_add(leaps)?
        .checked_add(in_year)?
        .checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_time_become_spans() {
        assert_eq!(unix("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix("2025-07-29T09:59:33Z"), Some(1_753_783_173));
        assert_eq!(unix("2024-02-29T23:59:59Z"), Some(1_709_251_199));
        assert_eq!(unix("soon"), None);
        let headers = [
            ("anthropic-ratelimit-requests-limit", "4000"),
            ("anthropic-ratelimit-requests-reset", "2025-07-29T09:59:33Z"),
            ("request-id", "req_1"),
        ];
        let expected = [
            ("x-ratelimit-limit-requests", "4000".to_owned()),
            ("x-ratelimit-reset-requests", "1m3s".to_owned()),
            ("x-upstream-request-id", "req_1".to_owned()),
        ];
        assert_eq!(carried(headers.into_iter(), 1_753_783_110), expected);
    }

    #[test]
    fn openais_own_headers_pass() {
        let headers = [("x-ratelimit-reset-tokens", "120ms"), ("x-request-id", "r")];
        let expected = [
            ("x-ratelimit-reset-tokens", "120ms".to_owned()),
            ("x-upstream-request-id", "r".to_owned()),
        ];
        assert_eq!(carried(headers.into_iter(), 0), expected);
    }
}
