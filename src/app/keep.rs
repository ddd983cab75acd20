//! What a house has learned, kept every now and then.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::gateway::{Gateway, state};

/// How often statistics are kept.
const KEEP_EVERY: Duration = Duration::from_secs(30);

/// Keeps the statistics every now and then, and at the end.
pub(super) async fn keep(
    folder: PathBuf,
    gateway: Arc<Gateway>,
    mut stopped: watch::Receiver<bool>,
) {
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
