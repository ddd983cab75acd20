//! State of turns that plain clients drop and providers want back, kept in bounded memory.
//!
//! Signatures, thinking blocks and reasoning text are stored under the caller's scope and a call id; what is least
//! used goes first once the bound is reached. A state that is gone changes nothing but that the provider reasons
//! without it.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::dialect::Recall;

/// Whose state it is: callers with different keys never see each other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope(u64);

/// All states, of all callers.
pub struct Memory {
    states: Cache<(Scope, Box<str>), Arc<str>, Bytes>,
    hasher: RandomState,
}

/// Weighs an entry by what it holds.
#[derive(Clone, Debug)]
struct Bytes;

/// What an entry costs beside its text.
const OVERHEAD: usize = 96;

impl Weighter<(Scope, Box<str>), Arc<str>> for Bytes {
    fn weight(&self, key: &(Scope, Box<str>), value: &Arc<str>) -> u64 {
        (key.1.len() + value.len() + OVERHEAD) as u64
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Memory")
            .field("entries", &self.states.len())
            .finish_non_exhaustive()
    }
}

impl Memory {
    /// A memory of at most `bytes`.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self {
            states: Cache::with_weighter(1024, bytes, Bytes),
            hasher: RandomState::new(),
        }
    }

    /// The scope of a caller by the credential it showed, if any. The credential itself is not kept.
    #[must_use]
    pub fn scope(&self, credential: Option<&[u8]>) -> Scope {
        Scope(self.hasher.hash_one(credential))
    }

    /// Keeps a turn's state.
    pub fn keep(&self, scope: Scope, key: &str, state: &str) {
        self.states.insert((scope, key.into()), state.into());
    }

    /// One caller's part of it.
    #[must_use]
    pub const fn of(&self, scope: Scope) -> Mine<'_> {
        Mine {
            memory: self,
            scope,
        }
    }
}

/// What one caller may recall.
#[derive(Clone, Copy, Debug)]
pub struct Mine<'a> {
    memory: &'a Memory,
    scope: Scope,
}

impl Recall for Mine<'_> {
    fn recall(&self, key: &str) -> Option<Arc<str>> {
        self.memory.states.get(&(self.scope, Box::from(key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_do_not_see_each_other() {
        let memory = Memory::new(1 << 20);
        let (a, b) = (memory.scope(Some(b"a")), memory.scope(Some(b"b")));
        memory.keep(a, "call:1", "state");
        assert_eq!(memory.of(a).recall("call:1").as_deref(), Some("state"));
        assert_eq!(memory.of(b).recall("call:1"), None);
    }

    #[test]
    fn memory_is_bounded() {
        let memory = Memory::new(10_000);
        let scope = memory.scope(None);
        for n in 0..1_000 {
            memory.keep(scope, &format!("call:{n}"), &"x".repeat(500));
        }
        let kept = (0..1_000)
            .filter(|n| memory.of(scope).recall(&format!("call:{n}")).is_some())
            .count();
        assert!((1..=20).contains(&kept), "{kept}");
    }
}
