//! Takes the code fence away that models like to put round JSON they were asked for in words.
//!
//! Pieces are whole JSON strings, so that no escape is ever cut in two.

/// A filter over the pieces of a text, escaped as on the wire.
#[derive(Debug, Default)]
pub(super) struct Fence {
    state: State,
    /// What may yet turn out to be part of a fence.
    held: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing but white space so far.
    #[default]
    Start,
    /// Within an opening fence, up to its line's end.
    Opening,
    /// Within the text; whether a fence was opened decides what becomes of the end.
    Fenced,
    Bare,
}

const FENCE: &str = "```";
const NEWLINE: &str = "\\n";

impl Fence {
    /// Takes a piece and gives back what is text for certain.
    pub(super) fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        if self.state == State::Start {
            let start = skip_space(&self.held);
            if let Some(after) = start.strip_prefix(FENCE) {
                self.held = after.to_owned();
                self.state = State::Opening;
            } else if !FENCE.starts_with(start) {
                self.state = State::Bare;
            }
        }
        if self.state == State::Opening
            && let Some((_, after)) = self.held.split_once(NEWLINE)
        {
            self.held = after.to_owned();
            self.state = State::Fenced;
        }
        match self.state {
            State::Start | State::Opening => String::new(),
            State::Bare => std::mem::take(&mut self.held),
            State::Fenced => {
                let keep = end_of_text(&self.held);
                let tail = self.held.split_off(keep);
                std::mem::replace(&mut self.held, tail)
            }
        }
    }

    /// What is left at the end.
    pub(super) fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        match self.state {
            State::Fenced if held.contains(FENCE) => String::new(),
            State::Opening => FENCE.to_owned() + &held,
            State::Start | State::Fenced | State::Bare => held,
        }
    }
}

fn skip_space(text: &str) -> &str {
    let mut rest = text;
    while let Some(after) = [" ", NEWLINE, "\\r", "\\t"]
        .iter()
        .find_map(|space| rest.strip_prefix(space))
    {
        rest = after;
    }
    rest
}

/// Where a run of white space and backticks at the end begins.
fn end_of_text(text: &str) -> usize {
    let mut rest = text;
    loop {
        let shorter = [" ", "`", NEWLINE, "\\r", "\\t"]
            .iter()
            .find_map(|end| rest.strip_suffix(end));
        match shorter {
            // A backslash before it makes it an escaped backslash and a letter.
            Some(shorter) if !(rest.ends_with(['n', 'r', 't']) && shorter.ends_with('\\')) => {
                rest = shorter;
            }
            _ => break,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Characters and escapes.
    fn units(text: &str) -> Vec<String> {
        let mut units: Vec<String> = Vec::new();
        for c in text.chars() {
            match units.last_mut() {
                Some(last) if last == "\\" => last.push(c),
                _ => units.push(c.to_string()),
            }
        }
        units
    }

    #[test]
    fn fences_go_whatever_the_split() {
        let table = [
            (r#"```json\n{\"a\":1}\n```"#, r#"{\"a\":1}"#),
            (r"\n ```\n[1]\n```\n", "[1]"),
            (r#"{\"a\":\"`\"}"#, r#"{\"a\":\"`\"}"#),
            (r#"```json\n{\"a\":\"b\\n\"} "#, r#"{\"a\":\"b\\n\"} "#),
            ("", ""),
            ("``", "``"),
        ];
        for (text, expected) in table {
            let units = units(text);
            for size in 1..=units.len().max(1) {
                let mut fence = Fence::default();
                let mut out = String::new();
                for piece in units.chunks(size) {
                    out.push_str(&fence.push(&piece.concat()));
                }
                out.push_str(&fence.finish());
                assert_eq!(out, expected, "{text} in pieces of {size}");
            }
        }
    }
}
