//! What was shown, as the beginning of an answer that a model is asked to go on with.

use super::super::event::Event;
use super::super::json::{Escaped, quoted};
use super::said::Said;
use super::strand::Strand;

/// A beginning that a model may be given.
#[derive(Clone, Debug)]
pub struct Prefix {
    /// The text, without white space at its end, which providers refuse there.
    pub text: String,
    /// That white space.
    pub space: String,
}

/// Words at the end of a beginning that prove where an answer goes on.
const WORDS: usize = 12;

impl Prefix {
    /// What an answer that goes on behind it has to begin with, and that is not shown again.
    #[must_use]
    pub fn due(&self) -> Said {
        Said::of(&self.space)
    }

    /// Its last words, and what an answer has to begin with that is asked to repeat them.
    #[must_use]
    pub fn anchor(&self) -> (&str, Said) {
        let mut inside = false;
        let starts = self.text.char_indices().filter(|(_, c)| {
            let starts = !c.is_whitespace() && !inside;
            inside = !c.is_whitespace();
            starts
        });
        let starts: Vec<usize> = starts.map(|(at, _)| at).collect();
        let from = starts.get(starts.len().saturating_sub(WORDS));
        let from = from.copied().unwrap_or(0);
        let last = self.text.get(from..).unwrap_or(&self.text);
        (last, Said::of(&format!("{last}{}", self.space)))
    }
}

impl Said {
    /// What was shown, as a beginning: only where it is nothing but the text of one choice, all of which was kept.
    /// Reasoning is no part of it.
    #[must_use]
    pub fn prefix(&self) -> Option<Prefix> {
        let [choice] = self.choices.as_slice() else {
            return None;
        };
        let only = choice.index == 0
            && choice.refusal.is_empty()
            && choice.fields.is_empty()
            && choice.calls.is_empty();
        if !only || !self.can_be_repeated() {
            return None;
        }
        let mut text = choice.text.text()?;
        let kept = text.trim_end().len();
        let space = text.split_off(kept);
        (!text.is_empty()).then_some(Prefix { text, space })
    }

    /// What is shown where this is said.
    fn of(plain: &str) -> Self {
        let mut said = Self::default();
        let raw = quoted(plain);
        if let Some(text) = Escaped::quoted(&raw) {
            said.event(Event::Text { choice: 0, text });
        }
        said
    }
}

impl Strand {
    /// All of it; `None` where not all was kept, or it ends within a character.
    fn text(&self) -> Option<String> {
        let mut units = Vec::new();
        let mut rest = self.whole()?;
        while let Some(first) = rest.first() {
            let (width, high) = match first {
                0x00..=0x7F => (1, u16::from(*first)),
                0xC0..=0xDF => (2, u16::from(first & 0x1F)),
                0xE0..=0xEF => (3, u16::from(first & 0x0F)),
                _ => return None,
            };
            let (unit, after) = rest.split_at_checked(width)?;
            let low = unit.get(1..).unwrap_or_default();
            let unit = low
                .iter()
                .fold(high, |unit, byte| (unit << 6) | u16::from(byte & 0x3F));
            units.push(unit);
            rest = after;
        }
        String::from_utf16(&units).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use proptest::{prop_assert, prop_assert_eq};

    use super::*;
    use crate::chat::Sink;
    use crate::chat::splice::Splice;

    /// What a client puts together.
    #[derive(Default)]
    struct Shown(String);

    impl Sink for Shown {
        fn event(&mut self, event: Event<'_>) {
            if let Event::Text { text, .. } = event {
                self.0.push_str(&text.decode());
            }
        }
    }

    fn text(raw: &str) -> Event<'_> {
        let text = Escaped::quoted(raw).unwrap();
        Event::Text { choice: 0, text }
    }

    fn shown(said: &str) -> Said {
        Said::of(said)
    }

    /// What a client has put together where `more` comes behind what it was shown, in pieces of so many characters.
    fn joined(before: &str, due: &Said, more: &str, size: usize) -> Option<String> {
        let (mut splice, mut out) = (Splice::onto(due), Shown(before.to_owned()));
        let more: Vec<char> = more.chars().collect();
        for piece in more.chunks(size) {
            let piece: String = piece.iter().collect();
            splice.event(text(&quoted(&piece)), &mut out);
        }
        (!splice.differs()).then_some(out.0)
    }

    proptest! {
        /// Wherever an answer is cut, and however the rest of it is cut again: what was shown and what goes on is the
        /// answer, nothing of it twice and nothing left out.
        #[test]
        fn a_beginning_and_its_rest_are_the_whole(
            answer in "([a-z]{1,4}|[ \n\t]{1,3}|é|😀|\\\\|\"){1,24}",
            cut in any::<proptest::sample::Index>(),
            again in 1_usize..5,
        ) {
            let characters: Vec<char> = answer.chars().collect();
            let (before, _) = characters.split_at(cut.index(characters.len().saturating_add(1)));
            let before: String = before.iter().collect();
            let Some(prefix) = shown(&before).prefix() else {
                prop_assert_eq!(before.trim_end(), "");
                return Ok(());
            };
            prop_assert_eq!(&*prefix.text, before.trim_end());
            // A model goes on behind what it was given; or it is asked to begin with the last words of that.
            let rest = answer.get(prefix.text.len()..).unwrap();
            prop_assert_eq!(joined(&before, &prefix.due(), rest, again).unwrap(), &*answer);
            let (last, due) = prefix.anchor();
            prop_assert!(before.trim_end().ends_with(last) && !last.is_empty());
            let more = format!("{last}{rest}");
            prop_assert_eq!(joined(&before, &due, &more, again).unwrap(), &*answer);
        }
    }

    #[test]
    fn where_a_model_goes_on_otherwise_it_is_not_glued_on() {
        let prefix = shown("one two ").prefix().unwrap();
        assert_eq!(prefix.text, "one two");
        for other in ["three", "\n"] {
            assert_eq!(joined("one two ", &prefix.due(), other, 9), None, "{other}");
        }
        let (last, due) = prefix.anchor();
        assert_eq!(last, "one two");
        for other in ["two three", "Sure: one two three", "one two\nthree"] {
            assert_eq!(joined("one two ", &due, other, 9), None, "{other}");
        }
    }

    #[test]
    fn only_plain_text_of_one_choice_is_a_beginning() {
        assert!(Said::default().prefix().is_none());
        assert!(shown("  \n").prefix().is_none());
        let mut half = shown("so ");
        half.event(text(r#""\ud83d""#));
        assert!(half.prefix().is_none(), "half a character");
        let mut call = shown("so");
        let name = Escaped::trusted("look");
        call.event(Event::ToolStart {
            choice: 0,
            index: 0,
            id: Escaped::trusted("c"),
            name,
            custom: false,
            extra: None,
        });
        assert!(call.prefix().is_none());
        let mut two = shown("so");
        let second = Escaped::trusted("other");
        two.event(Event::Text {
            choice: 1,
            text: second,
        });
        assert!(two.prefix().is_none());
        let mut long = shown(&"x".repeat(300 * 1024));
        long.event(text(r#"" and more""#));
        assert!(long.prefix().is_none(), "not all of it was kept");
        long.event(Event::Finish {
            choice: 0,
            reason: crate::chat::Finish::Stop,
            native: None,
        });
        assert!(long.prefix().is_none());
    }
}
