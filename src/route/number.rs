//! Numbers between the exact and the guessed: counts to floats and back, one total order over floats, seeded noise.
//!
//! Money stays in integers; what is only a guess (times, chances, utilities) is float, and is never compared bare.

use std::cmp::Ordering;

/// A float with a total order, so that no comparison can fail and no order depends on the input's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Total(pub f64);

impl PartialEq for Total {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Total {}

impl PartialOrd for Total {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Total {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// A word that stands in the same order as the float does among all floats.
#[must_use]
pub const fn rising(float: f64) -> u64 {
    let bits = float.to_bits();
    let sign = 1 << 63;
    if bits & sign == 0 { bits | sign } else { !bits }
}

/// A count as a float; above 2^53 the nearest one.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of tokens and milliseconds are far below 2^53"
)]
#[must_use]
pub const fn float(count: u64) -> f64 {
    count as f64
}

/// The nearest count, 0 for what is below and for what is no number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float to integer stops at both ends, which is what is meant"
)]
#[must_use]
pub const fn count(float: f64) -> u64 {
    (float + 0.5) as u64
}

/// The count below, 0 for what is below that and for what is no number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float to integer stops at both ends, which is what is meant"
)]
#[must_use]
pub const fn below(float: f64) -> u64 {
    float as u64
}

/// The same number in half the room, for what is kept or sent.
#[expect(
    clippy::cast_possible_truncation,
    reason = "seven digits are more than any guess has"
)]
#[must_use]
pub const fn small(float: f64) -> f32 {
    float as f32
}

/// A half to the power of `x`, which is at least 0: what remains after so many half-lives. Good to three digits.
#[must_use]
pub fn halved(x: f64) -> f64 {
    if x >= 60.0 {
        return 0.0;
    }
    let whole = below(x);
    let rest = x - float(whole);
    // A cubic through 2^-x on 0..1; exact at both ends.
    // Not `mul_add`, here and elsewhere: where the processor's own is not taken for granted it is a call.
    let rest = ((0.233_5 - 0.039_4 * rest) * rest - 0.694_1) * rest + 1.0;
    // Two to the power of minus a whole number is its exponent's bits.
    rest * f64::from_bits((1_023 - whole) << 52)
}

/// Mixes two words into one that shows no pattern (the finish of `SplitMix64`).
#[must_use]
pub const fn mix(seed: u64, word: u64) -> u64 {
    let mut z = seed ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number from 0 to below 1 out of a word.
#[must_use]
pub const fn uniform(word: u64) -> f64 {
    float(word >> 11) / float(1 << 53)
}

/// A number round 0 with a spread of 1 that never leaves -2..2: the sum of four uniform ones, scaled and cut.
#[must_use]
pub const fn bell(word: u64) -> f64 {
    let four = float(word & 0xffff)
        + float(word >> 16 & 0xffff)
        + float(word >> 32 & 0xffff)
        + float(word >> 48);
    // Four uniform numbers have the mean 2 and the spread 1/sqrt(3).
    let bell = (four / 65_536.0 - 2.0) * 1.732_050_8;
    bell.clamp(-2.0, 2.0)
}

/// The name's hash (FNV-1a), the same in every process and version, so that records replay.
#[must_use]
pub const fn name(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    mix(hash, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_is_near_enough_and_never_rises() {
        let mut last = 1.1;
        for step in 0..600 {
            let x = f64::from(step) / 50.0;
            let (near, exact) = (halved(x), 0.5_f64.powf(x));
            assert!((near / exact - 1.0).abs() < 2e-3, "{x}: {near} {exact}");
            assert!(near < last, "{x}");
            last = near;
        }
        assert!(halved(1e9).abs() < f64::EPSILON);
    }

    #[test]
    fn noise_is_centred_bounded_and_the_same_each_time() {
        let draws: Vec<f64> = (0..10_000).map(|word| bell(mix(7, word))).collect();
        let mean = draws.iter().sum::<f64>() / 10_000.0;
        let spread = (draws.iter().map(|x| x * x).sum::<f64>() / 10_000.0).sqrt();
        assert!(
            mean.abs() < 0.03 && (spread - 1.0).abs() < 0.05,
            "{mean} {spread}"
        );
        assert!(draws.iter().all(|x| x.abs() <= 2.0));
        assert_eq!(mix(1, 2), mix(1, 2));
        assert_ne!(name("a/b"), name("b/a"));
    }

    #[test]
    fn every_float_has_its_place() {
        let mut all = [
            Total(f64::NAN),
            Total(1.0),
            Total(f64::NEG_INFINITY),
            Total(0.0),
        ];
        all.sort();
        assert_eq!(all.map(|x| x.0.to_string()), ["-inf", "0", "1", "NaN"]);
        let some = [
            f64::NEG_INFINITY,
            -2.5,
            -2.0,
            -0.0,
            0.0,
            1e-9,
            3.0,
            f64::NAN,
        ];
        assert!(some.is_sorted_by(|low, high| rising(*low) < rising(*high)));
        assert_eq!((count(-3.0), count(f64::NAN), count(2.6)), (0, 0, 3));
    }
}
