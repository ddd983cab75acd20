//! An answer that comes as one JSON document.

use crate::chat::Sink;

use super::super::codec::{Decode, Reply, Stop};
use super::super::signals;
use super::answer::Answer;
use super::failure;
use super::wire::Head;

/// Gathers the document and reads it at its end.
#[derive(Debug)]
pub(super) struct Whole {
    body: Vec<u8>,
    answer: Answer,
}

impl Whole {
    /// A reader for one answer of `model`.
    pub(super) fn new(model: &str, reply: Reply) -> Self {
        Self {
            body: Vec::new(),
            answer: Answer::new(model, reply),
        }
    }
}

impl Decode for Whole {
    fn push(&mut self, bytes: &[u8], _: &mut dyn Sink) -> Result<(), Stop> {
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.body.trim_ascii().is_empty() {
            return Err(Stop::Truncated);
        }
        let head: Head<'_> = match serde_json::from_slice(&self.body) {
            Ok(head) => head,
            Err(error) if error.is_eof() => return Err(Stop::Truncated),
            Err(_) => return Err(Stop::Malformed(signals::page_message(200, &self.body))),
        };
        if head.error.is_some() {
            return Err(Stop::Failed(failure::in_answer(head.error)));
        }
        if head.content.is_none() {
            return Err(Stop::Malformed("the answer has no content".to_owned()));
        }
        self.answer.begin(&head, sink)?;
        if !self.answer.has_ending() {
            return Err(Stop::Truncated);
        }
        self.answer.close(sink);
        Ok(())
    }

    fn done(&self) -> bool {
        self.answer.is_done()
    }

    fn skipped(&self) -> u32 {
        0
    }
}
