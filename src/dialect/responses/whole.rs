//! An answer that comes as one JSON document.

use crate::chat::Sink;

use super::super::codec::{Decode, Reply, Stop};
use super::super::{complaint, signals};
use super::answer::Answer;
use super::wire::Response;

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
        let body = self.body.trim_ascii();
        if body.is_empty() {
            return Err(Stop::Truncated);
        }
        let page = || Stop::Malformed(signals::page_message(200, body));
        let text = std::str::from_utf8(body).map_err(|_| page())?;
        let response: Response<'_> = match serde_json::from_str(text) {
            Ok(response) => response,
            Err(error) if error.is_eof() => return Err(Stop::Truncated),
            Err(_) => return Err(page()),
        };
        if response.output.is_none() && response.status.is_none() {
            let failure = complaint::within(text);
            return Err(failure.map_or_else(
                || Stop::Malformed("the answer has no output".to_owned()),
                Stop::Failed,
            ));
        }
        self.answer.end(&response, text, sink)
    }

    fn done(&self) -> bool {
        self.answer.is_done()
    }

    fn skipped(&self) -> u32 {
        0
    }
}
