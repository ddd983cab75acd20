//! Bytes to responses: server-sent events, or one JSON document.

use crate::chat::Sink;
use crate::dialect::codec::{Decode, Reply, Stop};
use crate::dialect::sse::Framer;

use super::answer::{Answer, responses};
use super::repeat::Repeat;
use super::wire::Response;

/// The longest document that is taken.
const MAX_DOCUMENT: usize = 64 * 1024 * 1024;

/// Reads a streamed answer.
#[derive(Debug)]
pub(super) struct Stream {
    answer: Answer,
    repeat: Repeat,
    form: Form,
    /// The start of an event that another event may complete: some middle boxes cut long ones in two (E-06).
    broken: String,
    skipped: u32,
    done: bool,
}

/// What the bytes turned out to be.
#[derive(Debug)]
enum Form {
    /// Nothing but white space so far.
    Unknown,
    Events(Framer),
    /// One JSON document where events were promised: an error, or the array that comes without `alt=sse`.
    Document(Vec<u8>),
}

impl Stream {
    pub(super) fn new(reply: Reply) -> Self {
        Self {
            answer: Answer::new(reply),
            repeat: Repeat::default(),
            form: Form::Unknown,
            broken: String::new(),
            skipped: 0,
            done: false,
        }
    }

    /// Takes one event; `Err` ends the answer.
    fn event(&mut self, data: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        let Ok(json) = std::str::from_utf8(data) else {
            self.skip();
            return Ok(());
        };
        let json = json.trim();
        if json.is_empty() || json == "[DONE]" {
            return Ok(());
        }
        if !self.broken.is_empty() {
            let joined = std::mem::take(&mut self.broken) + json;
            if let Some(read) = self.read(&joined, sink) {
                return read;
            }
            self.skip();
        }
        if let Some(read) = self.read(json, sink) {
            return read;
        }
        json.clone_into(&mut self.broken);
        Ok(())
    }

    const fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    /// Reads one response or a list of them; `None` where the text is neither.
    fn read(&mut self, json: &str, sink: &mut dyn Sink) -> Option<Result<(), Stop>> {
        if json.starts_with('[') {
            let list = responses(json).ok()?;
            let results = list.into_iter().map(|json| self.read_one(json, sink));
            return results.into_iter().try_fold(Ok(()), |so_far, next| {
                let next = next?;
                Some(so_far.and(next))
            });
        }
        self.read_one(json, sink)
    }

    fn read_one(&mut self, json: &str, sink: &mut dyn Sink) -> Option<Result<(), Stop>> {
        if let Some(news) = self.repeat.read(json)
            && self.answer.add(&news, sink)
        {
            return Some(Ok(()));
        }
        let response: Response<'_> = serde_json::from_str(json).ok()?;
        self.repeat.learn(json, &response);
        Some(self.answer.take(&response, json, sink))
    }

    fn decide(&mut self, bytes: &[u8]) {
        if !matches!(self.form, Form::Unknown) {
            return;
        }
        match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{' | b'[') => self.form = Form::Document(Vec::new()),
            Some(_) => self.form = Form::Events(Framer::new()),
            None => {}
        }
    }
}

impl Decode for Stream {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        self.decide(bytes);
        match std::mem::replace(&mut self.form, Form::Unknown) {
            Form::Unknown => Ok(()),
            Form::Document(mut document) => {
                let kept = append(&mut document, bytes);
                self.form = Form::Document(document);
                kept
            }
            Form::Events(mut framer) => {
                let mut result = Ok(());
                let framed = framer.push(bytes, |frame| {
                    result = self.event(frame.data, sink);
                    result.is_ok()
                });
                self.form = Form::Events(framer);
                result?;
                framed.map_err(|_| too_long())
            }
        }
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        match std::mem::replace(&mut self.form, Form::Unknown) {
            Form::Unknown => {}
            Form::Document(document) => document_into(&document, &mut self.answer, sink)?,
            Form::Events(mut framer) => {
                let mut result = Ok(());
                framer.finish(|frame| {
                    result = self.event(frame.data, sink);
                    result.is_ok()
                });
                result?;
            }
        }
        if !std::mem::take(&mut self.broken).is_empty() {
            self.skip();
        }
        self.answer.end(sink)?;
        self.done = true;
        Ok(())
    }

    fn done(&self) -> bool {
        self.done
    }

    fn skipped(&self) -> u32 {
        self.skipped
    }
}

/// Reads an answer that comes at once.
#[derive(Debug)]
pub(super) struct Whole {
    answer: Answer,
    document: Vec<u8>,
    done: bool,
}

impl Whole {
    pub(super) const fn new(reply: Reply) -> Self {
        Self {
            answer: Answer::new(reply),
            document: Vec::new(),
            done: false,
        }
    }
}

impl Decode for Whole {
    fn push(&mut self, bytes: &[u8], _: &mut dyn Sink) -> Result<(), Stop> {
        append(&mut self.document, bytes)
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        let document = std::mem::take(&mut self.document);
        document_into(&document, &mut self.answer, sink)?;
        self.answer.end(sink)?;
        self.done = true;
        Ok(())
    }

    fn done(&self) -> bool {
        self.done
    }

    fn skipped(&self) -> u32 {
        0
    }
}

fn append(document: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Stop> {
    document.extend_from_slice(bytes);
    if document.len() > MAX_DOCUMENT {
        return Err(too_long());
    }
    Ok(())
}

fn too_long() -> Stop {
    Stop::Malformed("more in one piece than is taken".to_owned())
}

/// Reads a document: one response, or an array of them.
fn document_into(document: &[u8], answer: &mut Answer, sink: &mut dyn Sink) -> Result<(), Stop> {
    let document = document.trim_ascii();
    let document = document.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(document);
    if document.is_empty() {
        return Err(Stop::Malformed("an empty body".to_owned()));
    }
    if document.first() == Some(&b'<') {
        return Err(Stop::Malformed("an HTML page".to_owned()));
    }
    let text = std::str::from_utf8(document)
        .map_err(|_| Stop::Malformed("a body that is not UTF-8".to_owned()))?;
    let list = if text.starts_with('[') {
        responses(text).map_err(|error| not_read(&error))?
    } else {
        vec![text]
    };
    for json in list {
        let response: Response<'_> =
            serde_json::from_str(json).map_err(|error| not_read(&error))?;
        answer.take(&response, json, sink)?;
    }
    Ok(())
}

fn not_read(error: &serde_json::Error) -> Stop {
    if error.is_eof() {
        Stop::Truncated
    } else {
        Stop::Malformed("a body that is not the JSON of an answer".to_owned())
    }
}
