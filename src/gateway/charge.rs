//! What an answer cost, from the usage that its provider told.

use crate::account::Money;
use crate::catalog::Cost;
use crate::chat::Tokens;

use super::ending::Heard;
use super::pilot::Pilot;

/// What an answer cost.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The sum.
    pub money: Money,
    /// Whether it is the bill to the nano-dollar, as far as prices and usage tell.
    pub exact: bool,
    /// Its lines, where it was worked out here.
    pub bill: Option<Box<Cost>>,
}

/// Who is to be billed for what.
#[derive(Clone, Copy, Debug)]
pub struct Billed<'a> {
    /// The site on the board that answered; `None` where the catalogue does not list it.
    pub site: Option<usize>,
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
    /// Whether tokens are all that is billed.
    pub metered_whole: bool,
}

/// What a call cost: what the provider says itself, else its usage at its prices, else what a meter counted. `None`
/// where there is neither a price nor a usage.
#[must_use]
pub fn charge(pilot: &Pilot, billed: &Billed<'_>, heard: &Heard) -> Option<Charge> {
    if let Some(money) = heard.said_cost {
        return Some(Charge {
            money,
            exact: billed.sure,
            bill: None,
        });
    }
    let place = (billed.site?, billed.model);
    let tier = heard.tier.as_deref().or(billed.tier);
    // Where nobody tells the usage, the meter saw what came.
    let guessed = || {
        let (output, _) = heard.guess?;
        Some(Tokens {
            prompt: billed.input,
            completion: output,
            ..Tokens::default()
        })
    };
    let tokens = heard.tokens.or_else(guessed)?;
    let cost = pilot.bill(place, billed.now, tier, &tokens)?;
    let told = heard.tokens.is_some() && billed.sure && billed.metered_whole;
    Some(Charge {
        money: cost.money,
        exact: cost.exact && told,
        bill: Some(Box::new(cost)),
    })
}
