//! A stream of server-sent events, read by what a format makes of each: the frame that three formats share.

use std::fmt;

use crate::chat::Sink;

use super::codec::{Decode, Stop};
use super::sse::{Framer, TooLong};

/// What a format makes of its events, whatever carries them.
pub(super) trait Reader: fmt::Debug + Send {
    /// Takes an event's data; gives back whether to go on.
    fn data(&mut self, data: &[u8], sink: &mut dyn Sink) -> bool;

    /// Why the answer cannot go on, if an event said so.
    fn stopped(&mut self) -> Result<(), Stop>;

    /// Takes the end of the answer: an end of the bytes alone says nothing (E-19).
    fn end(&mut self, sink: &mut dyn Sink) -> Result<(), Stop>;

    /// Whether the answer is complete.
    fn is_done(&self) -> bool;

    /// How many events could not be read.
    fn skipped(&self) -> u32;
}

/// Reads one answer that comes as server-sent events.
#[derive(Debug)]
pub(super) struct Events<R> {
    framer: Framer,
    reader: R,
}

impl<R: Reader> Events<R> {
    /// Events for this reader.
    pub(super) fn new(reader: R) -> Self {
        Self {
            framer: Framer::new(),
            reader,
        }
    }
}

impl<R: Reader> Decode for Events<R> {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        let reader = &mut self.reader;
        let pushed = self
            .framer
            .push(bytes, |frame| reader.data(frame.data, sink));
        if let Err(TooLong) = pushed {
            return Err(Stop::Malformed("an event is too long".to_owned()));
        }
        reader.stopped()
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        let reader = &mut self.reader;
        if !reader.is_done() {
            self.framer.finish(|frame| reader.data(frame.data, sink));
        }
        reader.stopped()?;
        reader.end(sink)
    }

    fn done(&self) -> bool {
        self.reader.is_done()
    }

    fn skipped(&self) -> u32 {
        self.reader.skipped()
    }
}
