//! A service account's key: a signed assertion is changed for a token.
//!
//! <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;

use crate::catalog::auth::grant::{Got, Grant, Signing, Step};
use crate::catalog::auth::oauth;

/// How long an assertion holds, in seconds: the longest that is taken.
const LIFE: u64 = 3_600;

/// What the key file of a service account holds, as far as it matters.
#[derive(Clone, Deserialize)]
pub struct Key {
    /// The account's address.
    pub client_email: String,
    /// The private key as PEM.
    pub private_key: String,
    /// Names the key.
    #[serde(default)]
    pub private_key_id: String,
    /// Where tokens are given out.
    #[serde(default = "token_uri")]
    pub token_uri: String,
}

fn token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Key({})", self.client_email)
    }
}

/// The way from a key to a token.
#[derive(Clone, Debug)]
pub struct Account {
    /// The key.
    pub key: Key,
    /// What the token may be used for.
    pub scope: String,
    /// What is being signed.
    pub text: String,
}

impl Account {
    fn advance(&mut self, got: Got, now: u64) -> Result<Step, Step> {
        match got {
            Got::Nothing => {
                self.text = self.unsigned(now);
                Ok(Step::Sign(Box::new(Signing {
                    pem: self.key.private_key.clone(),
                    text: self.text.clone(),
                })))
            }
            Got::Answer(answer) => oauth::token(&answer, now).map(Step::Done),
            other => {
                let signature = URL_SAFE_NO_PAD.encode(other.signature()?);
                let assertion = format!("{}.{signature}", self.text);
                let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
                let pairs = [("grant_type", grant), ("assertion", &assertion)];
                oauth::post(&self.key.token_uri, &pairs)
            }
        }
    }

    /// Head and claims of the assertion, ready to be signed.
    fn unsigned(&self, now: u64) -> String {
        let key = &self.key;
        let head = json!({"alg": "RS256", "typ": "JWT", "kid": key.private_key_id});
        let claims = json!({
            "iss": key.client_email,
            "scope": self.scope,
            "aud": key.token_uri,
            "iat": now,
            "exp": now.saturating_add(LIFE),
        });
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", part(&head), part(&claims))
    }
}

impl Grant for Account {
    fn name(&self) -> String {
        "Google service account file".to_owned()
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        self.advance(got, now).unwrap_or_else(Step::required)
    }
}
