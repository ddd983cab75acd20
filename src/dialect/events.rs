//! A stream of server-sent events, read by what a format makes of each: the frame that three formats share.

use std::fmt;

use crate::chat::Sink;

use super::codec::{Decode, Stop};
use super::sse::{Framer, TooLong};

/// What a format makes of its events, whatever carries them.
pub(super) trait Reader: fmt::Debug + Send {
    /// Takes an event's data.
    ///
    /// # Errors
    /// Why the answer cannot go on, where the event says so.
    fn read(&mut self, data: &[u8], sink: &mut dyn Sink) -> Result<Taken, Stop>;

    /// Whether the answer is complete.
    fn is_done(&self) -> bool;

    /// Takes the end of the bytes, which alone says nothing: only an answer that says how it ended is whole (E-19).
    ///
    /// # Errors
    /// Where it does not.
    fn end(&mut self, _: &mut dyn Sink) -> Result<(), Stop> {
        if self.is_done() {
            Ok(())
        } else {
            Err(Stop::Truncated)
        }
    }
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It was understood.
    Read,
    /// It could not be read and is passed over.
    Skipped,
}

/// Reads one answer that comes as server-sent events.
#[derive(Debug)]
pub(super) struct Events<R> {
    framer: Framer,
    reader: R,
    skipped: u32,
}

impl<R: Reader> Events<R> {
    /// Events for this reader.
    pub(super) fn new(reader: R) -> Self {
        Self {
            framer: Framer::new(),
            reader,
            skipped: 0,
        }
    }
}

/// Takes an event's data; gives back whether to go on.
fn take(
    reader: &mut impl Reader,
    data: &[u8],
    (skipped, stop): (&mut u32, &mut Option<Stop>),
    sink: &mut dyn Sink,
) -> bool {
    let data = data.trim_ascii();
    if data.is_empty() || data == b"[DONE]" {
        return true;
    }
    match reader.read(data, sink) {
        Ok(Taken::Read) => !reader.is_done(),
        Ok(Taken::Skipped) => {
            *skipped = skipped.saturating_add(1);
            true
        }
        Err(why) => {
            *stop = Some(why);
            false
        }
    }
}

impl<R: Reader> Decode for Events<R> {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        let (reader, skipped, mut stop) = (&mut self.reader, &mut self.skipped, None);
        let pushed = self.framer.push(bytes, |frame| {
            take(reader, frame.data, (skipped, &mut stop), sink)
        });
        if let Err(TooLong) = pushed {
            return Err(Stop::Malformed("an event is too long".to_owned()));
        }
        stop.map_or(Ok(()), Err)
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        let (reader, skipped, mut stop) = (&mut self.reader, &mut self.skipped, None);
        if !reader.is_done() {
            self.framer
                .finish(|frame| take(reader, frame.data, (skipped, &mut stop), sink));
        }
        stop.map_or(Ok(()), Err)?;
        self.reader.end(sink)
    }

    fn done(&self) -> bool {
        self.reader.is_done()
    }

    fn skipped(&self) -> u32 {
        self.skipped
    }
}
