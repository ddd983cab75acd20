//! A streamed answer: server-sent events in, our events out.

use crate::chat::{Escaped, Sink};

use super::super::codec::{Reply, Stop};
use super::super::events::{self, Taken};
use super::answer::Answer;
use super::ending::Ending;
use super::repeat::{Piece, Repeat};
use super::wire::{Document, Told};
use super::{counts, failure, logprobs};

/// Reads the events of one streamed answer. Only `message-end` says that it is whole.
#[derive(Debug)]
pub(super) struct Reader {
    answer: Answer,
    repeat: Repeat,
}

impl events::Reader for Reader {
    fn read(&mut self, data: &[u8], sink: &mut dyn Sink) -> Result<Taken, Stop> {
        let text = std::str::from_utf8(data);
        if let Some(piece) = text.ok().and_then(|text| self.repeat.read(text)) {
            self.answer.add(piece, sink);
            return Ok(Taken::Read);
        }
        let read = text.map_or_else(
            |_| serde_json::from_slice::<Told<'_>>(data),
            serde_json::from_str,
        );
        let Ok(told) = read else {
            return Ok(Taken::Skipped);
        };
        if let Ok(text) = text {
            self.repeat.learn(text, &told);
        }
        self.event(&told, data, sink)?;
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

    /// Takes one event, by the type in its data: the `event:` line only repeats it.
    fn event(&mut self, told: &Told<'_>, data: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        if let Some(piece) = Piece::of(told) {
            self.answer.add(piece, sink);
        }
        logprobs::tell(told.logprobs, sink);
        let at = told.index.unwrap_or_default();
        let news = told.delta.as_ref().and_then(|delta| delta.message.as_ref());
        match told.kind.as_ref() {
            "message-start" => self.answer.begin(told.id, sink),
            "tool-call-start" => {
                self.answer
                    .start_call(at, news.and_then(|news| news.tool_calls), sink);
            }
            "tool-call-end" => self.answer.end_call(at, sink),
            "citation-start" => self.answer.cite(news.and_then(|news| news.citations)),
            "message-end" => {
                let delta = told.delta.as_ref();
                counts::tell(delta.and_then(|delta| delta.usage), sink);
                let reason = delta.and_then(|delta| delta.finish_reason);
                let ending = Ending::read(reason, delta.and_then(|delta| delta.error))?;
                self.answer.close(&ending, sink);
            }
            "" => self.untyped(told, data, sink)?,
            _ => {}
        }
        Ok(())
    }

    /// An error without a type, or a whole answer where a stream was asked for.
    fn untyped(&mut self, told: &Told<'_>, data: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        if let Some(words) = told.message.and_then(Escaped::token) {
            return Err(Stop::Failed(failure::in_answer(&words.decode())));
        }
        let Ok(document) = serde_json::from_slice::<Document<'_>>(data) else {
            return Ok(());
        };
        if document.finish_reason.is_none() {
            return Ok(());
        }
        super::whole::read(&mut self.answer, &document, sink)
    }
}
