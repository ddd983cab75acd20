//! How a credential is got: a conversation that says what to ask next and is told what came of it. It touches nothing
//! itself, so that every turn of it can be tested without a cloud.

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;
use http::Request;

use super::credential::Lease;
use super::key::Secret;

/// A way to a credential, walked once.
pub trait Grant: fmt::Debug + Send {
    /// What is being asked, for people: `AWS profile 'work'`.
    fn name(&self) -> String;

    /// The next step, given what came of the last one. `now` is in Unix seconds.
    fn next(&mut self, got: Got, now: u64) -> Step;
}

/// What to do next.
#[derive(Debug)]
pub enum Step {
    /// Send a request and tell the answer.
    Fetch(Box<Fetch>),
    /// Read a file.
    Read(PathBuf),
    /// Run a program, with its arguments, and tell what it printed.
    Run(Vec<String>),
    /// Sign a text (RSA with SHA-256, PKCS #1 v1.5) with a private key in PEM.
    Sign(Box<Signing>),
    /// Nothing: there it is.
    Done(Lease),
    /// Nothing: this way leads nowhere here, another may.
    NotHere(String),
    /// Nothing: this way is the one, and it is broken. Says what is wrong and holds no secret.
    Failed(String),
}

/// A request for a credential.
pub struct Fetch {
    /// The request.
    pub request: Request<Bytes>,
    /// How far away whoever answers is.
    pub reach: Reach,
}

/// How far away whoever answers is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On this machine's own network, at once or not at all.
    Near,
    /// Anywhere.
    Far,
}

/// Something to sign.
pub struct Signing {
    /// The private key, PKCS #8 or PKCS #1, as PEM.
    pub pem: String,
    /// What is signed.
    pub text: String,
}

/// What came of a step.
#[derive(Debug)]
pub enum Got {
    /// There was none yet.
    Nothing,
    /// An answer to a request.
    Answer(Answer),
    /// What is in the file, or what the program printed.
    Text(Text),
    /// A signature.
    Signature(Vec<u8>),
    /// There is no such file, or nobody answers.
    Absent(String),
    /// It is there, but does not work.
    Broken(String),
}

/// An answer to a request.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The time the server says it is, in Unix seconds.
    pub date: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

/// A text that may hold secrets.
pub struct Text(pub String);

impl Fetch {
    /// A request to somebody far away.
    #[must_use]
    pub fn far(request: Request<Bytes>) -> Step {
        let reach = Reach::Far;
        Step::Fetch(Box::new(Self { request, reach }))
    }

    /// A request to somebody near.
    #[must_use]
    pub fn near(request: Request<Bytes>) -> Step {
        let reach = Reach::Near;
        Step::Fetch(Box::new(Self { request, reach }))
    }
}

impl Got {
    /// The answer that was asked for.
    ///
    /// # Errors
    /// The step that the way ends with.
    pub fn answer(self) -> Result<Answer, Step> {
        match self {
            Self::Answer(answer) => Ok(answer),
            other => Err(other.end()),
        }
    }

    /// The text that was asked for.
    ///
    /// # Errors
    /// The step that the way ends with.
    pub fn text(self) -> Result<String, Step> {
        match self {
            Self::Text(Text(text)) => Ok(text),
            other => Err(other.end()),
        }
    }

    /// The signature that was asked for.
    ///
    /// # Errors
    /// The step that the way ends with.
    pub fn signature(self) -> Result<Vec<u8>, Step> {
        match self {
            Self::Signature(bytes) => Ok(bytes),
            other => Err(other.end()),
        }
    }

    fn end(self) -> Step {
        match self {
            Self::Absent(why) => Step::NotHere(why),
            Self::Broken(why) => Step::Failed(why),
            Self::Nothing | Self::Answer(_) | Self::Text(_) | Self::Signature(_) => {
                Step::Failed("it was answered out of turn".to_owned())
            }
        }
    }
}

impl Step {
    /// The same where this way was asked for by name: that it is not here is a failure then.
    #[must_use]
    pub fn required(self) -> Self {
        match self {
            Self::NotHere(why) => Self::Failed(why),
            Self::Fetch(_)
            | Self::Read(_)
            | Self::Run(_)
            | Self::Sign(_)
            | Self::Done(_)
            | Self::Failed(_) => self,
        }
    }
}

/// A failure as a step.
#[must_use]
pub fn failed(why: impl Into<String>) -> Step {
    Step::Failed(why.into())
}

/// A secret out of an answer.
///
/// # Errors
/// Where it cannot be one.
pub fn secret(text: &str) -> Result<Secret, Step> {
    Secret::new(text.trim()).map_err(|error| failed(format!("what it gave is no token: {error}")))
}

/// The request that a builder was told of.
///
/// # Errors
/// Where an address or a header cannot be one.
pub fn built(
    builder: http::request::Builder,
    body: impl Into<Bytes>,
) -> Result<Request<Bytes>, Step> {
    builder
        .body(body.into())
        .map_err(|error| failed(format!("it cannot be asked: {error}")))
}

impl fmt::Debug for Fetch {
    /// Method and host alone: the rest may be secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.request.uri().host().unwrap_or_default();
        write!(formatter, "Fetch({} {host})", self.request.method())
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Signing(…)")
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Text(…)")
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Answer({}, …)", self.status)
    }
}
