//! What it means that a provider refused a credential that was proved.

use super::oauth;

/// Why a credential was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has expired, was revoked or is not known: another may do.
    Stale,
    /// The clock of this machine is wrong. Says by how much, where that is known.
    Clock(String),
    /// It is known, but may not do this: another of the same source may not either.
    Denied,
}

/// Words of AWS for keys that are expired or not known.
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html>
const STALE: [&str; 6] = [
    "ExpiredToken",
    "UnrecognizedClient",
    "InvalidClientTokenId",
    "InvalidSignature",
    "IncompleteSignature",
    "MissingAuthenticationToken",
];

/// Words of AWS and Google for a time that is too far off.
const CLOCK: [&str; 6] = [
    "Signature expired",
    "Signature not yet current",
    "RequestTimeTooSkewed",
    "RequestExpired",
    "reasonable timeframe",
    "AADSTS700024",
];

impl Refusal {
    /// What a refusal means by its status, its texts, and the time that the provider says it is.
    #[must_use]
    pub fn read(status: u16, kind: Option<&str>, body: &[u8], clocks: (Option<u64>, u64)) -> Self {
        let body = String::from_utf8_lossy(body);
        let within =
            |word: &str| body.contains(word) || kind.is_some_and(|kind| kind.contains(word));
        let says = |words: &[&str]| words.iter().any(|word| within(word));
        let skew = oauth::skew(clocks.0, clocks.1);
        if says(&CLOCK) || (skew.is_some() && says(&["Signature"])) {
            return Self::Clock(skew.unwrap_or_default());
        }
        if status == 401 || says(&STALE) {
            return Self::Stale;
        }
        Self::Denied
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Stale => "It has expired or was revoked: renew it".to_owned(),
            Self::Clock(skew) => {
                format!("The clock of this machine is not the provider's: set it right{skew}")
            }
            Self::Denied => {
                "It may not call this model: give it the right to, at the provider".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart() {
        let expired = r#"{"message":"The security token included in the request is expired"}"#;
        let skewed = r#"{"message":"Signature expired: 20261125T110000Z is now earlier than 20261125T115500Z"}"#;
        let denied = r#"{"message":"User is not authorized to perform: bedrock:InvokeModel"}"#;
        let rows = [
            (
                403,
                Some("ExpiredTokenException:http://internal.amazon.com/"),
                expired,
                Refusal::Stale,
            ),
            (
                403,
                Some("UnrecognizedClientException"),
                "{}",
                Refusal::Stale,
            ),
            (
                403,
                Some("InvalidSignatureException"),
                skewed,
                Refusal::Clock(String::new()),
            ),
            (403, Some("InvalidSignatureException"), "{}", Refusal::Stale),
            (403, Some("AccessDeniedException"), denied, Refusal::Denied),
            (
                401,
                None,
                r#"{"error":{"status":"UNAUTHENTICATED"}}"#,
                Refusal::Stale,
            ),
            (
                403,
                None,
                r#"{"error":{"status":"PERMISSION_DENIED"}}"#,
                Refusal::Denied,
            ),
        ];
        for (status, kind, body, expected) in rows {
            let found = Refusal::read(status, kind, body.as_bytes(), (Some(1000), 1000));
            assert_eq!(found, expected, "{kind:?} {body}");
        }
    }

    #[test]
    fn a_clock_that_is_off_is_told_by_how_much() {
        let kind = Some("InvalidSignatureException");
        let refusal = Refusal::read(403, kind, b"{}", (Some(5000), 1000));
        assert!(
            refusal.advice().contains("4000 s slow"),
            "{}",
            refusal.advice()
        );
        let other = Refusal::read(
            403,
            Some("AccessDeniedException"),
            b"{}",
            (Some(5000), 1000),
        );
        assert_eq!(other, Refusal::Denied);
    }
}
