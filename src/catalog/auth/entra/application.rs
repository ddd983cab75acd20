//! An application of Entra: it shows its secret, or a token of somebody whom it trusts (workload identity).
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use std::path::PathBuf;

use crate::catalog::auth::grant::{Got, Grant, Step};
use crate::catalog::auth::key::Secret;
use crate::catalog::auth::oauth;

/// The way from an application to a token.
#[derive(Clone, Debug)]
pub struct Application {
    /// Where its tenant's tokens are given out.
    pub url: String,
    /// Its id.
    pub client: String,
    /// What it shows.
    pub proof: Proof,
    /// What tokens are for.
    pub scope: String,
}

/// What an application shows.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Its secret.
    Secret(Secret),
    /// A token out of a file, as Kubernetes leaves it there.
    File(PathBuf),
}

impl Application {
    fn advance(&self, got: Got, now: u64) -> Result<Step, Step> {
        match (got, &self.proof) {
            (Got::Nothing, Proof::File(path)) => Ok(Step::Read(path.clone())),
            (Got::Nothing, Proof::Secret(secret)) => {
                self.ask(&[("client_secret", secret.reveal())])
            }
            (Got::Answer(answer), _) => oauth::token(&answer, now).map(Step::Done),
            (other, _) => {
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                let token = other.text()?;
                self.ask(&[
                    ("client_assertion_type", kind),
                    ("client_assertion", token.trim()),
                ])
            }
        }
    }

    fn ask(&self, proof: &[(&str, &str)]) -> Result<Step, Step> {
        let mut pairs = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.client.as_str()),
            ("scope", self.scope.as_str()),
        ];
        pairs.extend(proof);
        oauth::post(&self.url, &pairs)
    }
}

impl Grant for Application {
    fn name(&self) -> String {
        match self.proof {
            Proof::Secret(_) => "Entra application with a client secret".to_owned(),
            Proof::File(_) => "Entra workload identity".to_owned(),
        }
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        self.advance(got, now).unwrap_or_else(Step::required)
    }
}
