//! The bound: what a call can cost at the very most, as long as it keeps within its limits.

use crate::account::{Amount, Money, Pace, Slack};
use crate::catalog::price::{Factor, Price, Rate, Rates};

use super::keep::Keep;
use super::live::Live;
use super::tariff::{Tariff, each, residency, tier};

/// How far a provider's clock may be from ours.
const SKEW: u64 = 300;

/// A day may begin so much earlier or later where the provider keeps its books.
const DATE_LINE: u64 = 14 * 3_600;

/// The limits of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Most {
    /// Prompt tokens at most.
    pub input: u64,
    /// Of those, tokens that may be audio.
    pub audio: u64,
    /// Completion tokens at most, over all choices, reasoning included.
    pub output: u64,
    /// Web searches at most.
    pub searches: u64,
}

impl Tariff<'_> {
    /// What a call costs at most while it keeps within the limits, whenever within [`Tariff::lasting`] it is billed:
    /// the dearest band, moment, announced rate and tier that it can meet, its prompt as if each token were of the
    /// dearest kind. `None` where something of it has no listed price.
    #[must_use]
    pub fn bound(&self, most: &Most) -> Option<Money> {
        let (input, output) = self.parts(most)?;
        Some(input.plus(output.times(most.output)).upwards())
    }

    /// The largest output limit whose bound fits a cap, whatever `most.output` says; `None` where there is no bound or
    /// the prompt alone may cost more than the cap.
    #[must_use]
    pub fn output_within(&self, most: &Most, cap: Money) -> Option<u64> {
        let (input, output) = self.parts(most)?;
        input.fits(output, cap)
    }

    /// What all but the output costs at most, and what each token of output does.
    #[must_use]
    pub fn parts(&self, most: &Most) -> Option<(Amount, Amount)> {
        let (from, to) = (self.when, self.when.later(self.lasting));
        let first = self.price_at(from.earlier(DATE_LINE));
        let last = self.price_at(to.later(DATE_LINE));
        let worst = self.parts_of(first, most)?;
        if std::ptr::eq(first, last) {
            return Some(worst);
        }
        let other = self.parts_of(last, most)?;
        Some((worst.0.max(other.0), worst.1.max(other.1)))
    }

    /// What a meter counts with: `unseen` tokens of output may be made where nobody sees them, and one token of this
    /// model is a factor of `o200k`'s, with some slack. `None` as for [`Tariff::bound`].
    #[must_use]
    pub fn pace(
        &self,
        most: &Most,
        unseen: u64,
        (token_factor, slack): (Option<Factor>, Option<Slack>),
    ) -> Option<Pace> {
        let (start, each) = self.parts(most)?;
        Some(Pace {
            start,
            each,
            unseen,
            token_parts: token_factor.unwrap_or(Factor::ONE).as_parts(),
            slack,
        })
    }

    fn parts_of(&self, price: &Price, most: &Most) -> Option<(Amount, Amount)> {
        // A tier that is asked for may be refused and billed as standard.
        let tier = tier(price, self.tier)?.max(Factor::ONE);
        let place = residency(price, self.residency);
        let live = self.worst(price, most.input);
        let text = live.input.max(live.read).max(match self.keep {
            Keep::Nothing => Rate::default(),
            Keep::Shortest => live.write,
            Keep::For(_) => live.write.max(live.write_kept),
            Keep::Any => live.write_most,
        });
        let audio = most.audio.min(most.input);
        let input = each(text, tier, place).times(most.input.saturating_sub(audio));
        let heard = each(text.max(live.audio), tier, place).times(audio);
        let fees = fee(price.extra.web_search_per_1k, most.searches)?;
        let call = fee(
            price.extra.calls_per_1k,
            u64::from(price.extra.calls_per_1k.is_some()),
        )?;
        let sum = input.plus(heard).plus(fees).plus(call);
        Some((sum, each(live.output, tier, place)))
    }

    /// The dearest of each rate that a prompt up to a size can meet while the call lasts.
    fn worst(&self, price: &Price, input: u64) -> Live {
        let row = |rates: &Rates| Live::of(rates, &price.rates, self.keep);
        let (from, to) = (
            self.when.earlier(SKEW),
            self.when.later(self.lasting).later(SKEW),
        );
        let (first, last) = (from.earlier(DATE_LINE).date(), to.later(DATE_LINE).date());
        let in_force = price.scheduled.iter().filter(|row| row.from <= first);
        let in_force = in_force.map(|row| row.from).max();
        let announced = price
            .scheduled
            .iter()
            .filter(|row| row.from <= last && in_force.is_none_or(|date| row.from >= date));
        let bands = price.bands.iter().filter(|band| band.from <= input);
        let peak = price.peak.as_ref().filter(|peak| peak.meets(from, to));
        let rows = announced.map(|row| &row.rates);
        let rows = rows.chain(peak.map(|peak| &peak.rates));
        let rows = rows.chain(bands.map(|band| &band.rates));
        let plain = in_force.is_none().then_some(&price.rates);
        rows.chain(plain)
            .map(row)
            .reduce(Live::dearer)
            .unwrap_or_default()
    }
}

/// A fee by the thousand; `None` where something is counted that has no price.
fn fee(listed: Option<Rate>, count: u64) -> Option<Amount> {
    if count == 0 {
        return Some(Amount::ZERO);
    }
    let one = each(listed?, Factor::ONE, Factor::ONE);
    Some(one.times(count).times(1_000))
}
