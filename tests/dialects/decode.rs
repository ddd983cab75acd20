//! The way back: what the client gets of `response.http`, under any split of its bytes.

use bytes::Bytes;
use waypost::chat::chunk::{Extras, Identity};
use waypost::chat::{ChunkWriter, Code, Error, Request, Sink, WholeWriter};
use waypost::dialect::codec::Headers;
use waypost::dialect::{Decode, Encoded, Shape, Stop};
use waypost::fixture::{Answer, Cassette, End};

use crate::encode::target;
use crate::site::Site;

/// What a client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    /// A stream.
    Events(String),
    /// One document and its status.
    Document(u16, String),
}

/// How an answer's bytes are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// As they were read when they were recorded.
    Recorded,
    /// One by one.
    Bytes,
    /// Anywhere, by a seed.
    Random(u64),
}

/// All ways to cut.
pub(crate) const CUTS: [Cut; 6] = [
    Cut::Recorded,
    Cut::Bytes,
    Cut::Random(1),
    Cut::Random(2),
    Cut::Random(3),
    Cut::Random(4),
];

/// The answer's head as a dialect sees it.
struct Head<'a>(&'a Answer);

impl Headers for Head<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.find(name)
    }
}

/// What the client of a case gets under one cut.
pub(crate) fn decode(
    case: &Cassette,
    request: &Request,
    site: &Site,
    encoded: &Encoded,
    cut: Cut,
) -> Got {
    let answer = &case.answer;
    let body = answer.body();
    if !(200..300).contains(&answer.status) {
        let failure = site.dialect.failure(answer.status, &Head(answer), &body);
        return refused(&failure.error());
    }
    let document = matches!(body.trim_ascii_start().first(), Some(b'{' | b'['));
    let shape = if document {
        Shape::Whole
    } else {
        encoded.shape
    };
    let mut decoder = site
        .dialect
        .decoder(&target(site), shape, encoded.reply.clone());
    let identity = Identity {
        id: "chatcmpl-0".to_owned(),
        model: site.model.clone(),
        created: 0,
    };
    let pieces = pieces(answer, cut);
    if !request.stream {
        let mut writer = WholeWriter::new(identity, extras(case));
        return match feed(&mut *decoder, &pieces, answer.end, &mut writer) {
            Ok(()) => Got::Document(200, text(writer.close(None))),
            Err(stop) => refused(&before(stop)),
        };
    }
    let mut writer = ChunkWriter::new(identity, request.include_usage.into(), extras(case));
    match feed(&mut *decoder, &pieces, answer.end, &mut writer) {
        Ok(()) => writer.close(None),
        // Nothing was shown yet: the failure keeps its status.
        Err(stop) if !writer.has_output() => return refused(&before(stop)),
        Err(stop) => writer.error(&within(stop)),
    }
    Got::Events(text(writer.take().to_vec()))
}

/// Feeds a decoder as the relay does: until it is done, then its end; a broken connection after that is no failure.
fn feed(
    decoder: &mut dyn Decode,
    pieces: &[Bytes],
    end: End,
    sink: &mut dyn Sink,
) -> Result<(), Stop> {
    for piece in pieces {
        if decoder.done() {
            break;
        }
        decoder.push(piece, sink)?;
    }
    let done = decoder.done();
    decoder.finish(sink)?;
    match end {
        End::Clean => Ok(()),
        End::Abort | End::Reset | End::Stall if done || decoder.done() => Ok(()),
        End::Abort | End::Reset | End::Stall => Err(Stop::Truncated),
    }
}

/// With metadata off, OpenAI's own members are all.
fn extras(case: &Cassette) -> Extras {
    let asked = case
        .headers
        .iter()
        .find(|(name, _)| name == "x-waypost-metadata");
    match asked.map(|(_, value)| value.as_str()) {
        Some("off") => Extras::Hidden,
        None | Some(_) => Extras::Shown,
    }
}

fn before(stop: Stop) -> Error {
    match stop {
        Stop::Failed(failure) => failure.error(),
        Stop::Truncated => Error::new(Code::UpstreamTruncated, ""),
        Stop::Malformed(found) => Error::new(Code::UpstreamInvalidResponse, found),
    }
}

fn within(stop: Stop) -> Error {
    match stop {
        Stop::Failed(failure) => failure.error(),
        Stop::Truncated => Error::new(Code::StreamTruncated, ""),
        Stop::Malformed(found) => Error::new(Code::UpstreamInvalidResponse, found),
    }
}

fn refused(error: &Error) -> Got {
    let mut body = Vec::new();
    error.write(&mut body);
    Got::Document(error.code.row().status, text(body))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("a writer writes UTF-8")
}

pub(crate) fn pieces(answer: &Answer, cut: Cut) -> Vec<Bytes> {
    let mut rest: Bytes = answer.body().into();
    let mut random = match cut {
        Cut::Recorded => {
            let pieces = answer.pieces.iter();
            return pieces.map(|piece| piece.bytes.clone()).collect();
        }
        Cut::Bytes => None,
        Cut::Random(seed) => Some(fastrand::Rng::with_seed(seed)),
    };
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let size = random.as_mut().map_or(1, |random| random.usize(1..=80));
        pieces.push(rest.split_to(size.min(rest.len())));
    }
    pieces
}
