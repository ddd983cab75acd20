//! The statistics of a whole board: one small lock per site, so that calls to different sites never wait for each other.
//! Plans read them off a sheet that is kept for a moment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use crate::route::board::Board;
use crate::route::moment::Moment;
use crate::route::number::{float, small};

use super::breaker::Gate;
use super::cell::Cell;
use super::headroom::Left;
use super::outcome::Outcome;
use super::pulse::{Pulse, Seat, Strangers, held};
use super::reading::Reading;
use super::sheet::{Of, Sheet, Source};
use super::talk::Talk;
use super::window::{Share, Window};

/// The statistics of a board, by its places. Shared by all calls; nothing in it waits.
#[derive(Debug, Default)]
pub struct Vitals {
    sites: Box<[Arc<Pulse>]>,
    talks: Box<[Arc<Heard>]>,
    sheet: Mutex<Sheet>,
    strangers: Strangers,
    /// Calls and repeats of all sites together.
    all: Window,
}

/// How often a site may be asked again in ten seconds, whatever the number of its calls, and all sites together.
const REPEATS_EACH: Share = Share { each: 5, floor: 3 };
const REPEATS_ALL: Share = Share { each: 5, floor: 50 };

/// How often others are asked beside a site that is silent.
const HELPS: Share = Share { each: 20, floor: 3 };

/// A call under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    /// Its endpoint's place on the board it was planned on.
    pub endpoint: usize,
    /// Calls under way at the site as it began, this one included.
    pub in_flight: u32,
    /// When it began.
    pub began: Moment,
}

#[derive(Debug, Default)]
struct Heard {
    talk: Mutex<Talk>,
    news: AtomicBool,
}

/// Statistics as they are kept over a restart, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The form of what follows; another one is not read.
    pub version: u32,
    /// Sites.
    pub sites: Vec<(String, Cell)>,
    /// Lengths of answers by family and level.
    pub talks: Vec<(String, String, Talk)>,
}

/// The form that this version writes.
pub const VERSION: u32 = 2;

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
            Arc::new(cell.map_or_else(Pulse::default, |(_, cell)| Pulse::of(cell)))
        });
        let talks = board.talks.iter().map(|(family, level)| {
            let level = level.as_str();
            let of = |(of, at, _): &&(String, String, Talk)| **of == **family && at == level;
            let talk = before.talks.iter().filter(|_| kept).find(of);
            Arc::new(Heard {
                talk: Mutex::new(talk.map_or_else(Talk::default, |(_, _, talk)| *talk)),
                ..Heard::default()
            })
        });
        Self {
            sites: sites.collect(),
            talks: talks.collect(),
            ..Self::default()
        }
    }

    /// Statistics for a board that takes the place of another: what both have is one and the same, so that calls under
    /// way on the old one are still counted.
    #[must_use]
    pub fn follow(board: &Board, old: &Board, before: &Self) -> Self {
        let sites = board.sites.iter().map(|site| {
            let at = old.sites.iter().position(|known| known.name == site.name);
            let pulse = at.and_then(|at| before.sites.get(at));
            pulse.map_or_else(Arc::default, Arc::clone)
        });
        let talks = board.talks.iter().map(|talk| {
            let at = old.talks.iter().position(|known| known == talk);
            let heard = at.and_then(|at| before.talks.get(at));
            heard.map_or_else(Arc::default, Arc::clone)
        });
        Self {
            sites: sites.collect(),
            talks: talks.collect(),
            ..Self::default()
        }
    }

    /// The seat of a site, so that calls to it are judged before they are made: that of an endpoint, or of a model
    /// that the board does not have, by name.
    #[must_use]
    pub fn seat(&self, board: &Board, endpoint: Option<usize>, name: &str) -> Seat {
        let site = endpoint.and_then(|at| board.endpoints.get(at));
        let listed = site.and_then(|at| {
            let (pulse, site) = (self.sites.get(at.site)?, board.sites.get(at.site)?);
            Some(Seat::of(Arc::clone(pulse), site.key, site.prior))
        });
        listed.unwrap_or_else(|| self.strangers.seat(name))
    }

    /// A call asks a site for the first time.
    pub fn asks(&self, seat: &Seat, now: Moment) {
        seat.window().call(now);
        seat.helps().call(now);
        self.all.call(now);
    }

    /// Whether a site may be asked once more: not while it is failing, and only as often as leaves it, and all sites
    /// together, room for first attempts. What may be is counted.
    #[must_use]
    pub fn may_repeat(&self, seat: &Seat, now: Moment) -> bool {
        if !seat.is_closed(now) || !seat.window().take(now, REPEATS_EACH) {
            return false;
        }
        let all = self.all.take(now, REPEATS_ALL);
        if !all {
            seat.window().give_back(now);
        }
        all
    }

    /// Whether others may be asked beside a site that is silent: for one call in twenty of its own, and a few in any
    /// case. What may be is counted, apart from repeats.
    #[must_use]
    pub fn may_help(&self, seat: &Seat, now: Moment) -> bool {
        seat.helps().take(now, HELPS)
    }

    /// Notes that a call begins at an endpoint.
    #[must_use]
    pub fn begin(&self, board: &Board, endpoint: usize, now: Moment) -> Flight {
        let pulse = self.pulse(board, endpoint);
        let in_flight = pulse.map_or(0, |pulse| pulse.begin(now));
        Flight {
            endpoint,
            in_flight,
            began: now,
        }
    }

    /// Notes what the head of its answer says of limits.
    pub fn head(&self, board: &Board, flight: Flight, now: Moment, left: Left) {
        if let Some(pulse) = self.pulse(board, flight.endpoint) {
            pulse.head(now, left);
        }
    }

    /// Notes how it ended. Once for every [`Vitals::begin`].
    pub fn observe(&self, board: &Board, flight: Flight, now: Moment, outcome: &Outcome) {
        let Some(at) = board.endpoints.get(flight.endpoint) else {
            return;
        };
        if let (Some(pulse), Some(site)) = (self.sites.get(at.site), board.sites.get(at.site)) {
            pulse.end(
                now,
                (&site.prior, site.key),
                outcome,
                (flight.began, flight.in_flight),
            );
        }
        if let (Outcome::Answered(answer), Some(talk)) = (outcome, self.talks.get(at.talk)) {
            held(&talk.talk).observe(now, answer);
            talk.news.store(true, Ordering::Release);
        }
    }

    /// What is known of every endpoint now, in the board's order; `out` is filled anew. What only ages may be some
    /// moments old; what was heard, and calls under way, are as of now.
    pub fn read(&self, board: &Board, now: Moment, out: &mut Vec<Reading>) {
        held(&self.sheet).read(self, board, now, out);
    }

    /// What is worth keeping over a restart.
    #[must_use]
    pub fn snapshot(&self, board: &Board) -> Snapshot {
        let sites = board.sites.iter().zip(&self.sites);
        let talks = board.talks.iter().zip(&self.talks);
        Snapshot {
            version: VERSION,
            sites: sites
                .map(|(site, pulse)| (site.name.to_string(), pulse.cell()))
                .filter(|(_, cell)| *cell != Cell::default())
                .collect(),
            talks: talks
                .map(|((family, level), talk)| {
                    (
                        family.to_string(),
                        level.as_str().to_owned(),
                        *held(&talk.talk),
                    )
                })
                .filter(|(_, _, talk)| *talk != Talk::default())
                .collect(),
        }
    }

    /// All sites, by the board's places.
    pub(super) fn sites(&self) -> &[Arc<Pulse>] {
        &self.sites
    }

    fn pulse(&self, board: &Board, endpoint: usize) -> Option<&Pulse> {
        let site = board.endpoints.get(endpoint)?.site;
        self.sites.get(site).map(|pulse| &**pulse)
    }
}

impl Source for Vitals {
    fn size(&self) -> (usize, usize) {
        (self.sites.len(), self.talks.len())
    }

    fn news(&self, of: Of) -> bool {
        let news = match of {
            Of::Site(place) => self.sites.get(place).map(|pulse| pulse.news()),
            Of::Talk(place) => self.talks.get(place).map(|heard| &heard.news),
        };
        // Most of the time there is none, and asking is cheaper than writing.
        news.is_some_and(|news| news.load(Ordering::Relaxed) && news.swap(false, Ordering::Acquire))
    }

    fn site(&self, place: usize, now: Moment) -> Reading {
        let pulse = self.sites.get(place);
        pulse.map_or_else(Reading::default, |pulse| pulse.cell().reading(now))
    }

    fn words(&self, place: usize, now: Moment) -> f32 {
        let heard = self.talks.get(place);
        heard.map_or(1.0, |heard| held(&heard.talk).words(now))
    }

    fn busy(&self, place: usize, reading: &mut Reading, now: Moment) {
        let Some(pulse) = self.sites.get(place) else {
            return;
        };
        let Some((in_flight, begun)) = pulse.under_way() else {
            return;
        };
        let old = now.since(Moment::millis(begun));
        if reading.suspect && old < SILENT {
            // One call at a time finds out.
            reading.gate = Gate::Open(SILENT - old);
        }
        let age = float(old) / f64::from(reading.ages);
        let chance = OVERDUE / f64::from(in_flight).sqrt();
        reading.in_flight = in_flight;
        reading.overdue = small((age - 2.0 - chance).clamp(0.0, 9.0) + 1.0);
    }
}

/// Milliseconds after which a call that finds out whether a site is back stands in no other's way.
const SILENT: u64 = 8_000;

/// How much older than twice the usual one call under way may be by chance; many, less by the root of their number.
const OVERDUE: f64 = 6.0;

#[cfg(test)]
mod tests {
    use crate::dialect::Caps;
    use crate::route::board::Site;
    use crate::route::health::outcome::Answer;

    use super::*;

    #[test]
    fn calls_are_counted_and_statistics_outlive_a_restart() {
        let mut board = Board::default();
        for name in ["a", "b"] {
            board.push(Site::new(name, "m", name, &Arc::new(Caps::default())));
        }
        let vitals = Vitals::of(&board, &Snapshot::default());
        let flight = vitals.begin(&board, 1, Moment::millis(1));
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
        vitals.observe(&board, flight, now, &Outcome::Answered(answer));
        vitals.observe(&board, flight, now, &Outcome::Void);
        let text = serde_json::to_string(&vitals.snapshot(&board)).unwrap();
        let mut snapshot: Snapshot = serde_json::from_str(&text).unwrap();
        assert_eq!(snapshot.sites.len(), 1, "what is unknown is not kept");
        board.sites.swap(0, 1);
        let now_under_way = vitals.begin(&board, 0, now);
        let heir = Vitals::follow(&board, &board, &vitals);
        vitals.observe(&board, now_under_way, now, &Outcome::Void);
        heir.read(&board, now, &mut readings);
        assert_eq!(
            readings[0].in_flight, 0,
            "a call of before is still counted"
        );
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
