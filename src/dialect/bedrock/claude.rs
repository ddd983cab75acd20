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
use super::super::events::Reader as _;
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
        let (reader, event) = (&mut self.reader, &mut self.event);
        let mut stop = None;
        let pushed = self.framer.push(bytes, |frame| {
            if frame.message != "event" {
                stop = Some(Stop::Failed(failure::of_frame(&frame)));
                return false;
            }
            if frame.kind != "chunk" {
                return true;
            }
            if open(&frame, event) {
                reader.data(event, sink)
            } else {
                reader.skip();
                true
            }
        });
        stop.map_or(Ok(()), Err)?;
        self.reader.stopped()?;
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
        self.reader.skipped()
    }
}

/// Takes the event out of its frame; gives back whether that was possible.
fn open(frame: &Frame<'_>, event: &mut Vec<u8>) -> bool {
    event.clear();
    let chunk = serde_json::from_slice::<Chunk<'_>>(frame.payload);
    chunk.is_ok_and(|chunk| STANDARD.decode_vec(chunk.bytes, event).is_ok())
}
