//! Reasoning that stands in the text between `<think>` and `</think>`, told apart while it streams.
//!
//! Only a leading block counts. Text is cut at `<` only, which never stands within a JSON escape; servers written
//! in Go write it as an escape itself, so that is undone first.

use crate::chat::Escaped;

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// Reasoning.
    Thought(Escaped<'a>),
    /// The answer.
    Text(Escaped<'a>),
}

/// Tells thought from answer in one choice's text.
#[derive(Clone, Debug, Default)]
pub(super) struct Tags {
    place: Place,
    held: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Start,
    Inside,
    /// White space between the block and the answer is dropped.
    Behind,
    Answer,
}

impl Tags {
    /// Whether all text is the answer from now on.
    pub(super) fn is_over(&self) -> bool {
        self.place == Place::Answer && self.held.is_empty()
    }

    /// Takes a piece of text.
    pub(super) fn push(&mut self, text: Escaped<'_>, each: &mut dyn FnMut(Said<'_>)) {
        if self.place == Place::Answer {
            return each(Said::Text(text));
        }
        let plain = text
            .as_str()
            .replace("\\u003c", "<")
            .replace("\\u003e", ">");
        self.held.push_str(&plain);
        while self.step(each) {}
    }

    /// Takes the end of the text: what was held back is given out.
    pub(super) fn finish(&mut self, each: &mut dyn FnMut(Said<'_>)) {
        let held = std::mem::take(&mut self.held);
        let text = Escaped::trusted(&held);
        match self.place {
            _ if held.is_empty() => {}
            Place::Inside => each(Said::Thought(text)),
            Place::Start | Place::Behind | Place::Answer => each(Said::Text(text)),
        }
    }

    /// One step; whether another may follow.
    fn step(&mut self, each: &mut dyn FnMut(Said<'_>)) -> bool {
        match self.place {
            Place::Start => self.start(),
            Place::Inside => self.inside(each),
            Place::Behind => self.behind(),
            Place::Answer => {
                let held = std::mem::take(&mut self.held);
                if !held.is_empty() {
                    each(Said::Text(Escaped::trusted(&held)));
                }
                false
            }
        }
    }

    fn start(&mut self) -> bool {
        let text = trim(&self.held);
        if let Some(rest) = text.strip_prefix(OPEN) {
            self.held = rest.to_owned();
            self.place = Place::Inside;
            return true;
        }
        if OPEN.starts_with(text) || text == "\\" {
            return false;
        }
        self.place = Place::Answer;
        true
    }

    fn inside(&mut self, each: &mut dyn FnMut(Said<'_>)) -> bool {
        if let Some((thought, rest)) = self.held.split_once(CLOSE) {
            if !thought.is_empty() {
                each(Said::Thought(Escaped::trusted(thought)));
            }
            self.held = rest.to_owned();
            self.place = Place::Behind;
            return true;
        }
        let keep = self.held.rfind('<').filter(|at| {
            self.held
                .get(*at..)
                .is_some_and(|tail| CLOSE.starts_with(tail))
        });
        let tail = self.held.split_off(keep.unwrap_or(self.held.len()));
        let thought = std::mem::replace(&mut self.held, tail);
        if !thought.is_empty() {
            each(Said::Thought(Escaped::trusted(&thought)));
        }
        false
    }

    fn behind(&mut self) -> bool {
        let text = trim(&self.held);
        if text.is_empty() || text == "\\" {
            self.held = text.to_owned();
            return false;
        }
        self.held = text.to_owned();
        self.place = Place::Answer;
        true
    }
}

/// Escaped text without leading white space.
fn trim(text: &str) -> &str {
    let mut rest = text;
    loop {
        let next = rest.trim_start_matches(' ');
        let next = next
            .strip_prefix("\\n")
            .or_else(|| next.strip_prefix("\\r"))
            .or_else(|| next.strip_prefix("\\t"))
            .unwrap_or(next);
        if next.len() == rest.len() {
            return rest;
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, pieces: usize) -> (String, String) {
        let mut tags = Tags::default();
        let (mut thought, mut answer) = (String::new(), String::new());
        let mut each = |said: Said<'_>| match said {
            Said::Thought(text) => thought.push_str(text.as_str()),
            Said::Text(text) => answer.push_str(text.as_str()),
        };
        let chars: Vec<char> = text.chars().collect();
        for piece in chars.chunks(pieces) {
            let piece: String = piece.iter().collect();
            tags.push(Escaped::trusted(&piece), &mut each);
        }
        tags.finish(&mut each);
        (thought, answer)
    }

    #[test]
    fn every_cut_tells_the_same() {
        let table = [
            (
                "<think>a < b</think>\\n\\nyes <think>",
                "a < b",
                "yes <think>",
            ),
            ("\\n<think>a</think>b", "a", "b"),
            ("no tags </think>", "", "no tags </think>"),
            ("<think>never closed </thi", "never closed </thi", ""),
            ("<thin air", "", "<thin air"),
        ];
        for (text, thought, answer) in table {
            for pieces in [1, 2, 3, 100] {
                let found = split(text, pieces);
                assert_eq!(
                    found,
                    (thought.to_owned(), answer.to_owned()),
                    "{text} {pieces}"
                );
            }
        }
        assert_eq!(
            split("\\u003cthink\\u003ea\\u003c/think\\u003eb", 100).0,
            "a"
        );
    }
}
