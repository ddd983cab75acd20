//! Code fences round an answer that is JSON by instruction only, taken away while it streams.

use crate::chat::Escaped;

/// Takes away a fence at the start and the end of one choice's text.
#[derive(Clone, Debug, Default)]
pub(super) struct Fences {
    place: Place,
    held: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Start,
    /// Within the line that opens the fence.
    Opening,
    Fenced,
    Bare,
}

impl Fences {
    /// Takes a piece of text.
    pub(super) fn push(&mut self, text: Escaped<'_>, each: &mut dyn FnMut(Escaped<'_>)) {
        if self.place == Place::Bare {
            return each(text);
        }
        self.held.push_str(text.as_str());
        self.start();
        self.open();
        match self.place {
            Place::Start | Place::Opening => {}
            Place::Bare => {
                let held = std::mem::take(&mut self.held);
                each(Escaped::trusted(&held));
            }
            Place::Fenced => {
                let tail = self.held.split_off(body(&self.held).len());
                let text = std::mem::replace(&mut self.held, tail);
                if !text.is_empty() {
                    each(Escaped::trusted(&text));
                }
            }
        }
    }

    /// Takes the end of the text.
    pub(super) fn finish(&mut self, each: &mut dyn FnMut(Escaped<'_>)) {
        let held = std::mem::take(&mut self.held);
        if self.place == Place::Start && !held.is_empty() {
            each(Escaped::trusted(&held));
        }
    }

    fn start(&mut self) {
        if self.place != Place::Start {
            return;
        }
        let text = self.held.trim_start_matches([' ', '`']);
        let ticks = self.held.trim_start().len().saturating_sub(text.len());
        if ticks >= 3 {
            self.place = Place::Opening;
        } else if !text.is_empty() {
            self.place = Place::Bare;
        }
    }

    fn open(&mut self) {
        if self.place != Place::Opening {
            return;
        }
        if let Some((_, rest)) = self.held.split_once("\\n") {
            self.held = rest.to_owned();
            self.place = Place::Fenced;
        }
    }
}

/// The text before what may be its closing fence: back-ticks and white space at its end.
fn body(text: &str) -> &str {
    let mut rest = text;
    loop {
        let next = rest.trim_end_matches([' ', '`']);
        let next = next.strip_suffix("\\n").unwrap_or(next);
        let next = next.strip_suffix('\\').unwrap_or(next);
        if next.len() == rest.len() {
            return rest;
        }
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(text: &str, size: usize) -> String {
        let mut fences = Fences::default();
        let mut out = String::new();
        let mut each = |text: Escaped<'_>| out.push_str(text.as_str());
        let chars: Vec<char> = text.chars().collect();
        for piece in chars.chunks(size) {
            let piece: String = piece.iter().collect();
            fences.push(Escaped::trusted(&piece), &mut each);
        }
        fences.finish(&mut each);
        out
    }

    #[test]
    fn fences_go_and_the_rest_stays() {
        let table = [
            ("```json\\n{\\\"a\\\":1}\\n```", "{\\\"a\\\":1}"),
            ("```\\n{}\\n```\\n", "{}"),
            ("{\\\"a\\\":\\\"```\\\"}", "{\\\"a\\\":\\\"```\\\"}"),
            ("{}", "{}"),
        ];
        for (text, expected) in table {
            for size in [1, 2, 5, 100] {
                assert_eq!(strip(text, size), expected, "{text} {size}");
            }
        }
    }
}
