//! How many streams are read on without their client: few, and known, so that the end of the house can wait for them.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

/// How many there may be at once.
const AT_ONCE: usize = 64;

/// How long the end of the house waits for them.
const PATIENCE: Duration = Duration::from_secs(5);

/// All streams that are read on.
#[derive(Debug)]
pub struct Drains {
    tasks: TaskTracker,
    places: Arc<Semaphore>,
}

impl Default for Drains {
    fn default() -> Self {
        Self {
            tasks: TaskTracker::new(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Drains {
    /// A place for one more, if there is one; given back when dropped.
    #[must_use]
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Lets one be read on beside everything.
    pub fn begin<F: Future<Output = ()> + Send + 'static>(&self, drain: F, runtime: &Handle) {
        self.tasks.spawn_on(drain, runtime);
    }

    /// Waits for those that are under way, but not for long.
    pub async fn end(&self) {
        self.tasks.close();
        let _ = tokio::time::timeout(PATIENCE, self.tasks.wait()).await;
    }
}
