//! A person's own login, as `gcloud auth application-default login` leaves it.

use serde::Deserialize;

use crate::catalog::auth::grant::{Got, Grant, Step};
use crate::catalog::auth::oauth;

/// The way from a login to a token.
#[derive(Clone, Deserialize)]
pub struct User {
    client_id: String,
    client_secret: String,
    refresh_token: String,
    #[serde(default = "token_uri")]
    token_uri: String,
}

fn token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

impl std::fmt::Debug for User {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("User(…)")
    }
}

impl Grant for User {
    fn name(&self) -> String {
        "Google user login".to_owned()
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        let step = if matches!(got, Got::Nothing) {
            let pairs = [
                ("grant_type", "refresh_token"),
                ("client_id", &self.client_id),
                ("client_secret", &self.client_secret),
                ("refresh_token", &self.refresh_token),
            ];
            oauth::post(&self.token_uri, &pairs)
        } else {
            let answer = got.answer();
            answer.and_then(|answer| oauth::token(&answer, now).map(Step::Done))
        };
        step.unwrap_or_else(|end| match end.required() {
            Step::Failed(why) if why.contains("invalid_grant") => Step::Failed(format!(
                "{why}; the login has ended, run gcloud auth application-default login again"
            )),
            end => end,
        })
    }
}
