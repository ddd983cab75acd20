//! What a site's statistics say of it now.

use crate::route::moment::Moment;
use crate::route::number::{float, halved, small};

use super::super::breaker::{FIRST, Gate};
use super::super::reading::{HITS, Reading, UNKNOWN_SPREAD, UNSEEN_MASS, UNSEEN_RISK};
use super::{Cell, FAILURES, LATE, LONG, PRIOR, RECENT, ROOM, TIMES, dulled};

/// How many answers of late what was usual is worth, and how many more where times spread wide, as then a few answers
/// say little.
const LEAN: f64 = 2.0;
const SPREAD_LEAN: f64 = 100.0;
const WIDE: f64 = 0.6;

/// So many variances off, the last answers are taken for chance.
const CHANCE: f64 = 1.5;

/// How many answers are few.
const FEW: f64 = 20.0;

/// As likely as that to be down, it is not asked like any other.
const DOWN: f64 = 0.05;

/// Milliseconds that a failure takes until it was measured.
const LOST: f64 = 2_000.0;

/// Seconds that answers take until it was measured, and their squares.
const USUAL: (f64, f64) = (8.0, 160.0);

impl Cell {
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
        // What only failed in a row is tried again once it had time, as is what was called down: waiting until the row is
        // forgotten takes minutes where failures count most.
        let suspect = gate == Gate::Closed && down > DOWN && since >= FIRST;
        let gate = if suspect { Gate::Trial } else { gate };
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
            seen: dulled(
                self.pace
                    .weight
                    .max(self.waits.iter().map(|band| band.weight).sum()),
                float(age),
            ),
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
            suspect,
            cooling: self.cooling(now).max(self.ration.wait(now)),
            tokens: self.headroom.tokens(),
            idle: if self.at == 0 { u64::MAX } else { age },
            wait_p50: self.quantiles[0],
            wait_p95: self.quantiles[1],
            rate_p50: self.quantiles[2],
        }
    }

    /// Factors on the wait by band and on the pace: what was usual over hours, moved as far as the last answers are off
    /// it and chance does not explain. The bands' waits move together.
    pub(super) fn factors(&self, age: u64, spread: f64) -> ([f64; 3], f64) {
        let long = halved(float(age) / LONG);
        let all = self.usual_wait.drawn(long, 1.0, PRIOR);
        let usual = self.usual_waits.map(|band| band.drawn(long, all, PRIOR));
        let (mut weight, mut sum) = (0.0, 0.0);
        for (band, usual) in self.waits.iter().zip(usual) {
            let share = f64::from(dulled(band.weight, float(age)));
            weight += share;
            sum += share * f64::from(band.mean) / usual;
        }
        let moved = moved(sum, weight, spread);
        let pace = self.usual_pace.drawn(long, 1.0, PRIOR);
        let weight = f64::from(dulled(self.pace.weight, float(age)));
        let off = weight * f64::from(self.pace.mean) / pace;
        (
            usual.map(|band| band * moved),
            pace * self::moved(off, weight, spread),
        )
    }

    /// The spread of whole times, as a share of their mean.
    pub(super) fn spread(&self, remains: f64) -> f64 {
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
