//! A streamed answer: bytes to frames, frames to chunks, chunks on their way.

use crate::chat::Sink;

use super::super::codec::{Decode, Reply, Stop};
use super::super::complaint;
use super::super::quirks::Quirks;
use super::super::sse::{Frame, Framer};
use super::answer::{Answer, error_of};
use super::pieces::Chunk;
use super::whole;

/// Decodes one streamed answer.
#[derive(Debug)]
pub(super) struct Stream {
    framer: Framer,
    kind: Kind,
    /// A document, or the bytes before it is known what comes.
    body: Vec<u8>,
    chunks: Chunks,
}

/// What comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Unknown,
    Events,
    /// One document where events were promised: an error, or an answer at once.
    Document,
}

/// The chunks of the answer.
#[derive(Debug)]
struct Chunks {
    answer: Answer,
    /// An event that could not be read: perhaps the first half of one.
    half: Vec<u8>,
    skipped: u32,
    seen: bool,
    done: bool,
    stop: Option<Stop>,
}

impl Stream {
    /// A decoder at the start of an answer.
    pub(super) fn new(quirks: &Quirks, reply: Reply) -> Self {
        Self {
            framer: Framer::new(),
            kind: Kind::Unknown,
            body: Vec::new(),
            chunks: Chunks {
                answer: Answer::new(quirks, reply),
                half: Vec::new(),
                skipped: 0,
                seen: false,
                done: false,
                stop: None,
            },
        }
    }

    fn events(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        let chunks = &mut self.chunks;
        let read = self.framer.push(bytes, |frame| chunks.frame(frame, sink));
        if let Some(stop) = self.chunks.stop.clone() {
            return Err(stop);
        }
        read.map_err(|_| Stop::Malformed("an event of more than 16 MiB".to_owned()))
    }

    /// Looks at the first byte that says anything.
    fn sniff(&mut self, bytes: &[u8]) {
        let first = bytes
            .iter()
            .find(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xEF | 0xBB | 0xBF));
        self.kind = match first {
            None => Kind::Unknown,
            Some(b'{' | b'[' | b'<') => Kind::Document,
            Some(_) => Kind::Events,
        };
    }
}

impl Decode for Stream {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.chunks.done {
            return Ok(());
        }
        if self.kind == Kind::Unknown {
            self.sniff(bytes);
        }
        match self.kind {
            Kind::Events if self.body.is_empty() => self.events(bytes, sink),
            Kind::Events => {
                let mut head = std::mem::take(&mut self.body);
                head.extend_from_slice(bytes);
                self.events(&head, sink)
            }
            Kind::Unknown | Kind::Document => whole::gather(&mut self.body, bytes),
        }
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.chunks.done {
            return Ok(());
        }
        if self.kind != Kind::Events {
            whole::document(&self.body, &mut self.chunks.answer, sink)?;
            self.chunks.done = true;
            return Ok(());
        }
        let chunks = &mut self.chunks;
        self.framer.finish(|frame| chunks.frame(frame, sink));
        if let Some(stop) = self.chunks.stop.clone() {
            return Err(stop);
        }
        self.chunks.end(sink)
    }

    fn done(&self) -> bool {
        self.chunks.done
    }

    fn skipped(&self) -> u32 {
        self.chunks.skipped
    }
}

impl Chunks {
    /// Takes a frame; whether to go on.
    fn frame(&mut self, frame: Frame<'_>, sink: &mut dyn Sink) -> bool {
        if self.done {
            return false;
        }
        let outcome = self.read(frame, sink);
        self.stop = outcome.err();
        self.stop.is_none() && !self.done
    }

    fn read(&mut self, frame: Frame<'_>, sink: &mut dyn Sink) -> Result<(), Stop> {
        let data = frame.data.trim_ascii();
        if data.is_empty() || frame.event == b"ping" {
            return Ok(());
        }
        self.seen = true;
        if data == b"[DONE]" {
            return self.said_done(sink);
        }
        if frame.event == b"error" {
            let text = String::from_utf8_lossy(data);
            let failure = complaint::within(&text).unwrap_or_else(|| complaint::from_text(&text));
            return Err(Stop::Failed(failure));
        }
        self.joined(data, sink)
    }

    /// Reads data, with the half before it if there is one.
    fn joined(&mut self, data: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        if !self.half.is_empty() {
            let mut both = std::mem::take(&mut self.half);
            both.extend_from_slice(data);
            if let Some(outcome) = self.chunk(&both, sink) {
                return outcome;
            }
            self.skip();
        }
        self.chunk(data, sink).unwrap_or_else(|| {
            self.half.extend_from_slice(data);
            Ok(())
        })
    }

    /// Reads one chunk; `None` where it is not JSON.
    fn chunk(&mut self, data: &[u8], sink: &mut dyn Sink) -> Option<Result<(), Stop>> {
        let text = std::str::from_utf8(data).ok()?;
        let answer = &mut self.answer;
        let repeated = answer
            .again
            .repeat(text, &mut answer.choices, &mut answer.scratch, sink);
        if repeated.is_some() {
            return Some(Ok(()));
        }
        let chunk: Chunk<'_> = serde_json::from_str(text).ok()?;
        if self.answer.verbatim(text, &chunk, sink).is_some() {
            return Some(Ok(()));
        }
        if let Some(failure) = error_of(text, &chunk) {
            if let Some(counted) = Answer::usage_of(&chunk) {
                sink.event(crate::chat::Event::Usage(counted.usage()));
            }
            return Some(Err(Stop::Failed(failure)));
        }
        Some(self.answer.take(&chunk, false, sink))
    }

    const fn skip(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    /// The provider says that this was all. Without a finish reason that counts only if nothing was lost on the
    /// way: some providers never give one.
    fn said_done(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        if !self.half.is_empty() {
            self.skip();
        }
        let is_whole = self.skipped == 0 && self.answer.has_output();
        if !self.answer.has_finish() && !is_whole {
            return Err(Stop::Truncated);
        }
        self.answer.close(sink);
        self.done = true;
        Ok(())
    }

    fn end(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.done {
            return Ok(());
        }
        if !self.half.is_empty() {
            self.half.clear();
            self.skip();
        }
        if self.answer.has_finish() {
            self.answer.close(sink);
            self.done = true;
            return Ok(());
        }
        if self.seen && (self.answer.has_output() || self.skipped == 0) {
            return Err(Stop::Truncated);
        }
        Err(Stop::Malformed(
            "a stream without a readable event".to_owned(),
        ))
    }
}
