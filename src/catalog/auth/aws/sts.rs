//! Roles that are assumed: AWS's token service, with a token of somebody else or with keys of one's own.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::path::PathBuf;

use http::header::CONTENT_TYPE;
use http::{Request, Uri};

use crate::catalog::auth::credential::{Credential, Lease, SigningKeys};
use crate::catalog::auth::grant::{Answer, Fetch, Got, Grant, Step, built, failed};
use crate::catalog::auth::oauth::{form, skew};
use crate::catalog::auth::sigv4::{self, Scope};
use crate::catalog::auth::stamp;

const VERSION: &str = "2011-06-15";
/// The name under which our sessions stand in AWS's logs, unless one is given.
pub const SESSION: &str = "waypost";

/// Where the token service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sts {
    /// Its address.
    pub url: String,
    /// The region its signatures are for.
    pub region: String,
}

/// A role and how it is assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// The name of the session.
    pub session: String,
    /// What the role's owner wants to be told.
    pub external_id: Option<String>,
    /// For how many seconds; the service decides where it is not given.
    pub duration: Option<u64>,
}

impl Sts {
    /// The service of a region, or what stands in for it.
    #[must_use]
    pub fn of(region: &str, url: Option<String>) -> Self {
        let end = if region.starts_with("cn-") { ".cn" } else { "" };
        let url = url.unwrap_or_else(|| format!("https://sts.{region}.amazonaws.com{end}"));
        let region = region.to_owned();
        Self { url, region }
    }

    fn request(
        &self,
        action: &str,
        role: &Role,
        more: &[(&str, &str)],
    ) -> Result<Request<bytes::Bytes>, Step> {
        let duration = role.duration.map(|seconds| seconds.to_string());
        let mut pairs = vec![
            ("Action", action),
            ("Version", VERSION),
            ("RoleArn", &role.arn),
            ("RoleSessionName", &role.session),
        ];
        pairs.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
        pairs.extend(duration.as_deref().map(|text| ("DurationSeconds", text)));
        pairs.extend(more);
        // The path is part of what is signed: an address without one is sent with "/".
        let uri: Uri = self
            .url
            .parse()
            .map_err(|_| failed("the address of the token service is none"))?;
        let kind = "application/x-www-form-urlencoded; charset=utf-8";
        built(Request::post(uri).header(CONTENT_TYPE, kind), form(&pairs))
    }
}

/// A role that is assumed with a token out of a file, as in Kubernetes (IRSA).
#[derive(Clone, Debug)]
pub struct WebIdentity {
    /// The role.
    pub role: Role,
    /// The file with the token.
    pub file: PathBuf,
    /// Where the role is assumed.
    pub sts: Sts,
}

impl Grant for WebIdentity {
    fn name(&self) -> String {
        "AWS web identity token file".to_owned()
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        let step = match got {
            Got::Nothing => return Step::Read(self.file.clone()),
            Got::Answer(answer) => lease(&answer, now).map(Step::Done),
            other => other.text().and_then(|token| {
                let more = [("WebIdentityToken", token.trim())];
                let action = "AssumeRoleWithWebIdentity";
                self.sts.request(action, &self.role, &more).map(Fetch::far)
            }),
        };
        step.unwrap_or_else(Step::required)
    }
}

/// A role that is assumed with the keys that another way leads to.
#[derive(Debug)]
pub struct Assume {
    /// The way to the keys.
    pub base: Box<dyn Grant>,
    /// The role.
    pub role: Role,
    /// Where the role is assumed.
    pub sts: Sts,
    /// Whether the keys are there and the role is asked for.
    pub asked: bool,
}

impl Grant for Assume {
    fn name(&self) -> String {
        if self.asked {
            format!("AWS role '{}'", self.role.arn)
        } else {
            self.base.name()
        }
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        if self.asked {
            let lease = got.answer().and_then(|answer| lease(&answer, now));
            return lease.map_or_else(Step::required, Step::Done);
        }
        match self.base.next(got, now) {
            Step::Done(Lease {
                credential: Credential::Signing(keys),
                ..
            }) => {
                self.asked = true;
                self.ask(&keys, now).unwrap_or_else(|end| end)
            }
            step => step,
        }
    }
}

impl Assume {
    fn ask(&self, keys: &SigningKeys, now: u64) -> Result<Step, Step> {
        let mut request = self.sts.request("AssumeRole", &self.role, &[])?;
        let scope = Scope {
            region: self.sts.region.clone(),
            service: "sts".to_owned(),
        };
        sigv4::sign(&mut request, &scope, keys, now).map_err(failed)?;
        Ok(Fetch::far(request))
    }
}

/// The keys that the token service answered with, in XML.
fn lease(answer: &Answer, now: u64) -> Result<Lease, Step> {
    let body = String::from_utf8_lossy(&answer.body);
    if answer.status != 200 {
        let code = element(&body, "Code").unwrap_or("no code");
        let text: String = element(&body, "Message")
            .unwrap_or_default()
            .chars()
            .take(200)
            .collect();
        let clock = skew(answer.date, now).unwrap_or_default();
        let status = answer.status;
        return Err(failed(format!(
            "the token service refused with status {status}, {code}: {text}{clock}"
        )));
    }
    let missing = |name: &str| failed(format!("the token service's answer has no {name}"));
    let part = |name: &str| element(&body, name).ok_or_else(|| missing(name));
    let (access, secret) = (part("AccessKeyId")?, part("SecretAccessKey")?);
    let keys = SigningKeys::new(access, secret, Some(part("SessionToken")?)).map_err(failed)?;
    let until = stamp::parse(part("Expiration")?).ok_or_else(|| missing("Expiration"))?;
    Ok(keys.lease(Some(until)))
}

/// What the first element of a name holds. The elements that are read here hold no markup of their own.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.trim())
}

#[cfg(test)]
#[path = "sts_tests.rs"]
mod tests;
