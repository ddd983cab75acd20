//! The statistics of a whole board: one small lock per site, so that calls to different sites never wait for each other
//! and a plan reads two hundred of them in some microseconds.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::route::board::Board;
use crate::route::moment::Moment;

use super::cell::{Cell, Talk};
use super::outcome::Outcome;
use super::reading::Reading;

/// The statistics of a board, by its places. Shared by all calls; nothing in it waits.
#[derive(Debug, Default)]
pub struct Vitals {
    sites: Box<[Pulse]>,
    talks: Box<[Mutex<Talk>]>,
}

#[derive(Debug, Default)]
struct Pulse {
    cell: Mutex<Cell>,
    in_flight: AtomicU32,
}

/// Statistics as they are kept over a restart, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The form of what follows; another one is not read.
    pub version: u32,
    /// Sites.
    pub sites: Vec<(String, Cell)>,
    /// Endpoints by their site's name and level.
    pub talks: Vec<(String, String, Talk)>,
}

/// The form that this version writes.
pub const VERSION: u32 = 1;

impl Vitals {
    /// Statistics for a board, taking over from a snapshot what the board still has.
    #[must_use]
    pub fn of(board: &Board, before: &Snapshot) -> Self {
        let kept = before.version == VERSION;
        let sites = board.sites.iter().map(|site| {
            let cell = before
                .sites
                .iter()
                .find(|(name, _)| kept && **name == *site.name);
            Pulse {
                cell: Mutex::new(cell.map_or_else(Cell::default, |(_, cell)| *cell)),
                in_flight: AtomicU32::new(0),
            }
        });
        let talks = board.endpoints.iter().map(|endpoint| {
            let name = &board.site(endpoint).name;
            let level = endpoint.level.effort.as_str();
            let of = |(of, at, _): &&(String, String, Talk)| **of == **name && at == level;
            let talk = before.talks.iter().filter(|_| kept).find(of);
            Mutex::new(talk.map_or_else(Talk::default, |(_, _, talk)| *talk))
        });
        Self {
            sites: sites.collect(),
            talks: talks.collect(),
        }
    }

    /// Notes that a call begins at an endpoint.
    pub fn begin(&self, board: &Board, endpoint: usize) {
        let Some(pulse) = self.pulse(board, endpoint) else {
            return;
        };
        let in_flight = pulse.in_flight.fetch_add(1, Ordering::Relaxed);
        held(&pulse.cell).began(in_flight);
    }

    /// Notes how it ended. Once for every [`Vitals::begin`].
    pub fn observe(&self, board: &Board, endpoint: usize, now: Moment, outcome: &Outcome) {
        let (Some(pulse), Some(place)) = (
            self.pulse(board, endpoint),
            board.endpoints.get(endpoint).map(|endpoint| endpoint.site),
        ) else {
            return;
        };
        let _ = pulse
            .in_flight
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                count.checked_sub(1)
            });
        if let Some(site) = board.sites.get(place) {
            held(&pulse.cell).observe(now, &site.prior, outcome, site.key);
        }
        if let (Outcome::Answered(answer), Some(talk)) = (outcome, self.talks.get(endpoint)) {
            held(talk).observe(now, answer);
        }
    }

    /// What is known of every endpoint now, in the board's order; `out` is filled anew.
    pub fn read(&self, board: &Board, now: Moment, out: &mut Vec<Reading>) {
        out.clear();
        let mut last: Option<(usize, Reading)> = None;
        for (endpoint, talk) in board.endpoints.iter().zip(&self.talks) {
            let reading = match last {
                Some((site, reading)) if site == endpoint.site => reading,
                _ => self.reading(endpoint.site, now),
            };
            last = Some((endpoint.site, reading));
            let words = held(talk).words(now);
            out.push(Reading { words, ..reading });
        }
    }

    /// What is worth keeping over a restart.
    #[must_use]
    pub fn snapshot(&self, board: &Board) -> Snapshot {
        let sites = board.sites.iter().zip(&self.sites);
        let talks = board.endpoints.iter().zip(&self.talks);
        Snapshot {
            version: VERSION,
            sites: sites
                .map(|(site, pulse)| (site.name.to_string(), *held(&pulse.cell)))
                .filter(|(_, cell)| *cell != Cell::default())
                .collect(),
            talks: talks
                .map(|(endpoint, talk)| {
                    let name = board.site(endpoint).name.to_string();
                    (name, endpoint.level.effort.as_str().to_owned(), *held(talk))
                })
                .filter(|(_, _, talk)| *talk != Talk::default())
                .collect(),
        }
    }

    fn pulse(&self, board: &Board, endpoint: usize) -> Option<&Pulse> {
        let site = board.endpoints.get(endpoint)?.site;
        self.sites.get(site)
    }

    fn reading(&self, site: usize, now: Moment) -> Reading {
        let Some(pulse) = self.sites.get(site) else {
            return Reading::default();
        };
        let reading = held(&pulse.cell).reading(now);
        let in_flight = pulse.in_flight.load(Ordering::Relaxed);
        Reading {
            in_flight,
            ..reading
        }
    }
}

/// The guarded thing. A panic elsewhere leaves numbers, never a broken shape.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::dialect::Caps;
    use crate::route::board::Site;
    use crate::route::health::outcome::Answer;

    use super::*;

    #[test]
    fn calls_are_counted_and_statistics_outlive_a_restart() {
        let mut board = Board::default();
        for name in ["a", "b"] {
            board.push(Site::new(name, "m", "m", &Arc::new(Caps::default())));
        }
        let vitals = Vitals::of(&board, &Snapshot::default());
        vitals.begin(&board, 1);
        let mut readings = Vec::new();
        vitals.read(&board, Moment::millis(1), &mut readings);
        assert_eq!(
            readings
                .iter()
                .map(|reading| reading.in_flight)
                .collect::<Vec<_>>(),
            [0, 1]
        );
        let answer = Answer {
            wait: 100,
            whole: 600,
            output: 50,
            typical: 25,
            ..Answer::default()
        };
        let now = Moment::millis(5_000);
        vitals.observe(&board, 1, now, &Outcome::Answered(answer));
        vitals.observe(&board, 1, now, &Outcome::Void);
        let text = serde_json::to_string(&vitals.snapshot(&board)).unwrap();
        let mut snapshot: Snapshot = serde_json::from_str(&text).unwrap();
        assert_eq!(snapshot.sites.len(), 1, "what is unknown is not kept");
        board.sites.swap(0, 1);
        let later = Vitals::of(&board, &snapshot);
        let mut again = Vec::new();
        later.read(&board, now, &mut again);
        vitals.read(&board, now, &mut readings);
        assert_eq!((again[0].pace, again[0].in_flight), (readings[1].pace, 0));
        assert!(again[0].seen > 0.9 && again[1].seen < 0.1);
        snapshot.version = 0;
        Vitals::of(&board, &snapshot).read(&board, now, &mut again);
        assert!(again[0].seen < 0.1, "another form is not read");
    }
}
