//! The endpoints that can be chosen, made once per configuration: provider x model x reasoning effort, with all that
//! planning needs worked out. It holds no key, no URL and no state; places in it are the same until the next one.

use std::sync::Arc;

use crate::catalog::{Date, Model, Price, Provider, Quality, Speed, Status, Tokenizer};
use crate::dialect::Caps;
use crate::dialect::caps::{Effort, Sampling};

use super::ability::{Abilities, Ability};
use super::effort::{self, Grade};
use super::number::{self, float};

/// Every endpoint.
#[derive(Clone, Debug, Default)]
pub struct Board {
    /// Models at providers.
    pub sites: Vec<Site>,
    /// Sites at their effort levels; those of one site stand together.
    pub endpoints: Vec<Endpoint>,
    /// Families at a level: how long answers are is theirs, whoever serves them.
    pub talks: Vec<(Box<str>, Effort)>,
}

/// A model at a provider: what has a price, a limit, a health.
#[derive(Clone, Debug)]
pub struct Site {
    /// `provider/model`.
    pub name: Box<str>,
    /// How long the provider's part of the name is.
    pub slash: usize,
    /// The model itself, whoever serves it.
    pub family: Box<str>,
    /// A hash of the name, for draws that do not depend on places.
    pub key: u64,
    /// Whether it is offered.
    pub status: Status,
    /// The day it goes.
    pub shutdown: Option<Date>,
    /// Whether breaking off a stream ends its cost.
    pub cancels: bool,
    /// Whether it reads text with the tokenizer that prompts are counted with.
    pub counts: bool,
    /// What it can do.
    pub caps: Arc<Caps>,
    /// What it costs, and what it is charged as from a day on.
    pub price: Option<Arc<Price>>,
    /// The day from which another price holds, and that.
    pub then: Option<(Date, Arc<Price>)>,
    /// Its tokens per token of the estimate.
    pub token_factor: f64,
    /// Quality and thinking when the caller says an effort, by level; a level it lacks is its nearest.
    pub levels: [Level; 7],
    /// What to expect before anything was measured.
    pub prior: Prior,
    /// Milliseconds for which its provider keeps a prompt's prefix; `None` where it keeps none.
    pub keeps: Option<u64>,
}

/// A site at one effort.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Its site's place on the board.
    pub site: usize,
    /// The level to ask for; `None` leaves it unsaid, or as the caller said it.
    pub effort: Option<Effort>,
    /// The level it works at when the caller says none.
    pub level: Level,
    /// A hash of its name and level.
    pub key: u64,
    /// The place of its family and level among the board's talks.
    pub talk: usize,
}

/// What a level means at a site.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// The level.
    pub effort: Effort,
    /// Quality there, where known.
    pub grade: Option<Grade>,
    /// Tokens it is likely to think.
    pub thinks: f64,
    /// Output tokens below which it is not worth asking.
    pub floor: u64,
    /// What the model is known to lack there.
    pub lacks: Abilities,
}

/// What to expect of a site's speed before anything was measured: a class, no measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    /// Milliseconds before anything comes, for an empty prompt.
    pub wait: f64,
    /// Milliseconds more per prompt token that no cache knows.
    pub read: f64,
    /// Milliseconds per output token, thinking included.
    pub write: f64,
}

/// What a prefix is kept for where the provider has a rate for cached reads and says no time.
const KEPT: u64 = 300_000;

impl Board {
    /// Adds a listed model at all its levels.
    pub fn add(&mut self, provider: &Provider, model: &Model) {
        let then = model.billed_as.as_ref().and_then(|billed| {
            let price = provider.model(&billed.model)?.price.clone()?;
            Some((billed.from, Arc::new(price)))
        });
        let price = model.price.clone().map(Arc::new);
        let mut site = Site::new(&provider.name, &model.id, &model.family, &model.caps);
        (site.status, site.shutdown) = (model.status, model.shutdown);
        site.cancels = provider.cancel_stops_billing == Some(true);
        site.keeps = price.as_ref().and_then(|price| keeps(price));
        (site.price, site.then) = (price, then);
        site.token_factor = model
            .token_factor
            .map_or(1.0, |factor| f64::from(factor.as_parts()) / 10_000.0);
        site.counts = model.tokenizer == Some(Tokenizer::O200k);
        site.prior = Prior::of(model.speed);
        site.grade(model.quality.as_ref());
        self.push(site);
    }

    /// Adds a site at all its levels.
    pub fn push(&mut self, site: Site) {
        let place = self.sites.len();
        let usual = effort::usual(&site.caps.reasoning);
        let mut levels = site.caps.reasoning.levels.clone();
        if site.caps.reasoning.can_disable == Some(true) {
            levels.push(Effort::None);
        }
        levels.retain(|level| *level != usual);
        levels.sort_unstable();
        levels.dedup();
        let said = levels.into_iter().map(Some);
        for effort in std::iter::once(None).chain(said) {
            let mut endpoint = Endpoint::of(place, &site, effort, usual);
            endpoint.talk = self.talk(&site.family, endpoint.level.effort);
            self.endpoints.push(endpoint);
        }
        self.sites.push(site);
    }

    fn talk(&mut self, family: &str, level: Effort) -> usize {
        let known = |(of, at): &(Box<str>, Effort)| **of == *family && *at == level;
        self.talks.iter().position(known).unwrap_or_else(|| {
            self.talks.push((family.into(), level));
            self.talks.len() - 1
        })
    }

    /// The site of an endpoint.
    #[must_use]
    pub fn site(&self, endpoint: &Endpoint) -> &Site {
        &self.sites[endpoint.site]
    }

    /// The endpoint of a name and level, as a plan writes it.
    #[must_use]
    pub fn find(&self, site: &str, effort: Option<Effort>) -> Option<usize> {
        self.endpoints
            .iter()
            .position(|endpoint| endpoint.effort == effort && *self.site(endpoint).name == *site)
    }
}

impl Site {
    /// A site of which nothing is known but what it can do.
    #[must_use]
    pub fn new(provider: &str, model: &str, family: &str, caps: &Arc<Caps>) -> Self {
        let name = format!("{provider}/{model}");
        let key = number::name(&name);
        let mut site = Self {
            name: name.into(),
            slash: provider.len(),
            family: family.into(),
            key,
            status: Status::Active,
            shutdown: None,
            cancels: false,
            counts: false,
            caps: Arc::clone(caps),
            price: None,
            then: None,
            token_factor: 1.0,
            levels: [Level::plain(); 7],
            prior: Prior::of(None),
            keeps: None,
        };
        site.grade(None);
        site
    }

    /// Works out every level from a quality.
    pub fn grade(&mut self, quality: Option<&Quality>) {
        let reasoning = &self.caps.reasoning;
        self.levels = Effort::ALL.map(|said| {
            let off = said == Effort::None
                && (reasoning.can_disable == Some(true) || effort::usual(reasoning) == said);
            let effort = if off { said } else { reasoning.nearest(said) };
            Level {
                effort,
                grade: quality.map(|known| effort::quality(known, reasoning, effort)),
                thinks: f64::from(effort::thinks(reasoning, effort)),
                floor: u64::from(effort::on_ladder(effort).floor),
                lacks: lacks(&self.caps, effort),
            }
        });
    }

    /// The provider's name.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.name.get(..self.slash).unwrap_or_default()
    }

    /// The model, in the provider's own name for it.
    #[must_use]
    pub fn model(&self) -> &str {
        self.name.get(self.slash + 1..).unwrap_or_default()
    }

    /// What a level means here.
    #[must_use]
    pub fn level(&self, effort: Effort) -> Level {
        self.levels[effort as usize]
    }
}

impl Endpoint {
    fn of(place: usize, site: &Site, effort: Option<Effort>, usual: Effort) -> Self {
        let level = site.level(effort.unwrap_or(usual));
        let salt = effort.map_or(0, |effort| effort as u64 + 1);
        Self {
            site: place,
            effort,
            level,
            key: if salt == 0 {
                site.key
            } else {
                number::mix(site.key, salt)
            },
            talk: 0,
        }
    }
}

impl Level {
    const fn plain() -> Self {
        Self {
            effort: Effort::None,
            grade: None,
            thinks: 0.0,
            floor: 16,
            lacks: Abilities::NONE,
        }
    }
}

impl Prior {
    /// The middle of a class; what no class is known for counts as medium.
    #[must_use]
    pub fn of(speed: Option<Speed>) -> Self {
        let (wait, per_second) = match speed {
            Some(Speed::Slow) => (1_500.0, 45.0),
            Some(Speed::Medium) | None => (1_000.0, 85.0),
            Some(Speed::Fast) => (800.0, 160.0),
            Some(Speed::VeryFast) => (500.0, 350.0),
        };
        Self {
            wait,
            read: 0.05,
            write: 1_000.0 / per_second,
        }
    }

    /// Milliseconds before anything comes for so many prompt tokens that no cache knows.
    #[must_use]
    pub fn waits(&self, fresh: u64) -> f64 {
        self.read * float(fresh) + self.wait
    }
}

/// What a model is known to lack at a level.
fn lacks(caps: &Caps, level: Effort) -> Abilities {
    let no = |known: Option<bool>| known == Some(false);
    let sampling = match caps.sampling {
        Sampling::All => false,
        Sampling::None => true,
        Sampling::EffortNoneOnly | Sampling::IgnoredWhileThinking => level != Effort::None,
    };
    let reasoning = caps.reasoning.kind == crate::dialect::caps::Kind::None;
    let known = Abilities::NONE
        .with_if(no(caps.tools), Ability::Tools)
        .with_if(no(caps.tools), Ability::CustomTools)
        .with_if(no(caps.parallel_tools), Ability::ParallelTools)
        .with_if(no(caps.forced_tool_choice), Ability::ForcedToolChoice)
        .with_if(no(caps.vision), Ability::Vision)
        .with_if(no(caps.pdf), Ability::Pdf)
        .with_if(no(caps.audio), Ability::AudioInput)
        .with_if(no(caps.json_schema), Ability::JsonSchema)
        .with_if(no(caps.json_object), Ability::JsonObject)
        .with_if(no(caps.n), Ability::Choices)
        .with_if(no(caps.seed), Ability::Seed)
        .with_if(no(caps.logprobs), Ability::Logprobs)
        .with_if(sampling, Ability::Sampling)
        .with_if(reasoning, Ability::Reasoning);
    let refused = caps.refuses.iter();
    refused
        .filter_map(|name| Ability::of_member(name))
        .fold(known, Abilities::with)
}

/// How long a prefix is kept: the shortest lifetime on the price list.
fn keeps(price: &Price) -> Option<u64> {
    price.rates.cache_read?;
    let minutes = |key: &String| {
        let number = |unit: char| key.strip_suffix(unit)?.parse::<u64>().ok();
        number('m').or_else(|| Some(number('h')?.saturating_mul(60)))
    };
    let shortest = price.rates.cache_write.keys().filter_map(minutes).min();
    Some(shortest.map_or(KEPT, |minutes| minutes.saturating_mul(60_000)))
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;

    use super::*;

    fn whole() -> Board {
        let catalog = Catalog::builtin().unwrap();
        let mut board = Board::default();
        for provider in catalog.providers() {
            for model in &provider.models {
                board.add(provider, model);
            }
        }
        board
    }

    #[test]
    fn levels_are_those_the_model_takes_and_each_once() {
        let board = whole();
        let of = |name: &str| -> Vec<Option<Effort>> {
            let of = board.endpoints.iter();
            of.filter(|endpoint| *board.site(endpoint).name == *name)
                .map(|endpoint| endpoint.effort)
                .collect()
        };
        assert_eq!(of("openai/gpt-4.1"), [None]);
        let luna = of("openai/gpt-5.6-luna");
        assert_eq!(luna[..2], [None, Some(Effort::None)]);
        assert!(
            !luna.contains(&Some(Effort::Medium)),
            "it is the usual level"
        );
        assert!(luna.contains(&Some(Effort::Max)));
        let mut keys: Vec<u64> = board
            .endpoints
            .iter()
            .map(|endpoint| endpoint.key)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), board.endpoints.len());
    }

    #[test]
    fn more_effort_is_better_longer_and_may_lose_sampling() {
        let board = whole();
        for pair in board.endpoints.windows(2) {
            let (less, more) = (&pair[0], &pair[1]);
            if less.site != more.site || less.effort.is_none() {
                continue;
            }
            let quality = |endpoint: &Endpoint| endpoint.level.grade.map(|grade| grade.quality);
            assert!(quality(less) <= quality(more), "{}", board.site(less).name);
            assert!(less.level.thinks <= more.level.thinks);
            assert!(less.level.floor < more.level.floor);
        }
        let at = |effort| &board.endpoints[board.find("openai/gpt-5.6-luna", effort).unwrap()];
        assert!(at(None).level.lacks.has(Ability::Sampling));
        assert!(!at(Some(Effort::None)).level.lacks.has(Ability::Sampling));
        let site = board.site(at(None));
        assert_eq!((site.provider(), site.model()), ("openai", "gpt-5.6-luna"));
    }
}
