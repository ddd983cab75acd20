//! Which sites have lately read the beginning of a prompt, so that their cache may know it: staying is then cheaper by
//! an amount of money, and leaving is right where another is cheaper still.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::moment::Moment;
use super::number::mix;

/// The beginnings of a prompt: where each message ends, from the first to the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prefixes {
    /// Hash and tokens of each beginning, rising; the last is the whole prompt.
    steps: Vec<(u64, u64)>,
}

/// Tokens that sites are likely to have cached of one prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Warmth {
    sites: [(u64, u64); SITES],
    used: usize,
}

/// What was read where: bounded, shared by all calls.
#[derive(Debug)]
pub struct Affinity {
    prefixes: Mutex<Generations>,
    most: usize,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<u64, Entry>,
    old: HashMap<u64, Entry>,
}

/// Who knows a beginning, and until when.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    sites: [(u64, u64); SITES],
}

/// How many sites are remembered of one beginning.
const SITES: usize = 4;

/// How many beginnings of one prompt are kept: the last ones, as conversations grow at their end.
const STEPS: usize = 12;

/// Providers cache nothing shorter.
const LEAST: u64 = 1_024;

impl Prefixes {
    /// Adds the next message: its bytes and the tokens up to its end. Beginnings too short to be cached are left out.
    pub fn extend(&mut self, hash: &mut u64, message: &[u8], tokens: u64) {
        *hash = mix(*hash, digest(message));
        if tokens >= LEAST {
            if self.steps.len() == STEPS {
                self.steps.remove(0);
            }
            self.steps.push((*hash, tokens));
        }
    }

    /// Adds the name of a conversation, whatever its words; `tokens` is what its last prompt had.
    pub fn name(&mut self, session: &str, tokens: u64) {
        let hash = mix(digest(session.as_bytes()), 1);
        self.steps.push((hash, tokens));
    }

    /// Whether nothing of it can be cached.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl Warmth {
    /// Tokens that a site, told by its key, is likely to know.
    #[must_use]
    pub fn of(&self, site: u64) -> u64 {
        let known = self.sites.iter().take(self.used);
        known
            .filter(|(key, _)| *key == site)
            .map(|(_, tokens)| *tokens)
            .max()
            .unwrap_or(0)
    }

    /// Says that a site knows so many tokens.
    #[must_use]
    pub fn with(mut self, site: u64, tokens: u64) -> Self {
        if self.of(site) == 0
            && tokens > 0
            && let Some(free) = self.sites.get_mut(self.used)
        {
            *free = (site, tokens);
            self.used += 1;
        }
        self
    }
}

impl Affinity {
    /// An index of at most so many beginnings.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self {
            prefixes: Mutex::default(),
            most: most.max(2),
        }
    }

    /// What sites are likely to know of a prompt: for each the longest beginning that has not run out.
    #[must_use]
    pub fn warmth(&self, prefixes: &Prefixes, now: Moment) -> Warmth {
        let mut warmth = Warmth::default();
        if prefixes.is_empty() {
            return warmth;
        }
        let index = self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        for (hash, tokens) in prefixes.steps.iter().rev() {
            let Some(entry) = index.young.get(hash).or_else(|| index.old.get(hash)) else {
                continue;
            };
            let live = entry
                .sites
                .iter()
                .filter(|(_, until)| *until > now.as_millis());
            warmth = live.fold(warmth, |warmth, (site, _)| warmth.with(*site, *tokens));
        }
        warmth
    }

    /// Notes that a site has read a prompt and keeps it for so many milliseconds.
    pub fn note(&self, prefixes: &Prefixes, site: u64, now: Moment, keeps: u64) {
        let mut index = self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        for (hash, _) in &prefixes.steps {
            let mut entry = index
                .young
                .get(hash)
                .or_else(|| index.old.get(hash))
                .copied()
                .unwrap_or_default();
            entry.put(site, now.after(keeps).as_millis());
            if index.young.len() >= self.most / 2 {
                // What has not been seen for half of the index is forgotten.
                index.old = std::mem::take(&mut index.young);
            }
            index.young.insert(*hash, entry);
        }
    }

    /// How many beginnings are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        let index = self.prefixes.lock().unwrap_or_else(PoisonError::into_inner);
        index.young.len() + index.old.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Entry {
    /// Replaces the site's own place, else the one that runs out first.
    fn put(&mut self, site: u64, until: u64) {
        let own = self.sites.iter().position(|(key, _)| *key == site);
        let soonest = || {
            let places = self.sites.iter().enumerate();
            places
                .min_by_key(|(_, (_, until))| *until)
                .map(|(at, _)| at)
        };
        if let Some(place) = own.or_else(soonest).and_then(|at| self.sites.get_mut(at)) {
            *place = (site, until);
        }
    }
}

/// A hash of bytes, eight at a time; no defence against those who want collisions, which could only cost them money.
#[must_use]
pub fn digest(bytes: &[u8]) -> u64 {
    let mut hash = 0x243f_6a88_85a3_08d3_u64 ^ bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0x9fb2_1c65_1e98_df25);
        hash ^= hash >> 32;
    }
    for byte in rest {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x9fb2_1c65_1e98_df25);
    }
    mix(hash, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(messages: &[&str]) -> Prefixes {
        let (mut prefixes, mut hash) = (Prefixes::default(), 0);
        for (at, message) in messages.iter().enumerate() {
            prefixes.extend(&mut hash, message.as_bytes(), 2_000 * (at as u64 + 1));
        }
        prefixes
    }

    #[test]
    fn a_conversation_finds_who_read_its_beginning() {
        let affinity = Affinity::of(100);
        let now = Moment::millis(1_000);
        affinity.note(&talk(&["a", "b"]), 7, now, 300_000);
        affinity.note(&talk(&["a"]), 8, now, 60_000);
        let next = talk(&["a", "b", "c", "d"]);
        let warm = affinity.warmth(&next, now.after(1));
        assert_eq!((warm.of(7), warm.of(8), warm.of(9)), (4_000, 2_000, 0));
        let later = affinity.warmth(&next, now.after(100_000));
        assert_eq!(
            (later.of(7), later.of(8)),
            (4_000, 0),
            "the other's time has run out"
        );
        assert_eq!(affinity.warmth(&talk(&["x", "b"]), now).of(7), 0);
        assert!(affinity.warmth(&next, now.after(400_000)) == Warmth::default());
    }

    #[test]
    fn it_stays_bounded_and_keeps_what_is_used() {
        let affinity = Affinity::of(64);
        let now = Moment::millis(1);
        let kept = talk(&["kept"]);
        for call in 0..1_000 {
            affinity.note(&kept, 1, now, 1_000);
            affinity.note(&talk(&[&format!("{call}")]), 2, now, 1_000);
        }
        assert!(affinity.len() <= 64);
        assert_eq!(affinity.warmth(&kept, now).of(1), 2_000);
    }

    #[test]
    fn short_beginnings_do_not_count_and_names_do() {
        let (mut prefixes, mut hash) = (Prefixes::default(), 0);
        prefixes.extend(&mut hash, b"hi", 5);
        assert!(prefixes.is_empty());
        prefixes.name("chat-7", 3_000);
        let affinity = Affinity::of(64);
        affinity.note(&prefixes, 1, Moment::millis(1), 1_000);
        assert_eq!(affinity.warmth(&prefixes, Moment::millis(2)).of(1), 3_000);
        let long = "0123456789abcdef".repeat(3);
        assert_ne!(digest(long.as_bytes()), digest(&long.as_bytes()[1..]));
    }
}
