//! What a grant ends in: something that authorises calls, for a while.

use super::key::Secret;

/// Something that authorises a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A token that the call bears.
    Token(Secret),
    /// Keys that the call is signed with.
    Signing(SigningKeys),
}

/// Keys of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKeys {
    /// Names the keys.
    pub access: Secret,
    /// Signs.
    pub secret: Secret,
    /// Shows that keys that were lent are still lent.
    pub session: Option<Secret>,
}

/// A credential with its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The credential.
    pub credential: Credential,
    /// Unix seconds from which on it is refused; `None` where it does not end by itself.
    pub until: Option<u64>,
}

impl SigningKeys {
    /// Keys from texts.
    ///
    /// # Errors
    /// Where one of them cannot stand in a header; the message names which, not what it is.
    pub fn new(access: &str, secret: &str, session: Option<&str>) -> Result<Self, String> {
        let read = |name: &str, text: &str| {
            Secret::new(text.trim()).map_err(|error| format!("its {name} cannot be used: {error}"))
        };
        Ok(Self {
            access: read("access key id", access)?,
            secret: read("secret access key", secret)?,
            session: session
                .filter(|text| !text.is_empty())
                .map(|text| read("session token", text))
                .transpose()?,
        })
    }

    /// A lease of these keys.
    #[must_use]
    pub const fn lease(self, until: Option<u64>) -> Lease {
        Lease {
            credential: Credential::Signing(self),
            until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_lease_prints_its_secrets() {
        let keys = SigningKeys::new("AKIDEXAMPLE", "very/secret", Some("lent")).unwrap();
        let token = Credential::Token(Secret::new("ya29.token").unwrap());
        let printed = format!("{:?} {token:?}", keys.lease(Some(1)));
        for secret in ["AKID", "very", "lent", "ya29"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }

    #[test]
    fn keys_that_no_header_takes_are_refused_by_name() {
        let error = SigningKeys::new("AKID", "a b", None).unwrap_err();
        assert!(
            error.contains("secret access key") && !error.contains("a b"),
            "{error}"
        );
        assert_eq!(
            SigningKeys::new(" a ", "b\n", Some("")).unwrap().session,
            None
        );
    }
}
