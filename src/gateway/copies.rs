//! How many shadow copies are under way: few, and known, so that the end of the house can wait for them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

/// How many copies may be under way.
pub const AT_ONCE: usize = 16;

/// How long the end of the house waits for copies.
const PATIENCE: Duration = Duration::from_secs(5);

/// All copies that are under way.
#[derive(Debug)]
pub struct Copies {
    tracker: TaskTracker,
    places: Arc<Semaphore>,
}

impl Default for Copies {
    fn default() -> Self {
        Self {
            tracker: TaskTracker::new(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Copies {
    /// A place for one more copy, if there is one; given back when dropped.
    #[must_use]
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Lets a copy run beside everything.
    pub fn begin<F: Future<Output = ()> + Send + 'static>(&self, copy: F) {
        self.tracker.spawn(copy);
    }

    /// Waits for copies that are under way, but not for long.
    pub async fn end(&self) {
        self.tracker.close();
        let _ = tokio::time::timeout(PATIENCE, self.tracker.wait()).await;
    }
}
