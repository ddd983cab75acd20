//! Whatever an answer says, wherever it breaks off, and however either answer is cut and escaped: what the client puts
//! together is the other answer to the letter, or the beginning of it and a verdict.

#![expect(
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::manual_is_multiple_of,
    clippy::format_push_string,
    clippy::too_many_lines,
    clippy::if_not_else,
    clippy::semicolon_if_nothing_returned,
    reason = "a test cuts its own texts"
)]

use std::collections::BTreeMap;

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use proptest::{prop_assert, prop_assert_eq};

use super::*;
use crate::chat::{Escaped, Event, Finish, Saying, Sink};

/// One thing that an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Reasoning(String),
    Text(String),
    Call(String, String),
    Field(String),
}

/// What a client has put together of one choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shown {
    reasoning: Vec<u16>,
    text: Vec<u16>,
    calls: BTreeMap<u32, (String, String, Vec<u16>)>,
    fields: Vec<String>,
    finished: bool,
}

/// The units of escaped text, by way of another decoder than the one that is tested.
fn units(text: Escaped<'_>) -> Vec<u16> {
    let mut out = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\\') {
        out.extend(rest[..at].encode_utf16());
        let length = if rest[at + 1..].starts_with('u') {
            6
        } else {
            2
        };
        let token = &rest[at..at + length];
        match u16::from_str_radix(token.get(2..).unwrap(), 16) {
            Ok(unit) if length == 6 => out.push(unit),
            _ => out.extend(Escaped::trusted(token).decode().encode_utf16()),
        }
        rest = &rest[at + length..];
    }
    out.extend(rest.encode_utf16());
    out
}

impl Sink for Shown {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Text { text, .. } => self.text.extend(units(text)),
            Event::Reasoning { text, .. } => self.reasoning.extend(units(text)),
            Event::ToolStart {
                index, id, name, ..
            } => {
                let call = (id.as_str().into(), name.as_str().into(), Vec::new());
                assert!(self.calls.insert(index, call).is_none(), "a call twice");
            }
            Event::ToolArgs { index, json, .. } => {
                let call = self.calls.get_mut(&index).expect("a call that began");
                call.2.extend(units(json));
            }
            Event::Field { json, .. } => self.fields.push(json.to_owned()),
            Event::Finish { .. } => self.finished = true,
            _ => {}
        }
    }
}

/// A way to cut and escape: as many numbers as there are decisions, over and over.
struct Way<'a>(std::iter::Cycle<std::slice::Iter<'a, u8>>);

impl Way<'_> {
    fn next(&mut self) -> u8 {
        *self.0.next().unwrap()
    }

    /// A text as escaped pieces.
    fn pieces(&mut self, text: &str) -> Vec<String> {
        let mut out = vec![String::new()];
        for unit in text.encode_utf16() {
            let literal =
                char::from_u32(u32::from(unit)).filter(|c| !matches!(c, '"' | '\\' | '\0'..' '));
            let piece = out.last_mut().unwrap();
            match literal {
                Some(plain) if self.next() % 4 != 0 => piece.push(plain),
                _ => piece.push_str(&format!("\\u{unit:04x}")),
            }
            if self.next() % 3 == 0 {
                out.push(String::new());
            }
        }
        // Characters of two units stand as they are half of the time.
        if self.next() % 2 == 0
            && !text.contains(['"', '\\'])
            && !text.chars().any(char::is_control)
        {
            let middle = text.floor_char_boundary(usize::from(self.next()) % (text.len() + 1));
            out = vec![text[..middle].to_owned(), text[middle..].to_owned()];
        }
        out
    }
}

/// Tells an answer; `ids` tell its calls from those of another. Gives up after so many events.
fn tell(
    answer: &[Piece],
    ids: &str,
    way: &[u8],
    most: usize,
    out: &mut dyn FnMut(Event<'_>),
) -> bool {
    let mut way = Way(way.iter().cycle());
    let (mut told, mut index) = (0, 0);
    let mut say = |event: Event<'_>| {
        told += 1;
        if told <= most {
            out(event);
        }
        told < most
    };
    let choice = 0;
    for piece in answer {
        let (text, call) = match piece {
            Piece::Text(text) | Piece::Reasoning(text) => (text, None),
            Piece::Call(name, text) => (text, Some(name)),
            Piece::Field(json) => {
                let name = "annotations";
                if !say(Event::Field { choice, name, json }) {
                    return false;
                }
                continue;
            }
        };
        if let Some(name) = call {
            let id = format!("{ids}{index}");
            let (id, name) = (Escaped::trusted(&id), Escaped::trusted(name));
            let (custom, extra) = (false, None);
            if !say(Event::ToolStart {
                choice,
                index,
                id,
                name,
                custom,
                extra,
            }) {
                return false;
            }
        }
        for piece_of in way.pieces(text) {
            let words = Escaped::trusted(&piece_of);
            let event = match piece {
                Piece::Reasoning(_) => Event::Reasoning {
                    choice,
                    text: words,
                },
                Piece::Call(..) => Event::ToolArgs {
                    choice,
                    index,
                    json: words,
                },
                Piece::Text(_) if way.next() % 2 == 0 => {
                    let (json, saying) = ("{}", Saying::Text);
                    Event::Chunk {
                        json,
                        choice,
                        saying,
                        words,
                    }
                }
                Piece::Text(_) | Piece::Field(_) => Event::Text {
                    choice,
                    text: words,
                },
            };
            if !say(event) {
                return false;
            }
        }
        index += u32::from(call.is_some());
    }
    say(Event::Finish {
        choice,
        reason: Finish::Stop,
        native: None,
    })
}

/// Shows a verbatim chunk as the words it says.
fn show(shown: &mut Shown, event: Event<'_>) {
    shown.event(match event {
        Event::Chunk {
            choice,
            words: text,
            ..
        } => Event::Text { choice, text },
        other => other,
    });
}

/// What a client has after `cut` events of one answer, and after the other was spliced onto it; whether they differ.
fn spliced(
    one: &[Piece],
    other: &[Piece],
    ways: (&[u8], &[u8]),
    cut: usize,
) -> (Shown, Shown, bool) {
    let (mut shown, mut said) = (Shown::default(), Said::default());
    tell(one, "a", ways.0, cut, &mut |event| {
        if !matches!(event, Event::Finish { .. }) {
            said.event(event);
            show(&mut shown, event);
        }
    });
    let before = shown.clone();
    let mut splice = Splice::onto(&said);
    tell(other, "b", ways.1, usize::MAX, &mut |event| {
        splice.event(event, &mut shown)
    });
    (before, shown, splice.differs())
}

fn whole(answer: &[Piece]) -> Shown {
    let mut shown = Shown::default();
    tell(answer, "b", &[1], usize::MAX, &mut |event| {
        show(&mut shown, event)
    });
    shown
}

/// Whether one text begins with the other.
fn begins(long: &[u16], short: &[u16]) -> bool {
    long.starts_with(short)
}

/// Whether all that was shown but reasoning is the beginning of an answer.
fn is_part(shown: &Shown, of: &Shown) -> bool {
    let calls = shown.calls.iter().all(|(at, (_, name, given))| {
        let known = of.calls.get(at);
        known.is_some_and(|(_, same, all)| name == same && begins(all, given))
    });
    calls && begins(&of.text, &shown.text) && of.fields.starts_with(&shown.fields)
}

fn words() -> impl Strategy<Value = String> {
    let letters = prop_oneof![
        6 => Just('a'), 4 => Just('b'), 2 => Just(' '), 1 => Just('é'), 1 => Just('日'), 1 => Just('😀'),
        1 => Just('"'), 1 => Just('\\'), 1 => Just('\n'), 1 => Just('𝄞'),
    ];
    prop::collection::vec(letters, 1..24).prop_map(|letters| letters.into_iter().collect())
}

fn piece() -> impl Strategy<Value = Piece> {
    prop_oneof![
        2 => words().prop_map(Piece::Reasoning),
        5 => words().prop_map(Piece::Text),
        3 => ("[fg]", words()).prop_map(|(name, text)| Piece::Call(name, text)),
        1 => "[0-9]{1,3}".prop_map(Piece::Field),
    ]
}

fn answer() -> impl Strategy<Value = Vec<Piece>> {
    prop::collection::vec(piece(), 1..5)
}

fn way() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..40)
}

proptest! {
    /// The same answer again is always carried on, to the letter, with the first ids of its calls.
    #[test]
    fn an_answer_that_repeats_is_carried_on(answer in answer(), one in way(), other in way(), cut in 0_usize..60) {
        let (before, after, differs) = spliced(&answer, &answer, (&one, &other), cut);
        prop_assert!(!differs);
        let wanted = whole(&answer);
        prop_assert_eq!(&after.text, &wanted.text);
        prop_assert_eq!(&after.reasoning, &wanted.reasoning);
        prop_assert_eq!(&after.fields, &wanted.fields);
        prop_assert!(after.finished);
        prop_assert_eq!(after.calls.len(), wanted.calls.len());
        for (at, (id, name, given)) in &after.calls {
            let (_, same, all) = &wanted.calls[at];
            prop_assert_eq!((name, given), (same, all));
            let by = if before.calls.contains_key(at) { 'a' } else { 'b' };
            prop_assert!(id.starts_with(by), "{}", id);
        }
    }

    /// Any other answer: what is shown is a part of it and all of it, or there is a verdict and nothing was added.
    #[test]
    fn two_answers_never_mix(one in answer(), other in answer(), ways in (way(), way()), cut in 0_usize..60) {
        let (before, after, differs) = spliced(&one, &other, (&ways.0, &ways.1), cut);
        let wanted = whole(&other);
        if differs {
            prop_assert_eq!(&before.text, &after.text);
            prop_assert_eq!(&before.calls, &after.calls);
            prop_assert_eq!(&before.fields, &after.fields);
            prop_assert!(!after.finished);
        } else {
            prop_assert!(is_part(&before, &wanted), "{:?} is no part of {:?}", before, wanted);
            prop_assert!(is_part(&after, &wanted) && is_part(&wanted, &after));
            prop_assert!(after.finished);
        }
        prop_assert!(begins(&after.reasoning, &before.reasoning));
    }

    /// One letter is enough.
    #[test]
    fn one_letter_makes_it_another(text in words(), at in any::<prop::sample::Index>(), ways in (way(), way())) {
        let mut letters: Vec<char> = text.chars().collect();
        let place = at.index(letters.len());
        letters[place] = if letters[place] == 'a' { 'b' } else { 'a' };
        let other: String = letters.into_iter().collect();
        for make in [Piece::Text, |text| Piece::Call("f".to_owned(), text)] {
            let (one, other) = ([make(text.clone())], [make(other.clone())]);
            let (before, after, differs) = spliced(&one, &other, (&ways.0, &ways.1), 1_000);
            prop_assert!(differs);
            prop_assert_eq!(before, after);
        }
    }

    /// Reasoning that was shown is never followed by other reasoning, nor is it ever in the way of the answer.
    #[test]
    fn other_reasoning_is_not_shown(one in words(), other in words(), text in words(), ways in (way(), way()), cut in 1_usize..60) {
        let first = [Piece::Reasoning(one), Piece::Text(text.clone())];
        let second = [Piece::Reasoning(other), Piece::Text(text)];
        let (before, after, differs) = spliced(&first, &second, (&ways.0, &ways.1), cut);
        prop_assert!(!differs);
        prop_assert_eq!(&after.text, &whole(&second).text);
        let repeats = begins(&whole(&second).reasoning, &before.reasoning);
        if !repeats {
            prop_assert_eq!(after.reasoning, before.reasoning);
        } else {
            prop_assert!(begins(&whole(&second).reasoning, &after.reasoning));
        }
    }
}

/// A call that would be another call, or begins where text went on, is a difference.
#[test]
fn the_order_of_things_is_a_part_of_the_answer() {
    let text = |text: &str| Piece::Text(text.to_owned());
    let call = |name: &str, given: &str| Piece::Call(name.to_owned(), given.to_owned());
    let one = [text("a"), call("f", "{}")];
    let others = [
        vec![text("ab"), call("f", "{}")],
        vec![text("a"), call("g", "{}")],
        vec![text("a")],
        vec![call("f", "{}")],
        vec![text("a"), call("f", "{1}")],
    ];
    for other in others {
        let (before, after, differs) = spliced(&one, &other, (&[1], &[1]), 1_000);
        assert!(differs, "{other:?}");
        assert_eq!(before, after);
    }
}

/// A client knows a call by the id that it was shown first, whatever the other answer calls it.
#[test]
fn the_first_id_of_a_call_stays() {
    let mut said = Said::default();
    let answer = [Piece::Call("f".to_owned(), "{\"a\":1}".to_owned())];
    tell(&answer, "a", &[1], 2, &mut |event| said.event(event));
    let mut splice = Splice::onto(&said);
    let mut shown = Shown::default();
    tell(&answer, "b", &[1], usize::MAX, &mut |event| {
        splice.event(event, &mut shown)
    });
    assert_eq!((splice.call_id("b0"), splice.call_id("b1")), ("a0", "b1"));
}
