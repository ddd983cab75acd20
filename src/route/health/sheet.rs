//! Readings that are kept for a moment: worked out anew where something was heard of a site, else when they are old.
//!
//! Working out two hundred readings takes longer than a plan of them; what only ages hardly changes within a moment.

use crate::route::board::Board;
use crate::route::moment::Moment;

use super::fleet::{Fleet, Share};
use super::reading::Reading;

/// Milliseconds after which a reading is worked out anew though nothing was heard.
const FRESH: u64 = 100;

/// Readings by the places of sites, and factors on lengths by the places of talks.
#[derive(Debug, Default)]
pub struct Sheet {
    /// When all of it was worked out; nothing was where there is none.
    at: Option<Moment>,
    sites: Vec<Reading>,
    shares: Vec<Share>,
    words: Vec<f32>,
    prior: (f32, f32),
}

/// Where readings come from.
pub trait Source {
    /// How many sites and talks there are.
    fn size(&self) -> (usize, usize);
    /// Whether anything was heard of a site or a talk since this was asked last.
    fn news(&self, of: Of) -> bool;
    /// A site, but for its calls under way.
    fn site(&self, place: usize, now: Moment) -> Reading;
    /// The factor on lengths of a talk.
    fn words(&self, place: usize, now: Moment) -> f32;
    /// A reading with the calls that are under way now.
    fn busy(&self, place: usize, reading: &mut Reading, now: Moment);
}

/// What something was heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// A site, by its place.
    Site(usize),
    /// A talk, by its place.
    Talk(usize),
}

impl Sheet {
    /// Every endpoint's reading, in the board's order; `out` is filled anew.
    pub fn read<S: Source>(
        &mut self,
        source: &S,
        board: &Board,
        now: Moment,
        out: &mut Vec<Reading>,
    ) {
        self.refresh(source, now);
        out.clear();
        out.reserve(board.endpoints.len());
        let (risk, mass) = self.prior;
        let unknown = Reading::default();
        for endpoint in &board.endpoints {
            let reading = self.sites.get(endpoint.site).unwrap_or(&unknown);
            let words = self.words.get(endpoint.talk).copied().unwrap_or(1.0);
            out.push(Reading {
                words,
                fleet_risk: risk,
                fleet_mass: mass,
                ..*reading
            });
        }
        for (reading, endpoint) in out.iter_mut().zip(&board.endpoints) {
            source.busy(endpoint.site, reading, now);
        }
    }

    fn refresh<S: Source>(&mut self, source: &S, now: Moment) {
        let (sites, talks) = source.size();
        let fresh = |at: Moment| at <= now && now.since(at) < FRESH;
        let kept = self.at.is_some_and(fresh) && self.sites.len() == sites;
        self.sites.resize(sites, Reading::default());
        self.shares.resize(sites, Share::default());
        self.words.resize(talks, 1.0);
        if !kept {
            self.at = Some(now);
        }
        let mut moved = !kept;
        for (place, (reading, share)) in self.sites.iter_mut().zip(&mut self.shares).enumerate() {
            // Asked first, so that nothing heard before this reading is taken for news later.
            if source.news(Of::Site(place)) || !kept {
                *reading = source.site(place, now);
                *share = Share::of(reading);
                moved = true;
            }
        }
        for (place, words) in self.words.iter_mut().enumerate() {
            if source.news(Of::Talk(place)) || !kept {
                *words = source.words(place, now);
            }
        }
        if moved {
            self.prior = self.shares.iter().collect::<Fleet>().prior();
        }
    }
}
