//! Server-sent events out of bytes, whatever the split.
//!
//! Lines end with `\n`, `\r\n` or a lone `\r`; the space after the colon is optional; several `data` lines of one
//! event are joined; an event that the end of the stream leaves without its blank line still counts
//! (WHATWG HTML, 9.2.6, but for the last, which some servers need).

use memchr::memchr2;

/// The longest event that is kept; one image may come as one event.
pub const MAX_EVENT: usize = 16 * 1024 * 1024;

/// What stands between two blank lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The `event` field, empty where there is none.
    pub event: &'a [u8],
    /// The `data` lines, joined.
    pub data: &'a [u8],
}

/// An event over [`MAX_EVENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Cuts a stream of bytes into frames.
#[derive(Debug, Default)]
pub struct Framer {
    /// An unfinished line, carried over from earlier bytes.
    line: Vec<u8>,
    /// The `data` of the event being read.
    data: Vec<u8>,
    event: Vec<u8>,
    has_data: bool,
    /// A `\r` ended the last line, so that a `\n` that comes first belongs to it.
    after_cr: bool,
    past_bom: bool,
}

impl Framer {
    /// A framer at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes and calls `each` for every frame that is complete. `each` returns whether to go on.
    ///
    /// # Errors
    /// [`TooLong`] where an event exceeds [`MAX_EVENT`].
    pub fn push(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Frame<'_>) -> bool,
    ) -> Result<(), TooLong> {
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(at) = memchr2(b'\n', b'\r', rest) {
            let (line, tail) = rest.split_at(at);
            let is_cr = tail.first() == Some(&b'\r');
            let mut tail = tail.get(1..).unwrap_or_default();
            if is_cr {
                if tail.is_empty() {
                    self.after_cr = true;
                }
                tail = tail.strip_prefix(b"\n").unwrap_or(tail);
            }
            rest = tail;
            if !self.end_line(line, &mut each) {
                return Ok(());
            }
        }
        self.line.extend_from_slice(rest);
        self.check()
    }

    /// Takes the end of the stream: a frame that lacks its blank line is given out.
    pub fn finish(&mut self, mut each: impl FnMut(Frame<'_>) -> bool) {
        if !self.line.is_empty() {
            self.end_line(b"", &mut each);
        }
        if self.has_data {
            self.end_line(b"", &mut each);
        }
    }

    const fn check(&self) -> Result<(), TooLong> {
        if self.line.len() > MAX_EVENT || self.data.len() > MAX_EVENT {
            return Err(TooLong);
        }
        Ok(())
    }

    fn end_line(&mut self, end: &[u8], each: &mut impl FnMut(Frame<'_>) -> bool) -> bool {
        if self.line.is_empty() {
            return self.take_line(end, each);
        }
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(end);
        let go_on = self.take_line(&line, each);
        line.clear();
        self.line = line;
        go_on
    }

    fn take_line(&mut self, line: &[u8], each: &mut impl FnMut(Frame<'_>) -> bool) -> bool {
        let line = if self.past_bom {
            line
        } else {
            line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line)
        };
        self.past_bom = true;
        if line.is_empty() {
            return self.dispatch(each);
        }
        let (field, value) = match memchr::memchr(b':', line) {
            Some(at) => {
                let (field, value) = line.split_at(at);
                let value = value.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &b""[..]),
        };
        match field {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
                self.has_data = true;
            }
            b"event" => {
                self.event.clear();
                self.event.extend_from_slice(value);
            }
            // A JSON document where events were promised: given out as it stands, so that the decoder can say so.
            _ if matches!(line.first(), Some(b'{' | b'[')) => {
                self.data.extend_from_slice(line);
                self.has_data = true;
            }
            _ => {}
        }
        true
    }

    fn dispatch(&mut self, each: &mut impl FnMut(Frame<'_>) -> bool) -> bool {
        let go_on = !self.has_data
            || each(Frame {
                event: &self.event,
                data: &self.data,
            });
        self.data.clear();
        self.event.clear();
        self.has_data = false;
        go_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(parts: &[&[u8]]) -> Vec<String> {
        let mut framer = Framer::new();
        let mut found = Vec::new();
        let mut keep = |frame: Frame<'_>| {
            found.push(format!(
                "{}|{}",
                String::from_utf8_lossy(frame.event),
                String::from_utf8_lossy(frame.data)
            ));
            true
        };
        for part in parts {
            framer.push(part, &mut keep).unwrap();
        }
        framer.finish(&mut keep);
        found
    }

    #[test]
    fn every_split_gives_the_same_frames() {
        let table: [(&[u8], &[&str]); 9] = [
            (b"data:{\"a\":1}\n\n", &["|{\"a\":1}"]),
            (b"data: {\"a\":\ndata: 1}\n\n", &["|{\"a\":\n1}"]),
            (b": OPENROUTER PROCESSING\n\ndata: {}\r\n\r\n", &["|{}"]),
            (b"event: error\r\ndata: {}\r\n\r\n", &["error|{}"]),
            (
                "data: {\"t\":\"é€😀\"}\n\n".as_bytes(),
                &["|{\"t\":\"é€😀\"}"],
            ),
            (b"data: {}", &["|{}"]),
            (b"\xEF\xBB\xBFdata: {}\n\n", &["|{}"]),
            (b"id: 1\rretry: 5\rdata: {}\r\r", &["|{}"]),
            (b"data: a\n\ndata: b\n\n", &["|a", "|b"]),
        ];
        for (bytes, expected) in table {
            assert_eq!(frames(&[bytes]), expected);
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(
                frames(&single),
                expected,
                "{}",
                String::from_utf8_lossy(bytes)
            );
            for at in 0..bytes.len() {
                let (left, right) = bytes.split_at(at);
                assert_eq!(frames(&[left, right]), expected, "split at {at}");
            }
        }
    }

    #[test]
    fn a_bare_json_document_is_given_out() {
        assert_eq!(
            frames(&[b"{\"error\":{\"message\":\"x\"}}"]),
            ["|{\"error\":{\"message\":\"x\"}}"]
        );
        assert_eq!(frames(&[b"{\n  \"error\": {}\n}\n"])[0], "|{");
    }
}
