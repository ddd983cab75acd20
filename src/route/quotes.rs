//! Every site's price worked out for the moment, so that a plan does not read price lists.

use crate::catalog::cost::{Quote, Tariff};
use crate::catalog::when::When;

use super::board::Board;
use super::moment::Moment;

/// Prices of a board's sites round one moment; made anew each minute and whenever the board is.
#[derive(Clone, Debug, Default)]
pub struct Quotes {
    /// By the board's places; `None` where there is no price.
    pub sites: Vec<Option<Quote>>,
}

impl Quotes {
    /// Works out every price. Those who ask for a service tier or a place get quotes of their own.
    #[must_use]
    pub fn of(board: &Board, now: Moment, tier: Option<&str>, residency: Option<&str>) -> Self {
        let when = When::unix(now.as_millis() / 1_000);
        let quote = |site: &super::board::Site| {
            let price = site.price.as_deref()?;
            let then = site.then.as_ref().map(|(from, price)| (*from, &**price));
            Some(Quote::of(&Tariff {
                then,
                tier,
                residency,
                ..Tariff::new(price, when)
            }))
        };
        Self {
            sites: board.sites.iter().map(quote).collect(),
        }
    }

    /// A site's price.
    #[must_use]
    pub fn site(&self, place: usize) -> Option<&Quote> {
        self.sites.get(place)?.as_ref()
    }
}
