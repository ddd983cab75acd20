//! Sums before they are rounded: tokens times rates times factors, exactly.

use super::money::Money;

/// What one nano-dollar is in units of an amount.
const NANO: u128 = 100_000_000_000;

/// An exact amount in units of 10^-20 dollars: pico-dollars times two factors of ten-thousandths each.
///
/// Whole sums are kept so, and rounded once: a bill to the nearest nano-dollar (halves up), a bound upwards.
/// Above 10^18 dollars it stops, far beyond what [`Money`] holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(u128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many units of 10^-20 dollars.
    #[must_use]
    pub const fn units(units: u128) -> Self {
        Self(units)
    }

    /// Units of 10^-20 dollars.
    #[must_use]
    pub const fn as_units(self) -> u128 {
        self.0
    }

    /// The sum.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// So many times as much.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        // Two words multiply in one step and cannot overflow.
        let word = u64::try_from(self.0);
        let long = |_| self.0.saturating_mul(u128::from(count));
        Self(word.map_or_else(long, |word| wide(word, count)))
    }

    /// To the nearest nano-dollar, halves up: what was paid.
    #[must_use]
    pub fn nearest(self) -> Money {
        money(nanos(self.0.saturating_add(NANO / 2)))
    }

    /// To the next nano-dollar: what is never exceeded.
    #[must_use]
    pub fn upwards(self) -> Money {
        money(nanos(self.0.saturating_add(NANO - 1)))
    }

    /// How often `each` still fits between this and a ceiling, rounded [upwards](Self::upwards); `None` where this
    /// alone is above it. What costs nothing fits without end.
    #[must_use]
    pub fn fits(self, each: Self, ceiling: Money) -> Option<u64> {
        let room = u128::from(ceiling.as_nano()).saturating_mul(NANO);
        let room = room.checked_sub(self.0)?;
        if each.0 == 0 {
            return Some(u64::MAX);
        }
        // As in `nanos`: halving both alike changes no quotient, and most sums then fit a word.
        let shift = each.0.trailing_zeros();
        let words = (u64::try_from(room >> shift), u64::try_from(each.0 >> shift));
        let (Ok(room), Ok(each)) = words else {
            let count = room.checked_div(each.0)?;
            return Some(u64::try_from(count).unwrap_or(u64::MAX));
        };
        room.checked_div(each)
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self(u128::from(money.as_nano()).saturating_mul(NANO))
    }
}

/// The product of two words.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "the product of two words fits a double one"
)]
const fn wide(a: u64, b: u64) -> u128 {
    a as u128 * b as u128
}

/// Whole nano-dollars, rounded down. Division by a power of two comes first, as it costs nothing, and what is left fits a
/// word up to some hundred dollars: long division is ten times as slow, and a plan makes hundreds.
fn nanos(units: u128) -> u128 {
    let halved = units >> TWOS;
    u64::try_from(halved).map_or_else(|_| units / NANO, |halved| u128::from(halved / REST))
}

/// `NANO` as a power of two times the rest.
const TWOS: u32 = NANO.trailing_zeros();
const REST: u64 = 48_828_125;

fn money(nano: u128) -> Money {
    Money::nano(u64::try_from(nano).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_said_and_done_once() {
        let half = Amount::units(NANO / 2);
        assert_eq!(
            (half.nearest(), half.upwards()),
            (Money::nano(1), Money::nano(1))
        );
        let less = Amount::units(NANO / 2 - 1);
        assert_eq!(
            (less.nearest(), less.upwards()),
            (Money::ZERO, Money::nano(1))
        );
        assert_eq!(
            less.times(2).plus(Amount::units(2)).nearest(),
            Money::nano(1)
        );
        assert_eq!(Amount::units(u128::MAX).upwards(), Money::MAX);
    }

    #[test]
    fn short_division_is_long_division() {
        assert_eq!(u128::from(REST) << TWOS, NANO);
        for base in [
            0,
            1,
            NANO - 1,
            NANO,
            7 * NANO + 3,
            378 << 66,
            u128::MAX / 3,
            u128::MAX - 1,
        ] {
            for near in 0..5 {
                let units = base.saturating_add(near);
                assert_eq!(nanos(units), units / NANO, "{units}");
            }
        }
        for each in [
            1,
            2,
            3 << 20,
            10_u128.pow(14),
            10_u128.pow(14) + 1,
            u128::MAX / 5,
        ] {
            for nano in [0, 1, 50_000_000, u64::MAX] {
                let room = u128::from(nano) * NANO;
                let count = u64::try_from(room / each).unwrap_or(u64::MAX);
                assert_eq!(
                    Amount::ZERO.fits(Amount::units(each), Money::nano(nano)),
                    Some(count)
                );
            }
        }
    }

    #[test]
    fn what_fits_is_exact() {
        let (start, each) = (Amount::units(7), Amount::units(NANO / 3));
        let ceiling = Money::nano(10);
        let fits = start.fits(each, ceiling).unwrap();
        assert!(start.plus(each.times(fits)).upwards() <= ceiling);
        assert!(start.plus(each.times(fits + 1)).upwards() > ceiling);
        assert_eq!(start.fits(each, Money::ZERO), None);
        assert_eq!(start.fits(Amount::ZERO, ceiling), Some(u64::MAX));
    }
}
