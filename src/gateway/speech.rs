//! How a client speaks: told by the path of its call.

use crate::chat::Ask;
use crate::chat::plain::Job;

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Speech {
    /// As OpenAI's API does.
    OpenAi(Ask),
    /// As the plain routing API does.
    Plain(Job),
}

impl Speech {
    /// What is asked for in the one language that everybody inside speaks.
    #[must_use]
    pub const fn ask(self) -> Ask {
        match self {
            Self::OpenAi(ask) => ask,
            Self::Plain(_) => Ask::Chat,
        }
    }
}
