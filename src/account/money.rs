//! Whole nano-dollars: what caps, budgets and rows of the ledger are made of.

use std::fmt;
use std::iter::Sum;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Nano-dollars in a dollar.
const DOLLAR: u64 = 1_000_000_000;

/// How many digits may stand behind the point.
const PLACES: usize = 9;

/// An amount of nano-dollars, from nothing to 18 thousand million dollars. Sums and differences stop at both ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(u64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// More than anybody has.
    pub const MAX: Self = Self(u64::MAX);

    /// So many nano-dollars.
    #[must_use]
    pub const fn nano(nano: u64) -> Self {
        Self(nano)
    }

    /// Nano-dollars.
    #[must_use]
    pub const fn as_nano(self) -> u64 {
        self.0
    }

    /// Reads a plain decimal of dollars, exactly: at most nine digits behind the point, no sign, no exponent.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, behind) = text.split_once('.').unwrap_or((text, "0"));
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(behind) {
            return None;
        }
        let behind = behind.trim_end_matches('0');
        let missing = PLACES.checked_sub(behind.len())?;
        let unit = 10_u64.checked_pow(u32::try_from(missing).ok()?)?;
        let behind: u64 = if behind.is_empty() {
            0
        } else {
            behind.parse().ok()?
        };
        let whole = whole.parse::<u64>().ok()?.checked_mul(DOLLAR)?;
        whole.checked_add(behind.checked_mul(unit)?).map(Self)
    }

    /// Reads a number as JSON writes it, to the next whole nano-dollar; `None` where it is none, or below nothing, or
    /// more than fits.
    #[must_use]
    pub fn rounded_up(number: &str) -> Option<Self> {
        let (digits, power) = match number.split_once(['e', 'E']) {
            Some((digits, power)) => (digits, power.parse::<i64>().ok()?),
            None => (number, 0),
        };
        let (whole, behind) = digits.split_once('.').unwrap_or((digits, ""));
        let all = [whole, behind].concat();
        if whole.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let places = i64::try_from(behind.len()).ok()?;
        let shift = i64::try_from(PLACES)
            .ok()?
            .checked_add(power)?
            .checked_sub(places)?;
        let all = all.trim_start_matches('0');
        if all.is_empty() {
            return Some(Self::ZERO);
        }
        let length = i64::try_from(all.len()).ok()?;
        // A sum below a nano-dollar is one all the same.
        let kept = length.checked_add(shift.min(0))?;
        let kept = usize::try_from(kept).unwrap_or(0);
        let (front, rest) = all.split_at_checked(kept)?;
        let front: u64 = if front.is_empty() {
            0
        } else {
            front.parse().ok()?
        };
        let unit = 10_u64.checked_pow(u32::try_from(shift.max(0)).ok()?)?;
        let more = u64::from(rest.bytes().any(|digit| digit != b'0'));
        front.checked_mul(unit)?.checked_add(more).map(Self)
    }

    /// The sum, or [`Money::MAX`].
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or nothing.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// So many times as much, or [`Money::MAX`].
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        each.fold(Self::ZERO, Self::plus)
    }
}

impl fmt::Display for Money {
    /// Dollars as a plain decimal without trailing zeros.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut whole, mut behind) = (itoa::Buffer::new(), itoa::Buffer::new());
        let whole = whole.format(self.0 / DOLLAR);
        // One dollar more keeps the zeros in front.
        let behind = behind.format((self.0 % DOLLAR).saturating_add(DOLLAR));
        let behind = behind.strip_prefix('1').unwrap_or_default();
        let behind = behind.trim_end_matches('0');
        let point = if behind.is_empty() { "" } else { "." };
        if formatter.width().is_some() || formatter.precision().is_some() {
            return formatter.pad(&[whole, point, behind].concat());
        }
        formatter.write_str(whole)?;
        formatter.write_str(point)?;
        formatter.write_str(behind)
    }
}

impl Serialize for Money {
    /// A string of dollars, so that no reader makes a float of it unasked.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Takes dollars as text, a whole number or a float; a float is read by its shortest text, so `0.1` is a tenth.
struct Dollars;

impl Visitor<'_> for Dollars {
    type Value = Money;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("dollars with at most nine decimals")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Money, E> {
        let wrong = || {
            E::custom(format!(
                "'{text}' is not an amount of dollars with at most nine decimals"
            ))
        };
        Money::parse(text).ok_or_else(wrong)
    }

    fn visit_u64<E: de::Error>(self, dollars: u64) -> Result<Money, E> {
        self.visit_str(&dollars.to_string())
    }

    fn visit_i64<E: de::Error>(self, dollars: i64) -> Result<Money, E> {
        self.visit_str(&dollars.to_string())
    }

    fn visit_f64<E: de::Error>(self, dollars: f64) -> Result<Money, E> {
        self.visit_str(&dollars.to_string())
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Dollars)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn decimals_are_exact() {
        for (text, nano, shown) in [
            ("0", 0, "0"),
            ("1", DOLLAR, "1"),
            ("0.02", 20_000_000, "0.02"),
            ("0.000000001", 1, "0.000000001"),
            ("12.500", 12_500_000_000, "12.5"),
            ("0.1000000000000", 100_000_000, "0.1"),
            ("007", 7 * DOLLAR, "7"),
            ("18446744073.709551615", u64::MAX, "18446744073.709551615"),
        ] {
            let money = Money::parse(text).unwrap();
            assert_eq!((money.as_nano(), money.to_string().as_str()), (nano, shown));
        }
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused() {
        for bad in [
            "",
            " 1",
            "1 ",
            "-1",
            "+1",
            "-0",
            "1e3",
            "1E-3",
            "NaN",
            "inf",
            ".5",
            "1.",
            "1.2.3",
            "1,5",
            "0x1",
            "1_000",
            "$1",
            "0.0000000001",
            "18446744073.709551616",
            "99999999999999999999",
            "\u{661}",
        ] {
            assert_eq!(Money::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn sums_stop_at_both_ends() {
        let (one, most) = (Money::nano(1), Money::MAX);
        assert_eq!((most.plus(one), one.minus(most)), (most, Money::ZERO));
        assert_eq!(Money::nano(3).times(u64::MAX), most);
        assert_eq!([one, one, most].into_iter().sum::<Money>(), most);
    }

    #[test]
    fn serde_takes_text_and_numbers_and_writes_text() {
        let read = |json: &str| serde_json::from_str::<Money>(json).ok();
        for json in ["0.1", "\"0.1\"", "\"0.100\""] {
            assert_eq!(read(json), Some(Money::nano(100_000_000)), "{json}");
        }
        assert_eq!(read("2"), Some(Money::nano(2 * DOLLAR)));
        for bad in ["-1", "-0.1", "1e300", "\"NaN\"", "null", "true"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(
            serde_json::to_string(&Money::nano(1)).unwrap(),
            "\"0.000000001\""
        );
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(nano in any::<u64>()) {
            let money = Money::nano(nano);
            assert_eq!(Money::parse(&money.to_string()), Some(money));
        }
    }
}
