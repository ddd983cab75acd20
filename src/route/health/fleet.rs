//! What all endpoints together say of one: how often calls fail at all, and how much endpoints differ in that.
//!
//! Where they hardly differ, the one that was lucky is no better than the rest, and what was never called is as good as
//! they; where they differ much, a few calls of one's own say more (a beta prior by the method of moments).

use crate::route::number::small;

use super::reading::{Reading, UNSEEN_MASS, UNSEEN_RISK};

/// Sums over sites.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fleet {
    weight: f64,
    mean: f64,
    square: f64,
    /// Weight over calls: what chance alone adds to the spread.
    chance: f64,
    /// How many sites were called.
    called: f64,
}

/// Calls at which a site counts half of what it would with many.
const HALF: f64 = 1_000.0;

/// How many sites what is assumed unseen counts as: for the chance, and for how much sites differ.
const UNSEEN: f64 = 0.02;
const UNSEEN_SPREAD: f64 = 0.05;

/// So many of its own spreads beyond its mean, what chance adds is hardly chance any more.
const HARDLY: f64 = 3.0;

/// The least and the most calls that the prior is worth.
const MASS: (f64, f64) = (10.0, 2_000.0);

/// What one site adds to the sums.
#[derive(Clone, Copy, Debug, Default)]
pub struct Share {
    weight: f64,
    mean: f64,
    square: f64,
    chance: f64,
}

impl Share {
    /// A site's failures.
    #[must_use]
    pub fn of(reading: &Reading) -> Self {
        let calls = f64::from(reading.calls);
        if calls < 1.0 {
            return Self::default();
        }
        let weight = calls / (calls + HALF);
        let chance = f64::from(reading.failed) / calls;
        Self {
            weight,
            mean: weight * chance,
            square: weight * chance * chance,
            chance: weight / calls,
        }
    }
}

impl<'a> FromIterator<&'a Share> for Fleet {
    fn from_iter<I: IntoIterator<Item = &'a Share>>(shares: I) -> Self {
        shares.into_iter().fold(Self::default(), |sum, share| Self {
            weight: sum.weight + share.weight,
            mean: sum.mean + share.mean,
            square: sum.square + share.square,
            chance: sum.chance + share.chance,
            called: sum.called + f64::from(u8::from(share.weight > 0.0)),
        })
    }
}

impl Fleet {
    /// The chance of failure to start from, and how many calls it is worth. What is assumed unseen counts a little.
    #[must_use]
    pub fn prior(&self) -> (f32, f32) {
        let (unseen, worth) = (f64::from(UNSEEN_RISK), f64::from(UNSEEN_MASS));
        let all = self.weight + UNSEEN;
        let risk = (UNSEEN * unseen + self.mean) / all;
        let single = risk * (1.0 - risk);
        let own = self.mean / self.weight.max(1e-9);
        // Chance adds so much in the mean, and of few sites easily several times as much (as chi-squared does): sites
        // differ only where it is hardly chance.
        let surely = 1.0 + HARDLY * (2.0 / self.called.max(1.0)).sqrt();
        let chance = surely * single * self.chance;
        let spread = (self.square - self.weight * own * own - chance).max(0.0);
        // As the prior is only as good as what it is made of, the assumed spread stays in, if less and less.
        let spread = (UNSEEN_SPREAD * single / worth + spread) / (self.weight + UNSEEN_SPREAD);
        let mass = (single / spread.max(1e-12)).clamp(MASS.0, MASS.1);
        (small(risk), small(mass))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prior(sites: &[(f32, f32)]) -> (f32, f32) {
        let share = |(calls, failed): &(f32, f32)| {
            Share::of(&Reading {
                calls: *calls,
                failed: *failed,
                ..Reading::default()
            })
        };
        let shares: Vec<Share> = sites.iter().map(share).collect();
        shares.iter().collect::<Fleet>().prior()
    }

    #[test]
    fn equals_are_believed_together_and_others_apart() {
        let (risk, mass) = prior(&[]);
        assert!(
            (risk - 0.02).abs() < 1e-6 && (mass - 50.0).abs() < 0.1,
            "{risk} {mass}"
        );
        let (risk, mass) = prior(&[(500.0, 5.0), (500.0, 4.0), (500.0, 6.0), (500.0, 5.0)]);
        assert!(
            (0.008..0.016).contains(&risk) && mass > 200.0,
            "{risk} {mass}"
        );
        let mixed: Vec<(f32, f32)> = (0..20)
            .map(|at| (200.0, if at % 2 == 0 { 1.0 } else { 40.0 }))
            .collect();
        let (risk, mass) = prior(&mixed);
        assert!((0.08..0.12).contains(&risk) && mass < 20.0, "{risk} {mass}");
    }
}
