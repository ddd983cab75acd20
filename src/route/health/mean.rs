//! Averages that forget: by time, and by count where the world may change faster than that.

use serde::{Deserialize, Serialize};

use crate::route::number::small;

/// A decayed mean and how many samples it is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// Samples, as far as they are not forgotten.
    pub weight: f32,
    /// Their mean.
    pub mean: f32,
}

impl Mean {
    /// Takes a sample; no more than `most` samples are remembered.
    pub fn add(&mut self, sample: f64, most: f32) {
        self.add_part(sample, most, 1.0);
    }

    /// Takes a sample that counts for a part of one.
    pub fn add_part(&mut self, sample: f64, most: f32, part: f32) {
        let sample = small(sample);
        if !sample.is_finite() || part <= 0.0 {
            return;
        }
        self.weight = (self.weight + part).min(most);
        self.mean += (sample - self.mean) * (part / self.weight.max(part));
    }

    /// Forgets: `remains` of every sample is left.
    pub fn fade(&mut self, remains: f64) {
        self.weight *= small(remains);
    }

    /// The mean, drawn towards `guess` as if that were `mass` samples more.
    #[must_use]
    pub fn drawn(&self, remains: f64, guess: f64, mass: f64) -> f64 {
        let weight = f64::from(self.weight) * remains;
        (mass * guess + weight * f64::from(self.mean)) / (mass + weight)
    }
}

/// A decayed histogram in logarithmic classes, for quantiles: each class is a third wider than the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sketch {
    classes: [f32; CLASSES],
}

const CLASSES: usize = 32;

/// The lower end of the second class; the first holds all below.
const LEAST: f64 = 20.0;

/// How much wider each class is: 32 of them reach from 20 to some 150,000.
const WIDER: f64 = 4.0 / 3.0;

impl Sketch {
    /// Takes a sample.
    pub fn add(&mut self, sample: f64) {
        let class = (sample / LEAST).max(1.0).ln() / WIDER.ln();
        let class = usize::try_from(crate::route::number::count(class)).unwrap_or(CLASSES);
        self.classes[class.min(CLASSES - 1)] += 1.0;
    }

    /// Forgets: `remains` of every sample is left.
    pub fn fade(&mut self, remains: f64) {
        for class in &mut self.classes {
            *class *= small(remains);
        }
    }

    /// The value below which such a share of the samples lies, 15 % off at most; `None` without samples.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let all: f32 = self.classes.iter().sum();
        if all < 0.5 {
            return None;
        }
        let (mut below, wanted) = (0.0, share * f64::from(all));
        let mut value = LEAST;
        for class in self.classes {
            below += f64::from(class);
            if below >= wanted {
                break;
            }
            value *= WIDER;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_forgets_and_leans_on_the_guess() {
        let mut mean = Mean::default();
        assert!((mean.drawn(1.0, 7.0, 2.0) - 7.0).abs() < 1e-9);
        for _ in 0..200 {
            mean.add(3.0, 50.0);
        }
        mean.add(f64::INFINITY, 50.0);
        assert!((mean.drawn(1.0, 1.0, 2.0) - (2.0 + 150.0) / 52.0).abs() < 1e-5);
        assert!((mean.drawn(0.0, 1.0, 2.0) - 1.0).abs() < 1e-9);
        for _ in 0..200 {
            mean.add(1.0, 50.0);
        }
        assert!(mean.mean < 1.05, "the last fifty count: {}", mean.mean);
    }

    #[test]
    fn quantiles_are_near_and_forget() {
        let mut sketch = Sketch::default();
        assert_eq!(sketch.quantile(0.5), None);
        for sample in 1..=1_000 {
            sketch.add(f64::from(sample) * 10.0);
        }
        for (share, exact) in [(0.5, 5_000.0), (0.95, 9_500.0), (0.05, 500.0)] {
            let near = sketch.quantile(share).unwrap();
            assert!((near / exact - 1.0).abs() < 0.17, "{share}: {near}");
        }
        sketch.fade(1e-6);
        assert_eq!(sketch.quantile(0.5), None);
    }
}
