//! A streamed Converse answer: binary frames in, our events out.

use crate::chat::Sink;

use super::super::codec::{Decode, Reply, Stop, Target};
use super::super::eventstream::{Frame, Framer};
use super::failure;
use super::read::Reader;
use super::wire::Told;

/// Reads one streamed answer.
#[derive(Debug)]
pub(super) struct Stream {
    framer: Framer,
    reader: Reader,
    skipped: u32,
}

impl Stream {
    /// A reader for one answer of a target.
    pub(super) fn new(target: &Target<'_>, reply: Reply) -> Self {
        Self {
            framer: Framer::default(),
            reader: Reader::of(target, reply),
            skipped: 0,
        }
    }
}

impl Decode for Stream {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        let (reader, skipped) = (&mut self.reader, &mut self.skipped);
        let mut stop = None;
        let pushed = self.framer.push(bytes, |frame| {
            stop = take(reader, frame, skipped, sink).err();
            stop.is_none() && !reader.is_done()
        });
        stop.map_or(Ok(()), Err)?;
        pushed.map_err(|broken| Stop::Malformed(broken.words().to_owned()))
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.reader.is_done() {
            return Ok(());
        }
        // The counts come after the reason for the end, and the answer is whole without them.
        if self.framer.is_within() || !self.reader.has_ending() {
            return Err(Stop::Truncated);
        }
        self.reader.close(sink);
        Ok(())
    }

    fn done(&self) -> bool {
        self.reader.is_done()
    }

    fn skipped(&self) -> u32 {
        self.skipped
    }
}

/// Takes one frame. An event whose payload cannot be read is skipped and counted: its checksums held.
fn take(
    reader: &mut Reader,
    frame: Frame<'_>,
    skipped: &mut u32,
    sink: &mut dyn Sink,
) -> Result<(), Stop> {
    if frame.message != "event" {
        return Err(Stop::Failed(failure::of_frame(&frame)));
    }
    let Ok(told) = serde_json::from_slice::<Told<'_>>(frame.payload) else {
        *skipped = skipped.saturating_add(1);
        return Ok(());
    };
    let index = told.content_block_index.unwrap_or_default();
    if frame.kind == "messageStart" {
        return reader.begin(sink);
    }
    reader.be_begun(sink)?;
    match frame.kind {
        "contentBlockDelta" => {
            if let Some(delta) = &told.delta {
                reader.add(index, delta, sink);
            }
        }
        "contentBlockStart" => {
            if let Some(block) = &told.start {
                reader.start(index, block, sink);
            }
        }
        "contentBlockStop" => reader.stop(index, sink),
        "messageStop" => reader.told(&told, sink)?,
        "metadata" => {
            reader.told(&told, sink)?;
            if reader.has_ending() {
                reader.close(sink);
            }
        }
        _ => {}
    }
    Ok(())
}
