//! The statistics of one site.

use serde::{Deserialize, Serialize};

use crate::route::board::Prior;
use crate::route::moment::Moment;
use crate::route::number::{below, float, halved, small};

use super::breaker::Breaker;
use super::headroom::{Headroom, LONGEST_COOLING};
use super::mean::{Mean, Sketch};
use super::outcome::{Answer, Outcome};
use super::ration::Ration;
use super::reading::{band, crowd};

mod view;

/// What is remembered of one site. A few hundred bytes; whoever owns it guards it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// When anything was last heard.
    at: u64,
    waits: [Mean; 3],
    pace: Mean,
    /// The same over hours: what the above are measured by, and fall back to.
    usual_waits: [Mean; 3],
    usual_wait: Mean,
    usual_pace: Mean,
    /// Whole times over those that were predicted, and the squares.
    whole: Mean,
    square: Mean,
    /// The same of the last seconds.
    late: Mean,
    good: f32,
    bad: f32,
    pub(super) breaker: Breaker,
    hits: Mean,
    /// Seconds that answers take, and their squares.
    usual: Mean,
    usual_square: Mean,
    /// Milliseconds that failures take.
    lost: Mean,
    /// Calls under way at which answers came in their usual time.
    room: f32,
    pub(super) limited_until: u64,
    limited_in_row: u32,
    #[serde(default)]
    pub(super) headroom: Headroom,
    #[serde(default)]
    ration: Ration,
    wait: Sketch,
    rate: Sketch,
    quantiles: [f32; 3],
}

/// What surrounds an attempt's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// When it began.
    pub began: Moment,
    /// Calls that were under way as it began, this one included.
    pub in_flight: u32,
    /// Tells sites apart.
    pub salt: u64,
}

/// Milliseconds after which half of the times is forgotten, of the failures, of the last seconds.
const TIMES: f64 = 300_000.0;
/// What a site does now is known a whole answer's worth worse after so many milliseconds.
const DULL: f64 = 960_000.0;
const LONG: f64 = 7_200_000.0;
const FAILURES: f64 = 3_600_000.0;
const LATE: f64 = 15_000.0;

/// What one late answer may claim at most: a surge is several, not one that hung.
const LATE_MOST: f64 = 3.0;

const RECENT: f64 = 10_000.0;

/// How many answers are remembered of, at most: enough to know a mean to some percent, few enough to follow a drift.
const MOST: f32 = 120.0;

/// The same over hours, and of whole times, whose spread must be known well.
pub(super) const MANY: f32 = 2_000.0;

/// Above so much slowing by a crowd nothing is learned but the room.
const CROWDED: f64 = 1.1;

/// Calls under way that any site takes.
const ROOM: f32 = 8.0;

/// How far one answer moves that.
const ROOM_STEP: f64 = 0.05;

/// How many answers the prior is worth.
const PRIOR: f64 = 1.0;

/// The least and the largest factor that one answer may claim.
pub(super) const ODD: (f64, f64) = (0.02, 50.0);

impl Cell {
    /// Takes the end of an attempt.
    pub fn observe(&mut self, now: Moment, prior: &Prior, outcome: &Outcome, around: Around) {
        self.fade(now);
        match outcome {
            Outcome::Answered(answer) => {
                self.good += 1.0;
                self.breaker.succeeded(now, around.began);
                self.limited_in_row = 0;
                self.learn(prior, answer, around.in_flight);
            }
            Outcome::Failed { after, .. } => {
                self.lost.add(float(*after), MOST);
                self.failed(now, around);
            }
            Outcome::Limited { again_in } => {
                let row = self.limited_in_row.min(5);
                self.limited_in_row = row.saturating_add(1);
                let wait = again_in.unwrap_or(1_000 << row).min(LONGEST_COOLING);
                self.limited_until = self.limited_until.max(now.after(wait).as_millis());
                self.ration.refused(now, around.began);
            }
            Outcome::Void => {}
        }
    }

    /// Notes that a call begins; says whether that changed what is known.
    pub fn began(&mut self, now: Moment) -> bool {
        self.headroom.takes(now);
        let taken = self.ration.took(now);
        self.breaker.began(now) || taken || self.headroom.wait(now) > 0
    }

    fn fade(&mut self, now: Moment) {
        let age = float(now.since(Moment::millis(self.at)));
        self.at = now.as_millis().max(self.at);
        let times = halved(age / TIMES);
        for mean in self.waits.iter_mut().chain([&mut self.pace]) {
            mean.weight = dulled(mean.weight, age);
        }
        self.hits.fade(times);
        let long = halved(age / LONG);
        for mean in [
            &mut self.usual_wait,
            &mut self.usual_pace,
            &mut self.whole,
            &mut self.square,
            &mut self.lost,
            &mut self.usual,
            &mut self.usual_square,
        ] {
            mean.fade(long);
        }
        for mean in &mut self.usual_waits {
            mean.fade(long);
        }
        self.room *= small(long);
        self.wait.fade(times);
        self.rate.fade(times);
        self.late.fade(halved(age / LATE));
        self.breaker.fade(halved(age / RECENT));
        let failures = small(halved(age / FAILURES));
        self.good *= failures;
        self.bad *= failures;
    }

    fn learn(&mut self, prior: &Prior, answer: &Answer, in_flight: u32) {
        let spread = self.spread(1.0);
        let (waits, pace) = self.factors(0, spread);
        let at = band(answer.fresh);
        let typical = prior.waits(answer.fresh);
        let predicted = typical * waits[at] + float(answer.output) * prior.write * pace;
        // What a crowd explains says nothing of the site itself, and in a dense one nothing else can be told.
        let crowd = crowd(in_flight, self.room.max(ROOM));
        let ratio = (float(answer.whole) / predicted.max(1.0) / crowd).clamp(ODD.0, ODD.1);
        self.roomy(float(answer.whole) / predicted.max(1.0), in_flight);
        let part = self.alone(in_flight, crowd);
        if part <= 0.0 {
            return;
        }
        let seconds = float(answer.whole) / 1e3;
        self.usual.add(seconds, MANY);
        self.usual_square.add(seconds * seconds, MANY);
        self.whole.add(ratio, MANY);
        self.square.add(ratio * ratio, MANY);
        self.late.add(ratio.min(LATE_MOST), 4.0);
        let streamed = answer.whole.saturating_sub(answer.wait);
        let seen = answer.output.saturating_sub(answer.hidden);
        if streamed > 0 && seen >= ENOUGH {
            let each = float(streamed) / float(seen);
            self.rate.add(1_000.0 / each);
            let begun = float(answer.wait) - float(answer.hidden) * each;
            let wait = begun.max(float(answer.wait) * 0.05) / crowd;
            self.paces(each / prior.write / crowd, part);
            self.waited(at, wait / typical, part);
        } else {
            // Nothing tells the wait from the writing: both move by the same factor.
            self.waited(at, ratio * waits[at], part);
            if answer.output >= ENOUGH {
                self.paces(ratio * pace, part);
            }
        }
        self.wait.add(float(answer.wait));
        if let Some((expected, read)) = answer.cached.filter(|(expected, _)| *expected > 0) {
            self.hits
                .add((float(read) / float(expected)).min(1.0), MOST);
        }
        let quantile = |sketch: &Sketch, share| small(sketch.quantile(share).unwrap_or(0.0));
        self.quantiles = [
            quantile(&self.wait, 0.5),
            quantile(&self.wait, 0.95),
            quantile(&self.rate, 0.5),
        ];
    }

    fn waited(&mut self, at: usize, factor: f64, part: f32) {
        let factor = factor.clamp(ODD.0, ODD.1);
        self.waits[at].add_part(factor, MOST, part);
        self.usual_waits[at].add_part(factor, MANY, part);
        self.usual_wait.add_part(factor, MANY, part);
    }

    fn paces(&mut self, factor: f64, part: f32) {
        let factor = factor.clamp(ODD.0, ODD.1);
        self.pace.add_part(factor, MOST, part);
        self.usual_pace.add_part(factor, MANY, part);
    }

    /// How much an answer tells of the site itself: all where it has room, a little where calls come near to what it
    /// is known to take, nothing in a crowd.
    fn alone(&self, in_flight: u32, crowd: f64) -> f32 {
        if crowd > CROWDED {
            0.0
        } else if small(f64::from(in_flight)) <= (0.7 * self.room).max(ROOM) {
            1.0
        } else {
            0.3
        }
    }

    /// Learns how many calls at once it takes. Beyond that, it is held to be slower by as much as there are more calls:
    /// where an answer was later than so, it takes fewer, where earlier, more.
    fn roomy(&mut self, ratio: f64, in_flight: u32) {
        let (busy, room) = (f64::from(in_flight), f64::from(self.room.max(ROOM)));
        if busy > 0.8 * room {
            let off = ratio - (busy / room).max(1.0);
            self.room = small(room * (1.0 - ROOM_STEP * off.clamp(-1.0, 1.0)));
        }
    }

    fn failed(&mut self, now: Moment, around: Around) {
        // A row of failures is one event, not many: what it says beyond that is the breaker's, and ends with it.
        if self.breaker.by_nature() {
            self.bad += 1.0;
        }
        // As many as fail by nature of the calls under way.
        let chance = f64::from(self.bad + 1.0) / f64::from(self.good + self.bad + 50.0);
        let usual = 1.5 * chance * f64::from(around.in_flight);
        let usual = u32::try_from(below(usual)).unwrap_or(u32::MAX);
        self.breaker.failed(now, (around.began, usual), around.salt);
    }
}

/// Tokens that make a rate worth measuring.
const ENOUGH: u64 = 8;

/// How many answers it is still worth, what so many were so long ago: what a site does now is the less like it.
fn dulled(weight: f32, age: f64) -> f32 {
    weight / (1.0 + weight * small(age / DULL))
}

#[cfg(test)]
#[path = "cell_tests.rs"]
mod tests;
