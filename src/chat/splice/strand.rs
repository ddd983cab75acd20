//! One run of text that was shown, and how far another has repeated it.

use super::units::fold;

/// A text that was shown: its bytes as far as there is room for them, then their number and a running hash.
#[derive(Clone, Debug, Default)]
pub(super) struct Strand {
    kept: Vec<u8>,
    length: usize,
    hash: u64,
    /// Characters beyond those that are kept.
    beyond: usize,
}

impl Strand {
    /// Adds a piece of escaped text. `room` is what may still be kept in all.
    pub(super) fn add(&mut self, text: &str, room: &mut usize) {
        let keeps = *room > 0 && self.kept.len() == self.length;
        fold(text, &mut |bytes| {
            self.length = self.length.saturating_add(bytes.len());
            if keeps {
                *room = room.saturating_sub(bytes.len());
                self.kept.extend_from_slice(bytes);
            } else {
                self.beyond = self.beyond.saturating_add(characters(bytes));
                self.hash = bytes.iter().fold(self.hash, |hash, byte| mix(hash, *byte));
            }
        });
    }

    /// All of its bytes, where they were kept.
    pub(super) fn whole(&self) -> Option<&[u8]> {
        (self.kept.len() == self.length).then_some(&*self.kept)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn characters(&self) -> usize {
        characters(&self.kept).saturating_add(self.beyond)
    }

    /// Whether it is exactly this escaped text.
    pub(super) fn is(&self, text: &str) -> bool {
        let mut repeat = Repeat::of(self.clone());
        let bytes = form(text);
        repeat.take(&bytes) == Some(bytes.len()) && !repeat.is_due()
    }
}

/// The one form of a text.
pub(super) fn form(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    fold(text, &mut |more| bytes.extend_from_slice(more));
    bytes
}

/// Characters of a text in its one form; a second half of a pair is none.
fn characters(bytes: &[u8]) -> usize {
    let starts = bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
    let halves = bytes.windows(2);
    let halves = halves.filter(|pair| matches!(pair, [0xED, 0xB0..=0xBF]));
    starts.saturating_sub(halves.count())
}

/// FNV-1a.
const fn mix(hash: u64, byte: u8) -> u64 {
    (hash ^ 0xCBF2_9CE4_8422_2325 ^ byte as u64).wrapping_mul(0x100_0000_01B3)
}

/// How far a text has been repeated.
#[derive(Clone, Debug, Default)]
pub(super) struct Repeat {
    strand: Strand,
    at: usize,
    hash: u64,
}

impl Repeat {
    pub(super) const fn of(strand: Strand) -> Self {
        Self {
            strand,
            at: 0,
            hash: 0,
        }
    }

    /// Whether anything of it is still to be repeated.
    pub(super) const fn is_due(&self) -> bool {
        self.at < self.strand.length
    }

    /// Takes bytes of the other text; says how many of them repeat this one. `None`: they differ.
    pub(super) fn take(&mut self, said: &[u8]) -> Option<usize> {
        let due = self.strand.length.saturating_sub(self.at);
        let count = due.min(said.len());
        let kept = self.strand.kept.get(self.at..).unwrap_or_default();
        let kept = kept.get(..count.min(kept.len()))?;
        let (sure, rest) = said.get(..count)?.split_at_checked(kept.len())?;
        if sure != kept {
            return None;
        }
        self.hash = rest.iter().fold(self.hash, |hash, byte| mix(hash, *byte));
        self.at = self.at.saturating_add(count);
        (self.is_due() || self.hash == self.strand.hash).then_some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strand(pieces: &[&str], mut room: usize) -> Strand {
        let mut strand = Strand::default();
        for piece in pieces {
            strand.add(piece, &mut room);
        }
        strand
    }

    #[test]
    fn beyond_its_room_a_text_is_known_by_its_hash() {
        for room in [0, 1, 4, 100] {
            let strand = strand(&["one ", "two ", "three"], room);
            assert_eq!(strand.characters(), 13);
            assert!(strand.is("one two three"), "room {room}");
            for other in [
                "one two threE",
                "one two thre",
                "one twO three",
                "one two three ",
            ] {
                assert!(!strand.is(other), "{other} with room {room}");
            }
            let mut repeat = Repeat::of(strand);
            assert_eq!(repeat.take(b"one tw"), Some(6));
            assert_eq!(repeat.take(b"o three and more"), Some(7));
            assert_eq!(repeat.take(b" and more"), Some(0));
        }
    }

    #[test]
    fn kept_text_differs_where_it_differs() {
        let mut repeat = Repeat::of(strand(&["abc"], 100));
        assert_eq!(repeat.take(b"a"), Some(1));
        assert_eq!(repeat.take(b"x"), None);
    }

    #[test]
    fn a_pair_is_one_character() {
        assert_eq!(
            strand(&["é😀", r"\ud83d", r"\ude00日"], 100).characters(),
            4
        );
    }
}
