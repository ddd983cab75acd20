//! Keys that the machine lends: of an instance (version 2 of its service) and of a container (ECS, EKS pod identity).
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html>,
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>

use std::path::PathBuf;

use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Uri};

use super::keys::read;
use crate::catalog::auth::grant::{Answer, Fetch, Got, Grant, Step, built, failed};
use crate::catalog::auth::key::Secret;

const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// The role of the instance. Only version 2 of the service is asked: version 1 can be tricked into answering strangers.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The service.
    pub base: String,
    /// What was asked last.
    pub turn: Turn,
}

/// How far the talk with the service is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// Nothing has been asked, or the session's token.
    #[default]
    Token,
    /// The name of the role.
    Role(Session),
    /// Its keys.
    Keys,
}

/// The token of a session with the service.
#[derive(Clone, PartialEq, Eq)]
pub struct Session(HeaderValue);

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Session(…)")
    }
}

impl Instance {
    /// The service at an address.
    #[must_use]
    pub fn at(base: &str) -> Self {
        Self {
            base: base.trim_end_matches('/').to_owned(),
            turn: Turn::Token,
        }
    }

    fn advance(&mut self, got: Got, now: u64) -> Result<Step, Step> {
        if matches!(got, Got::Nothing) {
            let url = format!("{}/latest/api/token", self.base);
            let builder = Request::put(url).header("x-aws-ec2-metadata-token-ttl-seconds", "21600");
            self.turn = Turn::Token;
            return Ok(Fetch::near(built(builder, "")?));
        }
        let answer = got.answer()?;
        match std::mem::take(&mut self.turn) {
            Turn::Token => {
                let session = Session(Self::session(&answer)?);
                let step = self.ask(ROLES, &session)?;
                self.turn = Turn::Role(session);
                Ok(step)
            }
            Turn::Role(session) => {
                let body = String::from_utf8_lossy(&answer.body);
                let role = body.lines().next().unwrap_or_default().trim();
                if answer.status == 404 || role.is_empty() {
                    return Err(Step::NotHere("the instance has no role".to_owned()));
                }
                let role = told(&answer, role.to_owned())?;
                self.turn = Turn::Keys;
                self.ask(&format!("{ROLES}{role}"), &session)
            }
            Turn::Keys => {
                let answer = told(&answer, &answer)?;
                read(&answer.body, now).map(Step::Done)
            }
        }
    }

    fn session(answer: &Answer) -> Result<HeaderValue, Step> {
        // Clouds that are not AWS answer on the same address; they do not know this path.
        if answer.status != 200 {
            let why = format!(
                "the metadata service answered with status {}",
                answer.status
            );
            return Err(Step::NotHere(why));
        }
        let mut token = HeaderValue::from_bytes(answer.body.trim_ascii())
            .map_err(|_| Step::NotHere("the metadata service gave no token".to_owned()))?;
        token.set_sensitive(true);
        Ok(token)
    }

    fn ask(&self, path: &str, session: &Session) -> Result<Step, Step> {
        let builder = Request::get(format!("{}{path}", self.base));
        let builder = builder.header("x-aws-ec2-metadata-token", session.0.clone());
        Ok(Fetch::near(built(builder, "")?))
    }
}

impl Grant for Instance {
    fn name(&self) -> String {
        "AWS instance role (metadata service)".to_owned()
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        self.advance(got, now).unwrap_or_else(|end| end)
    }
}

/// What an answer told, where its status says that it did.
fn told<T>(answer: &Answer, what: T) -> Result<T, Step> {
    if answer.status == 200 {
        return Ok(what);
    }
    Err(failed(format!("it answered with status {}", answer.status)))
}

/// The role of a container.
#[derive(Clone, Debug)]
pub struct Container {
    /// Where its keys are.
    pub url: String,
    /// What the agent wants to be shown.
    pub pass: Pass,
}

/// What a container's agent wants to be shown.
#[derive(Clone, Debug)]
pub enum Pass {
    /// Nothing.
    None,
    /// This.
    Text(Secret),
    /// What stands in a file.
    File(PathBuf),
}

impl Container {
    fn advance(&self, got: Got, now: u64) -> Result<Step, Step> {
        match (got, &self.pass) {
            (Got::Nothing, Pass::File(path)) => Ok(Step::Read(path.clone())),
            (Got::Nothing, Pass::None) => self.ask(None),
            (Got::Nothing, Pass::Text(text)) => self.ask(Some(text.reveal())),
            (Got::Answer(answer), _) => {
                let answer = told(&answer, &answer)?;
                read(&answer.body, now).map(Step::Done)
            }
            (other, _) => self.ask(Some(other.text()?.trim())),
        }
    }

    fn ask(&self, pass: Option<&str>) -> Result<Step, Step> {
        let uri: Uri = self
            .url
            .parse()
            .map_err(|_| failed("its address is none"))?;
        if !is_near(&uri) {
            let why = "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or an address of this machine or of the \
                       container agent: anybody on the way could read the keys";
            return Err(failed(why));
        }
        let far = uri.scheme_str() == Some("https");
        let mut builder = Request::get(uri);
        if let Some(pass) = pass {
            let mut value = HeaderValue::from_str(pass).map_err(|_| {
                failed("its authorization token has characters that no header takes")
            })?;
            value.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, value);
        }
        let request = built(builder, "")?;
        Ok(if far {
            Fetch::far(request)
        } else {
            Fetch::near(request)
        })
    }
}

/// Whether keys may be fetched there: over TLS, or from this machine, or from the agents of ECS and EKS.
fn is_near(uri: &Uri) -> bool {
    let agents = [
        "169.254.170.2",
        "169.254.170.23",
        "[fd00:ec2::23]",
        "localhost",
        "[::1]",
    ];
    let host = uri.host().unwrap_or_default();
    let digits = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let loopback = host.starts_with("127.") && host.bytes().all(digits);
    uri.scheme_str() == Some("https") || agents.contains(&host) || loopback
}

impl Grant for Container {
    fn name(&self) -> String {
        "AWS container role".to_owned()
    }

    fn next(&mut self, got: Got, now: u64) -> Step {
        self.advance(got, now).unwrap_or_else(Step::required)
    }
}

#[cfg(test)]
#[path = "metadata_tests.rs"]
mod tests;
