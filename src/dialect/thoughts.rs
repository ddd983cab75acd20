//! A model's reasoning on its way back: each piece before what it led to.

use crate::chat::json::comma;

/// One piece of reasoning to put back, with its place in the turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thought<W> {
    /// How many parts of the turn precede it.
    pub(crate) place: u64,
    /// What is put back.
    pub(crate) what: W,
}

/// Puts thoughts back among what the client sees: each after as many parts as preceded it, and none after the last.
pub(crate) fn merge<W>(
    visible: &[Vec<u8>],
    thoughts: &[Thought<W>],
    json: fn(&Thought<W>) -> String,
    out: &mut Vec<u8>,
) {
    let mut thoughts = thoughts.iter().peekable();
    let mut place = 0_u64;
    let mut left = visible.len();
    for part in visible {
        while let Some(thought) = thoughts.next_if(|thought| left == 1 || thought.place <= place) {
            comma(out);
            out.extend_from_slice(json(thought).as_bytes());
            place = place.saturating_add(1);
        }
        comma(out);
        out.extend_from_slice(part);
        place = place.saturating_add(1);
        left = left.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_never_stand_last_or_alone() {
        let thoughts = [0, 5].map(|place| Thought {
            place,
            what: format!("t{place}"),
        });
        let table: [(&[&str], &str); 3] =
            [(&[], ""), (&["a"], "t0,t5,a"), (&["a", "b"], "t0,a,t5,b")];
        for (visible, expected) in table {
            let visible: Vec<Vec<u8>> = visible
                .iter()
                .map(|part| part.as_bytes().to_vec())
                .collect();
            let mut out = Vec::new();
            let json = |thought: &Thought<String>| thought.what.clone();
            merge(&visible, &thoughts, json, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
