//! The statistics of one site, and those of one of its effort levels.

use serde::{Deserialize, Serialize};

use crate::route::board::Prior;
use crate::route::moment::Moment;
use crate::route::number::{float, halved, small};

use super::breaker::{Breaker, Gate};
use super::mean::{Mean, Sketch};
use super::outcome::{Answer, Left, Outcome};
use super::reading::{HITS, Reading, UNKNOWN_SPREAD, UNSEEN_MASS, UNSEEN_RISK, band, crowd};

/// What is remembered of one site. A few hundred bytes; whoever owns it guards it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// When anything was last heard.
    at: u64,
    waits: [Mean; 3],
    pace: Mean,
    /// The same over hours: what the above lean on, and fall back to.
    long_wait: Mean,
    long_pace: Mean,
    /// Whole times over those that were predicted, and the squares.
    whole: Mean,
    square: Mean,
    /// The same of the last seconds.
    late: Mean,
    good: f32,
    bad: f32,
    breaker: Breaker,
    hits: Mean,
    /// Seconds that answers take, and their squares.
    usual: Mean,
    usual_square: Mean,
    /// Milliseconds that failures take.
    lost: Mean,
    /// Calls under way at which answers came in their usual time.
    room: f32,
    limited_until: u64,
    limited_in_row: u32,
    wait: Sketch,
    rate: Sketch,
    quantiles: [f32; 3],
}

/// What is remembered of one effort level: how long its answers are, over what was typical.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Talk {
    at: u64,
    words: Mean,
}

/// What surrounds an attempt's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around {
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
const LENGTHS: f64 = 3_600_000.0;

/// How many answers are remembered of, at most: enough to know a mean to some percent, few enough to follow a drift.
const MOST: f32 = 60.0;

/// The same over hours, and of whole times, whose spread must be known well.
const MANY: f32 = 2_000.0;

/// How many answers of late what was learned over hours is worth, and how many more where times spread wide, as then a
/// few answers say little.
const LEAN: f64 = 2.0;
const SPREAD_LEAN: f64 = 100.0;
const WIDE: f64 = 0.6;

/// Above so much slowing by a crowd nothing is learned but the room.
const CROWDED: f64 = 1.1;

/// Milliseconds that a failure takes until it was measured.
const LOST: f64 = 2_000.0;

/// Seconds that answers take until it was measured, and their squares.
const USUAL: (f64, f64) = (8.0, 160.0);

/// Calls under way that any site takes.
const ROOM: f32 = 8.0;

/// How many answers the prior is worth.
const PRIOR: f64 = 2.0;

/// The least and the largest factor that one answer may claim.
const ODD: (f64, f64) = (0.02, 50.0);

impl Cell {
    /// Takes the end of an attempt.
    pub fn observe(&mut self, now: Moment, prior: &Prior, outcome: &Outcome, around: Around) {
        self.fade(now);
        match outcome {
            Outcome::Answered(answer) => {
                self.good += 1.0;
                self.breaker.succeeded();
                self.limited_in_row = 0;
                self.learn(prior, answer, around.in_flight);
                self.left(now, answer.left);
            }
            Outcome::Failed { after, .. } => {
                self.lost.add(float(*after), MOST);
                self.failed(now, around.salt);
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

    /// Notes that a call begins.
    pub fn began(&mut self, now: Moment) {
        self.breaker.began(now);
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
        let streak = f64::from(self.breaker.streak);
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
            cooling: Moment::millis(self.limited_until).since(now),
            idle: if self.at == 0 { u64::MAX } else { age },
            wait_p50: self.quantiles[0],
            wait_p95: self.quantiles[1],
            rate_p50: self.quantiles[2],
        }
    }

    /// Factors on the wait by band and on the pace: a band leans on all bands, these on what was learned over hours,
    /// and that on the prior.
    fn factors(&self, age: u64, spread: f64) -> ([f64; 3], f64) {
        let (times, long) = (halved(float(age) / TIMES), halved(float(age) / LONG));
        let wide = (spread - WIDE).max(0.0);
        let lean = SPREAD_LEAN * wide * wide + LEAN;
        let guess = self.long_wait.drawn(long, 1.0, PRIOR);
        let (mut weight, mut sum) = (lean, lean * guess);
        for band in self.waits {
            let share = f64::from(band.weight) * times;
            weight += share;
            sum += share * f64::from(band.mean);
        }
        let all = sum / weight;
        let waits = self.waits.map(|band| band.drawn(times, all, lean));
        let guess = self.long_pace.drawn(long, 1.0, PRIOR);
        (waits, self.pace.drawn(times, guess, lean))
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
            &mut self.long_wait,
            &mut self.long_pace,
            &mut self.whole,
            &mut self.square,
            &mut self.lost,
            &mut self.usual,
            &mut self.usual_square,
        ] {
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
        self.roomy(
            float(answer.whole) / predicted.max(1.0) / (0.5 * spread + 1.0),
            in_flight,
        );
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
        self.long_wait.add_part(factor, MANY, part);
    }

    fn paces(&mut self, factor: f64, part: f32) {
        let factor = factor.clamp(ODD.0, ODD.1);
        self.pace.add_part(factor, MOST, part);
        self.long_pace.add_part(factor, MANY, part);
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

    /// Learns how many calls at once it takes: as many as it had, over how much slower than chance explains it was.
    fn roomy(&mut self, ratio: f64, in_flight: u32) {
        let (busy, room) = (f64::from(in_flight), f64::from(self.room.max(ROOM)));
        if busy > 0.8 * room {
            let target = busy / ratio.max(1.0);
            self.room = small(0.1 * (target - room) + room);
        }
    }

    fn failed(&mut self, now: Moment, salt: u64) {
        // A row of failures is one event, not many: what it says beyond that is the breaker's, and ends with it.
        if self.breaker.streak < 2 {
            self.bad += 1.0;
        }
        self.breaker.failed(now, salt);
    }

    /// Where no calls are left, it is left alone until there are.
    fn left(&mut self, now: Moment, left: Option<Left>) {
        if let Some(left) = left.filter(|left| left.calls == 0) {
            let until = now.after(left.reset_in.min(LONGEST_COOLING));
            self.limited_until = self.limited_until.max(until.as_millis());
        }
    }
}

/// How long a provider may make us stay away, in milliseconds.
const LONGEST_COOLING: u64 = 3_600_000;

/// Tokens that make a rate worth measuring.
const ENOUGH: u64 = 8;

impl Talk {
    /// Takes an answer's length.
    pub fn observe(&mut self, now: Moment, answer: &Answer) {
        let age = float(now.since(Moment::millis(self.at)));
        self.at = now.as_millis().max(self.at);
        self.words.fade(halved(age / LENGTHS));
        if answer.typical > 0 {
            let ratio = float(answer.output) / float(answer.typical);
            self.words.add(ratio.clamp(ODD.0, ODD.1), MANY);
        }
    }

    /// The factor on output tokens.
    #[must_use]
    pub fn words(&self, now: Moment) -> f32 {
        let age = float(now.since(Moment::millis(self.at)));
        small(self.words.drawn(halved(age / LENGTHS), 1.0, 4.0))
    }
}

#[cfg(test)]
#[path = "cell_tests.rs"]
mod tests;
