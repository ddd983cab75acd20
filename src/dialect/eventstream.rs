//! AWS event stream frames (`application/vnd.amazon.eventstream`) out of bytes, whatever the split.
//!
//! A frame is a prelude (length, length of the headers, their CRC-32), typed headers, a payload, and a CRC-32 over all
//! before it; numbers are big-endian (smithy.io, "Amazon Event Stream Specification"). A frame that came in one piece
//! is read where it lies. Nothing of a frame is given out before both checksums held.

use super::sse::MAX_EVENT;

/// Two lengths and their checksum.
const PRELUDE: usize = 12;

/// The checksum at the end.
const TRAILER: usize = 4;

/// One frame: what it is, and its payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame<'a> {
    /// `:message-type`: `event`, `exception` or `error`.
    pub message: &'a str,
    /// `:event-type`, or `:exception-type`, or `:error-code`.
    pub kind: &'a str,
    /// `:error-message`.
    pub words: &'a str,
    /// What it carries.
    pub payload: &'a [u8],
}

/// Why bytes are no frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// A checksum does not hold.
    Checksum,
    /// The lengths contradict each other, or the headers.
    Shape,
    /// Longer than any frame may be.
    TooLong,
}

/// Cuts a stream of bytes into frames.
#[derive(Debug, Default)]
pub struct Framer {
    /// An unfinished frame, carried over from earlier bytes.
    held: Vec<u8>,
}

impl Framer {
    /// Takes bytes and calls `each` for every frame that is complete. `each` returns whether to go on.
    ///
    /// # Errors
    /// Why the bytes are no frames. What came before was given out.
    pub fn push(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Frame<'_>) -> bool,
    ) -> Result<(), Broken> {
        let mut rest = bytes;
        if !self.held.is_empty() {
            let Some(tail) = self.fill(rest)? else {
                return Ok(());
            };
            rest = tail;
            let go_on = each(read(&self.held)?);
            self.held.clear();
            if !go_on {
                return Ok(());
            }
        }
        while let Some(total) = length(rest)? {
            let Some((frame, tail)) = rest.split_at_checked(total) else {
                break;
            };
            rest = tail;
            if !each(read(frame)?) {
                return Ok(());
            }
        }
        self.held.extend_from_slice(rest);
        Ok(())
    }

    /// Whether the bytes so far end within a frame.
    #[must_use]
    pub const fn is_within(&self) -> bool {
        !self.held.is_empty()
    }

    /// Completes the held frame, first its prelude; gives back what follows it, or `None` where it needs more.
    fn fill<'a>(&mut self, bytes: &'a [u8]) -> Result<Option<&'a [u8]>, Broken> {
        let rest = self.fill_to(PRELUDE, bytes);
        let Some(total) = length(&self.held)? else {
            return Ok(None);
        };
        let rest = self.fill_to(total, rest);
        Ok((self.held.len() == total).then_some(rest))
    }

    fn fill_to<'a>(&mut self, length: usize, bytes: &'a [u8]) -> &'a [u8] {
        let missing = length.saturating_sub(self.held.len()).min(bytes.len());
        let (taken, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
        self.held.extend_from_slice(taken);
        rest
    }
}

/// A frame's length by its prelude; `None` where the prelude is not there yet.
fn length(bytes: &[u8]) -> Result<Option<usize>, Broken> {
    let Some((prelude, _)) = bytes.split_first_chunk::<PRELUDE>() else {
        return Ok(None);
    };
    let (total, headers) = lengths(prelude).ok_or(Broken::Shape)?;
    let (checked, sum) = prelude.split_at(8);
    if number(sum) != Some(crc32fast::hash(checked)) {
        return Err(Broken::Checksum);
    }
    if total > MAX_EVENT {
        return Err(Broken::TooLong);
    }
    let least = headers.saturating_add(PRELUDE).saturating_add(TRAILER);
    if total < least {
        return Err(Broken::Shape);
    }
    Ok(Some(total))
}

fn lengths(prelude: &[u8]) -> Option<(usize, usize)> {
    let at = |from: usize| number(prelude.get(from..)?.get(..4)?);
    let (total, headers) = (at(0)?, at(4)?);
    Some((usize::try_from(total).ok()?, usize::try_from(headers).ok()?))
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_be_bytes)
}

/// Reads a whole frame whose prelude has been checked.
fn read(frame: &[u8]) -> Result<Frame<'_>, Broken> {
    let split = frame.len().saturating_sub(TRAILER);
    let (checked, sum) = frame.split_at_checked(split).ok_or(Broken::Shape)?;
    if number(sum) != Some(crc32fast::hash(checked)) {
        return Err(Broken::Checksum);
    }
    let (_, headers) = lengths(checked).ok_or(Broken::Shape)?;
    let body = checked.get(PRELUDE..).unwrap_or_default();
    let (headers, payload) = body.split_at_checked(headers).ok_or(Broken::Shape)?;
    let mut found = Frame {
        payload,
        ..Frame::default()
    };
    for header in Headers(headers) {
        let (name, value) = header?;
        let Value::Text(text) = value else { continue };
        match name {
            b":message-type" => found.message = text,
            b":event-type" | b":exception-type" | b":error-code" => found.kind = text,
            b":error-message" => found.words = text,
            _ => {}
        }
    }
    Ok(found)
}

/// The value of a header, as far as anything here asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'a> {
    /// Type 7.
    Text(&'a str),
    /// Any other known type: a truth value, a number, bytes, a time, an id.
    Other,
}

/// The headers of a frame, one by one.
struct Headers<'a>(&'a [u8]);

impl<'a> Headers<'a> {
    fn one(&mut self) -> Option<(&'a [u8], Value<'a>)> {
        let length = usize::from(self.byte()?);
        let name = self.take(length)?;
        // How long the value is, by its type: 0 and 1 are true and false themselves.
        let size = match self.byte()? {
            0 | 1 => 0,
            2 => 1,
            3 => 2,
            4 => 4,
            5 | 8 => 8,
            6 => self.short()?,
            7 => {
                let length = self.short()?;
                let text = std::str::from_utf8(self.take(length)?).ok()?;
                return Some((name, Value::Text(text)));
            }
            9 => 16,
            _ => return None,
        };
        self.take(size)?;
        Some((name, Value::Other))
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn short(&mut self) -> Option<usize> {
        let (bytes, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        Some(usize::from(u16::from_be_bytes(*bytes)))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = Result<(&'a [u8], Value<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let header = self.one();
        if header.is_none() {
            self.0 = &[];
        }
        Some(header.ok_or(Broken::Shape))
    }
}

impl Broken {
    /// What was found, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Checksum => "a frame's checksum does not hold",
            Self::Shape => "the answer is no event stream",
            Self::TooLong => "a frame is too long",
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
