//! What OAuth token endpoints are asked and what they answer: Google, Entra and their metadata servers alike.

use std::fmt::Write as _;

use http::Request;
use http::header::{ACCEPT, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::Value;

use crate::dialect::signals;

use super::credential::{Credential, Lease};
use super::grant::{Answer, Fetch, Step, built, failed, secret};
use super::stamp;

/// How long a token is taken to hold whose end is not told, in seconds.
const USUAL_LIFE: u64 = 300;
/// How far off clocks may be before they are blamed, in seconds.
const SKEW: u64 = 240;

/// A form, as `application/x-www-form-urlencoded`.
#[must_use]
pub fn form(pairs: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        out.push_str(&encoded(value));
    }
    out
}

/// A text as it may stand in a query or form.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A form that is sent to somebody far away.
///
/// # Errors
/// Where the address is none.
pub fn post(url: &str, pairs: &[(&str, &str)]) -> Result<Step, Step> {
    let builder = Request::post(url)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(ACCEPT, "application/json");
    Ok(Fetch::far(built(builder, form(pairs))?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Form {
    access_token: Option<String>,
    expires_in: Option<Value>,
    expires_on: Option<Value>,
    /// Google's service for impersonation writes its own names.
    #[serde(rename = "accessToken")]
    lent_token: Option<String>,
    #[serde(rename = "expireTime")]
    lent_until: Option<String>,
}

/// The token that an endpoint answered with.
///
/// # Errors
/// What it said instead.
pub fn token(answer: &Answer, now: u64) -> Result<Lease, Step> {
    if !(200..300).contains(&answer.status) {
        return Err(refused(answer, now));
    }
    let form: Form = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = form.access_token.or(form.lent_token);
    let text = text.ok_or_else(|| failed("it answered with something that holds no token"))?;
    let life = form.expires_in.as_ref().and_then(number);
    let end = form.expires_on.as_ref().and_then(number);
    let lent = form.lent_until.as_deref().and_then(stamp::parse);
    let until = life
        .map(|life| now.saturating_add(life))
        .or(end)
        .or(lent)
        .unwrap_or_else(|| now.saturating_add(USUAL_LIFE));
    Ok(Lease {
        credential: Credential::Token(secret(&text)?),
        until: Some(until),
    })
}

/// A number, or one in quotes as some of Microsoft's endpoints write it.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// What a refusal says: its code and the beginning of its text, nothing that looks like a key, and whether it is the
/// clock.
#[must_use]
pub fn refused(answer: &Answer, now: u64) -> Step {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let at = |path: &str| body.pointer(path).and_then(Value::as_str);
    let code = at("/error").or_else(|| at("/error/status"));
    let text = at("/error_description").or_else(|| at("/error/message"));
    let mut why = format!("it was refused with status {}", answer.status);
    for part in [code, text].into_iter().flatten() {
        let part: String = signals::scrub(part).chars().take(200).collect();
        let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = write!(why, ", {part}");
    }
    why.push_str(&skew(answer.date, now).unwrap_or_default());
    failed(why)
}

/// How far this machine's clock is off, where it is.
#[must_use]
pub fn skew(theirs: Option<u64>, now: u64) -> Option<String> {
    let theirs = theirs?;
    let off = theirs.abs_diff(now);
    let way = if theirs > now { "slow" } else { "fast" };
    (off > SKEW).then(|| format!("; the clock of this machine is {off} s {way}, set it right"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            date: None,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn tokens_are_read_with_their_ends() {
        let rows = [
            (r#"{"access_token":"t","expires_in":3599}"#, 4599),
            (r#"{"access_token":"t","expires_in":"86399"}"#, 87_399),
            (
                r#"{"access_token":"t","expires_on":"1586984735"}"#,
                1_586_984_735,
            ),
            (
                r#"{"accessToken":"t","expireTime":"1970-01-01T01:00:00Z"}"#,
                3_600,
            ),
            (r#"{"access_token":"t"}"#, 1_300),
        ];
        for (body, until) in rows {
            let lease = token(&answer(200, body), 1000).unwrap();
            let token = Credential::Token(secret("t").unwrap());
            assert_eq!(
                (lease.credential, lease.until),
                (token, Some(until)),
                "{body}"
            );
        }
    }

    #[test]
    fn what_is_no_token_is_said() {
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":"a b"}"#,
        ] {
            assert!(
                matches!(token(&answer(200, body), 0), Err(Step::Failed(_))),
                "{body}"
            );
        }
        let body = r#"{"error":"invalid_grant","error_description":"Bad\r\nassertion for sk-abcdefghijklmnop12345"}"#;
        let Err(Step::Failed(why)) = token(&answer(400, body), 0) else {
            panic!("a refusal is no token");
        };
        assert!(
            why.starts_with("it was refused with status 400, invalid_grant, Bad assertion"),
            "{why}"
        );
        assert!(!why.contains("abcdefghijklmnop"), "{why}");
    }

    #[test]
    fn a_wrong_clock_is_named() {
        let mut answer = answer(400, "{}");
        answer.date = Some(10_000);
        let Step::Failed(why) = refused(&answer, 1000) else {
            panic!("a refusal fails");
        };
        assert!(why.contains("9000 s slow"), "{why}");
        assert_eq!(skew(Some(1000), 1100), None);
        assert!(skew(Some(1000), 2000).unwrap().contains("1000 s fast"));
    }

    #[test]
    fn forms_are_encoded() {
        let pairs = [("a", "x y+z"), ("b", "urn:x/é")];
        assert_eq!(form(&pairs), "a=x%20y%2Bz&b=urn%3Ax%2F%C3%A9");
    }
}
