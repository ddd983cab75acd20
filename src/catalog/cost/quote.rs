//! A tariff worked out for some minutes: plain numbers, so that a plan can price hundreds of endpoints at once.

use crate::account::{Amount, Money};

use super::bound::Most;
use super::tariff::{Expected, Tariff};

/// What a tariff comes to round one moment. Gives the same money as the tariff it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// By the size of the prompt, rising; the first begins at nothing.
    steps: Box<[Step]>,
    /// What a web search and audio cost is left to the tariff: then a quote does not bound.
    firm: bool,
}

/// The rates for prompts from some size on, and what all but the output costs at most at that size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    from: u64,
    fresh: Amount,
    read: Amount,
    write: Amount,
    output: Amount,
    most: Option<Worst>,
}

/// The dearest that can be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Worst {
    call: Amount,
    token: Amount,
    heard: Amount,
    output: Amount,
}

impl Quote {
    /// Works a tariff out. It holds as long as neither the minute of its peak hours nor its day has changed; bounds
    /// hold for [`Tariff::lasting`] from its moment.
    #[must_use]
    pub fn of(tariff: &Tariff<'_>) -> Self {
        let then = tariff.then.map(|(_, price)| price);
        let prices = std::iter::once(tariff.price).chain(then);
        let bands = prices.flat_map(|price| price.bands.iter().map(|band| band.from));
        let mut sizes: Vec<u64> = std::iter::once(0).chain(bands).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let steps = sizes.into_iter().map(|from| Step::of(tariff, from));
        Self {
            steps: steps.collect(),
            firm: tariff.is_firm(),
        }
    }

    /// What a call is likely to cost.
    #[must_use]
    pub fn expected(&self, expected: &Expected) -> Money {
        let Some(step) = self.step(expected.input) else {
            return Money::ZERO;
        };
        let cached = expected.cached.min(expected.input);
        let written = expected.written.min(expected.input.saturating_sub(cached));
        let fresh = expected
            .input
            .saturating_sub(cached)
            .saturating_sub(written);
        let sum = step.fresh.times(fresh).plus(step.read.times(cached));
        let sum = sum.plus(step.write.times(written));
        sum.plus(step.output.times(expected.output)).nearest()
    }

    /// As [`Tariff::bound`], for calls without searches.
    #[must_use]
    pub fn bound(&self, most: &Most) -> Option<Money> {
        let (input, output) = self.parts(most)?;
        Some(input.plus(output.times(most.output)).upwards())
    }

    /// As [`Tariff::output_within`], for calls without searches.
    #[must_use]
    pub fn output_within(&self, most: &Most, cap: Money) -> Option<u64> {
        let (input, output) = self.parts(most)?;
        input.fits(output, cap)
    }

    /// Whether a bound is a guarantee: see [`Tariff::is_firm`].
    #[must_use]
    pub const fn is_firm(&self) -> bool {
        self.firm
    }

    fn parts(&self, most: &Most) -> Option<(Amount, Amount)> {
        if most.searches > 0 {
            return None;
        }
        let worst = self.step(most.input)?.most?;
        let audio = most.audio.min(most.input);
        let text = worst.token.times(most.input.saturating_sub(audio));
        let input = worst.call.plus(text).plus(worst.heard.times(audio));
        Some((input, worst.output))
    }

    fn step(&self, input: u64) -> Option<&Step> {
        self.steps.iter().rev().find(|step| step.from <= input)
    }
}

impl Step {
    fn of(tariff: &Tariff<'_>, from: u64) -> Self {
        let live = tariff.live(from);
        Self {
            from,
            fresh: tariff.amount(live.input, 1),
            read: tariff.amount(live.read, 1),
            write: tariff.amount(live.write_kept, 1),
            output: tariff.amount(live.output, 1),
            most: Worst::of(tariff, from),
        }
    }
}

impl Worst {
    /// Reads the slopes off the tariff itself: what a prompt of this size costs is a line within one band.
    fn of(tariff: &Tariff<'_>, from: u64) -> Option<Self> {
        let at = |input: u64, audio: u64| {
            let most = Most {
                input,
                audio,
                ..Most::default()
            };
            tariff.parts(&most)
        };
        let (first, output) = at(from, 0)?;
        if from == 0 {
            // Nothing costs the call's own fee; the rates of the lowest band are found where a prompt begins.
            let less = |a: Amount| Amount::units(a.as_units().saturating_sub(first.as_units()));
            return Some(Self {
                call: first,
                token: less(at(1, 0)?.0),
                heard: less(at(1, 1)?.0),
                output,
            });
        }
        let (nothing, _) = at(0, 0)?;
        let slope = |sum: Amount| {
            let rest = sum.as_units().saturating_sub(nothing.as_units());
            Amount::units(rest / u128::from(from))
        };
        Some(Self {
            call: nothing,
            token: slope(first),
            heard: slope(at(from, from)?.0),
            output,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use crate::catalog::Catalog;
    use crate::catalog::when::When;

    use super::*;

    proptest! {
        #[test]
        fn a_quote_is_its_tariff(pick in any::<u64>(), now in 1_760_000_000_u64..1_830_000_000, input in 0_u64..1_500_000,
            cached in 0_u64..900_000, written in 0_u64..900_000, output in 0_u64..200_000, cap in any::<u32>()) {
            let catalog = Catalog::builtin().unwrap();
            let all: Vec<_> = catalog.providers().iter().flat_map(|p| p.models.iter().map(move |m| (p, m))).collect();
            for at in 0..40 {
                let place = usize::try_from(pick.wrapping_add(at * 7) % all.len() as u64).unwrap();
                let (provider, model) = all[place];
                let Some(tariff) = Tariff::of(provider, model, When::unix(now)) else { continue };
                let quote = Quote::of(&tariff);
                let expected = Expected { input, cached, written, output };
                assert_eq!(quote.expected(&expected), tariff.expected(&expected), "{}", model.id);
                let most = Most { input, output, audio: cached, searches: 0 };
                assert_eq!(quote.bound(&most), tariff.bound(&most), "{}", model.id);
                let cap = Money::nano(u64::from(cap));
                assert_eq!(quote.output_within(&most, cap), tariff.output_within(&most, cap), "{}", model.id);
            }
        }
    }
}
