//! The statistics of one site, and those of one of its effort levels.

use serde::{Deserialize, Serialize};

use crate::route::board::Prior;
use crate::route::moment::Moment;
use crate::route::number::{float, halved, small};

use super::breaker::Breaker;
use super::mean::{Mean, Sketch};
use super::outcome::{Answer, Failing, Left, Outcome};
use super::reading::{HITS, Reading, UNKNOWN_SPREAD, band};

/// What is remembered of one site. A few hundred bytes; whoever owns it guards it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// When anything was last heard.
    at: u64,
    waits: [Mean; 3],
    pace: Mean,
    /// Whole times over those that were predicted, and the squares.
    whole: Mean,
    square: Mean,
    /// The same of the last seconds.
    late: Mean,
    good: f32,
    bad: f32,
    breaker: Breaker,
    hits: Mean,
    usual: Mean,
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

/// Milliseconds after which half of the times is forgotten, of the failures, of the last seconds.
const TIMES: f64 = 300_000.0;
const FAILURES: f64 = 900_000.0;
const LATE: f64 = 15_000.0;
const RECENT: f64 = 10_000.0;
const LENGTHS: f64 = 3_600_000.0;

/// How many answers are remembered of, at most: enough to know a mean to some percent, few enough to follow a drift.
const MOST: f32 = 60.0;

/// How many answers the prior is worth.
const PRIOR: f64 = 2.0;

/// The least and the largest factor that one answer may claim.
const ODD: (f64, f64) = (0.02, 50.0);

impl Cell {
    /// Takes the end of an attempt. `salt` tells sites apart.
    pub fn observe(&mut self, now: Moment, prior: &Prior, outcome: &Outcome, salt: u64) {
        self.fade(now);
        match outcome {
            Outcome::Answered(answer) => {
                self.good += 1.0;
                self.breaker.succeeded();
                self.limited_in_row = 0;
                self.learn(prior, answer);
                self.left(now, answer.left);
            }
            Outcome::Failed(failing) => self.failed(now, prior, *failing, salt),
            Outcome::Limited { again_in } => {
                let row = self.limited_in_row.min(5);
                self.limited_in_row = row.saturating_add(1);
                let wait = again_in.unwrap_or(1_000 << row).min(LONGEST_COOLING);
                self.limited_until = self.limited_until.max(now.after(wait).as_millis());
            }
            Outcome::Void => {}
        }
    }

    /// Notes how many calls were under way as one began.
    pub fn began(&mut self, in_flight: u32) {
        self.usual.add(f64::from(in_flight), MOST);
    }

    /// What is known now, but for what belongs to the effort level and to calls under way.
    #[must_use]
    pub fn reading(&self, now: Moment) -> Reading {
        let age = now.since(Moment::millis(self.at));
        let times = halved(float(age) / TIMES);
        let (waits, pace) = self.factors(times);
        let since = now.since(Moment::millis(self.breaker.failed));
        let streak = f64::from(self.breaker.streak);
        let down = streak * streak / streak.mul_add(streak, 6.0) * halved(float(since) / RECENT);
        let failures = small(halved(float(age) / FAILURES));
        let spread = self.spread(times);
        Reading {
            waits: waits.map(small),
            pace: small(pace),
            words: 1.0,
            surge: small(self.surge(age, spread)),
            spread: small(spread),
            seen: self.whole.weight * small(times),
            calls: (self.good + self.bad) * failures,
            failed: self.bad * failures,
            down: small(down),
            hits: small(self.hits.drawn(times, f64::from(HITS), PRIOR)),
            in_flight: 0,
            usual: self.usual.mean,
            gate: self.breaker.gate(now),
            cooling: Moment::millis(self.limited_until).since(now),
            idle: if self.at == 0 { u64::MAX } else { age },
            wait_p50: self.quantiles[0],
            wait_p95: self.quantiles[1],
            rate_p50: self.quantiles[2],
        }
    }

    /// Factors on the wait by band and on the pace. A band leans on all bands, and these on the prior.
    fn factors(&self, remains: f64) -> ([f64; 3], f64) {
        let (mut weight, mut sum) = (PRIOR, PRIOR);
        for band in self.waits {
            let share = f64::from(band.weight) * remains;
            weight += share;
            sum += share * f64::from(band.mean);
        }
        let all = sum / weight;
        let waits = self.waits.map(|band| band.drawn(remains, all, PRIOR));
        (waits, self.pace.drawn(remains, 1.0, PRIOR))
    }

    /// The spread of whole times, as a share of their mean.
    fn spread(&self, remains: f64) -> f64 {
        let guess = f64::from(UNKNOWN_SPREAD);
        let mean = self.whole.drawn(remains, 1.0, PRIOR);
        let square = self.square.drawn(remains, guess.mul_add(guess, 1.0), PRIOR);
        (square / (mean * mean) - 1.0).clamp(0.01, 9.0).sqrt()
    }

    /// How much slower the last answers were than the mean says, as far as chance does not explain it.
    fn surge(&self, age: u64, spread: f64) -> f64 {
        let weight = f64::from(self.late.weight) * halved(float(age) / LATE);
        let excess = f64::from(self.late.mean) - 1.0 - 2.0 * spread / weight.max(1.0).sqrt();
        1.0 + excess.clamp(0.0, 9.0) * weight / (weight + 1.0)
    }

    fn fade(&mut self, now: Moment) {
        let age = float(now.since(Moment::millis(self.at)));
        self.at = now.as_millis().max(self.at);
        let times = halved(age / TIMES);
        let means = self.waits.iter_mut();
        for mean in means.chain([
            &mut self.pace,
            &mut self.whole,
            &mut self.square,
            &mut self.hits,
            &mut self.usual,
        ]) {
            mean.fade(times);
        }
        self.wait.fade(times);
        self.rate.fade(times);
        self.late.fade(halved(age / LATE));
        self.breaker.fade(halved(age / RECENT));
        let failures = small(halved(age / FAILURES));
        self.good *= failures;
        self.bad *= failures;
    }

    fn learn(&mut self, prior: &Prior, answer: &Answer) {
        let (waits, pace) = self.factors(1.0);
        let at = band(answer.fresh);
        let typical = prior.waits(answer.fresh);
        let predicted = typical.mul_add(waits[at], float(answer.output) * prior.write * pace);
        let ratio = (float(answer.whole) / predicted.max(1.0)).clamp(ODD.0, ODD.1);
        self.whole.add(ratio, MOST);
        self.square.add(ratio * ratio, MOST);
        self.late.add(ratio, 4.0);
        let streamed = answer.whole.saturating_sub(answer.wait);
        let seen = answer.output.saturating_sub(answer.hidden);
        if streamed > 0 && seen >= ENOUGH {
            let each = float(streamed) / float(seen);
            self.pace
                .add((each / prior.write).clamp(ODD.0, ODD.1), MOST);
            self.rate.add(1_000.0 / each);
            let begun = float(answer.wait) - float(answer.hidden) * each;
            let wait = begun.max(float(answer.wait) * 0.05);
            self.waits[at].add((wait / typical).clamp(ODD.0, ODD.1), MOST);
        } else {
            // Nothing tells the wait from the writing: both move by the same factor.
            self.waits[at].add((ratio * waits[at]).clamp(ODD.0, ODD.1), MOST);
            if answer.output >= ENOUGH {
                self.pace.add((ratio * pace).clamp(ODD.0, ODD.1), MOST);
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

    fn failed(&mut self, now: Moment, prior: &Prior, failing: Failing, salt: u64) {
        // A row of failures is one event, not many: what it says beyond that is the breaker's, and ends with it.
        if self.breaker.streak < 2 {
            self.bad += 1.0;
        }
        self.breaker.failed(now, salt);
        if let Failing::Silent(waited) = failing {
            let ratio = (float(waited) / prior.wait).clamp(ODD.0, ODD.1);
            self.late.add(ratio, 4.0);
        }
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
            self.words.add(ratio.clamp(ODD.0, ODD.1), MOST * 2.0);
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
