//! What a model costs, as the provider lists it. Integers throughout; sums of money are made elsewhere.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use super::date::Date;
use super::trust::Trust;

/// Pico-dollars per token: one dollar per million tokens is 1,000,000 of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

/// A factor on rates, in ten-thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Factor(u32);

/// The price of one model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The rates of the lowest band at the standard tier outside peak hours.
    #[serde(flatten)]
    pub rates: Rates,
    /// Dearer rates for whole requests above a size, rising.
    #[serde(default)]
    pub bands: Vec<Band>,
    /// Factors on all rates by service tier (`batch`, `flex`, `priority`, …).
    #[serde(default)]
    pub service_tiers: BTreeMap<String, Factor>,
    /// Rates that are announced for later.
    #[serde(default)]
    pub scheduled: Vec<Scheduled>,
    /// Dearer hours.
    pub peak: Option<Peak>,
    /// What else is charged.
    #[serde(default)]
    pub extra: Extra,
    /// How well the figures are borne out.
    pub trust: Trust,
    /// Whether the provider passes on what its own hosts take, so that this is a reading and no tariff.
    #[serde(default)]
    pub floating: bool,
    /// Where the figures come from.
    pub source: String,
    /// The day they were last seen there.
    pub checked: Option<Date>,
}

/// Rates in dollars per million tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Rates {
    /// Input tokens that no cache knew.
    pub input: Rate,
    /// Output tokens, reasoning included.
    pub output: Rate,
    /// Input tokens read from a cache; the input's rate where there is none.
    pub cache_read: Option<Rate>,
    /// Input tokens written to a cache, by how long it keeps them; the input's rate where there is none.
    #[serde(default)]
    pub cache_write: BTreeMap<String, Rate>,
    /// Audio input tokens, where they differ.
    pub audio_input: Option<Rate>,
}

/// Rates for requests of some size: once there, every token of the request costs them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// The smallest number of input tokens, cached ones included, that is charged so.
    pub from: u64,
    /// What is charged.
    #[serde(flatten)]
    pub rates: Rates,
}

/// Rates from a day on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheduled {
    /// The first day.
    pub from: Date,
    /// What is charged then.
    #[serde(flatten)]
    pub rates: Rates,
}

/// Dearer hours of the week, in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peak {
    /// From and to, as minutes of the day.
    pub windows: Vec<Window>,
    /// Days of the week; Monday is 1.
    pub weekdays: Vec<u8>,
    /// What is charged then; also what bounds must assume.
    #[serde(flatten)]
    pub rates: Rates,
}

/// A stretch of a day, in minutes since midnight UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first minute.
    pub from: u16,
    /// The minute after its last.
    pub to: u16,
}

/// Charges beside tokens, and factors of place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Extra {
    /// Dollars per thousand web searches.
    pub web_search_per_1k: Option<Rate>,
    /// Dollars per thousand calls, on top of tokens.
    pub calls_per_1k: Option<Rate>,
    /// Dollars per million tokens kept in a cache for an hour.
    pub cache_storage_per_mtok_hour: Option<Rate>,
    /// Factors on all rates where data must stay in a place (`us`, `eu`).
    pub residency: BTreeMap<String, Factor>,
    /// The factor on all rates at an address that is of one region.
    pub regional: Option<Factor>,
}

impl Price {
    /// Rates that hold always.
    #[must_use]
    pub fn flat(rates: Rates, trust: Trust, source: &str) -> Self {
        Self {
            rates,
            bands: Vec::new(),
            service_tiers: BTreeMap::new(),
            scheduled: Vec::new(),
            peak: None,
            extra: Extra::default(),
            trust,
            floating: false,
            source: source.to_owned(),
            checked: None,
        }
    }

    /// The same price with a factor on all rates of tokens. What is charged by the search or the hour stays.
    #[must_use]
    pub fn times(&self, factor: Factor) -> Self {
        let mut dearer = self.clone();
        dearer.rates.multiply(factor);
        for band in &mut dearer.bands {
            band.rates.multiply(factor);
        }
        for later in &mut dearer.scheduled {
            later.rates.multiply(factor);
        }
        if let Some(peak) = &mut dearer.peak {
            peak.rates.multiply(factor);
        }
        dearer
    }
}

impl Rates {
    fn multiply(&mut self, factor: Factor) {
        let rates = [&mut self.input, &mut self.output].into_iter();
        let rates = rates
            .chain(&mut self.cache_read)
            .chain(&mut self.audio_input);
        for rate in rates.chain(self.cache_write.values_mut()) {
            *rate = rate.times(factor);
        }
    }
}

impl Rate {
    /// A rate with a factor, to the next whole pico-dollar: a price is never made less than it is.
    #[must_use]
    pub fn times(self, factor: Factor) -> Self {
        let parts = u128::from(self.0).saturating_mul(u128::from(factor.0));
        Self(u64::try_from(parts.div_ceil(10_000)).unwrap_or(u64::MAX))
    }

    /// A rate in pico-dollars per token.
    #[must_use]
    pub const fn pico(pico: u64) -> Self {
        Self(pico)
    }

    /// Pico-dollars per token.
    #[must_use]
    pub const fn as_pico(self) -> u64 {
        self.0
    }

    /// Reads dollars per million, exactly: at most six digits behind the point.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        fixed(text, 6).map(Self)
    }
}

impl Factor {
    /// No change.
    pub const ONE: Self = Self(10_000);

    /// Ten-thousandths.
    #[must_use]
    pub const fn as_parts(self) -> u32 {
        self.0
    }

    /// Reads a factor, exactly: at most four digits behind the point.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        fixed(text, 4)
            .and_then(|parts| u32::try_from(parts).ok())
            .map(Self)
    }
}

/// A decimal number times ten to the power of `places`; `None` where it is none or has more places.
fn fixed(text: &str, places: usize) -> Option<u64> {
    let (whole, behind) = text.split_once('.').unwrap_or((text, ""));
    let behind = behind.trim_end_matches('0');
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(behind) || behind.len() > places {
        return None;
    }
    let places = u32::try_from(places).ok()?;
    let missing = places.checked_sub(u32::try_from(behind.len()).ok()?)?;
    let behind: u64 = if behind.is_empty() {
        0
    } else {
        behind.parse().ok()?
    };
    let whole = whole
        .parse::<u64>()
        .ok()?
        .checked_mul(10_u64.checked_pow(places)?)?;
    whole.checked_add(behind.checked_mul(10_u64.checked_pow(missing)?)?)
}

/// A number of ten to the minus `places`, without trailing zeros.
fn show(parts: u64, places: usize, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    let unit = 10_u64.saturating_pow(u32::try_from(places).unwrap_or(u32::MAX));
    let behind = format!("{:0places$}", parts % unit);
    let behind = behind.trim_end_matches('0');
    let text = if behind.is_empty() {
        (parts / unit).to_string()
    } else {
        format!("{}.{behind}", parts / unit)
    };
    formatter.pad(&text)
}

impl fmt::Display for Rate {
    /// Dollars per million tokens.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(self.0, 6, formatter)
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(u64::from(self.0), 4, formatter)
    }
}

/// Takes a decimal as text, a whole number or a float; a float is read by its shortest text, so `0.1` is a tenth.
struct Decimal;

impl Visitor<'_> for Decimal {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a decimal number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(Decimal)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "'{text}' is not a price in dollars with at most six decimals"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Factor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(Decimal)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "'{text}' is not a factor with at most four decimals"
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let minute = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
            (hour <= 24 && minute < 60).then(|| hour.saturating_mul(60).saturating_add(minute))
        };
        let window = text.split_once('-').and_then(|(from, to)| {
            Some(Self {
                from: minute(from)?,
                to: minute(to)?,
            })
        });
        window
            .filter(|window| window.from < window.to)
            .ok_or_else(|| {
                de::Error::custom(format!(
                    "'{text}' is not a stretch of a day like 01:00-04:00"
                ))
            })
    }
}

#[cfg(test)]
mod tests;
