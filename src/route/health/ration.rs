//! How many calls a site's limit lets through, learned from its refusals: what came through between two of them, when
//! nothing was left, is what it fills up by in that time.
//!
//! Whoever waits for the next 429 to learn that nothing is left pays for it with each; and all who come when a refusal's
//! time is over come at once.

use serde::{Deserialize, Serialize};

use crate::route::moment::Moment;
use crate::route::number::{count, float, halved, small};

/// What is known of a site's limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ration {
    /// When it refused last; 0 where it never did.
    refused: u64,
    /// Calls that came through since.
    since: u32,
    /// Calls that came through between refusals, and the milliseconds between, as far as they are not forgotten.
    calls: f32,
    millis: f32,
    /// Whether it may have been full since: then it did not fill up all the time.
    brimmed: bool,
    /// Calls that were left at a moment.
    left: f32,
    at: u64,
}

/// Milliseconds between refusals after which half of what was learned before is forgotten.
const KEPT: f64 = 60_000.0;

/// Milliseconds between refusals that say something.
const ENOUGH: f32 = 500.0;

/// After so many milliseconds without a refusal it is held to let twice as many through, and after so many any number.
const DOUBLES: f64 = 30_000.0;
const FORGOTTEN: u64 = 180_000;

/// As many calls are left at most as come in so many milliseconds.
const BURST: f64 = 10_000.0;

/// The longest wait that is guessed from it, in milliseconds.
const LONGEST: f64 = 5_000.0;

impl Ration {
    /// A call begins; says whether that changes what may be said of the next.
    pub fn took(&mut self, now: Moment) -> bool {
        if self.refused == 0 {
            return false;
        }
        self.since = self.since.saturating_add(1);
        let Some(rate) = self.rate(now) else {
            return false;
        };
        let filled = self.filled(now, rate);
        self.brimmed |= filled >= most(rate);
        self.left = small(filled - 1.0);
        self.at = now.as_millis();
        true
    }

    /// A call that had begun at a moment was refused.
    pub fn refused(&mut self, now: Moment, began: Moment) {
        self.since = self.since.saturating_sub(1);
        let last = Moment::millis(self.refused);
        if self.refused > 0 && began < last {
            // One of the same crowd.
            return;
        }
        if self.refused > 0 && !self.brimmed {
            let between = now.since(last);
            let remains = small(halved(float(between) / KEPT));
            self.calls = self.calls * remains + small(f64::from(self.since));
            self.millis = self.millis * remains + small(float(between));
        }
        (self.refused, self.at) = (now.as_millis(), now.as_millis());
        (self.since, self.left, self.brimmed) = (0, 0.0, false);
    }

    /// Milliseconds until a call is left, as far as that is known; 0 where one is.
    #[must_use]
    pub fn wait(&self, now: Moment) -> u64 {
        let Some(rate) = self.rate(now) else {
            return 0;
        };
        let missing = 1.0 - self.filled(now, rate);
        count((missing / rate).clamp(0.0, LONGEST))
    }

    /// Calls that come in a millisecond; the longer it refuses nothing, the more.
    fn rate(&self, now: Moment) -> Option<f64> {
        let quiet = now.since(Moment::millis(self.refused));
        if self.millis < ENOUGH || quiet > FORGOTTEN {
            return None;
        }
        let known = f64::from(self.calls.max(0.5) / self.millis);
        Some(known / halved(float(quiet) / DOUBLES))
    }

    fn filled(&self, now: Moment, rate: f64) -> f64 {
        let came = float(now.since(Moment::millis(self.at))) * rate;
        (f64::from(self.left) + came).min(most(rate))
    }
}

/// As many calls as can be left.
fn most(rate: f64) -> f64 {
    (rate * BURST).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bucket of five calls that fills by one each 500 ms, asked each 20 ms, but not for 300 ms after a refusal and, if
    /// paced, not before the ration says so: how many it lets through and how many it refuses in a minute.
    fn minute(ration: &mut Ration, paced: bool) -> (u32, u32) {
        let (mut bucket, mut through, mut refused, mut until) = (5.0_f64, 0, 0, Moment::default());
        for step in 0..3_000_u64 {
            let now = Moment::millis(1_790_000_000_000 + step * 20);
            bucket = (bucket + 0.04).min(5.0);
            if now < until || paced && ration.wait(now) > 0 {
                continue;
            }
            ration.took(now);
            if bucket >= 1.0 {
                bucket -= 1.0;
                through += 1;
            } else {
                refused += 1;
                ration.refused(now, now);
                until = now.after(300);
            }
        }
        (through, refused)
    }

    #[test]
    fn nearly_all_that_is_allowed_is_used_with_few_refusals() {
        let (most, blind) = minute(&mut Ration::default(), false);
        let (through, refused) = minute(&mut Ration::default(), true);
        assert!(through * 10 >= most * 9, "{through} {most}");
        assert!(
            refused * 5 < through && refused * 3 < blind,
            "{refused} of {through}, blindly {blind}"
        );
    }

    #[test]
    fn what_never_refuses_has_no_limit_and_an_old_one_is_forgotten() {
        let mut ration = Ration::default();
        let at = |millis: u64| Moment::millis(1_790_000_000_000 + millis);
        assert!(!ration.took(at(0)) && ration.wait(at(0)) == 0);
        ration.refused(at(1), at(0));
        assert_eq!(ration.wait(at(1)), 0, "one refusal says no rate");
        assert!(!ration.took(at(2)) && !ration.took(at(3)));
        ration.refused(at(2_000), at(1_990));
        assert!(ration.wait(at(2_000)) > 500);
        assert_eq!(ration.wait(at(2_000 + FORGOTTEN + 1)), 0);
    }
}
