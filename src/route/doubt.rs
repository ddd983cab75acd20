//! How far off what is thought of candidates may be by chance, and what that is worth to a call that explores.

use super::draw::NEAR;
use super::filter::Scene;
use super::health::Reading;
use super::number::small;
use super::policy::Weights;
use super::ranked::Ranked;

/// How far off a class of speed is, as a share: what was never called may be so much faster than it seems, twice over.
const UNSEEN: f64 = 0.5;

/// The most that may be hoped of failures.
const HOPE: f64 = 0.7;

/// The most that the benefit of the doubt on failures adds in the draw.
const BENEFIT: f64 = 0.12;

/// Says how far off utilities may be by chance, of those that may come near the best by it.
pub(super) fn doubts(candidates: &mut [Ranked], scene: &Scene<'_>) {
    let weights = &scene.policy.strategy.weights;
    let unknown = Reading::default();
    let best = |best: f64, ranked: &Ranked| best.max(ranked.utility);
    let least = candidates.iter().fold(f64::MIN, best) - f64::from(NEAR) - BENEFIT;
    for ranked in candidates
        .iter_mut()
        .filter(|ranked| ranked.utility >= least)
    {
        let reading = scene.readings.get(ranked.endpoint).unwrap_or(&unknown);
        let (time, failures) = doubt(weights, reading, ranked.prediction.risk);
        // Failures that chance explains do not set equals apart.
        ranked.lot.utility = small(ranked.utility + failures.min(BENEFIT));
        ranked.lot.doubt = small((time + failures * failures).sqrt());
    }
}

/// How far off a utility may be by chance: by the mean time, squared, and by the failures.
fn doubt(weights: &Weights, reading: &Reading, risk: f64) -> (f64, f64) {
    let time = weights.time * f64::from(reading.spread);
    let calls = f64::from(reading.calls + reading.fleet_mass);
    let failures = (risk * (1.0 - risk) / calls).sqrt() / (risk + weights.grain);
    let time = time * time / (f64::from(reading.seen) + 2.0);
    (time, weights.risk * failures)
}

/// Which part of the share that explores does: what is learned by calls that may fail is dear where failures count most.
pub(super) fn curiosity(weights: &Weights) -> f64 {
    if weights.risk > weights.time {
        (weights.time / weights.risk).max(0.04).sqrt()
    } else {
        1.0
    }
}

/// Says how hopeful candidates are, where the call explores.
pub(super) fn hopes(candidates: &mut [Ranked], scene: &Scene<'_>) {
    let weights = &scene.policy.strategy.weights;
    let unknown = Reading::default();
    for ranked in candidates {
        let reading = scene.readings.get(ranked.endpoint).unwrap_or(&unknown);
        ranked.lot.hope = small(hope(weights, reading, ranked.prediction.risk));
    }
}

/// How much better a utility may be than it seems, within reason: two spreads faster, by what its class and its answers
/// say together, and two less likely to fail.
fn hope(weights: &Weights, reading: &Reading, risk: f64) -> f64 {
    let known = f64::from(reading.seen) / f64::from(reading.spread * reading.spread);
    let time = weights.time * 2.0 / (1.0 / (UNSEEN * UNSEEN) + known).sqrt();
    let calls = f64::from(reading.calls + reading.fleet_mass);
    let least = (risk - 2.0 * (risk * (1.0 - risk) / calls).sqrt()).max(0.0);
    let safer = weights.risk * ((risk + weights.grain) / (least + weights.grain)).ln();
    time + safer.min(HOPE)
}
