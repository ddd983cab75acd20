//! A token that is changed for one of a service account.
//!
//! <https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken>

use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::json;

use crate::catalog::auth::credential::{Credential, Lease};
use crate::catalog::auth::grant::{Fetch, Got, Grant, Step, built, failed};
use crate::catalog::auth::key::Secret;
use crate::catalog::auth::oauth;

/// The way from one's own token to a service account's.
#[derive(Debug)]
pub struct Impersonate {
    /// The way to one's own token.
    pub base: Box<dyn Grant>,
    /// Where tokens are changed.
    pub url: String,
    /// Accounts on the way.
    pub delegates: Vec<String>,
    /// What the token may be used for.
    pub scope: String,
    /// Whether one's own token is there and the other is asked for.
    pub asked: bool,
}

impl Impersonate {
    fn ask(&self, token: &Secret) -> Result<Step, Step> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
            .map_err(|_| failed("its token has characters that no header takes"))?;
        bearer.set_sensitive(true);
        let builder = Request::post(&self.url)
            .header(AUTHORIZATION, bearer)
            .header(CONTENT_TYPE, "application/json");
        let mut body = json!({"scope": [self.scope], "lifetime": "3600s"});
        if let (false, Some(members)) = (self.delegates.is_empty(), body.as_object_mut()) {
            members.insert("delegates".to_owned(), json!(self.delegates));
        }
        Ok(Fetch::far(built(builder, body.to_string())?))
    }
}

impl Grant for Impersonate {
    fn name(&self) -> String {
        if self.asked {
            "Google service account impersonation".to_owned()
        } else {
            self.base.name()
        }
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        if self.asked {
            let answer = got.answer();
            let lease = answer.and_then(|answer| oauth::token(&answer, now));
            return lease.map_or_else(Step::required, Step::Done);
        }
        match self.base.next(got, now) {
            Step::Done(Lease {
                credential: Credential::Token(token),
                ..
            }) => {
                self.asked = true;
                self.ask(&token).unwrap_or_else(|end| end)
            }
            step => step,
        }
    }
}
