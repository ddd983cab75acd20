//! The rates that hold at one moment for one size of prompt.

use std::collections::BTreeMap;

use crate::catalog::price::{Peak, Price, Rate, Rates};
use crate::catalog::when::When;

use super::keep::Keep;

/// One rate per kind of token, with every fallback of the price list resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Live {
    pub(super) input: Rate,
    pub(super) output: Rate,
    pub(super) read: Rate,
    /// Of tokens written to the cache for the shortest time.
    pub(super) write: Rate,
    /// Of tokens written for the time that was asked for.
    pub(super) write_kept: Rate,
    /// Of tokens written for an hour.
    pub(super) write_hour: Rate,
    /// The dearest of all writes.
    pub(super) write_most: Rate,
    pub(super) audio: Rate,
}

impl Live {
    /// Reads a row of rates. What it leaves out costs in proportion to its input rate what it costs in `base`, rounded
    /// up; where `base` has none either, it costs what input costs.
    pub(super) fn of(row: &Rates, base: &Rates, keep: Keep<'_>) -> Self {
        let scaled = |listed: Rate| scaled(listed, row.input, base.input);
        let write = |lifetime: &str| {
            let own = row.cache_write.get(lifetime).copied();
            own.or_else(|| base.cache_write.get(lifetime).copied().map(scaled))
        };
        let each = base.cache_write.keys().chain(row.cache_write.keys());
        let dearest = each.filter_map(|lifetime| write(lifetime)).max();
        let shortest = shortest(&row.cache_write).or_else(|| shortest(&base.cache_write));
        let short = shortest.and_then(write).unwrap_or(row.input);
        let kept = match keep {
            Keep::For(lifetime) => write(lifetime),
            Keep::Nothing | Keep::Shortest | Keep::Any => None,
        };
        let audio = row.audio_input.or_else(|| base.audio_input.map(scaled));
        Self {
            input: row.input,
            output: row.output,
            read: row.cache_read.unwrap_or(row.input),
            write: short,
            write_kept: kept.unwrap_or(short),
            write_hour: write("1h").unwrap_or(short),
            write_most: dearest.unwrap_or(short).max(short),
            audio: audio.unwrap_or(row.input),
        }
    }

    /// What a price charges at a moment for a prompt of some size: the last announced rates that are in force, peak
    /// hours instead of them, the prompt's band instead of both. Where two of these meet, which no list explains, the
    /// dearer rate of each kind holds.
    pub(super) fn at(price: &Price, when: When, prompt: u64, keep: Keep<'_>) -> Self {
        let row = |rates: &Rates| Self::of(rates, &price.rates, keep);
        let today = when.date();
        let announced = price.scheduled.iter().filter(|row| row.from <= today);
        let announced = announced.max_by_key(|row| row.from);
        let peak = price.peak.as_ref().filter(|peak| peak.holds(when));
        let bands = price.bands.iter().filter(|band| band.from <= prompt);
        let band = bands.max_by_key(|band| band.from);
        let rows = [
            announced.map(|row| &row.rates),
            peak.map(|peak| &peak.rates),
            band.map(|band| &band.rates),
        ];
        let special = rows.into_iter().flatten().map(row).reduce(Self::dearer);
        special.unwrap_or_else(|| row(&price.rates))
    }

    /// The dearer rate of each kind.
    pub(super) fn dearer(self, other: Self) -> Self {
        Self {
            input: self.input.max(other.input),
            output: self.output.max(other.output),
            read: self.read.max(other.read),
            write: self.write.max(other.write),
            write_kept: self.write_kept.max(other.write_kept),
            write_hour: self.write_hour.max(other.write_hour),
            write_most: self.write_most.max(other.write_most),
            audio: self.audio.max(other.audio),
        }
    }
}

/// The lifetime that ends first. Keys are like `5m` and `12h`; others count as endless.
fn shortest(writes: &BTreeMap<String, Rate>) -> Option<&str> {
    let minutes = |key: &&String| {
        let number = |unit: char| key.strip_suffix(unit)?.parse::<u64>().ok();
        let hours = || number('h').map(|hours| hours.saturating_mul(60));
        number('m').or_else(hours).unwrap_or(u64::MAX)
    };
    writes.keys().min_by_key(minutes).map(String::as_str)
}

/// A rate of one row in another whose input costs `to` instead of `from`, rounded up.
fn scaled(rate: Rate, to: Rate, from: Rate) -> Rate {
    let product = u128::from(rate.as_pico()).saturating_mul(u128::from(to.as_pico()));
    let divisor = u128::from(from.as_pico());
    if divisor == 0 {
        return rate;
    }
    Rate::pico(u64::try_from(product.div_ceil(divisor)).unwrap_or(u64::MAX))
}

impl Peak {
    /// Whether a moment is within the dear hours.
    pub(super) fn holds(&self, when: When) -> bool {
        let minute = when.minute();
        self.weekdays.contains(&when.weekday())
            && self
                .windows
                .iter()
                .any(|window| (window.from..window.to).contains(&minute))
    }

    /// Whether a stretch of time meets the dear hours.
    pub(super) fn meets(&self, from: When, to: When) -> bool {
        if self.holds(from) || self.holds(to) {
            return true;
        }
        // Neither end is within: then a window would have to begin in between. More than a week holds every one.
        let days = std::iter::successors(Some(from.midnight()), |day| Some(day.later(86_400)));
        let mut days = days.take(9).take_while(|day| *day <= to);
        days.any(|day| {
            self.weekdays.contains(&day.weekday())
                && self.windows.iter().any(|window| {
                    let begin = day.later(u64::from(window.from).saturating_mul(60));
                    from <= begin && begin <= to
                })
        })
    }
}
