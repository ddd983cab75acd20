//! A credentials file: it says itself what it is.

use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::account::{Account, Key};
use super::external::{self, External};
use super::impersonate::Impersonate;
use super::user::User;
use crate::catalog::auth::grant::{Got, Grant, Step, failed};

/// The way through a credentials file.
#[derive(Debug)]
pub struct File {
    /// Where it is.
    pub path: PathBuf,
    /// What the token may be used for.
    pub scope: String,
    /// Whether it was named, by what, or is only the usual one.
    pub named: Option<&'static str>,
    /// The way that the file says.
    pub way: Option<Box<dyn Grant>>,
}

/// A file of the type `impersonated_service_account`, as far as it matters.
#[derive(Deserialize)]
struct Impersonated {
    service_account_impersonation_url: String,
    source_credentials: Value,
    #[serde(default)]
    delegates: Vec<String>,
}

impl File {
    fn advance(&mut self, got: Got, now: u64) -> Result<Step, Step> {
        if let Some(way) = &mut self.way {
            return Ok(way.next(got, now));
        }
        if matches!(got, Got::Nothing) {
            return Ok(Step::Read(self.path.clone()));
        }
        let end = |step: Step| {
            if self.named.is_some() {
                step.required()
            } else {
                step
            }
        };
        let text = got.text().map_err(end)?;
        let file: Value = serde_json::from_str(&text).map_err(|_| failed("it is no JSON"))?;
        let mut way = way(file, &self.scope)?;
        let step = way.next(Got::Nothing, now);
        self.way = Some(way);
        Ok(step)
    }
}

/// The way that a file says.
fn way(file: Value, scope: &str) -> Result<Box<dyn Grant>, Step> {
    let scope = scope.to_owned();
    let kind = file
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    match kind.as_str() {
        "service_account" => {
            let key: Key = typed(file)?;
            let text = String::new();
            Ok(Box::new(Account { key, scope, text }))
        }
        "authorized_user" => Ok(Box::new(typed::<User>(file)?)),
        "external_account" => {
            let account: external::Account = typed(file)?;
            let url = account.service_account_impersonation_url.clone();
            let asked = false;
            let wide = "https://www.googleapis.com/auth/cloud-platform".to_owned();
            match url {
                // The scope that was asked for is the service account's; the way there needs the widest.
                Some(url) => {
                    let base = External {
                        account,
                        scope: wide,
                        asked,
                    };
                    Ok(impersonate(Box::new(base), url, Vec::new(), scope))
                }
                None => Ok(Box::new(External {
                    account,
                    scope,
                    asked,
                })),
            }
        }
        "impersonated_service_account" => {
            let found: Impersonated = typed(file)?;
            let base = way(found.source_credentials, &scope)?;
            Ok(impersonate(
                base,
                found.service_account_impersonation_url,
                found.delegates,
                scope,
            ))
        }
        other => Err(failed(format!(
            "it is of the type '{other}', which is not supported"
        ))),
    }
}

fn impersonate(
    base: Box<dyn Grant>,
    url: String,
    delegates: Vec<String>,
    scope: String,
) -> Box<dyn Grant> {
    Box::new(Impersonate {
        base,
        url,
        delegates,
        scope,
        asked: false,
    })
}

/// A file of a type; what is wrong with it is said without a value of it.
fn typed<T: DeserializeOwned>(file: Value) -> Result<T, Step> {
    T::deserialize(file).map_err(|error| {
        let what = error.to_string();
        let missing = what
            .strip_prefix("missing field ")
            .and_then(|rest| rest.split('`').nth(1));
        failed(match missing {
            Some(name) => format!("it has no {name}"),
            None => "a member of it is of the wrong type".to_owned(),
        })
    })
}

impl Grant for File {
    fn name(&self) -> String {
        match (&self.way, self.named) {
            (Some(way), _) => way.name(),
            (None, Some(named)) => format!("Google credentials file (named by {named})"),
            (None, None) => "Google credentials file of gcloud".to_owned(),
        }
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        self.advance(got, now).unwrap_or_else(|end| end)
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
