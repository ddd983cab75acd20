//! Workload identity federation: somebody else's token, out of a file or from an address, is changed for Google's.
//!
//! <https://google.aip.dev/auth/4117>. Subject tokens made from AWS keys or printed by a program are not supported.

use std::collections::BTreeMap;
use std::path::PathBuf;

use http::Request;
use serde::Deserialize;
use serde_json::Value;

use crate::catalog::auth::grant::{Fetch, Got, Grant, Step, Text, built, failed};
use crate::catalog::auth::oauth;

/// A file of the type `external_account`, as far as it matters.
#[derive(Clone, Debug, Deserialize)]
pub struct Account {
    audience: String,
    subject_token_type: String,
    token_url: String,
    credential_source: Source,
    /// Where the token is changed for one of a service account.
    #[serde(default)]
    pub service_account_impersonation_url: Option<String>,
}

/// Where the other's token is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    file: Option<PathBuf>,
    url: Option<String>,
    headers: BTreeMap<String, String>,
    format: Format,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Format {
    #[serde(rename = "type")]
    kind: String,
    subject_token_field_name: String,
}

/// The way from another's token to Google's.
#[derive(Clone, Debug)]
pub struct External {
    /// The file.
    pub account: Account,
    /// What the token may be used for.
    pub scope: String,
    /// Whether the other's token is there and Google's is asked for.
    pub asked: bool,
}

impl External {
    fn advance(&mut self, got: Got, now: u64) -> Result<Step, Step> {
        if self.asked {
            return oauth::token(&got.answer()?, now).map(Step::Done);
        }
        let text = match got {
            Got::Nothing => return self.account.credential_source.step(),
            Got::Answer(answer) if answer.status == 200 => {
                String::from_utf8_lossy(&answer.body).into_owned()
            }
            Got::Answer(answer) => {
                let status = answer.status;
                return Err(failed(format!(
                    "its credential_source answered with status {status}"
                )));
            }
            Got::Text(Text(text)) => text,
            other => other.text()?,
        };
        let subject = self.account.credential_source.subject(&text)?;
        self.asked = true;
        let account = &self.account;
        let pairs = [
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange",
            ),
            (
                "requested_token_type",
                "urn:ietf:params:oauth:token-type:access_token",
            ),
            ("audience", &account.audience),
            ("scope", &self.scope),
            ("subject_token_type", &account.subject_token_type),
            ("subject_token", &subject),
        ];
        oauth::post(&account.token_url, &pairs)
    }
}

impl Source {
    fn step(&self) -> Result<Step, Step> {
        match (&self.file, &self.url) {
            (Some(file), _) => Ok(Step::Read(file.clone())),
            (None, Some(url)) => {
                let mut builder = Request::get(url);
                for (name, value) in &self.headers {
                    builder = builder.header(name, value);
                }
                Ok(Fetch::far(built(builder, "")?))
            }
            (None, None) => Err(failed(
                "its credential_source is neither a file nor a url, and others (AWS, executables) are not supported",
            )),
        }
    }

    fn subject(&self, text: &str) -> Result<String, Step> {
        if self.format.kind != "json" {
            return Ok(text.trim().to_owned());
        }
        let name = &self.format.subject_token_field_name;
        let body: Value = serde_json::from_str(text).unwrap_or_default();
        let token = body.get(name).and_then(Value::as_str).map(str::to_owned);
        token.ok_or_else(|| {
            failed(format!(
                "its credential_source gave no JSON with a '{name}'"
            ))
        })
    }
}

impl Grant for External {
    fn name(&self) -> String {
        "Google workload identity federation".to_owned()
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        self.advance(got, now).unwrap_or_else(Step::required)
    }
}
