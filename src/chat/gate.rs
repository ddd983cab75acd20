//! The JSON gate: one pass over a body that checks everything and finds the top-level members.
//!
//! Comes in: the client's bytes. Goes out: where each top-level member stands, or a clear refusal. Providers
//! and proxies disagree on repeated keys, depth and lone surrogates, and each disagreement has been a way round
//! somebody's limits, so all of it ends here.

use std::ops::Range;

use super::error::{Code, Error};
use super::scan::special;

/// Levels of nesting allowed.
pub const MAX_DEPTH: usize = 128;

/// Members that decide what is sent where and what it may cost; they may stand once, in their plain spelling.
const GOVERNED: [&str; 14] = [
    "model",
    "messages",
    "input",
    "prompt",
    "stream",
    "stream_options",
    "n",
    "max_tokens",
    "max_completion_tokens",
    "tools",
    "waypost",
    "models",
    "fallbacks",
    "include_usage",
];

/// Where one member stands in the body: its key without quotes, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The key, between its quotes.
    pub key: Range<usize>,
    /// The value.
    pub value: Range<usize>,
}

/// Takes a body as text.
///
/// # Errors
/// `invalid_json` where it is not UTF-8.
pub fn text(body: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(body)
        .map_err(|error| invalid(error.utf8_error().valid_up_to(), "the body is not UTF-8"))
}

/// Checks a whole body and finds its top-level members.
///
/// # Errors
/// `invalid_json`, `json_too_deep` or `duplicate_key`, saying where.
pub fn check(body: &str) -> Result<Vec<Place>, Error> {
    let mut scanner = Scanner {
        bytes: body.as_bytes(),
        at: 0,
    };
    scanner.space();
    if scanner.peek() != Some(b'{') {
        scanner.value(0)?;
        return Err(Error::new(
            Code::InvalidJson,
            "The body must be a JSON object.",
        ));
    }
    let places = scanner.object(1, Watch::Top)?;
    scanner.space();
    if scanner.at < body.len() {
        return Err(invalid(
            scanner.at,
            "more follows after the end of the object",
        ));
    }
    Ok(places)
}

/// Which keys of an object are watched for repeats and disguises.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Watch {
    /// The request itself: members are also collected.
    Top,
    /// `stream_options`.
    Options,
    /// Anything else.
    Nothing,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.step();
        }
    }

    fn fail<T>(&self, what: &str) -> Result<T, Error> {
        Err(invalid(self.at, what))
    }

    fn value(&mut self, depth: usize) -> Result<(), Error> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{') => self
                .object(depth.saturating_add(1), Watch::Nothing)
                .map(|_| ()),
            Some(b'[') => self.array(depth.saturating_add(1)),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => self.fail("a value was expected"),
            None => self.fail("the body ends where a value was expected"),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Error> {
        if !self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            return self.fail("a value was expected");
        }
        self.at = self.at.saturating_add(word.len());
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), Error> {
        self.deeper(depth)?;
        self.step();
        self.space();
        if self.peek() == Some(b']') {
            self.step();
            return Ok(());
        }
        loop {
            self.space();
            self.value(depth)?;
            self.space();
            match self.peek() {
                Some(b',') => self.step(),
                Some(b']') => {
                    self.step();
                    return Ok(());
                }
                _ => return self.fail("',' or ']' was expected"),
            }
        }
    }

    fn object(&mut self, depth: usize, watch: Watch) -> Result<Vec<Place>, Error> {
        self.deeper(depth)?;
        self.step();
        let mut seen = Seen::default();
        let mut places = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.step();
            return Ok(places);
        }
        loop {
            let place = self.entry(depth, watch, &mut seen)?;
            if watch == Watch::Top {
                places.push(place);
            }
            match self.peek() {
                Some(b',') => self.step(),
                Some(b'}') => {
                    self.step();
                    return Ok(places);
                }
                _ => return self.fail("',' or '}' was expected"),
            }
        }
    }

    /// One `"key": value` with the space round it.
    fn entry(&mut self, depth: usize, watch: Watch, seen: &mut Seen) -> Result<Place, Error> {
        self.space();
        if self.peek() != Some(b'"') {
            return self.fail("a key in quotes was expected");
        }
        let key = self.string()?;
        let name = self.bytes.get(key.clone()).unwrap_or_default();
        if watch != Watch::Nothing {
            seen.note(name)?;
        }
        self.space();
        if self.peek() != Some(b':') {
            return self.fail("':' was expected");
        }
        self.step();
        self.space();
        let from = self.at;
        if watch == Watch::Top && name == b"stream_options" && self.peek() == Some(b'{') {
            self.object(depth.saturating_add(1), Watch::Options)?;
        } else {
            self.value(depth)?;
        }
        let value = from..self.at;
        self.space();
        Ok(Place { key, value })
    }

    fn deeper(&self, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            let message = format!(
                "The JSON is nested deeper than {MAX_DEPTH} levels at byte {}.",
                self.at
            );
            return Err(Error::new(Code::JsonTooDeep, message));
        }
        Ok(())
    }

    /// A string; gives back what stands between its quotes.
    fn string(&mut self) -> Result<Range<usize>, Error> {
        self.step();
        let from = self.at;
        loop {
            let plain = plain_prefix(self.bytes.get(self.at..).unwrap_or_default());
            self.at = self.at.saturating_add(plain);
            match self.peek() {
                Some(b'"') => {
                    let inside = from..self.at;
                    self.step();
                    return Ok(inside);
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return self.fail("a control character stands bare in a string"),
                None => return self.fail("the body ends within a string"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Error> {
        self.step();
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.step();
                Ok(())
            }
            Some(b'u') => {
                let unit = self.unit()?;
                match unit {
                    0xD800..=0xDBFF if self.low_half() => Ok(()),
                    0xD800..=0xDFFF => self.fail("a lone surrogate stands in a string"),
                    _ => Ok(()),
                }
            }
            _ => self.fail("an unknown escape stands in a string"),
        }
    }

    /// The four digits after `\u`.
    fn unit(&mut self) -> Result<u32, Error> {
        self.step();
        let digits = self
            .bytes
            .get(self.at..self.at.saturating_add(4))
            .unwrap_or_default();
        if digits.len() != 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return self.fail("an escape needs four hexadecimal digits");
        }
        self.at = self.at.saturating_add(4);
        let text = std::str::from_utf8(digits).unwrap_or_default();
        Ok(u32::from_str_radix(text, 16).unwrap_or_default())
    }

    fn low_half(&mut self) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(b"\\u") {
            return false;
        }
        self.step();
        matches!(self.unit(), Ok(0xDC00..=0xDFFF))
    }

    fn number(&mut self) -> Result<(), Error> {
        if self.peek() == Some(b'-') {
            self.step();
        }
        match self.peek() {
            Some(b'0') => self.step(),
            Some(b'1'..=b'9') => self.digits()?,
            _ => return self.fail("a digit was expected"),
        }
        if self.peek() == Some(b'.') {
            self.step();
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.step();
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.step();
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Error> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.fail("a digit was expected");
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.step();
        }
        Ok(())
    }
}

/// Which governed keys an object has shown so far, one bit each.
#[derive(Default)]
struct Seen(u16);

impl Seen {
    fn note(&mut self, key: &[u8]) -> Result<(), Error> {
        let Ok(raw) = std::str::from_utf8(key) else {
            return Ok(());
        };
        let plain = super::json::Escaped::trusted(raw).decode();
        let governed = GOVERNED
            .iter()
            .zip(0_u32..)
            .find(|(name, _)| plain.eq_ignore_ascii_case(name));
        let Some((name, bit)) = governed else {
            return Ok(());
        };
        let mask = 1_u16.checked_shl(bit).unwrap_or_default();
        if raw != *name {
            let message = format!(
                "The key '{raw}' is another spelling of '{name}'. Write it as '{name}', once."
            );
            return Err(Error::new(Code::DuplicateKey, message).at(*name));
        }
        if self.0 & mask != 0 {
            let message = format!("The key '{name}' stands twice. Send it once.");
            return Err(Error::new(Code::DuplicateKey, message).at(*name));
        }
        self.0 |= mask;
        Ok(())
    }
}

/// How many bytes from the start are neither a quote, nor a backslash, nor a control character.
fn plain_prefix(bytes: &[u8]) -> usize {
    special(bytes).unwrap_or(bytes.len())
}

fn invalid(at: usize, what: &str) -> Error {
    Error::new(
        Code::InvalidJson,
        format!("The body is not valid JSON: {what} (byte {at})."),
    )
}

#[cfg(test)]
mod tests;
