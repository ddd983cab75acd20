//! The seam between the gateway and a wire format: encode a request, decode an answer, read a failure.
//!
//! All of it is pure: bytes in, bytes or events out. Translation is a function of the request alone and stable in
//! its prefix (turn N's upstream body lies within turn N+1's), because providers cache prompts by prefix and some
//! bind reasoning to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::chat::embed::Encoding;
use crate::chat::{Code, Error, Request, Sink};

use super::caps::Caps;
use super::params::{Fate, Row};
use super::quirks::Quirks;

pub use super::report::{Mode, Report, refused};

/// A wire format. Stateless; one per file, listed in [`super::DIALECTS`].
pub trait Dialect: Sync + fmt::Debug {
    /// The name that configuration uses.
    fn name(&self) -> &'static str;

    /// What becomes of each chat member: one table, which also prints the README's.
    fn params(&self) -> &'static [Row];

    /// What becomes of a member that the table does not name.
    fn unnamed(&self) -> Fate {
        Fate::Dropped
    }

    /// The other format that this request must be put in for this model; `None` where it is this one.
    ///
    /// Some models take some requests in another format of the same vendor only. Decided by data (`target.caps`), never
    /// by the client.
    fn handover(&self, _: &Request, _: &Target<'_>) -> Option<&'static dyn Dialect> {
        None
    }

    /// The format in which this target is asked for embeddings; `None` where it gives none.
    fn embeddings(&self, _: &Target<'_>) -> Option<&'static dyn Dialect> {
        None
    }

    /// The format in which this target is asked for completions of a text; `None` where it gives none.
    fn completions(&self, _: &Target<'_>) -> Option<&'static dyn Dialect> {
        None
    }

    /// Writes the provider's request body to `out` and says where and how to send it.
    ///
    /// # Errors
    /// What the request asks that this target cannot honour under the chosen [`Mode`], or what is malformed in it.
    fn encode(
        &self,
        request: &Request,
        target: &Target<'_>,
        context: &Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, Error>;

    /// A decoder for one answer to a request that [`Dialect::encode`] described by `reply`.
    fn decoder(&self, target: &Target<'_>, shape: Shape, reply: Reply) -> Box<dyn Decode>;

    /// What an answer with a status other than 2xx means.
    fn failure(&self, status: u16, headers: &dyn Headers, body: &[u8]) -> Failure;
}

/// All a dialect may know of where a request goes.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The model, in the provider's own name for it.
    pub model: &'a str,
    /// How this provider differs from others of its dialect.
    pub quirks: &'a Quirks,
    /// What the model can do.
    pub caps: &'a Caps,
}

/// What else bears on the translation of one request.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What to do about what the target cannot express.
    pub mode: Mode,
    /// State of earlier turns, kept for clients that drop it.
    pub recall: &'a dyn Recall,
}

/// State of earlier turns by the key that [`turn_key`] makes; filled from [`crate::chat::Event::Turn`].
pub trait Recall: fmt::Debug {
    /// The state of a turn, in the dialect's own JSON, if it is still known.
    fn recall(&self, key: &str) -> Option<Arc<str>>;
}

/// Remembers nothing.
#[derive(Clone, Copy, Debug)]
pub struct Forgetful;

impl Recall for Forgetful {
    fn recall(&self, _: &str) -> Option<Arc<str>> {
        None
    }
}

/// The key of a turn's state: the turn's first call, or for a turn of text the call it answers.
///
/// Call ids are the only thing of a turn that every client sends back unchanged. A turn of text that answers no
/// call has no key; no provider needs its state.
#[must_use]
pub fn turn_key(first_call: Option<&str>, answers: Option<&str>) -> Option<String> {
    match (first_call, answers) {
        (Some(call), _) => Some(format!("call:{call}")),
        (None, Some(answered)) => Some(format!("after:{answered}")),
        (None, None) => None,
    }
}

/// Whether an answer comes as a stream or at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Server-sent events.
    Stream,
    /// One JSON document.
    Whole,
}

/// How to send what was encoded, and how to read what comes back.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// What follows the provider's base URL, query included.
    pub path: String,
    /// Headers beside content type and credentials.
    pub headers: Vec<(&'static str, String)>,
    /// How the provider will answer; not always how the client asked.
    pub shape: Shape,
    /// What was dropped, emulated or clamped.
    pub report: Report,
    /// What the decoder must know.
    pub reply: Reply,
}

/// What a decoder must know of the request to undo what the encoder did.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about one request"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Tool names that were changed: the provider's name, the client's name.
    pub names: Vec<(String, String)>,
    /// The client's names of custom (free text) tools that were sent as functions of one string `input`.
    pub custom_tools: Vec<String>,
    /// The client's names of tools whose arguments were wrapped in `{"value": …}`.
    pub wrapped_tools: Vec<String>,
    /// The name of a tool that stands in for a JSON response format: its arguments are the answer's text.
    pub json_tool: Option<String>,
    /// Whether the answer is JSON by instruction only, so that code fences round it are taken away.
    pub strip_fences: bool,
    /// Whether the client speaks of `functions`, not `tools`.
    pub legacy_functions: bool,
    /// The last tool result's call id, where the request ends with one: the key of a turn of text.
    pub answers: Option<String>,
    /// Whether the client asked for a stream: where the provider answers in the same shape, what needs no change may
    /// be handed on as it is.
    pub stream: bool,
    /// Whether the client's stream ends with a usage chunk.
    pub include_usage: bool,
    /// The embeddings that were asked for.
    pub vectors: Vectors,
}

/// Embeddings that were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vectors {
    /// How many.
    pub count: usize,
    /// How the client wants them written.
    pub encoding: Encoding,
}

impl Reply {
    /// Has every answer taken apart: for a client that is to see OpenAI's own members only.
    pub fn take_apart(&mut self, shape: Shape) {
        self.stream = match shape {
            Shape::Stream => false,
            Shape::Whole => true,
        };
    }

    /// The client's name for a tool.
    #[must_use]
    pub fn client_name<'a>(&'a self, upstream: &'a str) -> &'a str {
        self.names
            .iter()
            .find(|(theirs, _)| theirs == upstream)
            .map_or(upstream, |(_, ours)| ours)
    }
}

/// Reads one answer. Any split of its bytes gives the same events.
pub trait Decode: Send + fmt::Debug {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// Why the answer cannot go on.
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> Result<(), Stop>;

    /// Takes the end of the answer: events that waited for it are sent now.
    ///
    /// # Errors
    /// Why the answer was not complete.
    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop>;

    /// Whether the answer is complete, so that nothing more need be read.
    fn done(&self) -> bool;

    /// How many events could not be read and were skipped.
    fn skipped(&self) -> u32;
}

/// Why an answer cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The provider said so, within the answer.
    Failed(Failure),
    /// It ended before it was complete.
    Truncated,
    /// It is not what the format says. What was found instead, without content.
    Malformed(String),
}

/// What a provider's failure means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which row of the error table the client gets if nobody else answers.
    pub code: Code,
    /// What the provider said, short, without secrets.
    pub message: String,
    /// The field at fault, where the provider names one.
    pub param: Option<String>,
    /// Whether asking another target can help.
    pub fault: Fault,
    /// Whether, and after how long, the same target may be asked again.
    pub again: Again,
}

/// Whose fault a failure is, which decides whether another target is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The client's request: everybody would refuse it.
    Client,
    /// The provider or the way to it.
    Provider,
    /// Our credential or configuration.
    Gateway,
    /// The prompt is too long for this model: a larger one may take it.
    Context,
    /// A content policy: the verdict stands and is not shopped around.
    Policy,
}

/// Whether the same target may be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// It would answer the same.
    No,
    /// After a back-off.
    Soon,
    /// Once the provider's own wait is over.
    After(Duration),
}

impl Failure {
    /// A failure of the provider that another attempt may not meet.
    #[must_use]
    pub fn provider(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            param: None,
            fault: Fault::Provider,
            again: Again::Soon,
        }
    }

    /// The error the client gets.
    #[must_use]
    pub fn error(&self) -> Error {
        Error {
            code: self.code,
            message: self.message.clone(),
            param: self.param.clone(),
        }
    }
}

/// The head of a provider's answer, as far as a dialect may see it.
pub trait Headers {
    /// A header's value as text; names in lower case.
    fn get(&self, name: &str) -> Option<&str>;
}

impl Headers for [(&str, &str)] {
    fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }
}

impl<const N: usize> Headers for [(&str, &str); N] {
    fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }
}
