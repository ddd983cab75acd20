//! Claude's Messages API through `InvokeModel`: the same body in an envelope, the same events in binary frames.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::chat::{Error, Request, Sink};

use super::super::anthropic::envelope::{Betas, Envelope, Host};
use super::super::anthropic::stream::Reader;
use super::super::anthropic::{Anthropic, request};
use super::super::codec::{
    Context, Decode, Dialect, Encoded, Failure, Headers, Reply, Shape, Stop, Target,
};
use super::super::events::{Reader as _, Taken};
use super::super::eventstream::{Frame, Framer};
use super::super::params::Row;
use super::params::CLAUDE;
use super::{failure, heads, path};

/// How Bedrock wraps it (AWS's page "Anthropic Claude Messages API", and Anthropic's SDK for Bedrock).
static ENVELOPE: Envelope = Envelope {
    params: &CLAUDE,
    host: Host::Cloud("bedrock-2023-05-31"),
    betas: Betas::Body,
    says_stream: false,
    path: |model, shape| match shape {
        Shape::Stream => path::of(model, "invoke-with-response-stream"),
        Shape::Whole => path::of(model, "invoke"),
    },
};

/// Claude on Bedrock in its own format.
#[derive(Clone, Copy, Debug)]
pub struct AnthropicBedrock;

impl Dialect for AnthropicBedrock {
    fn name(&self) -> &'static str {
        "anthropic-bedrock"
    }

    fn params(&self) -> &'static [Row] {
        &CLAUDE
    }

    fn encode(
        &self,
        request: &Request,
        target: &Target<'_>,
        context: &Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, Error> {
        let mut encoded = request::encode(request, target, (&ENVELOPE, context), out)?;
        if encoded.shape == Shape::Stream {
            encoded.headers.push(path::accept());
        }
        heads::write(request, context.mode, &mut encoded)?;
        Ok(encoded)
    }

    fn decoder(&self, target: &Target<'_>, shape: Shape, reply: Reply) -> Box<dyn Decode> {
        match shape {
            Shape::Stream => Box::new(Stream {
                framer: Framer::default(),
                reader: Reader::new(target.model, reply),
                skipped: 0,
                event: Vec::new(),
            }),
            Shape::Whole => Anthropic.decoder(target, shape, reply),
        }
    }

    fn failure(&self, status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
        failure::of_status(status, headers, body)
    }
}

/// Reads one streamed answer.
#[derive(Debug)]
struct Stream {
    framer: Framer,
    reader: Reader,
    skipped: u32,
    /// The event that is being read, out of its base64; the memory serves them all.
    event: Vec<u8>,
}

/// The payload of a frame; padding (`p`) is passed over.
#[derive(Debug, Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    bytes: &'a str,
}

impl Decode for Stream {
    fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        let (reader, event, skipped) = (&mut self.reader, &mut self.event, &mut self.skipped);
        let mut stop = None;
        let pushed = self.framer.push(bytes, |frame| {
            match take(reader, &frame, event, sink) {
                Ok(Taken::Read) => {}
                Ok(Taken::Skipped) => *skipped = skipped.saturating_add(1),
                Err(why) => stop = Some(why),
            }
            stop.is_none() && !reader.is_done()
        });
        stop.map_or(Ok(()), Err)?;
        pushed.map_err(|broken| Stop::Malformed(broken.words().to_owned()))
    }

    fn finish(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        if self.framer.is_within() && !self.reader.is_done() {
            return Err(Stop::Truncated);
        }
        self.reader.end(sink)
    }

    fn done(&self) -> bool {
        self.reader.is_done()
    }

    fn skipped(&self) -> u32 {
        self.skipped
    }
}

/// Takes one frame: an error, an event in its envelope, or what is passed over.
fn take(
    reader: &mut Reader,
    frame: &Frame<'_>,
    event: &mut Vec<u8>,
    sink: &mut dyn Sink,
) -> Result<Taken, Stop> {
    if frame.message != "event" {
        return Err(Stop::Failed(failure::of_frame(frame)));
    }
    if frame.kind != "chunk" {
        return Ok(Taken::Read);
    }
    if !open(frame, event) {
        return Ok(Taken::Skipped);
    }
    reader.read(event, sink)
}

/// Takes the event out of its frame; gives back whether that was possible.
fn open(frame: &Frame<'_>, event: &mut Vec<u8>) -> bool {
    event.clear();
    let chunk = serde_json::from_slice::<Chunk<'_>>(frame.payload);
    chunk.is_ok_and(|chunk| STANDARD.decode_vec(chunk.bytes, event).is_ok())
}
