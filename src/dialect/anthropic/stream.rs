//! A streamed answer: server-sent events in, our events out.

use crate::chat::Sink;

use super::super::codec::{Reply, Stop};
use super::super::events::{self, Taken};
use super::answer::Answer;
use super::failure;
use super::repeat::Repeat;
use super::wire::{Head, Message, Piece};

/// Reads the events of one streamed answer, whatever carries them.
#[derive(Debug)]
pub(crate) struct Reader {
    answer: Answer,
    repeat: Repeat,
}

impl events::Reader for Reader {
    fn read(&mut self, data: &[u8], sink: &mut dyn Sink) -> Result<Taken, Stop> {
        let text = std::str::from_utf8(data);
        if let Some((index, piece)) = text.ok().and_then(|text| self.repeat.read(text)) {
            self.answer.add(index, piece, sink);
            return Ok(Taken::Read);
        }
        let read = text.map_or_else(
            |_| serde_json::from_slice::<Message<'_>>(data),
            serde_json::from_str,
        );
        let Ok(message) = read else {
            return Ok(Taken::Skipped);
        };
        if let Ok(text) = text {
            self.repeat.learn(text, &message);
        }
        self.event(&message, data, sink)?;
        Ok(Taken::Read)
    }

    fn is_done(&self) -> bool {
        self.answer.is_done()
    }

    fn end(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        // Without `message_stop` the answer is whole only if it said why it ended.
        if !self.answer.is_done() && !self.answer.has_ending() {
            return Err(Stop::Truncated);
        }
        self.answer.close(sink);
        Ok(())
    }
}

impl Reader {
    /// A reader for one answer of `model`.
    pub(crate) fn new(model: &str, reply: Reply) -> Self {
        Self {
            answer: Answer::new(model, reply),
            repeat: Repeat::default(),
        }
    }

    /// Takes one event, by the type in its data: the `event:` line only repeats it, and some servers leave it out.
    fn event(
        &mut self,
        message: &Message<'_>,
        data: &[u8],
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        let index = message.index.unwrap_or_default();
        self.answer.guarded(message.guardrail);
        match message.kind.as_ref() {
            "content_block_delta" => {
                if let Some(delta) = &message.delta {
                    self.answer.add(index, Piece::of(delta), sink);
                }
            }
            "content_block_start" => {
                if let Some(block) = message.content_block {
                    self.answer.start_block(index, block, sink);
                }
            }
            "content_block_stop" => self.answer.stop_block(index, sink),
            "message_start" => {
                let head = message.head.map(|raw| serde_json::from_str(raw.get()));
                let head: Head<'_> = head.and_then(Result::ok).unwrap_or_default();
                self.answer.begin(&head, sink)?;
            }
            "message_delta" => {
                self.answer.usage(message.usage, sink);
                if let Some(delta) = &message.delta {
                    self.answer
                        .end(delta.stop_reason, delta.stop_sequence, delta.stop_details);
                }
            }
            "message_stop" => self.answer.close(sink),
            "error" => return Err(Stop::Failed(failure::in_answer(message.error))),
            // Some servers answer a request for a stream with the whole message.
            "message" => {
                let head: Head<'_> = serde_json::from_slice(data).unwrap_or_default();
                self.answer.begin(&head, sink)?;
                self.answer.close(sink);
            }
            // An error object without the outer type, as proxies in front send it.
            "" if message.error.is_some() => {
                return Err(Stop::Failed(failure::in_answer(message.error)));
            }
            _ => {}
        }
        Ok(())
    }
}
