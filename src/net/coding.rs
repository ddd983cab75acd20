//! Answers that come encoded though `identity` was asked for: decoded as they come, within bounds.

use std::io::Write as _;

use bytes::Bytes;
use flate2::write::{MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// The most that one read may become. A read is some kilobytes, so that this is a bomb.
const MAX_GROWTH: usize = 16 * 1024 * 1024;

/// A decoder of one body.
#[derive(Debug)]
pub struct Coding(Kind);

#[derive(Debug)]
enum Kind {
    /// Gzip, of one member or of many: some proxies close one per event.
    Gzip(MultiGzDecoder<Limited>),
    Deflate(ZlibDecoder<Limited>),
    /// Brotli and others: nobody asked for them.
    Unknown,
}

/// What came is not what its head says, or too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecodable;

impl Coding {
    /// The decoder that a head asks for; none where the body stands as it is.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let coding = headers.get(CONTENT_ENCODING)?;
        let kind = match coding.to_str().map(str::trim) {
            Ok("identity" | "") => return None,
            Ok("gzip" | "x-gzip") => Kind::Gzip(MultiGzDecoder::new(Limited::default())),
            Ok("deflate") => Kind::Deflate(ZlibDecoder::new(Limited::default())),
            Ok(_) | Err(_) => Kind::Unknown,
        };
        Some(Self(kind))
    }

    /// What the next bytes say; empty where they say nothing yet.
    ///
    /// # Errors
    /// Where they cannot be decoded.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Bytes, Undecodable> {
        let written = match &mut self.0 {
            Kind::Gzip(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
            Kind::Deflate(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
            Kind::Unknown => return Err(Undecodable),
        };
        written.map_err(|_| Undecodable)?;
        let out = match &mut self.0 {
            Kind::Gzip(decoder) => decoder.get_mut(),
            Kind::Deflate(decoder) => decoder.get_mut(),
            Kind::Unknown => return Err(Undecodable),
        };
        Ok(std::mem::take(&mut out.0).into())
    }
}

/// A buffer that does not grow beyond [`MAX_GROWTH`] between two takings.
#[derive(Debug, Default)]
struct Limited(Vec<u8>);

impl std::io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_GROWTH {
            return Err(std::io::Error::other("too much"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn coding(name: &'static str) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, http::HeaderValue::from_static(name));
        Coding::of(&headers)
    }

    #[test]
    fn one_member_per_event_is_decoded_at_any_split() {
        let mut wire = gzip(b"data: 1\n\n");
        wire.extend(gzip(b"data: 2\n\n"));
        for size in [1, 7, wire.len()] {
            let mut coding = coding("gzip").unwrap();
            let pieces = wire.chunks(size).map(|piece| coding.decode(piece).unwrap());
            let said: Vec<u8> = pieces.flat_map(|piece| piece.to_vec()).collect();
            assert_eq!(said, b"data: 1\n\ndata: 2\n\n", "pieces of {size}");
        }
    }

    #[test]
    fn bombs_garbage_and_other_codings_are_refused() {
        let bomb = gzip(&vec![0; MAX_GROWTH + 1]);
        assert_eq!(coding("gzip").unwrap().decode(&bomb), Err(Undecodable));
        assert_eq!(
            coding("gzip").unwrap().decode(b"{\"not\":\"gzip\"}"),
            Err(Undecodable)
        );
        assert_eq!(coding("br").unwrap().decode(b"x"), Err(Undecodable));
        assert!(coding("identity").is_none());
    }
}
