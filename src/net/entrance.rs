//! What listeners go by and how they end: terms that may change while they listen, a count of open connections, and
//! the stages of an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// What a listener allows its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest request head, in bytes. At least 8 KiB.
    pub head: usize,
    /// How long a head may take once it has begun.
    pub head_timeout: Duration,
    /// How long a connection may be idle.
    pub keep_alive: Duration,
    /// How long a client may take nothing of what is written.
    pub write_stall: Duration,
    /// How many connections may be open.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 64 << 10,
            head_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            write_stall: Duration::from_mins(1),
            connections: 10_000,
        }
    }
}

/// How far listeners are on their way to their end. Later stages follow earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Connections are accepted.
    Serving,
    /// None are accepted; those that are open end after what they are at.
    Draining,
    /// What is still open ends now, with a word about it: bodies are asked once more.
    Cutting,
    /// What is still open is dropped.
    Over,
}

/// What each new connection is taken on.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// What clients are allowed.
    pub limits: Limits,
    /// The certificate that is shown, where the listener speaks TLS.
    pub tls: Option<Arc<ServerConfig>>,
}

/// The way in, shared by the listeners of a house and all their connections.
#[derive(Debug)]
pub struct Entrance {
    terms: ArcSwap<Terms>,
    open: Arc<AtomicUsize>,
    tasks: TaskTracker,
    stage: watch::Sender<Stage>,
}

/// The place of one connection, given back when dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<AtomicUsize>);

impl Entrance {
    /// An open entrance.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            terms: ArcSwap::from_pointee(terms),
            open: Arc::default(),
            tasks: TaskTracker::new(),
            stage: watch::Sender::new(Stage::Serving),
        }
    }

    /// Takes new connections on other terms; those that are open keep theirs.
    pub fn change(&self, terms: Terms) {
        self.terms.store(Arc::new(terms));
    }

    /// The terms of a connection that comes now.
    #[must_use]
    pub fn terms(&self) -> Arc<Terms> {
        self.terms.load_full()
    }

    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Goes on to a later stage.
    pub fn pass(&self, stage: Stage) {
        self.stage.send_if_modified(|now| {
            let later = *now < stage;
            *now = (*now).max(stage);
            later
        });
        if stage > Stage::Serving {
            self.tasks.close();
        }
    }

    /// Waits until no connection is open, once none are accepted any more.
    pub async fn empty(&self) {
        self.tasks.wait().await;
    }

    pub(super) fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// A place for a connection, if there is one.
    pub(super) fn place(&self, most: usize) -> Option<Place> {
        let place = Place(Arc::clone(&self.open));
        (self.open.fetch_add(1, Ordering::Relaxed) < most).then_some(place)
    }

    pub(super) fn run<F: Future<Output = ()> + Send + 'static>(&self, connection: F) {
        self.tasks.spawn(connection);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back_and_stages_only_go_on() {
        let entrance = Entrance::new(Terms {
            limits: Limits::default(),
            tls: None,
        });
        let first = entrance.place(1);
        assert!(first.is_some() && entrance.place(1).is_none());
        assert_eq!(entrance.open(), 1);
        drop(first);
        assert_eq!(entrance.open(), 0);
        entrance.pass(Stage::Cutting);
        entrance.pass(Stage::Draining);
        assert_eq!(*entrance.stage().borrow(), Stage::Cutting);
    }
}
