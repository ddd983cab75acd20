//! What routing knows of the running house: the endpoints, their prices now, how they fare, who has read what.

use std::collections::HashMap;
use std::sync::{Arc, Once};

use arc_swap::ArcSwap;

use crate::account::Vocabulary;
use crate::catalog::cost::{Cost, Fees, Quote, Tariff, Version};
use crate::catalog::{Model, Price, Provider, When};
use crate::chat::Tokens;
use crate::route::Candidate;
use crate::route::affinity::Affinity;
use crate::route::board::Board;
use crate::route::count::{Counter, LateCounter};
use crate::route::health::{Snapshot, Vitals};
use crate::route::moment::Moment;
use crate::route::names::{AUTO, Routing};
use crate::route::policy::Strategy;
use crate::route::quotes::Quotes;

/// How many beginnings of prompts are remembered.
const BEGINNINGS: usize = 64 * 1024;

/// Everything that plans are made of, shared by all calls. Reading it waits for nobody.
#[derive(Debug)]
pub struct Pilot {
    /// The endpoints.
    pub board: Board,
    /// How they fare.
    pub vitals: Vitals,
    /// Who has read which beginnings.
    pub affinity: Arc<Affinity>,
    /// Who serves each of the board's sites.
    sellers: Vec<(Arc<Provider>, usize)>,
    /// The first endpoint of each site by the site's name.
    places: HashMap<Box<str>, usize>,
    /// What the configuration says.
    pub routing: Routing,
    quotes: ArcSwap<Priced>,
    warm: Once,
}

/// Prices and the minute they are of.
#[derive(Debug, Default)]
struct Priced {
    minute: u64,
    quotes: Arc<Quotes>,
}

impl Pilot {
    /// Puts every model of the providers that are on on the board, with what was known before a restart.
    #[must_use]
    pub fn new<'a, I: Iterator<Item = &'a Arc<Provider>>>(
        on: I,
        routing: Routing,
        before: &Snapshot,
    ) -> Self {
        let vitals = |board: &Board| Vitals::of(board, before);
        Self::over(on, routing, vitals, Arc::new(Affinity::of(BEGINNINGS)))
    }

    /// The same for another configuration: what is known of endpoints that both have goes on.
    #[must_use]
    pub fn follow<'a, I: Iterator<Item = &'a Arc<Provider>>>(
        on: I,
        routing: Routing,
        old: &Self,
    ) -> Self {
        let vitals = |board: &Board| Vitals::follow(board, &old.board, &old.vitals);
        Self::over(on, routing, vitals, Arc::clone(&old.affinity))
    }

    fn over<'a, I: Iterator<Item = &'a Arc<Provider>>>(
        on: I,
        routing: Routing,
        vitals: impl FnOnce(&Board) -> Vitals,
        affinity: Arc<Affinity>,
    ) -> Self {
        let (mut board, mut sellers) = (Board::default(), Vec::new());
        for provider in on {
            for (at, model) in provider.models.iter().enumerate() {
                board.add(provider, model);
                sellers.push((Arc::clone(provider), at));
            }
        }
        let mut places = HashMap::with_capacity(board.sites.len());
        for (at, endpoint) in board.endpoints.iter().enumerate() {
            places
                .entry(board.site(endpoint).name.clone())
                .or_insert(at);
        }
        Self {
            vitals: vitals(&board),
            affinity,
            board,
            sellers,
            places,
            routing,
            quotes: ArcSwap::default(),
            warm: Once::new(),
        }
    }

    /// A strategy by its name: those of the configuration before those that are always there.
    #[must_use]
    pub fn strategy(&self, name: &str) -> Option<&Arc<Strategy>> {
        self.routing.strategy(name)
    }

    /// What is taken where nobody says anything.
    #[must_use]
    pub const fn default_strategy(&self) -> &Arc<Strategy> {
        &self.routing.default
    }

    /// The names of all strategies, `auto` first.
    pub fn strategies(&self) -> impl Iterator<Item = &str> {
        let own = self.routing.strategies.iter();
        std::iter::once(AUTO).chain(own.map(|known| &*known.name))
    }

    /// The first endpoint of a model at a provider, by any of its ids; `None` where it is not listed.
    #[must_use]
    pub fn place(&self, provider: &Provider, model: &str) -> Option<usize> {
        let at = |model: &str| {
            let name = format!("{}/{model}", provider.name);
            self.places.get(name.as_str()).copied()
        };
        at(model).or_else(|| at(&provider.resolve(model).model?.id))
    }

    /// Who serves a site, and as what.
    #[must_use]
    pub fn seller(&self, site: usize) -> Option<(&Arc<Provider>, &Model)> {
        let (provider, at) = self.sellers.get(site)?;
        Some((provider, provider.models.get(*at)?))
    }

    /// A site as something to try.
    #[must_use]
    pub fn candidate(&self, site: usize) -> Option<Candidate> {
        let (provider, model) = self.seller(site)?;
        Some(Candidate {
            provider: Arc::clone(provider),
            model: model.sent_as(&model.id).to_owned(),
            dialect: model.dialect,
            caps: Arc::clone(&model.caps),
            effort: None,
            limit: None,
        })
    }

    /// Prices now. Those of a service tier are worked out for the call.
    #[must_use]
    pub fn quotes(&self, now: Moment, tier: Option<&str>) -> Arc<Quotes> {
        if tier.is_some() {
            return Arc::new(Quotes::of(&self.board, now, tier, None));
        }
        let minute = now.as_millis() / 60_000 + 1;
        let known = self.quotes.load();
        if known.minute == minute {
            return Arc::clone(&known.quotes);
        }
        let quotes = Arc::new(Quotes::of(&self.board, now, None, None));
        self.quotes.store(Arc::new(Priced {
            minute,
            quotes: Arc::clone(&quotes),
        }));
        quotes
    }

    /// The price list of a model at a site, under the id it is sent as, at a moment.
    #[must_use]
    pub fn tariff<'a>(
        &'a self,
        (site, model): (usize, &str),
        now: u64,
        tier: Option<&'a str>,
    ) -> Option<Tariff<'a>> {
        let when = When::unix(now);
        let place = self.board.sites.get(site)?;
        if let Some(other) = self.other_price(site, model) {
            return Some(Tariff {
                tier,
                ..Tariff::new(other?, when)
            });
        }
        let then = place.then.as_ref().map(|(from, price)| (*from, &**price));
        Some(Tariff {
            then,
            tier,
            ..Tariff::new(place.price.as_deref()?, when)
        })
    }

    /// The price of an id that costs otherwise than its model does; an outer `None` where it does not.
    #[expect(
        clippy::option_option,
        reason = "`no other price` and `another price that nobody knows` are two things"
    )]
    fn other_price(&self, site: usize, model: &str) -> Option<Option<&Price>> {
        let (_, listed) = self.seller(site)?;
        if listed.id == model || listed.places.is_empty() {
            return None;
        }
        let (own, other) = (listed.price.as_ref(), listed.price_of(model));
        let same = match (own, other) {
            (Some(own), Some(other)) => std::ptr::eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        };
        (!same).then_some(other)
    }

    /// What an id costs that costs otherwise than its model does, worked out for the moment.
    #[must_use]
    pub fn other_quote(
        &self,
        (site, model): (usize, &str),
        now: Moment,
        tier: Option<&str>,
    ) -> Option<Option<Quote>> {
        self.other_price(site, model)?;
        let tariff = self.tariff((site, model), now.as_millis() / 1_000, tier);
        Some(tariff.as_ref().map(Quote::of))
    }

    /// The bill of a usage and the price it is made with; `None` where nobody vouches for a price.
    #[must_use]
    pub fn bill(
        &self,
        place: (usize, &str),
        now: u64,
        tier: Option<&str>,
        tokens: &Tokens,
    ) -> Option<(Cost, Version)> {
        let tariff = self.tariff(place, now, tier)?;
        Some((tariff.cost(tokens, &Fees::of(tokens)), tariff.version()))
    }

    /// The counter of tokens if it is there. The first to ask has it loaded, beside all calls.
    #[must_use]
    pub fn counter(&self) -> Option<Counter> {
        self.warm.call_once(|| {
            // Without a thread, prompts are guessed.
            let _ = std::thread::Builder::new()
                .name("vocabulary".to_owned())
                .spawn(Counter::warm);
        });
        Counter::ready()
    }

    /// The same for what comes while it is loaded.
    #[must_use]
    pub fn vocabulary(&self) -> &'static dyn Vocabulary {
        let _ = self.counter();
        &LateCounter
    }
}
