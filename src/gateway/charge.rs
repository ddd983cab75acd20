//! What an answer cost, from the usage that its provider told.

use crate::account::Money;
use crate::catalog::Cost;
use crate::chat::Tokens;

use super::feed::Heard;
use super::settle::Trip;

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

/// What a call cost: what the provider says itself, else its usage at its prices, else what a meter counted. `None`
/// where there is neither a price nor a usage.
pub fn charge(trip: &Trip, heard: &Heard) -> Option<Charge> {
    let sure = !trip.route.unsure;
    if let Some(money) = heard.said_cost {
        return Some(Charge {
            money,
            exact: sure,
            bill: None,
        });
    }
    let pilot = &trip.shared().pilot;
    let endpoint = pilot.board.endpoints.get(trip.route.endpoint?)?;
    let place = (endpoint.site, trip.model.as_str());
    let now = trip.shared().clock.unix();
    let tier = heard.tier.as_deref().or(trip.route.tier.as_deref());
    if let Some(tokens) = &heard.tokens {
        let cost = pilot.bill(place, now, tier, tokens)?;
        return Some(Charge {
            money: cost.money,
            exact: cost.exact && sure && !trip.route.endless,
            bill: Some(Box::new(cost)),
        });
    }
    // Nobody told the usage: the meter saw what came.
    let (output, _) = heard.guess?;
    let tokens = Tokens {
        prompt: trip.route.input,
        completion: output,
        ..Tokens::default()
    };
    let cost = pilot.bill(place, now, tier, &tokens)?;
    Some(Charge {
        money: cost.money,
        exact: false,
        bill: Some(Box::new(cost)),
    })
}
