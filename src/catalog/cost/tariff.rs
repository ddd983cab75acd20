//! A price with what decides how it is read: the moment, the tier, the place, what is written to caches.

use crate::account::{Amount, Money};
use crate::catalog::date::Date;
use crate::catalog::endpoint::{Model, Provider};
use crate::catalog::price::{Factor, Price, Rate};
use crate::catalog::when::When;

use super::keep::Keep;
use super::live::Live;

/// How long a call may last, from its plan to the last token of its last attempt: a stream's limit and a generous time
/// for what comes before it. Bounds hold for so long.
const LONGEST_CALL: u64 = 2 * 3_600;

/// Tiers that are the list price. `auto` is what the account says, which only its owner knows.
const STANDARD: [&str; 5] = ["auto", "default", "standard", "standard_only", "on_demand"];

/// How a model's price is read for one call.
#[derive(Clone, Copy, Debug)]
pub struct Tariff<'a> {
    /// What the price list says.
    pub price: &'a Price,
    /// What takes its place from a day on: the provider serves and charges another model then.
    pub then: Option<(Date, &'a Price)>,
    /// When the call is made; for a bill, when it ended.
    pub when: When,
    /// For how many seconds from then on a bound must hold.
    pub lasting: u64,
    /// The service tier: asked for in a bound, reported in a bill.
    pub tier: Option<&'a str>,
    /// Where data must stay, a key of the price's residency factors.
    pub residency: Option<&'a str>,
    /// What the request has written to the provider's cache.
    pub keep: Keep<'a>,
}

/// What a call is expected to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Prompt tokens, all of them.
    pub input: u64,
    /// Of those, read from a cache.
    pub cached: u64,
    /// Of those, written to a cache.
    pub written: u64,
    /// Completion tokens, reasoning included.
    pub output: u64,
}

impl<'a> Tariff<'a> {
    /// A price at a moment: standard tier, no place, anything may be written to caches.
    #[must_use]
    pub const fn new(price: &'a Price, when: When) -> Self {
        Self {
            price,
            then: None,
            when,
            lasting: LONGEST_CALL,
            tier: None,
            residency: None,
            keep: Keep::Any,
        }
    }

    /// A listed model's tariff, with the day from which it is charged as another; `None` where it has no price.
    #[must_use]
    pub fn of(provider: &'a Provider, model: &'a Model, when: When) -> Option<Self> {
        let then = model.billed_as.as_ref().and_then(|billed| {
            let other = provider.model(&billed.model)?;
            Some((billed.from, other.price.as_ref()?))
        });
        Some(Self {
            then,
            ..Self::new(model.price.as_ref()?, when)
        })
    }

    /// What a call is likely to cost.
    #[must_use]
    pub fn expected(&self, expected: &Expected) -> Money {
        let live = self.live(expected.input);
        let cached = expected.cached.min(expected.input);
        let written = expected.written.min(expected.input.saturating_sub(cached));
        let fresh = expected
            .input
            .saturating_sub(cached)
            .saturating_sub(written);
        let sum = self.amount(live.input, fresh);
        let sum = sum.plus(self.amount(live.read, cached));
        let sum = sum.plus(self.amount(live.write_kept, written));
        sum.plus(self.amount(live.output, expected.output))
            .nearest()
    }

    /// Whether the price is a tariff that its provider keeps to, and not a reading of what its own hosts take: bounds
    /// on a reading are no guarantee.
    #[must_use]
    pub fn is_firm(&self) -> bool {
        let firm = |price: &Price| !price.floating;
        firm(self.price) && self.then.is_none_or(|(_, price)| firm(price))
    }

    /// The rates now for a prompt of some size.
    pub(super) fn live(&self, prompt: u64) -> Live {
        Live::at(self.price_at(self.when), self.when, prompt, self.keep)
    }

    pub(super) fn price_at(&self, when: When) -> &'a Price {
        match self.then {
            Some((from, price)) if from <= when.date() => price,
            _ => self.price,
        }
    }

    /// What some tokens cost at a rate, factors included.
    pub(super) fn amount(&self, rate: Rate, tokens: u64) -> Amount {
        let price = self.price_at(self.when);
        let tier = tier(price, self.tier).unwrap_or(Factor::ONE);
        each(rate, tier, residency(price, self.residency)).times(tokens)
    }
}

/// One token at a rate with two factors.
pub(super) fn each(rate: Rate, tier: Factor, residency: Factor) -> Amount {
    let parts = u64::from(tier.as_parts()).saturating_mul(u64::from(residency.as_parts()));
    Amount::units(u128::from(rate.as_pico()).saturating_mul(u128::from(parts)))
}

/// The factor of a tier; `None` where the price does not know it.
pub(super) fn tier(price: &Price, name: Option<&str>) -> Option<Factor> {
    let Some(name) = name else {
        return Some(Factor::ONE);
    };
    let listed = price.service_tiers.get(name).copied();
    listed.or_else(|| STANDARD.contains(&name).then_some(Factor::ONE))
}

/// The factor of a place; one where the price has none for it.
pub(super) fn residency(price: &Price, place: Option<&str>) -> Factor {
    let listed = place.and_then(|place| price.extra.residency.get(place));
    listed.copied().unwrap_or(Factor::ONE)
}
