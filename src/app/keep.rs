//! What a house has learned, kept every now and then.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::gateway::{Gateway, state};

/// How often statistics are kept.
const KEEP_EVERY: Duration = Duration::from_secs(30);

/// Keeps the statistics of a house in a folder, if it has one.
pub(super) fn begin(
    folder: Option<PathBuf>,
    gateway: &Arc<Gateway>,
    stopped: watch::Receiver<bool>,
) -> Option<JoinHandle<()>> {
    folder.map(|folder| tokio::spawn(keep(folder, Arc::clone(gateway), stopped)))
}

/// Keeps the statistics every now and then, and at the end.
async fn keep(folder: PathBuf, gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let mut failed = false;
    loop {
        let ended = tokio::time::timeout(KEEP_EVERY, stopped.changed())
            .await
            .is_ok();
        let (place, house) = (folder.clone(), gateway.now());
        #[expect(
            clippy::disallowed_methods,
            reason = "a small file each half minute, beside the threads that serve"
        )]
        let written = tokio::task::spawn_blocking(move || {
            state::write(&place, &house.pilot.board, &house.pilot.vitals)
        });
        if let Ok(Err(error)) = written.await
            && !std::mem::replace(&mut failed, true)
        {
            tracing::warn!(%error, folder = %folder.display(), "the statistics cannot be kept");
        }
        if ended {
            return;
        }
    }
}
