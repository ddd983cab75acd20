//! How a house ends: nobody new is let in, open calls may go on for a while, and what is left then is told so, settled
//! and written down.

use std::time::Duration;

use crate::gateway::{Shared, state};
use crate::net::{Entrance, Stage};

use super::running::App;

/// How long answers that are cut off may take to say so.
const PARTING: Duration = Duration::from_secs(2);

impl App {
    /// Takes no more calls and waits for those that are open, as long as the configuration lets it.
    pub async fn stop(self) {
        self.stop_unless(std::future::pending()).await;
    }

    /// The same; once `hurry` is done, nothing more is waited for.
    pub async fn stop_unless(self, hurry: impl Future<Output = ()>) {
        let shared = self.gateway.now();
        shared.load.drain();
        self.entrance.pass(Stage::Draining);
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the listener ended badly");
        }
        let _ = self.stop.send(true);
        let drained = tokio::select! {
            () = all_over(&self.entrance, &shared) => true,
            () = tokio::time::sleep(shared.settings.drain) => false,
            () = hurry => false,
        };
        if !drained {
            cut(&self.entrance, &shared).await;
        }
        shared.ledger.close().await;
        shared.spans.close().await;
        shared.counters.close().await;
        if let Some(back) = self.back {
            back.stop().await;
        }
        let _ = self.keys.await;
        let _ = self.breakers.await;
        if let Some(keeping) = self.keeping {
            let _ = keeping.await;
        }
        if let Some(folder) = self.state {
            // What the last calls taught.
            let _ = state::write(&folder, &shared.pilot.board, &shared.pilot.vitals);
        }
        if let Some(recorder) = self.recorder {
            recorder.finish().await;
        }
        if let Some(replay) = self.replay {
            replay.stop().await;
        }
    }
}

/// Ends what is still open: streams with an error event, other calls with an error, and all of it settled.
async fn cut(entrance: &Entrance, shared: &Shared) {
    let (open, calls) = (entrance.open(), shared.load.in_flight());
    tracing::warn!(
        connections = open,
        calls,
        "what is still open is cut off now"
    );
    shared.load.cut();
    entrance.pass(Stage::Cutting);
    let _ = tokio::time::timeout(PARTING, all_over(entrance, shared)).await;
    entrance.pass(Stage::Over);
    entrance.empty().await;
}

async fn all_over(entrance: &Entrance, shared: &Shared) {
    entrance.empty().await;
    shared.desk.end().await;
    shared.drains.end().await;
    shared.copies.end().await;
}
