//! An answer that comes as one JSON document.

use crate::chat::{Escaped, Sink};

use super::super::codec::{Decode, Reply, Stop};
use super::super::signals;
use super::answer::Answer;
use super::ending::Ending;
use super::wire::Document;
use super::{counts, failure, logprobs};

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
        let document: Document<'_> = match serde_json::from_slice(&self.body) {
            Ok(document) => document,
            Err(error) if error.is_eof() => return Err(Stop::Truncated),
            Err(_) => return Err(Stop::Malformed(signals::page_message(200, &self.body))),
        };
        if let Some(words) = document.message.and_then(Escaped::token) {
            return Err(Stop::Failed(failure::in_answer(&words.decode())));
        }
        if document.message.is_none() {
            return Err(Stop::Malformed("the answer has no message".to_owned()));
        }
        read(&mut self.answer, &document, sink)
    }

    fn done(&self) -> bool {
        self.answer.is_done()
    }

    fn skipped(&self) -> u32 {
        0
    }
}

/// Reads a whole answer.
///
/// # Errors
/// Where it says that its generation failed, or not how it ended.
pub(super) fn read(
    answer: &mut Answer,
    document: &Document<'_>,
    sink: &mut dyn Sink,
) -> Result<(), Stop> {
    let ending = Ending::read(document.finish_reason, document.error)?;
    answer.begin(document.id, sink);
    answer.message(document.message, sink);
    logprobs::tell(document.logprobs, sink);
    counts::tell(document.usage, sink);
    answer.close(&ending, sink);
    Ok(())
}
