//! Raw JSON slices: strings moved without decoding, objects read member by member, order kept.
//!
//! Long prompts and streamed text pass through here as they stand on the wire. A string is copied between its
//! quotes, escapes and all, so that nothing is decoded and encoded again on its way.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::scan::special;

/// The inside of a JSON string as it stands on the wire: escapes kept, quotes gone.
///
/// Two halves of a surrogate pair may lie in two of them; joined, they are whole again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escaped<'a>(&'a str);

impl<'a> Escaped<'a> {
    /// The empty string.
    pub const EMPTY: Self = Escaped("");

    /// The inside of a string token, or `None` where the value is not a string.
    #[must_use]
    pub fn token(raw: &'a RawValue) -> Option<Self> {
        Self::quoted(raw.get())
    }

    /// The inside of a quoted JSON string in text, or `None` where it is not one.
    #[must_use]
    pub fn quoted(raw: &'a str) -> Option<Self> {
        raw.strip_prefix('"')?.strip_suffix('"').map(Escaped)
    }

    /// Text that is already escaped. The caller vouches for it.
    #[must_use]
    pub const fn trusted(inside: &'a str) -> Self {
        Escaped(inside)
    }

    /// The escaped text.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// Whether there is no text at all.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The text itself. Borrowed where nothing was escaped; a lone surrogate becomes U+FFFD.
    #[must_use]
    pub fn decode(self) -> Cow<'a, str> {
        if !self.0.contains('\\') {
            return Cow::Borrowed(self.0);
        }
        serde_json::from_str::<String>(&format!("\"{}\"", self.0))
            .map_or_else(|_| Cow::Owned(unescape_loosely(self.0)), Cow::Owned)
    }

    /// Writes the text as a JSON string, quotes included.
    pub fn write_quoted(self, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(self.0.as_bytes());
        out.push(b'"');
    }
}

/// Decodes what `serde_json` refuses: lone surrogates become U+FFFD, other odd escapes stay as they are.
fn unescape_loosely(text: &str) -> String {
    let mut fixed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        fixed.push_str(before);
        let mut chars = after.chars();
        match chars.next() {
            Some('u') => {
                let hex: String = chars.by_ref().take(4).collect();
                let unit = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32);
                fixed.push(unit.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some('n') => fixed.push('\n'),
            Some('t') => fixed.push('\t'),
            Some('r') => fixed.push('\r'),
            Some('b') => fixed.push('\u{8}'),
            Some('f') => fixed.push('\u{c}'),
            Some(other) => fixed.push(other),
            None => {}
        }
        rest = chars.as_str();
    }
    fixed.push_str(rest);
    fixed
}

/// The members of one JSON object in their order, values untouched.
#[derive(Clone, Debug, Default)]
pub struct Members<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads an object. An error where the text is not one JSON object.
    ///
    /// # Errors
    /// The parser's own, where `text` is not exactly one JSON object.
    pub fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// A member's value; JSON `null` counts as absent. Of repeated names the last holds.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().rev().find(|(key, _)| key == name)?;
        (found.1.get() != "null").then_some(found.1)
    }

    /// Whether a member that should be a whole number from zero on is there and is none.
    #[must_use]
    pub fn miscounts(&self, name: &str) -> bool {
        self.find(name)
            .is_some_and(|raw| whole_number(raw.get()).is_none())
    }

    /// A member that is a string, decoded.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.find(name)
            .and_then(Escaped::token)
            .map(Escaped::decode)
    }

    /// A member that is a non-negative integer.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<u64> {
        self.find(name).and_then(|raw| whole_number(raw.get()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor(std::marker::PhantomData))
    }
}

struct MembersVisitor<'a>(std::marker::PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for MembersVisitor<'a> {
    type Value = Members<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(8);
        while let Some(Name(key)) = map.next_key::<Name<'a>>()? {
            members.push((key, map.next_value::<&'a RawValue>()?));
        }
        Ok(Members(members))
    }
}

/// A key, borrowed where it holds no escapes (serde's own `Cow` always copies).
#[derive(Clone, Debug)]
pub struct Name<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for NameVisitor<'a> {
            type Value = Name<'a>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor(std::marker::PhantomData))
    }
}

/// The elements of a JSON array, untouched; `None` where the value is not an array.
#[must_use]
pub fn elements(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

/// A number that is whole: `10`, `10.0` and `1e1` are 10; `1.5`, `-1` and `"10"` are not one.
#[must_use]
pub fn whole_number(text: &str) -> Option<u64> {
    if let Ok(number) = text.parse::<u64>() {
        return text
            .bytes()
            .next()
            .filter(u8::is_ascii_digit)
            .map(|_| number);
    }
    let number = text
        .parse::<f64>()
        .ok()
        .filter(|number| number.fract() == 0.0)?;
    let starts_like_a_number = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_digit());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be whole, at least zero and within what f64 holds exactly"
    )]
    (starts_like_a_number && (0.0..=9_007_199_254_740_992.0).contains(&number))
        .then_some(number as u64)
}

/// Escapes text for the inside of a JSON string. Non-ASCII stays as it is.
pub fn escape(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(at) = special(rest) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((&byte, after)) = special.split_first() else {
            break;
        };
        escape_byte(byte, out);
        rest = after;
    }
    out.extend_from_slice(rest);
}

fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend(HEX.get(usize::from(byte >> 4)));
            out.extend(HEX.get(usize::from(byte & 15)));
        }
    }
}

/// Writes a whole number.
pub fn number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let (mut rest, mut length) = (number, 0_usize);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' | u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        length = length.saturating_add(1);
        if rest == 0 {
            break;
        }
    }
    let start = digits.len().saturating_sub(length);
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

/// Writes text as a JSON string, quotes included.
pub fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    escape(text, out);
    out.push(b'"');
}

/// Text as a JSON string, quotes included.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len().saturating_add(2));
    quote(text, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Copies valid JSON without the white space between its tokens; numbers and strings stay byte for byte.
pub fn compact(json: &str, out: &mut Vec<u8>) {
    let mut in_string = false;
    let mut escaped = false;
    for &byte in json.as_bytes() {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            out.push(byte);
            in_string = byte == b'"';
        }
    }
}

/// Copies valid JSON so that it stands on one line, as an event's `data` must.
pub fn one_line(json: &str, out: &mut Vec<u8>) {
    if memchr::memchr2(b'\n', b'\r', json.as_bytes()).is_some() {
        compact(json, out);
    } else {
        out.extend_from_slice(json.as_bytes());
    }
}

/// Writes `"name":` with a comma before it unless an object was just opened.
pub fn key(name: &str, out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'{')) {
        out.push(b',');
    }
    quote(name, out);
    out.push(b':');
}

/// Writes one member whose value is JSON already.
pub fn member(name: &str, json: &str, out: &mut Vec<u8>) {
    key(name, out);
    out.extend_from_slice(json.as_bytes());
}

/// Writes the comma before an array element unless the array was just opened.
pub fn comma(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'[')) {
        out.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_as_the_contract_says() {
        let table = [
            ("10", Some(10)),
            ("10.0", Some(10)),
            ("1e1", Some(10)),
            ("0", Some(0)),
            ("1.5", None),
            ("-1", None),
            ("\"5\"", None),
            ("1e400", None),
            ("true", None),
            ("+5", None),
        ];
        for (text, number) in table {
            assert_eq!(whole_number(text), number, "{text}");
        }
    }

    #[test]
    fn escaping_keeps_what_json_lets_stand() {
        let mut out = Vec::new();
        quote("a\"b\\c\nd\u{1}é😀", &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\"a\\\"b\\\\c\\nd\\u0001é😀\""
        );
    }

    #[test]
    fn numbers_are_written_in_full() {
        for value in [0, 7, 10, 99, 100, 1_234_567_890, u64::MAX] {
            let mut out = b"-".to_vec();
            number(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), format!("-{value}"));
        }
    }

    #[test]
    fn compacting_touches_white_space_between_tokens_only() {
        let mut out = Vec::new();
        compact("{ \"a b\" : [ 1.0 , \"x \\\" y\" ] }", &mut out);
        assert_eq!(out, b"{\"a b\":[1.0,\"x \\\" y\"]}");
    }

    #[test]
    fn split_surrogates_join_again() {
        let joined = format!("{}{}", Escaped::trusted("\\ud83d").as_str(), "\\ude00");
        assert_eq!(Escaped::trusted(&joined).decode(), "😀");
        assert_eq!(Escaped::trusted("a\\ud83d").decode(), "a\u{fffd}");
    }

    #[test]
    fn members_keep_order_and_null_is_absent() {
        let members = Members::parse("{\"b\":1,\"a\":null,\"c\\u0064\":\"x\"}").unwrap();
        let names: Vec<_> = members.0.iter().map(|(name, _)| name.as_ref()).collect();
        assert_eq!(names, ["b", "a", "cd"]);
        assert!(members.find("a").is_none());
        assert_eq!(members.text("cd").unwrap(), "x");
    }
}
