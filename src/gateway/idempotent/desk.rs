//! The keys of the last day, and what came of each: bounded in number, in bytes and in time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::task::TaskTracker;

use crate::store::Hash;

use super::key::{Id, Repeat};
use super::log::{Log, Room};

/// How long a key is known.
const KEPT_FOR: Duration = Duration::from_hours(24);

/// How many keys are known.
const MOST_KEYS: usize = 65_536;

/// What kept answers may weigh together, in bytes.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// How long the end of the house waits for calls that nobody waits for any more.
const PATIENCE: Duration = Duration::from_secs(5);

/// All keys.
#[derive(Debug)]
pub struct Desk {
    kept: Mutex<Kept>,
    tasks: TaskTracker,
    room: Arc<Room>,
    limits: Limits,
}

/// What is kept at most.
#[derive(Clone, Copy, Debug)]
struct Limits {
    keys: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Kept {
    keys: HashMap<Id, Entry>,
    /// The oldest first; the number tells a key from an earlier one of the same words.
    order: VecDeque<(Id, u64)>,
    /// Answers that are complete, the oldest first, with what they weigh.
    answers: VecDeque<(Id, u64, usize)>,
    bytes: usize,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    print: Hash,
    /// When it was first seen, in Unix seconds.
    since: u64,
    /// The answer; `None` where it is gone.
    log: Option<Arc<Log>>,
}

/// What is to be done with a call.
#[derive(Debug)]
pub enum Turn {
    /// It is the first under its key: run it, and write its answer here.
    First(Arc<Log>),
    /// The first one is answered here.
    Again(Arc<Log>),
    /// The key was used for another request.
    Other,
    /// It was run, and its answer is gone.
    Lost,
}

impl Default for Desk {
    fn default() -> Self {
        Self::of(MOST_KEYS, MOST_BYTES)
    }
}

impl Desk {
    fn of(keys: usize, bytes: usize) -> Self {
        Self {
            kept: Mutex::default(),
            tasks: TaskTracker::new(),
            // As much again as is kept may be under way.
            room: Arc::new(Room::new(bytes.saturating_mul(2))),
            limits: Limits { keys, bytes },
        }
    }

    fn held(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose turn a call is; `call` is its id, `now` in Unix seconds.
    pub fn take(&self, repeat: &Repeat, call: &str, now: u64) -> Turn {
        let mut kept = self.held();
        kept.forget(now, usize::MAX);
        if let Some(entry) = kept.keys.get(&repeat.id) {
            return match &entry.log {
                _ if entry.print != repeat.print => Turn::Other,
                Some(log) => Turn::Again(Arc::clone(log)),
                None => Turn::Lost,
            };
        }
        // Only a new key makes an old one too many.
        kept.forget(now, self.limits.keys);
        let log = Arc::new(Log::new(call.to_owned(), Arc::clone(&self.room)));
        let number = kept.next;
        kept.next += 1;
        kept.order.push_back((repeat.id.clone(), number));
        let entry = Entry {
            number,
            print: repeat.print,
            since: now,
            log: Some(Arc::clone(&log)),
        };
        kept.keys.insert(repeat.id.clone(), entry);
        Turn::First(log)
    }

    /// The answer of a first call is complete and stays.
    pub fn keep(&self, id: &Id, log: &Arc<Log>) {
        let mut kept = self.held();
        let Some(number) = kept.number(id, log) else {
            return;
        };
        while let Some((gone, number, weight)) = kept.answers.pop_front() {
            if kept
                .keys
                .get(&gone)
                .is_some_and(|entry| entry.number == number)
            {
                kept.answers.push_front((gone, number, weight));
                break;
            }
            kept.bytes = kept.bytes.saturating_sub(weight);
        }
        let weight = log.weight().saturating_add(id.weight());
        kept.answers.push_back((id.clone(), number, weight));
        kept.bytes = kept.bytes.saturating_add(weight);
        while kept.bytes > self.limits.bytes
            && let Some((id, number, weight)) = kept.answers.pop_front()
        {
            kept.bytes = kept.bytes.saturating_sub(weight);
            if let Some(entry) = kept
                .keys
                .get_mut(&id)
                .filter(|known| known.number == number)
            {
                entry.log = None;
            }
        }
    }

    /// The answer of a first call cannot be kept: a repeat is told so, and not run again.
    pub fn lose(&self, id: &Id, log: &Arc<Log>) {
        let mut kept = self.held();
        if kept.number(id, log).is_some()
            && let Some(entry) = kept.keys.get_mut(id)
        {
            entry.log = None;
        }
    }

    /// Nothing was done under a key: it is as if it had never come.
    pub fn forget(&self, id: &Id, log: &Arc<Log>) {
        let mut kept = self.held();
        if kept.number(id, log).is_some() {
            kept.keys.remove(id);
        }
    }

    /// Lets a first call run, whoever waits for it.
    pub fn run<F: Future<Output = ()> + Send + 'static>(&self, call: F) {
        self.tasks.spawn(call);
    }

    /// Waits for calls that still run, but not for long.
    pub async fn end(&self) {
        self.tasks.close();
        let _ = tokio::time::timeout(PATIENCE, self.tasks.wait()).await;
    }
}

impl Kept {
    /// The number of a key, where it still stands for this answer.
    fn number(&self, id: &Id, log: &Arc<Log>) -> Option<u64> {
        let entry = self.keys.get(id)?;
        let same = entry.log.as_ref().is_some_and(|own| Arc::ptr_eq(own, log));
        same.then_some(entry.number)
    }

    /// Forgets what is a day old, and the oldest where there are too many. One that still runs is kept longer: its
    /// repeat must not run beside it.
    fn forget(&mut self, now: u64, most: usize) {
        let day = KEPT_FOR.as_secs();
        let mut looked = self.order.len();
        while looked > 0
            && let Some((id, number)) = self.order.pop_front()
        {
            looked -= 1;
            let Some(entry) = self.keys.get(&id).filter(|entry| entry.number == number) else {
                continue;
            };
            let old = now.saturating_sub(entry.since) >= day;
            if !old && self.keys.len() < most {
                self.order.push_front((id, number));
                return;
            }
            let runs = entry.log.as_ref().is_some_and(|log| log.ended().is_none());
            if runs {
                self.order.push_back((id, number));
            } else {
                self.keys.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::log::End;
    use super::*;
    use crate::gateway::memory::{Memory, Scope};

    fn repeat(scope: Scope, key: &str) -> Repeat {
        Repeat {
            id: Id::new(key.into(), scope, None),
            print: [1; 16],
            mark: [1; 16],
        }
    }

    /// Runs a call to its end with an answer of so many bytes.
    fn run(desk: &Desk, repeat: &Repeat, now: u64, bytes: usize) {
        let Turn::First(log) = desk.take(repeat, "req_1", now) else {
            panic!("it is not the first");
        };
        log.piece(Bytes::from(vec![b'x'; bytes]));
        log.end(End::Whole);
        desk.keep(&repeat.id, &log);
    }

    #[test]
    fn answers_are_bounded_in_bytes_and_keys_in_number_and_time() {
        let desk = Desk::of(3, 250);
        let scope = Memory::new(0).scope(None);
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|key| repeat(scope, key));
        for one in [&a, &b, &c] {
            run(&desk, one, 10, 100);
        }
        let turn = |one: &Repeat, now| match desk.take(one, "req_2", now) {
            Turn::First(_) => "first",
            Turn::Again(_) => "again",
            Turn::Other => "other",
            Turn::Lost => "lost",
        };
        assert_eq!(
            (turn(&a, 10), turn(&b, 10), turn(&c, 10)),
            ("lost", "again", "again")
        );
        let other = Repeat {
            print: [2; 16],
            ..c.clone()
        };
        assert_eq!(turn(&other, 10), "other");
        run(&desk, &d, 10, 1);
        assert_eq!(turn(&c, 10), "again");
        assert_eq!(
            turn(&a, 10),
            "first",
            "the oldest key was forgotten for the fourth"
        );
        let day = KEPT_FOR.as_secs();
        assert_eq!(turn(&d, 9 + day), "again");
        assert_eq!(turn(&d, 10 + day), "first");
        assert_eq!(
            turn(&a, 20 + 2 * day),
            "again",
            "one that runs is known until it ends"
        );
    }
}
