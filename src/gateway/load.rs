//! What is going on now: calls that have a place or wait for one, bytes of bodies in memory, and whether the house ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long a call waits for a place.
const PATIENCE: Duration = Duration::from_secs(1);

/// Counts of what is going on now.
#[derive(Debug, Default)]
pub struct Load {
    in_flight: AtomicUsize,
    queued: AtomicUsize,
    left: Notify,
    bodies: AtomicUsize,
    draining: AtomicBool,
    cut: AtomicBool,
    ending: CancellationToken,
}

/// How many calls there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    /// At once.
    pub in_flight: usize,
    /// Beside them, waiting.
    pub queue: usize,
}

/// Bytes of a body in memory, given back when dropped.
#[derive(Debug)]
pub struct Room {
    load: Arc<Load>,
    bytes: usize,
}

impl Load {
    /// Takes a place for one call; where there is none, waits for one, if not for long. The place is to be given back
    /// by [`Load::leave`].
    pub async fn enter(&self, most: Most) -> Option<()> {
        if let Some(entered) = self.try_enter(most.in_flight) {
            return Some(entered);
        }
        let _queued = Queued::join(&self.queued, most.queue)?;
        let place = async {
            loop {
                let left = self.left.notified();
                if self.try_enter(most.in_flight).is_some() {
                    return;
                }
                left.await;
            }
        };
        tokio::time::timeout(PATIENCE, place).await.ok()
    }

    fn try_enter(&self, most: usize) -> Option<()> {
        if self.in_flight.fetch_add(1, Ordering::AcqRel) < most {
            return Some(());
        }
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
        None
    }

    /// Gives a place back.
    pub fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
        if self.queued.load(Ordering::Acquire) > 0 {
            self.left.notify_one();
        }
    }

    /// Says that no new calls are wanted.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether no new calls are wanted.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Says that what still goes on has to end.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Release);
        self.ending.cancel();
    }

    /// Whether what still goes on has to end.
    pub fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Acquire)
    }

    /// Does some work, unless it has to end before it is done.
    pub async fn unless_cut<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.ending.run_until_cancelled(work).await
    }

    /// How many calls there are.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How many calls wait for a place.
    pub fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// How many bytes of bodies are in memory.
    pub fn bodies(&self) -> usize {
        self.bodies.load(Ordering::Relaxed)
    }
}

impl Room {
    /// No room yet.
    #[must_use]
    pub const fn none(load: Arc<Load>) -> Self {
        Self { load, bytes: 0 }
    }

    /// Takes room for so many bytes in all, if there is as much among `most`.
    pub fn grow(&mut self, bytes: usize, most: usize) -> Option<()> {
        let more = bytes.saturating_sub(self.bytes);
        let before = self.load.bodies.fetch_add(more, Ordering::AcqRel);
        if before.saturating_add(more) > most {
            self.load.bodies.fetch_sub(more, Ordering::AcqRel);
            return None;
        }
        self.bytes += more;
        Some(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.load.bodies.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// A place in the queue, given back when dropped.
struct Queued<'a>(&'a AtomicUsize);

impl<'a> Queued<'a> {
    fn join(queued: &'a AtomicUsize, most: usize) -> Option<Self> {
        let place = Self(queued);
        (queued.fetch_add(1, Ordering::AcqRel) < most).then_some(place)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Most = Most {
        in_flight: 1,
        queue: 1,
    };

    #[tokio::test(start_paused = true)]
    async fn a_call_waits_for_a_place_and_one_too_many_does_not() {
        let load = Arc::new(Load::default());
        assert!(load.enter(MOST).await.is_some());
        let waiting = tokio::spawn({
            let load = Arc::clone(&load);
            async move { load.enter(MOST).await }
        });
        tokio::task::yield_now().await;
        assert_eq!((load.in_flight(), load.queued()), (1, 1));
        assert!(load.enter(MOST).await.is_none(), "the queue is full");
        load.leave();
        assert!(waiting.await.unwrap().is_some());
        assert!(load.enter(MOST).await.is_none(), "a second has passed");
        assert_eq!((load.in_flight(), load.queued()), (1, 0));
    }

    #[test]
    fn room_for_bodies_is_bounded_and_given_back() {
        let load = Arc::new(Load::default());
        let mut one = Room::none(Arc::clone(&load));
        assert!(one.grow(60, 100).is_some() && one.grow(80, 100).is_some());
        let mut two = Room::none(Arc::clone(&load));
        assert!(two.grow(30, 100).is_none());
        assert!(two.grow(20, 100).is_some());
        drop(one);
        assert_eq!(load.bodies(), 20);
        drop(two);
        assert_eq!(load.bodies(), 0);
    }
}
