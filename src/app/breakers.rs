//! Breakers of many nodes: what has opened or closed here is told to the others, and what did there is heard, beside all
//! calls.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::gateway::{Gateway, Shared};
use crate::route::health::{Heard, Telling};
use crate::store::counters::{Opened, Word};

/// How often they talk.
const TALK: Duration = Duration::from_millis(250);

/// For how long a leave to try holds: it ends before the others may think that nobody uses it.
const LEAVE: u64 = 1_500;

/// What was said last.
#[derive(Debug, Default)]
struct Talk {
    /// Sites that are open for all, and for the how manieth time in a row.
    open: HashMap<String, u32>,
    /// Sites that are open here.
    here: HashSet<String>,
}

/// Talks until it is told to stop; where nobody shares, there is nothing to say.
pub(super) async fn talk(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    if !gateway.now().counters.is_shared() {
        return;
    }
    let mut talk = Talk::default();
    while tokio::time::timeout(TALK, stopped.changed()).await.is_err() {
        talk.turn(&gateway.now()).await;
    }
}

impl Talk {
    async fn turn(&mut self, shared: &Shared) {
        let words = self.words(shared);
        match shared.counters.breakers(&words).await {
            Some(opened) => self.heard(shared, opened),
            None => self.alone(shared),
        }
        let now = shared.clock.moment();
        let pilot = &shared.pilot;
        let open = pilot.vitals.tellings(&pilot.board, now);
        self.here = open.into_iter().map(|(site, _, _)| site).collect();
    }

    /// What is new here.
    fn words(&self, shared: &Shared) -> Vec<(String, Word, u32)> {
        let pilot = &shared.pilot;
        let tellings = pilot.vitals.tellings(&pilot.board, shared.clock.moment());
        let is_open = |site: &String| tellings.iter().any(|(open, _, _)| open == site);
        let closed = self.here.iter().filter(|site| !is_open(site));
        let mut words: Vec<_> = closed.map(|site| (site.clone(), Word::Closed, 0)).collect();
        for (site, telling, times) in tellings {
            let known = self.open.get(&site).copied().unwrap_or(0);
            let word = match telling {
                Telling::Open(left) if times > known => Word::Open(Duration::from_millis(left)),
                Telling::Open(_) => continue,
                // One that is due and that nobody knows of was told to a server that has lost it since.
                Telling::Due | Telling::Trial if known == 0 => Word::Open(Duration::ZERO),
                Telling::Due | Telling::Trial => Word::Trial,
            };
            words.push((site, word, times));
        }
        words
    }

    fn heard(&mut self, shared: &Shared, opened: Vec<Opened>) {
        let (pilot, now) = (&shared.pilot, shared.clock.moment());
        let hear = |site: &str, heard| pilot.vitals.hear(&pilot.board, site, now, heard);
        let before = std::mem::take(&mut self.open);
        for Opened {
            site,
            times,
            left,
            leave,
        } in opened
        {
            let left = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
            hear(&site, Heard::Open(left, times));
            if leave {
                hear(&site, Heard::Leave(LEAVE));
            }
            self.open.insert(site, times);
        }
        let closed = before.keys().filter(|site| !self.open.contains_key(*site));
        closed.for_each(|site| hear(site, Heard::Closed));
    }

    /// Each is by itself.
    fn alone(&mut self, shared: &Shared) {
        let (pilot, now) = (&shared.pilot, shared.clock.moment());
        for (site, _, _) in pilot.vitals.tellings(&pilot.board, now) {
            pilot.vitals.hear(&pilot.board, &site, now, Heard::Nothing);
        }
        self.open.clear();
    }
}
