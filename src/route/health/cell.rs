//! The statistics of one site.

use serde::{Deserialize, Serialize};

use crate::route::board::Prior;
use crate::route::moment::Moment;
use crate::route::number::{below, float, halved, small};

use super::breaker::{Breaker, Gate};
use super::headroom::{Headroom, LONGEST_COOLING};
use super::mean::{Mean, Sketch};
use super::outcome::{Answer, Outcome};
use super::reading::{HITS, Reading, UNKNOWN_SPREAD, UNSEEN_MASS, UNSEEN_RISK, band, crowd};

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

/// How many answers of late what was usual is worth, and how many more where times spread wide, as then a few answers
/// say little.
const LEAN: f64 = 2.0;
const SPREAD_LEAN: f64 = 100.0;
const WIDE: f64 = 0.6;

/// So many variances off, the last answers are taken for chance.
const CHANCE: f64 = 1.5;

/// How many answers are few.
const FEW: f64 = 20.0;

/// Above so much slowing by a crowd nothing is learned but the room.
const CROWDED: f64 = 1.1;

/// Milliseconds that a failure takes until it was measured.
const LOST: f64 = 2_000.0;

/// Seconds that answers take until it was measured, and their squares.
const USUAL: (f64, f64) = (8.0, 160.0);

/// Calls under way that any site takes.
const ROOM: f32 = 8.0;

/// How far one answer moves that.
const ROOM_STEP: f64 = 0.05;

/// How many answers the prior is worth.
const PRIOR: f64 = 2.0;

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
            }
            Outcome::Void => {}
        }
    }

    /// Notes that a call begins; says whether that changed what is known.
    pub fn began(&mut self, now: Moment) -> bool {
        self.headroom.takes(now);
        self.breaker.began(now) || self.headroom.wait(now) > 0
    }

    /// What is known now, but for what belongs to the effort level and to calls under way.
    #[must_use]
    pub fn reading(&self, now: Moment) -> Reading {
        let age = now.since(Moment::millis(self.at));
        let times = halved(float(age) / TIMES);
        let spread = self.spread(halved(float(age) / LONG));
        let (waits, pace) = self.factors(age, spread);
        let gate = self.breaker.gate(now);
        let since = now.since(Moment::millis(self.breaker.failed));
        let streak = f64::from(self.breaker.streak());
        let down = streak * streak / (streak * streak + 12.0) * halved(float(since) / RECENT);
        let failures = small(halved(float(age) / FAILURES));
        // Whether it is back is asked of what it usually is, not of its outage.
        let trial = gate == Gate::Trial;
        Reading {
            waits: waits.map(small),
            pace: small(pace),
            words: 1.0,
            surge: if trial {
                1.0
            } else {
                small(self.surge(age, spread))
            },
            spread: small(spread),
            seen: self
                .pace
                .weight
                .max(self.waits.iter().map(|band| band.weight).sum())
                * small(times),
            calls: (self.good + self.bad) * failures,
            failed: self.bad * failures,
            down: if trial { 0.0 } else { small(down) },
            ages: small(self.ages()),
            overdue: 1.0,
            lost: small(self.lost.drawn(1.0, LOST, PRIOR)),
            hits: small(self.hits.drawn(times, f64::from(HITS), PRIOR)),
            in_flight: 0,
            room: self.room.max(ROOM),
            fleet_risk: UNSEEN_RISK,
            fleet_mass: UNSEEN_MASS,
            gate,
            cooling: self.cooling(now),
            tokens: self.headroom.tokens(),
            idle: if self.at == 0 { u64::MAX } else { age },
            wait_p50: self.quantiles[0],
            wait_p95: self.quantiles[1],
            rate_p50: self.quantiles[2],
        }
    }

    /// Factors on the wait by band and on the pace: what was usual over hours, moved as far as the last answers are off
    /// it and chance does not explain. The bands' waits move together.
    fn factors(&self, age: u64, spread: f64) -> ([f64; 3], f64) {
        let (times, long) = (halved(float(age) / TIMES), halved(float(age) / LONG));
        let all = self.usual_wait.drawn(long, 1.0, PRIOR);
        let usual = self.usual_waits.map(|band| band.drawn(long, all, PRIOR));
        let (mut weight, mut sum) = (0.0, 0.0);
        for (band, usual) in self.waits.iter().zip(usual) {
            let share = f64::from(band.weight) * times;
            weight += share;
            sum += share * f64::from(band.mean) / usual;
        }
        let moved = moved(sum, weight, spread);
        let pace = self.usual_pace.drawn(long, 1.0, PRIOR);
        let weight = f64::from(self.pace.weight) * times;
        let off = weight * f64::from(self.pace.mean) / pace;
        (
            usual.map(|band| band * moved),
            pace * self::moved(off, weight, spread),
        )
    }

    /// The spread of whole times, as a share of their mean.
    fn spread(&self, remains: f64) -> f64 {
        let guess = f64::from(UNKNOWN_SPREAD);
        let mean = self.whole.drawn(remains, 1.0, PRIOR);
        let square = self.square.drawn(remains, guess * guess + 1.0, PRIOR);
        (square / (mean * mean) - 1.0).clamp(0.01, 9.0).sqrt()
    }

    /// How old calls under way are in the mean, in milliseconds: long ones are under way for longer.
    fn ages(&self) -> f64 {
        let square = self.usual_square.drawn(1.0, USUAL.1, PRIOR);
        square / self.usual.drawn(1.0, USUAL.0, PRIOR) * 500.0
    }

    /// How much slower the last answers were than the mean says, as far as chance does not explain it.
    fn surge(&self, age: u64, spread: f64) -> f64 {
        let weight = f64::from(self.late.weight) * halved(float(age) / LATE);
        // One that hung among the last four is no surge, however wide times spread.
        let chance = 2.0 * spread.min(WIDE) / weight.max(1.0).sqrt();
        let excess = f64::from(self.late.mean) - 1.0 - chance;
        1.0 + excess.clamp(0.0, 9.0) * weight / (weight + 1.0)
    }

    fn fade(&mut self, now: Moment) {
        let age = float(now.since(Moment::millis(self.at)));
        self.at = now.as_millis().max(self.at);
        let times = halved(age / TIMES);
        for mean in self
            .waits
            .iter_mut()
            .chain([&mut self.pace, &mut self.hits])
        {
            mean.fade(times);
        }
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

/// How far the last answers moved from what was usual, as a factor: `off` is their sum, measured by it.
fn moved(off: f64, weight: f64, spread: f64) -> f64 {
    if weight <= 0.0 {
        return 1.0;
    }
    let wide = (spread - WIDE).max(0.0);
    let lean = SPREAD_LEAN * wide * wide + LEAN;
    let by = off / weight - 1.0;
    let variances = by * by * weight / (spread * spread);
    // A few answers say too little to be told from chance so; they only count for little.
    let chance = CHANCE / variances.max(CHANCE) * weight / (weight + FEW);
    by * (1.0 - chance) * weight / (weight + lean) + 1.0
}

/// Tokens that make a rate worth measuring.
const ENOUGH: u64 = 8;

#[cfg(test)]
#[path = "cell_tests.rs"]
mod tests;
