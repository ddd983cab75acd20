//! Escaped text in one form, whatever escapes it was written with: its UTF-16 units, each in one to three bytes.
//!
//! Halves of a surrogate pair may lie in two events. In this form the pieces of a text joined are the form of the
//! joined text, which UTF-8 does not give.

use std::borrow::Cow;

/// Hands on the bytes of a text in their one form, piece by piece.
pub(super) fn fold(text: &str, take: &mut dyn FnMut(&[u8])) {
    if is_plain(text) {
        return take(text.as_bytes());
    }
    let mut units = Units::of(text);
    while let Some(unit) = units.unit() {
        let (bytes, width) = bytes(unit);
        take(bytes.get(..width).unwrap_or_default());
    }
}

/// What is left of a text behind so many bytes of its one form.
pub(super) fn after(text: &str, bytes: usize) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text.get(bytes..).unwrap_or_default());
    }
    let (mut units, mut passed) = (Units::of(text), 0_usize);
    while passed < bytes {
        let Some(unit) = units.unit() else { break };
        passed = passed.saturating_add(self::bytes(unit).1);
    }
    units.rest()
}

/// Whether a text is in its one form as it stands: nothing is escaped, and nothing takes two units.
fn is_plain(text: &str) -> bool {
    !text.bytes().any(|byte| byte == b'\\' || byte >= 0xF0)
}

/// A unit's bytes, and how many there are.
fn bytes(unit: u16) -> ([u8; 3], usize) {
    let part = |shift: u16, mask: u16, mark: u8| {
        let bits = (unit >> shift) & mask;
        mark | u8::try_from(bits).unwrap_or(0)
    };
    match unit {
        0..0x80 => ([part(0, 0x7F, 0), 0, 0], 1),
        0x80..0x800 => ([part(6, 0x1F, 0xC0), part(0, 0x3F, 0x80), 0], 2),
        _ => (
            [
                part(12, 0xF, 0xE0),
                part(6, 0x3F, 0x80),
                part(0, 0x3F, 0x80),
            ],
            3,
        ),
    }
}

/// The units of an escaped text.
struct Units<'a> {
    text: &'a str,
    at: usize,
    /// The second unit of the last character.
    low: Option<u16>,
}

impl<'a> Units<'a> {
    const fn of(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            low: None,
        }
    }

    fn unit(&mut self) -> Option<u16> {
        if let Some(low) = self.low.take() {
            return Some(low);
        }
        let rest = self.text.get(self.at..)?;
        let first = rest.chars().next()?;
        if first == '\\' {
            let (unit, length) = escape(rest);
            self.at = self.at.saturating_add(length);
            return Some(unit);
        }
        self.at = self.at.saturating_add(first.len_utf8());
        let mut pair = [0; 2];
        let mut units = first.encode_utf16(&mut pair).iter().copied();
        let unit = units.next();
        self.low = units.next();
        unit
    }

    /// What has not been read, escaped.
    fn rest(&self) -> Cow<'a, str> {
        let tail = self.text.get(self.at..).unwrap_or_default();
        match self.low {
            Some(low) => Cow::Owned(format!("\\u{low:04x}{tail}")),
            None => Cow::Borrowed(tail),
        }
    }
}

const BACKSLASH: u16 = 0x5C;

/// The unit that an escape at the beginning of a text stands for, and how long it is. What is no escape is a backslash.
fn escape(text: &str) -> (u16, usize) {
    let hex = |text: &str| u16::from_str_radix(text.get(2..6)?, 16).ok();
    let short = match text.as_bytes().get(1) {
        Some(b'u') => {
            let unit = hex(text).map(|unit| (unit, 6));
            return unit.unwrap_or((BACKSLASH, 1));
        }
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'b') => 8,
        Some(b'f') => 0xC,
        Some(same @ (b'"' | b'\\' | b'/')) => *same,
        Some(_) | None => return (BACKSLASH, 1),
    };
    (u16::from(short), 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        fold(text, &mut |bytes| out.extend_from_slice(bytes));
        out
    }

    #[test]
    fn one_text_has_one_form_however_it_is_escaped() {
        let same = [
            ["é\n/\"", r#"\u00e9\n\/\""#, r"\u00E9\u000a/\u0022"],
            ["😀", r"\ud83d\ude00", r"\uD83D\uDE00"],
            ["日本", r"\u65e5本", r"日\u672c"],
        ];
        for texts in same {
            let forms = texts.map(form);
            // A bare quote or line end cannot stand in escaped text; it is its own form all the same.
            assert_eq!(forms[0], forms[1], "{texts:?}");
            assert_eq!(forms[1], forms[2], "{texts:?}");
        }
        assert_ne!(form("e"), form("é"));
        assert_ne!(form(r"\u00e9"), form(r"\\u00e9"));
    }

    #[test]
    fn halves_of_a_pair_join() {
        let joined = [form(r"a\ud83d"), form(r"\ude00b")].concat();
        assert_eq!(joined, form("a😀b"));
    }

    #[test]
    fn the_rest_behind_any_unit_is_what_was_not_passed() {
        for text in ["aé日😀b", r"a\u00e9\u65e5\ud83d\ude00b", r"\n\\😀\/"] {
            let whole = form(text);
            let mut at = 0;
            let mut units = Units::of(text);
            while let Some(unit) = units.unit() {
                at += bytes(unit).1;
                let rest = after(text, at);
                assert_eq!(form(&rest), whole[at..], "{text} behind {at}");
            }
            assert_eq!(at, whole.len());
        }
    }
}
