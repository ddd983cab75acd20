//! Calls and repeats of the last ten seconds: what is left to repeat of a site, or of all together.
//!
//! Without locks: each second has one word, which holds the second, the calls and the repeats. A repeat is noted before
//! it is judged, so that those who ask at the same time refuse one too many rather than allow one.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::route::moment::Moment;

/// How many seconds are remembered.
const SECONDS: usize = 10;

/// How many repeats are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// One for so many calls.
    pub each: u64,
    /// So many in any case.
    pub floor: u64,
}

/// How a word is divided: the second above, then the calls, then the repeats.
const BITS: u32 = 20;
const MASK: u64 = (1 << BITS) - 1;
const CALL: u64 = 1 << BITS;
const REPEAT: u64 = 1;
const SECOND_MASK: u64 = (1 << (64 - 2 * BITS)) - 1;

/// Counts of the last ten seconds.
#[derive(Debug, Default)]
pub struct Window {
    seconds: [AtomicU64; SECONDS],
}

impl Window {
    /// A call is made for the first time.
    pub fn call(&self, now: Moment) {
        self.add(now, CALL);
    }

    /// Takes one repeat, where there are as many as their share. Says whether there was one.
    pub fn take(&self, now: Moment, share: Share) -> bool {
        self.add(now, REPEAT);
        let (calls, repeats) = self.sums(now);
        let least = calls.checked_div(share.each).unwrap_or(0);
        let allowed = repeats <= share.floor.max(least);
        if !allowed {
            self.give_back(now);
        }
        allowed
    }

    /// Gives back a repeat that was taken at a moment and not made.
    pub fn give_back(&self, taken: Moment) {
        let second = second(taken);
        if let Some(word) = self.word(second) {
            let less = |word: u64| (tag(word) == second && word & MASK > 0).then(|| word - REPEAT);
            // Where the second is over, so is what it held.
            let _ = word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }

    /// Calls and repeats of the last ten seconds.
    fn sums(&self, now: Moment) -> (u64, u64) {
        let now = second(now);
        let words = self.seconds.iter().map(|word| word.load(Ordering::Relaxed));
        let late = words.filter(|word| now.wrapping_sub(tag(*word)) & SECOND_MASK < SECONDS as u64);
        late.fold((0, 0), |(calls, repeats), word| {
            (calls + ((word >> BITS) & MASK), repeats + (word & MASK))
        })
    }

    fn add(&self, now: Moment, what: u64) {
        let second = second(now);
        let Some(word) = self.word(second) else {
            return;
        };
        let more = |word: u64| {
            let word = if tag(word) == second {
                word
            } else {
                second << (2 * BITS)
            };
            // A million in a second is as good as any more.
            let full = what * MASK;
            (word & full != full).then(|| word + what)
        };
        let _ = word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    fn word(&self, second: u64) -> Option<&AtomicU64> {
        self.seconds
            .get(usize::try_from(second % SECONDS as u64).ok()?)
    }
}

const fn second(now: Moment) -> u64 {
    (now.as_millis() / 1_000) & SECOND_MASK
}

const fn tag(word: u64) -> u64 {
    word >> (2 * BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::millis(1_795_500_000_000);

    fn taken(window: &Window, now: Moment, floor: u64) -> usize {
        let share = Share { each: 5, floor };
        (0..1_000).filter(|_| window.take(now, share)).count()
    }

    #[test]
    fn a_fifth_of_the_calls_is_repeated_and_a_few_in_any_case() {
        let window = Window::default();
        assert_eq!(taken(&window, NOW, 3), 3);
        let window = Window::default();
        for call in 0..200 {
            window.call(NOW.after(call * 40));
        }
        assert_eq!(taken(&window, NOW.after(8_000), 3), 40);
        assert_eq!(taken(&window, NOW.after(8_000), 50), 10);
    }

    #[test]
    fn help_has_a_smaller_share() {
        let share = Share { each: 20, floor: 3 };
        let taken = |calls: u64| {
            let window = Window::default();
            (0..calls).for_each(|_| window.call(NOW));
            (0..1_000).filter(|_| window.take(NOW, share)).count()
        };
        assert_eq!([0, 40, 60, 80, 1_000].map(taken), [3, 3, 3, 4, 50]);
    }

    #[test]
    fn what_was_ten_seconds_ago_is_over() {
        let window = Window::default();
        (0..100).for_each(|_| window.call(NOW));
        assert_eq!(taken(&window, NOW.after(9_000), 3), 20);
        assert_eq!(
            taken(&window, NOW.after(10_000), 3),
            0,
            "the repeats are not over yet"
        );
        assert_eq!(taken(&window, NOW.after(19_000), 3), 3);
    }

    #[test]
    fn what_is_given_back_can_be_taken() {
        let window = Window::default();
        assert_eq!(taken(&window, NOW, 3), 3);
        window.give_back(NOW);
        assert_eq!(taken(&window, NOW, 3), 1);
        window.give_back(NOW.after(60_000));
        assert_eq!(taken(&window, NOW, 3), 0);
    }

    #[test]
    fn those_who_ask_at_once_get_no_more() {
        let window = Window::default();
        (0..500).for_each(|_| window.call(NOW));
        let sum: usize = std::thread::scope(|scope| {
            let each = (0..8).map(|_| scope.spawn(|| taken(&window, NOW, 3)));
            let each: Vec<_> = each.collect();
            each.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert!(sum <= 100, "{sum}");
    }
}
