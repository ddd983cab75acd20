//! Takes Markdown code fences away round a JSON answer that was asked for by instruction only.
//!
//! Works on text as it stands within a JSON string, piece by piece: what may yet turn out to be a fence is held
//! back, everything else goes on at once.

use crate::chat::Escaped;

use super::text::skip_space;

/// The longest opening fence worth waiting for, three backticks, a language and some space.
const LONGEST_OPENING: usize = 64;

/// The state of one answer's text.
#[derive(Debug, Default)]
pub(crate) struct Fences {
    held: String,
    place: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nothing but white space and perhaps an opening fence has come.
    #[default]
    Start,
    /// Within a fence.
    Fenced,
    /// There was no fence: everything is passed on.
    Open,
}

impl Fences {
    /// Takes a piece and gives out what is certain.
    pub(crate) fn push(&mut self, text: Escaped<'_>, mut give: impl FnMut(Escaped<'_>)) {
        if self.place == Place::Open {
            return give(text);
        }
        self.held.push_str(text.as_str());
        if self.place == Place::Start {
            self.open();
        }
        let ready = match self.place {
            Place::Start => 0,
            Place::Open => self.held.len(),
            Place::Fenced => tail(&self.held),
        };
        self.release(ready, &mut give);
    }

    /// Takes the end: a closing fence is dropped, anything else is given out.
    pub(crate) fn finish(&mut self, mut give: impl FnMut(Escaped<'_>)) {
        let closing = self.place == Place::Fenced
            && Escaped::trusted(&self.held)
                .decode()
                .trim()
                .starts_with("```");
        if closing {
            self.held.clear();
        }
        self.release(self.held.len(), &mut give);
    }

    /// Looks for an opening fence with its line end.
    fn open(&mut self) {
        let text = skip_space(&self.held);
        if !text.starts_with("```") {
            // A lone backslash may yet be white space.
            if !"```".starts_with(text) && text != "\\" {
                self.place = Place::Open;
            }
            return;
        }
        if let Some((_, body)) = text.split_once("\\n") {
            self.held = body.to_owned();
            self.place = Place::Fenced;
        } else if self.held.len() > LONGEST_OPENING {
            self.place = Place::Open;
        }
    }

    fn release(&mut self, upto: usize, give: &mut impl FnMut(Escaped<'_>)) {
        if let Some(ready) = self.held.get(..upto).filter(|ready| !ready.is_empty()) {
            give(Escaped::trusted(ready));
        }
        self.held.drain(..upto.min(self.held.len()));
    }
}

/// Where the trailing run of backticks and white space starts: it may be the closing fence.
fn tail(text: &str) -> usize {
    let mut start = 0_usize;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        let (token, plain) = match c {
            '\\' => match chars.next() {
                // A lone one is the beginning of an escape that the next piece ends.
                Some((_, 'n' | 'r' | 't')) | None => (2, false),
                Some(_) => (2, true),
            },
            '`' | ' ' => (1, false),
            other => (other.len_utf8(), true),
        };
        if plain {
            start = at.saturating_add(token);
        }
    }
    start.min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(pieces: &[&str]) -> String {
        let mut fences = Fences::default();
        let mut out = String::new();
        for piece in pieces {
            fences.push(Escaped::trusted(piece), |text| out.push_str(text.as_str()));
        }
        fences.finish(|text| out.push_str(text.as_str()));
        out
    }

    #[test]
    fn fences_go_and_everything_else_stays_at_any_split() {
        let table = [
            (r#"```json\n{\"a\":1}\n```"#, r#"{\"a\":1}"#),
            (r" \n```\n{}\n```\n", "{}"),
            (r#"{\"a\":\"``` x\"}"#, r#"{\"a\":\"``` x\"}"#),
            (
                r#"```json\n{\"a\":\"x\\n```y\"}\n```"#,
                r#"{\"a\":\"x\\n```y\"}"#,
            ),
            ("plain ", "plain "),
            ("``", "``"),
            (r"```json\n{} \u00e9é", r"{} \u00e9é"),
            ("```\\n{}\\n```\\n", "{}"),
            (r#"{\"a\":\"```\"}"#, r#"{\"a\":\"```\"}"#),
            ("{}", "{}"),
            (r"\n ```\n[1]\n```\n", "[1]"),
            (r#"{\"a\":\"`\"}"#, r#"{\"a\":\"`\"}"#),
            (r#"```json\n{\"a\":\"b\\n\"} "#, r#"{\"a\":\"b\\n\"} "#),
            ("", ""),
            ("```json", "```json"),
        ];
        for (text, expected) in table {
            assert_eq!(through(&[text]), expected, "{text}");
            let chars: Vec<String> = text.chars().map(String::from).collect();
            // Within an escape too, where no provider cuts.
            for units in [chars, singles(text)] {
                for size in 1..=units.len().max(1) {
                    let pieces: Vec<String> = units.chunks(size).map(<[_]>::concat).collect();
                    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
                    assert_eq!(through(&pieces), expected, "{text} in pieces of {size}");
                }
            }
        }
    }

    fn singles(text: &str) -> Vec<String> {
        let mut chars = text.chars();
        let mut out = Vec::new();
        while let Some(c) = chars.next() {
            let mut token = c.to_string();
            if c == '\\' {
                let next = chars.next().unwrap();
                token.push(next);
                if next == 'u' {
                    token.extend(chars.by_ref().take(4));
                }
            }
            out.push(token);
        }
        out
    }
}
