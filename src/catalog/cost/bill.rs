//! The bill of a usage, line by line.

use std::fmt;

use crate::account::{Amount, Money};
use crate::catalog::price::{Factor, Rate};
use crate::chat::Tokens;

use super::tariff::{Tariff, each, residency, tier};

/// What a call cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The sum of all lines, rounded once to the nearest nano-dollar.
    pub money: Money,
    /// Whether every count had a listed rate: false where the tier, a fee or audio output is not listed, or where the
    /// price is a reading and no tariff.
    pub exact: bool,
    lines: [Line; Item::ALL.len()],
}

/// One kind of charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// For what.
    pub item: Item,
    /// How many.
    pub count: u64,
    /// The listed rate, before factors: per token, or for searches per thousandth of one.
    pub rate: Rate,
    /// The charge, factors included, not rounded.
    pub amount: Amount,
}

/// What is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// Prompt tokens that no cache knew.
    Input,
    /// Prompt tokens of audio.
    Audio,
    /// Prompt tokens read from a cache.
    CacheRead,
    /// Prompt tokens written to a cache, for the time asked for or the shortest.
    CacheWrite,
    /// Prompt tokens written to a cache for an hour.
    CacheWriteHour,
    /// Completion tokens, reasoning included.
    Output,
    /// Web searches.
    WebSearch,
    /// The call itself.
    Call,
}

/// What is charged beside tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fees {
    /// Web searches that the provider ran.
    pub searches: u64,
}

impl Fees {
    /// What a usage tells of them.
    #[must_use]
    pub fn of(tokens: &Tokens) -> Self {
        Self {
            searches: tokens.searches.unwrap_or(0),
        }
    }
}

impl Cost {
    /// The charges that are not empty.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.count > 0)
    }
}

impl Item {
    /// Every kind, in the order of a bill.
    pub const ALL: [Self; 8] = [
        Self::Input,
        Self::Audio,
        Self::CacheRead,
        Self::CacheWrite,
        Self::CacheWriteHour,
        Self::Output,
        Self::WebSearch,
        Self::Call,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Audio => "audio_input",
            Self::CacheRead => "cache_read",
            Self::CacheWrite => "cache_write",
            Self::CacheWriteHour => "cache_write_1h",
            Self::Output => "output",
            Self::WebSearch => "web_search",
            Self::Call => "call",
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A usage taken apart so that each token is charged once.
struct Split {
    prompt: u64,
    fresh: u64,
    audio: u64,
    read: u64,
    write: u64,
    write_hour: u64,
    output: u64,
}

impl Split {
    /// A usage that contradicts itself is charged for all that it names.
    fn of(tokens: &Tokens) -> Self {
        let read = tokens.cached.unwrap_or(0);
        let write_hour = tokens.cache_write_1h.unwrap_or(0);
        let written = tokens.cache_write.unwrap_or(0).max(write_hour);
        let prompt = tokens.prompt.max(read.saturating_add(written));
        let fresh = prompt.saturating_sub(read).saturating_sub(written);
        let audio = tokens.audio_prompt.unwrap_or(0).min(fresh);
        Self {
            prompt,
            fresh: fresh.saturating_sub(audio),
            audio,
            read,
            write: written.saturating_sub(write_hour),
            write_hour,
            output: tokens.completion.max(tokens.reasoning.unwrap_or(0)),
        }
    }
}

impl Tariff<'_> {
    /// What a usage costs.
    #[must_use]
    pub fn cost(&self, tokens: &Tokens, fees: &Fees) -> Cost {
        let split = Split::of(tokens);
        let live = self.live(split.prompt);
        let price = self.price_at(self.when);
        // Where hours are told apart, the rest was written for the shortest time.
        let rest = match tokens.cache_write_1h {
            Some(_) => live.write,
            None => live.write_kept,
        };
        let known = tier(price, self.tier);
        let place = residency(price, self.residency);
        let line = |item, count, rate| Line {
            item,
            count,
            rate,
            amount: each(rate, known.unwrap_or(Factor::ONE), place).times(count),
        };
        let fee = |item, count: u64, listed: Option<Rate>| {
            let rate = listed.unwrap_or_default();
            let amount = each(rate, Factor::ONE, Factor::ONE);
            Line {
                item,
                count,
                rate,
                amount: amount.times(count).times(1_000),
            }
        };
        let lines = [
            line(Item::Input, split.fresh, live.input),
            line(Item::Audio, split.audio, live.audio),
            line(Item::CacheRead, split.read, live.read),
            line(Item::CacheWrite, split.write, rest),
            line(Item::CacheWriteHour, split.write_hour, live.write_hour),
            line(Item::Output, split.output, live.output),
            fee(
                Item::WebSearch,
                fees.searches,
                price.extra.web_search_per_1k,
            ),
            fee(
                Item::Call,
                u64::from(price.extra.calls_per_1k.is_some()),
                price.extra.calls_per_1k,
            ),
        ];
        let sum = lines.iter().map(|line| line.amount);
        let searches_known = fees.searches == 0 || price.extra.web_search_per_1k.is_some();
        Cost {
            money: sum.fold(Amount::ZERO, Amount::plus).nearest(),
            exact: known.is_some()
                && searches_known
                && !price.floating
                && tokens.audio_completion.unwrap_or(0) == 0,
            lines,
        }
    }
}
