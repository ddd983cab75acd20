//! Which price a bill was made with: a short hash of all its figures, and the day since which they hold.

use std::fmt;

use crate::catalog::date::Date;
use crate::catalog::price::{Price, Rates};
use crate::catalog::trust::Trust;

use super::tariff::Tariff;

/// The version of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// A hash of every figure of the price.
    hash: u32,
    /// The day from which the rates in force were announced, or on which they were last seen.
    since: Option<Date>,
    /// Whether it is the user's own.
    own: bool,
}

impl Version {
    /// Whether the price is the user's own and not the catalogue's.
    #[must_use]
    pub const fn is_own(self) -> bool {
        self.own
    }

    /// The day from which the rates in force were announced, or on which they were last seen.
    #[must_use]
    pub const fn since(self) -> Option<Date> {
        self.since
    }
}

impl Tariff<'_> {
    /// The version of the price that a bill of now is made with.
    #[must_use]
    pub fn version(&self) -> Version {
        let price = self.price_at(self.when);
        let day = self.when.date();
        let announced = price.scheduled.iter().map(|row| row.from);
        let announced = announced.filter(|from| *from <= day).max();
        let switched = self.then.map(|(from, _)| from).filter(|from| *from <= day);
        Version {
            hash: hash(price),
            since: announced.max(switched).or(price.checked),
            own: price.trust == Trust::Own,
        }
    }
}

/// FNV-1a over the figures, in the order of the price's fields: the same on every machine and in every build.
fn hash(price: &Price) -> u32 {
    let mut sum = Sum(0x811c_9dc5);
    sum.rates(&price.rates);
    for band in &price.bands {
        sum.number(band.from);
        sum.rates(&band.rates);
    }
    for (tier, factor) in &price.service_tiers {
        sum.named(tier, u64::from(factor.as_parts()));
    }
    for row in &price.scheduled {
        sum.text(&row.from.to_string());
        sum.rates(&row.rates);
    }
    if let Some(peak) = &price.peak {
        for window in &peak.windows {
            sum.number(u64::from(window.from));
            sum.number(u64::from(window.to));
        }
        sum.bytes(&peak.weekdays);
        sum.rates(&peak.rates);
    }
    let extra = &price.extra;
    for rate in [
        extra.web_search_per_1k,
        extra.calls_per_1k,
        extra.cache_storage_per_mtok_hour,
    ] {
        sum.maybe(rate.map(crate::catalog::price::Rate::as_pico));
    }
    for (place, factor) in &extra.residency {
        sum.named(place, u64::from(factor.as_parts()));
    }
    sum.maybe(extra.regional.map(|factor| u64::from(factor.as_parts())));
    sum.0
}

/// A hash in the making.
struct Sum(u32);

impl Sum {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }

    fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    fn maybe(&mut self, number: Option<u64>) {
        self.bytes(&[u8::from(number.is_some())]);
        self.number(number.unwrap_or(0));
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0xff]);
    }

    fn named(&mut self, name: &str, number: u64) {
        self.text(name);
        self.number(number);
    }

    fn rates(&mut self, rates: &Rates) {
        self.number(rates.input.as_pico());
        self.number(rates.output.as_pico());
        self.maybe(rates.cache_read.map(crate::catalog::price::Rate::as_pico));
        self.maybe(rates.audio_input.map(crate::catalog::price::Rate::as_pico));
        for (time, rate) in &rates.cache_write {
            self.named(time, rate.as_pico());
        }
    }
}

impl fmt::Display for Version {
    /// `2026-11-22/1a2b3c4d`, or `own/1a2b3c4d` for a price of the user's.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.since {
            _ if self.own => formatter.write_str("own")?,
            Some(day) => write!(formatter, "{day}")?,
            None => formatter.write_str("undated")?,
        }
        write!(formatter, "/{:08x}", self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::catalog::price::Rate;
    use crate::catalog::when::When;

    fn version(price: &Price) -> Version {
        Tariff::new(price, When::unix(1_795_608_000)).version()
    }

    #[test]
    fn every_figure_counts_and_words_do_not() {
        let catalog = Catalog::builtin().unwrap();
        let provider = catalog.provider("anthropic").unwrap();
        let price = provider.models.iter().find_map(|model| model.price.clone());
        let price = price.unwrap();
        let before = version(&price);
        let mut other = price.clone();
        other.source = "elsewhere".to_owned();
        assert_eq!(version(&other), before);
        other.rates.output = Rate::pico(other.rates.output.as_pico() + 1);
        assert_ne!(version(&other), before);
        let mut other = price.clone();
        other.rates.cache_read = None;
        assert_ne!(version(&other), before);
        assert!(!before.is_own());
        let day = price.checked.unwrap().to_string();
        assert!(before.to_string().starts_with(&day) || !price.scheduled.is_empty());
    }

    #[test]
    fn a_price_of_ones_own_says_so() {
        let rates = Rates::default();
        let own = version(&Price::flat(rates, Trust::Own, "your configuration"));
        assert!(own.is_own());
        assert!(own.to_string().starts_with("own/"), "{own}");
    }
}
