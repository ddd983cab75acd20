//! Changes to JSON text at known places, so that all else stays byte for byte.
//!
//! Values are raw slices of the text itself, which is how their places are known.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::value::RawValue;

/// Changes to one text, in any order; applied once.
#[derive(Debug, Default)]
pub(super) struct Edits {
    list: Vec<Edit>,
}

impl Edits {
    /// Forgets all changes; keeps the memory.
    pub(super) fn clear(&mut self) {
        self.list.clear();
    }

    /// Whether nothing changes.
    pub(super) const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Puts another value in a value's place.
    pub(super) fn replace(
        &mut self,
        text: &str,
        value: &RawValue,
        with: impl Into<Cow<'static, str>>,
    ) {
        self.list.push((place(text, value), with.into()));
    }

    /// Adds text at the start of an object: members, comma last.
    pub(super) fn within(
        &mut self,
        text: &str,
        object: &RawValue,
        with: impl Into<Cow<'static, str>>,
    ) {
        let start = place(text, object).start.saturating_add(1);
        self.list.push((start..start, with.into()));
    }

    /// Adds text before the closing brace of the whole text.
    pub(super) fn at_end(&mut self, text: &str, with: &'static str) {
        let end = text.trim_end().len().saturating_sub(1);
        self.list.push((end..end, Cow::Borrowed(with)));
    }

    /// Takes out a member with the comma before it. `None` where it comes first or its key is written oddly.
    pub(super) fn cut(&mut self, text: &str, name: &str, value: &RawValue) -> Option<()> {
        let key = key(text, name, value)?;
        let before = text.get(..key.start)?.trim_end();
        let comma = before.strip_suffix(',')?.len();
        self.list
            .push((comma..place(text, value).end, Cow::Borrowed("")));
        Some(())
    }

    /// Gives a member another name. `None` where its key is written oddly.
    pub(super) fn rename(
        &mut self,
        text: &str,
        name: &str,
        value: &RawValue,
        to: &'static str,
    ) -> Option<()> {
        let key = key(text, name, value)?;
        self.list.push((key, Cow::Borrowed(to)));
        Some(())
    }

    /// Writes the changed text.
    pub(super) fn apply(&mut self, text: &str, out: &mut String) {
        self.list.sort_by_key(|(range, _)| (range.start, range.end));
        write(&self.list, text, 0..text.len(), out);
    }

    /// Writes the changed text before and after a part of it that no change touches.
    pub(super) fn apply_round(
        &mut self,
        text: &str,
        part: &str,
        before: &mut String,
        after: &mut String,
    ) {
        self.list.sort_by_key(|(range, _)| (range.start, range.end));
        let start = offset(text, part);
        let end = start.saturating_add(part.len());
        let middle = self.list.partition_point(|(range, _)| range.end <= start);
        let (early, late) = self.list.split_at_checked(middle).unwrap_or_default();
        write(early, text, 0..start, before);
        write(late, text, end..text.len(), after);
    }
}

/// One change: where, and what stands there instead.
type Edit = (Range<usize>, Cow<'static, str>);

/// Writes a range of the text with changes within it, which are in order.
fn write(edits: &[Edit], text: &str, part: Range<usize>, out: &mut String) {
    let mut at = part.start;
    for (range, with) in edits {
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(with);
        at = range.end.max(at);
    }
    out.push_str(text.get(at..part.end).unwrap_or_default());
}

/// Where a slice of the text stands in it.
fn place(text: &str, part: &RawValue) -> Range<usize> {
    let start = offset(text, part.get());
    start..start.saturating_add(part.get().len())
}

/// Where a slice of the text begins.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(text.as_ptr().addr())
}

/// Where the key of a value stands, quotes included.
fn key(text: &str, name: &str, value: &RawValue) -> Option<Range<usize>> {
    let before = text.get(..place(text, value).start)?.trim_end();
    let head = before.strip_suffix(':')?.trim_end();
    let start = head
        .strip_suffix('"')?
        .strip_suffix(name)?
        .strip_suffix('"')?
        .len();
    Some(start..head.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Members;

    #[test]
    fn changes_leave_the_rest_as_it_was() {
        let text = r#"{"a": 1 ,"usage" : null, "b":{"reasoning":"x"},"c":2}"#;
        let members = Members::parse(text).unwrap();
        let find = |name: &str| members.0.iter().find(|(key, _)| key == name).unwrap().1;
        let mut edits = Edits::default();
        edits.replace(text, find("c"), "3");
        edits.cut(text, "usage", find("usage")).unwrap();
        edits.at_end(text, ",\"z\":0");
        let inner = Members::parse(find("b").get()).unwrap();
        edits
            .rename(text, "reasoning", inner.0[0].1, "\"reasoning_content\"")
            .unwrap();
        assert_eq!(edits.cut(text, "a", find("a")), None);
        let (mut before, mut after) = (String::new(), String::new());
        let word = inner.0[0].1.get();
        edits.apply_round(text, word.get(1..2).unwrap(), &mut before, &mut after);
        assert_eq!(before, r#"{"a": 1 , "b":{"reasoning_content":""#);
        assert_eq!(after, r#""},"c":3,"z":0}"#);
        let mut out = String::new();
        edits.apply(text, &mut out);
        assert_eq!(
            out,
            r#"{"a": 1 , "b":{"reasoning_content":"x"},"c":3,"z":0}"#
        );
    }
}
