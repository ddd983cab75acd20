//! Events that repeat the one before but for a few values.
//!
//! Streams say the same thing a thousand times: all of a chunk but its words, and perhaps a count, stands in the
//! next one byte for byte. A chunk that was read teaches its text and where its values stand; the next is then
//! compared instead of parsed. What differs anywhere else is read as any other.

use std::ops::Range;

use crate::chat::scan::string_length;

/// A JSON text with holes where values may differ: the insides of strings, and numbers without sign or fraction.
#[derive(Debug, Default)]
pub(crate) struct Template {
    text: String,
    holes: Vec<Range<usize>>,
}

impl Template {
    /// Knows nothing any more.
    pub(crate) fn forget(&mut self) {
        self.holes.clear();
    }

    /// Takes a text that was read as JSON, and its values in the order they stand in: slices of the text.
    /// Values out of order or from elsewhere teach nothing.
    pub(crate) fn learn<'t>(&mut self, text: &'t str, values: impl IntoIterator<Item = &'t str>) {
        self.holes.clear();
        let mut at = 0;
        for value in values {
            match place(text, value).filter(|hole| hole.start >= at) {
                Some(hole) => {
                    at = hole.end;
                    self.holes.push(hole);
                }
                None => return self.holes.clear(),
            }
        }
        self.text.clear();
        self.text.push_str(text);
    }

    /// The values of a text that is otherwise the known one; `None` where it is not. Values beyond the known ones
    /// are empty.
    pub(crate) fn read<'t, const N: usize>(&self, text: &'t str) -> Option<[&'t str; N]> {
        let mut values = [""; N];
        let (mut rest, mut at) = (text, 0);
        if self.holes.is_empty() || self.holes.len() > N {
            return None;
        }
        for (hole, value) in self.holes.iter().zip(&mut values) {
            let literal = self.text.get(at..hole.start)?;
            rest = rest.strip_prefix(literal)?;
            let length = if literal.ends_with('"') {
                string_length(rest.as_bytes())?
            } else {
                number_length(rest.as_bytes())?
            };
            (*value, rest) = rest.split_at_checked(length)?;
            at = hole.end;
        }
        (rest == self.text.get(at..)?).then_some(values)
    }
}

/// Where a slice of a text stands in it; `None` where it is no slice of it.
fn place(text: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= text.len()).then_some(start..end)
}

/// How many digits of a whole number there are.
fn number_length(bytes: &[u8]) -> Option<usize> {
    let length = bytes
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(bytes.len());
    let is_number = length == 1 || (length > 1 && bytes.first() != Some(&b'0'));
    is_number.then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = r#"{"text":"one","count":7,"end":true}"#;

    fn template() -> Template {
        let mut template = Template::default();
        let word = FIRST.get(9..12).unwrap();
        let count = FIRST.get(22..23).unwrap();
        assert_eq!((word, count), ("one", "7"));
        template.learn(FIRST, [word, count]);
        template
    }

    #[test]
    fn values_alone_may_differ() {
        let template = template();
        let table = [
            (
                r#"{"text":"two","count":12,"end":true}"#,
                Some(["two", "12", ""]),
            ),
            (r#"{"text":"","count":0,"end":true}"#, Some(["", "0", ""])),
            (
                r#"{"text":"é\"\u00e9\\","count":1,"end":true}"#,
                Some([r#"é\"\u00e9\\"#, "1", ""]),
            ),
            (r#"{"text":"two","count":12,"end":false}"#, None),
            (r#"{"text":"two","count":12,"end":true} "#, None),
            (r#"{"text":"two","count":12,"end":true"#, None),
            (r#"{"text":"two","count":1.5,"end":true}"#, None),
            (r#"{"text":"two","count":01,"end":true}"#, None),
            (r#"{"text":"two","count":,"end":true}"#, None),
            (r#"{"text":"a","x":"b","count":1,"end":true}"#, None),
            (r#"{"text":"a\","count":1,"end":true}"#, None),
            (r#"{"text":"a\q","count":1,"end":true}"#, None),
            (r#"{"text":"a\u00g0","count":1,"end":true}"#, None),
            ("{\"text\":\"a\nb\",\"count\":1,\"end\":true}", None),
        ];
        for (text, values) in table {
            assert_eq!(template.read::<3>(text), values, "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_read() {
        let mut template = template();
        assert_eq!(template.read::<1>(FIRST), None);
        template.forget();
        assert_eq!(template.read::<3>(FIRST), None);
        let elsewhere = String::from("one");
        template.learn(FIRST, [elsewhere.as_str()]);
        assert_eq!(template.read::<3>(FIRST), None);
        let (word, count) = (FIRST.get(9..12).unwrap(), FIRST.get(22..23).unwrap());
        template.learn(FIRST, [count, word]);
        assert_eq!(template.read::<3>(FIRST), None);
    }
}
