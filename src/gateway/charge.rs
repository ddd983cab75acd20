//! What an answer cost: what its provider says, else its usage at listed prices, else what went by at these prices.

use crate::account::Money;
use crate::catalog::cost::{Cost, Fees, Plausible, Tariff, Version};
use crate::catalog::{Price, When};
use crate::chat::Tokens;
use crate::route::Beside;

use super::ending::{Ended, Heard, Oddness};
use super::pilot::Pilot;

/// What an answer cost.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The sum.
    pub money: Money,
    /// Whether it is the bill to the nano-dollar, as far as prices and usage tell.
    pub exact: bool,
    /// Why it may not be the bill.
    pub doubt: Option<Doubt>,
    /// Who says so.
    pub source: Source,
    /// The tokens that it is for: told, billed or counted.
    pub tokens: Tokens,
    /// Its lines, where it was worked out here.
    pub bill: Option<Box<Cost>>,
    /// The price that it was worked out with.
    pub version: Option<Version>,
}

/// Who says what an answer cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The provider itself.
    Provider,
    /// Its usage, at listed prices.
    Usage,
    /// What went by, at listed prices.
    Estimate,
}

impl Source {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Usage => "usage",
            Self::Estimate => "estimate",
        }
    }
}

/// Why a cost may not be the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// No usage was told, or none that can be read.
    UsageMissing,
    /// The usage that was told cannot be.
    UsageAbsurd,
    /// The answer was cut at its ceiling, and what was under way is billed as well.
    CutAtCap,
    /// The answer broke off.
    BrokeOff,
    /// The client went away before its end.
    ClientGone,
    /// An attempt before may be billed as well.
    EarlierAttempt,
    /// More may be billed than is told: searches without their number, other tools that the provider runs.
    ProviderTools,
    /// Something of it has no listed rate, or the price is a reading that moves.
    RateNotListed,
}

impl Doubt {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UsageMissing => "usage_missing",
            Self::UsageAbsurd => "usage_absurd",
            Self::CutAtCap => "cut_at_cap",
            Self::BrokeOff => "answer_broke_off",
            Self::ClientGone => "client_gone",
            Self::EarlierAttempt => "earlier_attempt",
            Self::ProviderTools => "provider_tools",
            Self::RateNotListed => "rate_not_listed",
        }
    }
}

/// Who is to be billed for what.
#[derive(Clone, Copy, Debug)]
pub struct Billed<'a> {
    /// The site on the board that answered; `None` where the catalogue does not list it.
    pub site: Option<usize>,
    /// What it costs where the board does not list it, and yet a price is known: embeddings, and whatever a provider
    /// serves at one price.
    pub unlisted: Option<&'a Price>,
    /// The model, as it was sent.
    pub model: &'a str,
    /// When it ended, in Unix seconds.
    pub now: u64,
    /// The service tier that was asked for and costs otherwise.
    pub tier: Option<&'a str>,
    /// Tokens of the prompt, by guess.
    pub input: u64,
    /// Whether no earlier attempt may be billed.
    pub sure: bool,
    /// What may be billed beside tokens.
    pub beside: Beside,
}

impl<'a> Billed<'a> {
    /// The price list that holds for it.
    fn tariff(&self, pilot: &'a Pilot, tier: Option<&'a str>) -> Option<Tariff<'a>> {
        match self.site {
            Some(site) => pilot.tariff((site, self.model), self.now, tier),
            None => Some(Tariff {
                tier,
                ..Tariff::new(self.unlisted?, When::unix(self.now))
            }),
        }
    }
}

/// What a call cost: what the provider says itself, else its usage at its prices, else what was counted. `None` where
/// nobody vouches for a price.
#[must_use]
pub fn charge(pilot: &Pilot, billed: &Billed<'_>, heard: &Heard) -> Option<Charge> {
    let (tokens, source) = counted(billed, heard);
    let partial = match heard.odd {
        Oddness::Partial(ended) => Some(ended),
        Oddness::None | Oddness::Absurd => None,
    };
    if let Some(money) = heard.said_cost.filter(|_| partial.is_none()) {
        let doubt = (!billed.sure).then_some(Doubt::EarlierAttempt);
        return Some(Charge {
            money,
            exact: doubt.is_none(),
            doubt,
            source: Source::Provider,
            tokens,
            bill: None,
            version: None,
        });
    }
    let tier = heard.tier.as_deref().or(billed.tier);
    let tariff = billed.tariff(pilot, tier)?;
    let (cost, version) = (tariff.cost(&tokens, &Fees::of(&tokens)), tariff.version());
    let doubt = doubt(billed, heard, &cost);
    Some(Charge {
        money: cost.money,
        exact: doubt.is_none(),
        doubt,
        source,
        tokens,
        bill: Some(Box::new(cost)),
        version: Some(version),
    })
}

/// The tokens that are billed. An explicit zero stays zero; where nothing can be believed, bytes were counted.
fn counted(billed: &Billed<'_>, heard: &Heard) -> (Tokens, Source) {
    match (heard.odd, heard.tokens) {
        (Oddness::None, Some(told)) => (heard.billed.unwrap_or(told), Source::Usage),
        (Oddness::Partial(_), _) => (heard.cut_short(billed.input), Source::Estimate),
        (Oddness::None | Oddness::Absurd, _) => {
            let guess = Tokens {
                prompt: billed.input,
                completion: heard.seen.guess,
                ..Tokens::default()
            };
            (guess, Source::Estimate)
        }
    }
}

/// Why a cost may not be the bill: what matters most comes first.
fn doubt(billed: &Billed<'_>, heard: &Heard, cost: &Cost) -> Option<Doubt> {
    match heard.odd {
        Oddness::Absurd => return Some(Doubt::UsageAbsurd),
        Oddness::Partial(Ended::Cut) => return Some(Doubt::CutAtCap),
        Oddness::Partial(Ended::Broke) => return Some(Doubt::BrokeOff),
        Oddness::Partial(Ended::ClientGone) => return Some(Doubt::ClientGone),
        Oddness::None => {}
    }
    let doubts = [
        (heard.tokens.is_none(), Doubt::UsageMissing),
        (!billed.sure, Doubt::EarlierAttempt),
        (
            !all_told(billed.beside, heard.tokens.as_ref()),
            Doubt::ProviderTools,
        ),
        (!cost.exact, Doubt::RateNotListed),
    ];
    doubts
        .into_iter()
        .find_map(|(is, doubt)| is.then_some(doubt))
}

/// Whether the usage tells all that may be billed beside tokens.
fn all_told(beside: Beside, told: Option<&Tokens>) -> bool {
    match beside {
        Beside::Nothing => true,
        Beside::Searches => told.is_some_and(|told| told.searches.is_some()),
        Beside::Unknown => false,
    }
}

/// What was heard, with a usage that cannot be taken for what it is.
#[must_use]
pub fn weighed(pilot: &Pilot, billed: &Billed<'_>, mut heard: Heard) -> Heard {
    let seller = billed.site.and_then(|site| pilot.seller(site));
    let plausible = match seller {
        Some((_, model)) if billed.beside == Beside::Nothing => {
            Plausible::of(&model.caps, heard.seen.most, heard.seen.choices)
        }
        Some(_) | None => Plausible::ANY,
    };
    let absurd = heard.tokens.is_some_and(|told| !plausible.holds(&told));
    if absurd {
        heard.tokens = None;
        heard.odd = Oddness::Absurd;
    }
    heard
}

/// Bytes per token of usual text, in quarters.
const QUARTER_BYTES_PER_TOKEN: usize = 17;
/// Bodies under this are text, or as good as.
const SMALL: usize = 16 * 1024;
/// What a picture, a sound or a document is worth in tokens where nobody tells.
const PER_FILE: usize = 1_000;

/// Tokens of a prompt by guess, from the bytes of its request; what is in it as base64 counts by the piece.
#[must_use]
pub fn prompt_guess(body: &str) -> u64 {
    let (mut bytes, mut files) = (body.len(), 0_usize);
    if body.len() > SMALL {
        let mut rest = body;
        while let Some(at) = memchr::memmem::find(rest.as_bytes(), b";base64,") {
            rest = rest.get(at..).unwrap_or_default();
            let length = memchr::memchr(b'"', rest.as_bytes()).unwrap_or(rest.len());
            bytes = bytes.saturating_sub(length);
            files = files.saturating_add(1);
            rest = rest.get(length..).unwrap_or_default();
        }
    }
    let tokens = bytes.saturating_mul(4) / QUARTER_BYTES_PER_TOKEN;
    u64::try_from(tokens.saturating_add(files.saturating_mul(PER_FILE))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_guessed_by_its_bytes_and_files_by_the_piece() {
        assert_eq!(prompt_guess(&"x".repeat(17)), 4);
        let picture = format!("\"data:image/png;base64,{}\"", "A".repeat(1_000_000));
        assert!((1_000..1_020).contains(&prompt_guess(&picture)));
    }
}
