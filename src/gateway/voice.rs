//! How a stream speaks to its client: in chat chunks, or in the plain API's events.

use bytes::Bytes;

use crate::chat::plain::PlainWriter;
use crate::chat::{ChunkWriter, Error, Event, Sink};

/// The writer of a stream.
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is the usual one, and it lies in its feed's own box"
)]
#[derive(Clone, Debug)]
pub enum Voice {
    /// Chunks of a chat completion.
    Chat(ChunkWriter),
    /// Events of the plain API.
    Plain(PlainWriter),
}

impl Voice {
    /// What is ready to be sent; empties the buffer.
    pub fn take(&mut self) -> Bytes {
        match self {
            Self::Chat(writer) => writer.take(),
            Self::Plain(writer) => writer.take(),
        }
    }

    /// Whether anything is ready to be sent.
    #[must_use]
    pub fn has_output(&self) -> bool {
        self.pending() > 0
    }

    /// How many bytes wait to be sent.
    #[must_use]
    pub fn pending(&self) -> usize {
        match self {
            Self::Chat(writer) => writer.pending(),
            Self::Plain(writer) => writer.pending(),
        }
    }

    /// A comment that keeps the connection warm.
    pub fn ping(&mut self) {
        match self {
            Self::Chat(writer) => writer.ping(),
            Self::Plain(writer) => writer.ping(),
        }
    }

    /// Ends every choice where it is, as at a limit.
    pub fn cut(&mut self) {
        match self {
            Self::Chat(writer) => writer.cut(),
            Self::Plain(writer) => writer.cut(),
        }
    }

    /// Ends a failed answer.
    pub fn error(&mut self, error: &Error) {
        match self {
            Self::Chat(writer) => writer.error(error),
            Self::Plain(writer) => writer.error(error),
        }
    }
}

impl Sink for Voice {
    fn event(&mut self, event: Event<'_>) {
        match self {
            Self::Chat(writer) => writer.event(event),
            Self::Plain(writer) => writer.event(event),
        }
    }
}
