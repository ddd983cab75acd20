//! A streamed answer: server-sent events in, our events out.

use crate::chat::Sink;

use super::super::codec::{Reply, Stop};
use super::super::complaint;
use super::super::events::{self, Taken};
use super::answer::{Answer, probable};
use super::ending::failed;
use super::repeat::{Repeat, piece};
use super::wire::{Message, Response, count};

/// Reads the events of one streamed answer.
#[derive(Debug)]
pub(super) struct Reader {
    answer: Answer,
    repeat: Repeat,
}

impl events::Reader for Reader {
    fn read(&mut self, data: &[u8], sink: &mut dyn Sink) -> Result<Taken, Stop> {
        let Ok(text) = std::str::from_utf8(data) else {
            return Ok(Taken::Skipped);
        };
        if let Some(piece) = self.repeat.read(text) {
            self.answer.add(&piece, sink);
            return Ok(Taken::Read);
        }
        let Ok(message) = serde_json::from_str::<Message<'_>>(text) else {
            return Ok(Taken::Skipped);
        };
        self.event(&message, text, sink)?;
        Ok(Taken::Read)
    }

    fn is_done(&self) -> bool {
        self.answer.is_done()
    }
}

impl Reader {
    /// A reader for one answer of `model`.
    pub(super) fn new(model: &str, reply: Reply) -> Self {
        Self {
            answer: Answer::new(model, reply),
            repeat: Repeat::default(),
        }
    }

    /// Takes one event, by the type in its data: the `event:` line only repeats it, and some servers leave it out.
    fn event(
        &mut self,
        message: &Message<'_>,
        text: &str,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        if let Some(piece) = piece(message) {
            probable(message.logprobs, sink);
            self.answer.add(&piece, sink);
            self.repeat.learn(text, message, &piece);
            return Ok(());
        }
        let index = count(message.output_index);
        match message.kind.as_ref() {
            "response.output_item.added" => {
                if let Some(item) = message.item {
                    self.answer.begin_item(index, item, sink);
                }
            }
            "response.output_item.done" => {
                if let Some(item) = message.item {
                    self.answer.finish_item(index, item, sink);
                }
            }
            "response.output_text.annotation.added" => {
                if let Some(annotation) = message.annotation {
                    let part = count(message.content_index);
                    self.answer.cite(index, part, annotation);
                }
            }
            "error" => return Err(Stop::Failed(failed(text))),
            "" => return self.untyped(message, text, sink),
            kind => return self.stage(kind, message, sink),
        }
        Ok(())
    }

    /// Takes an event that holds the answer as far as it is there; others are told nowhere else or for show only.
    fn stage(
        &mut self,
        kind: &str,
        message: &Message<'_>,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        let Some(raw) = message.response else {
            return Ok(());
        };
        let response: Response<'_> = serde_json::from_str(raw.get()).unwrap_or_default();
        match kind {
            "response.completed" | "response.incomplete" => {
                self.answer.end(&response, raw.get(), sink)
            }
            "response.failed" => {
                self.answer.end(&response, raw.get(), sink)?;
                Err(Stop::Failed(failed(raw.get())))
            }
            _ => {
                self.answer.begin(&response, sink);
                Ok(())
            }
        }
    }

    /// Takes what is no event: an error as proxies in front send it, or the whole answer at once.
    fn untyped(
        &mut self,
        message: &Message<'_>,
        text: &str,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        if message
            .object
            .is_some_and(|raw| raw.get() == "\"response\"")
        {
            let response: Response<'_> = serde_json::from_str(text).unwrap_or_default();
            return self.answer.end(&response, text, sink);
        }
        match complaint::within(text).filter(|_| message.error.is_some()) {
            Some(failure) => Err(Stop::Failed(failure)),
            None => Ok(()),
        }
    }
}
