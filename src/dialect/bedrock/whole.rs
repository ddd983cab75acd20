//! A Converse answer that comes as one JSON document.

use crate::chat::Sink;
use crate::chat::json::Members;

use super::super::codec::{Decode, Reply, Stop, Target};
use super::super::signals;
use super::read::Reader;
use super::wire::Told;

/// Gathers the document and reads it at its end.
#[derive(Debug)]
pub(super) struct Whole {
    body: Vec<u8>,
    reader: Reader,
}

impl Whole {
    /// A reader for one answer of a target.
    pub(super) fn new(target: &Target<'_>, reply: Reply) -> Self {
        Self {
            body: Vec::new(),
            reader: Reader::of(target, reply),
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
        let told: Told<'_> = match serde_json::from_slice(&self.body) {
            Ok(told) => told,
            Err(error) if error.is_eof() => return Err(Stop::Truncated),
            Err(_) => return Err(Stop::Malformed(signals::page_message(200, &self.body))),
        };
        let Some(message) = told
            .output
            .as_ref()
            .and_then(|output| output.message.as_ref())
        else {
            return Err(Stop::Malformed(no_message(&self.body)));
        };
        self.reader.begin(sink)?;
        for (index, raw) in (0_u64..).zip(&message.content) {
            self.reader.whole(index, raw, sink);
        }
        self.reader.told(&told, sink)?;
        if !self.reader.has_ending() {
            return Err(Stop::Truncated);
        }
        self.reader.close(sink);
        Ok(())
    }

    fn done(&self) -> bool {
        self.reader.is_done()
    }

    fn skipped(&self) -> u32 {
        0
    }
}

/// What a document without a message says of itself.
fn no_message(body: &[u8]) -> String {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let members = Members::parse(text).unwrap_or_default();
    let words = members.text("message").or_else(|| members.text("Message"));
    words.map_or_else(
        || "the answer has no message".to_owned(),
        |words| signals::scrub(&words),
    )
}
