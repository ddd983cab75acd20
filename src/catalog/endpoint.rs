//! A provider and what it sells.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use crate::dialect::{Caps, Dialect, Quirks};

use super::auth::{AuthKind, Identity};
use super::date::Date;
use super::embedding::Embedding;
use super::family::{Quality, Speed, Tokenizer};
use super::pattern::Pattern;
use super::price::{Factor, Price};
use super::setting::Settings;

/// Someone who answers chat requests.
pub struct Provider {
    /// The name that configuration and requests use.
    pub name: String,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// The wire format of its models that do not name their own.
    pub dialect: &'static dyn Dialect,
    /// What the dialect's paths are appended to, prefix included.
    pub base_url: String,
    /// The same with the names of settings in braces.
    pub url_shape: String,
    /// The values of its settings, where they have one.
    pub settings: Settings,
    /// How it wants its key.
    pub auth: AuthKind,
    /// How calls are authorised where there is no key.
    pub identity: Option<Identity>,
    /// The variables that usually hold a key, in order.
    pub env: Vec<String>,
    /// How it differs from others of its dialect.
    pub quirks: Quirks,
    /// Whether breaking off a stream ends its cost; `None` where not known.
    pub cancel_stops_billing: Option<bool>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// What it sells, in the order of its file.
    pub models: Vec<Model>,
    /// What it sells that turns texts into vectors.
    pub embeddings: Vec<Embedding>,
    /// What holds of ids that are not listed.
    pub rules: Vec<Rule>,
    /// What it sold once.
    pub retired: Vec<Retired>,
    /// Ids and aliases to places in `models`.
    pub(super) index: HashMap<String, usize>,
    /// What is known of a model of which nothing is known.
    pub(super) nothing: Arc<Caps>,
}

/// A model at a provider.
#[derive(Clone, Debug)]
pub struct Model {
    /// What goes into the request.
    pub id: String,
    /// The model itself, whoever serves it: others of one family are interchangeable.
    pub family: String,
    /// The name for people.
    pub name: String,
    /// Other exact ids for it here.
    pub aliases: Vec<String>,
    /// Dated snapshots of it.
    pub pattern: Option<Pattern>,
    /// Ids of the same model that cost otherwise, first match wins; asked after `pattern`.
    pub places: Vec<Place>,
    /// The name that is sent for each of its ids, where it is the user's own.
    pub sent: Option<String>,
    /// Its wire format: its provider's, unless it says otherwise.
    pub dialect: &'static dyn Dialect,
    /// Whether it is offered.
    pub status: Status,
    /// The day it came out here.
    pub released: Option<Date>,
    /// The day it goes.
    pub shutdown: Option<Date>,
    /// What would take its place.
    pub successor: Option<String>,
    /// What it is served and charged as from a day on.
    pub billed_as: Option<BilledAs>,
    /// What it costs; `None` where no price can be vouched for.
    pub price: Option<Price>,
    /// What it can do.
    pub caps: Arc<Caps>,
    /// How good it is, where known.
    pub quality: Option<Quality>,
    /// How fast it is, where known.
    pub speed: Option<Speed>,
    /// Its tokens per token of OpenAI's `o200k`, where measured.
    pub token_factor: Option<Factor>,
    /// Its tokenizer, where that is published.
    pub tokenizer: Option<Tokenizer>,
    /// What else is worth knowing.
    pub note: String,
}

/// A place whose name is part of a model's id.
#[derive(Clone, Debug)]
pub struct Place {
    /// The ids.
    pub pattern: Pattern,
    /// What the model costs there.
    pub price: Option<Price>,
}

/// Whether a model is offered. Facts of the day the catalogue was made; forced routes pass whatever it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Yes.
    #[default]
    Active,
    /// Yes, and the day of its end is known.
    Scheduled,
    /// Before its release.
    Preview,
    /// Its provider already serves another in its place.
    Redirected,
    /// The id means now this, now that.
    Moving,
    /// Sources disagree whether it is still there.
    Verify,
}

/// What calls are served and charged as.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BilledAs {
    /// The other model's id.
    pub model: String,
    /// From this day on.
    pub from: Date,
}

/// An id that its provider no longer serves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retired {
    /// The id.
    pub id: String,
    /// The day of its end.
    pub date: Date,
    /// What takes its place.
    pub successor: String,
}

/// What holds of ids that match a pattern and are not listed.
#[derive(Debug)]
pub struct Rule {
    /// The ids.
    pub pattern: Pattern,
    /// Their wire format: their provider's, unless the rule says otherwise.
    pub dialect: &'static dyn Dialect,
    /// What they can do.
    pub caps: Arc<Caps>,
    /// What they cost, where certain.
    pub price: Option<Price>,
}

/// What is known of an id at a provider.
#[derive(Clone, Debug)]
pub struct Resolved<'a> {
    /// The model; `None` where it is not listed.
    pub model: Option<&'a Model>,
    /// The wire format it is asked in.
    pub dialect: &'static dyn Dialect,
    /// What it can do, as far as known.
    pub caps: Arc<Caps>,
    /// What it costs, where known.
    pub price: Option<&'a Price>,
    /// Where the provider no longer serves it: since when, and what takes its place.
    pub retired: Option<&'a Retired>,
}

impl fmt::Debug for Provider {
    /// Its name alone: a configured header may hold a credential.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Provider")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Provider {
    /// What is known of an id: by id, alias, retirement, dated pattern, rule, in this order. Any id passes.
    #[must_use]
    pub fn resolve(&self, id: &str) -> Resolved<'_> {
        if let Some(model) = self.model(id) {
            return Resolved::listed(model, id, None);
        }
        let retired = self.retired.iter().find(|retired| retired.id == id);
        if let Some(model) = self.snapshot(id) {
            return match retired {
                // Its price was another's; what it could do is the next best guess.
                Some(_) => Resolved {
                    model: None,
                    price: None,
                    ..Resolved::listed(model, id, retired)
                },
                None => Resolved::listed(model, id, None),
            };
        }
        let rule = self.rules.iter().find(|rule| rule.pattern.is_match(id));
        let caps = rule.map_or(&self.nothing, |rule| &rule.caps);
        let price = rule.and_then(|rule| rule.price.as_ref());
        Resolved {
            model: None,
            dialect: rule.map_or(self.dialect, |rule| rule.dialect),
            caps: Arc::clone(caps),
            price,
            retired,
        }
    }

    /// The model of an exact id or alias.
    #[must_use]
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.index.get(id).and_then(|at| self.models.get(*at))
    }

    /// The embedding model of an exact id or alias.
    #[must_use]
    pub fn embedding(&self, id: &str) -> Option<&Embedding> {
        let is_it = |one: &&Embedding| one.id == id || one.aliases.iter().any(|alias| alias == id);
        self.embeddings.iter().find(is_it)
    }

    /// The model whose dated snapshot an id is.
    #[must_use]
    pub fn snapshot(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.is_snapshot(id))
    }

    /// The cheapest model to try a key with, by what it writes.
    #[must_use]
    pub fn cheapest(&self) -> Option<&Model> {
        let offered = |model: &&Model| model.status == Status::Active;
        let rate = |model: &Model| model.price.as_ref().map(|price| price.rates.output);
        self.models
            .iter()
            .filter(offered)
            .filter(|model| rate(model).is_some())
            .min_by_key(|model| rate(model))
    }
}

impl<'a> Resolved<'a> {
    fn listed(model: &'a Model, id: &str, retired: Option<&'a Retired>) -> Self {
        Self {
            model: Some(model),
            dialect: model.dialect,
            caps: Arc::clone(&model.caps),
            price: model.price_of(id),
            retired,
        }
    }
}

impl Model {
    /// Whether an id names this model: its own, an alias or a dated snapshot.
    #[must_use]
    pub fn answers_to(&self, id: &str) -> bool {
        self.is_named(id) || self.is_snapshot(id)
    }

    /// The same model, its rates those of one region where they are asked for and known.
    pub(super) fn charged(mut self, regional: bool) -> Self {
        let price = self.price.as_ref().filter(|_| regional);
        let factor = price.and_then(|price| price.extra.regional);
        if let (Some(price), Some(factor)) = (price, factor) {
            self.price = Some(price.times(factor));
        }
        self
    }

    /// What it costs under an id of its own.
    #[must_use]
    pub fn price_of(&self, id: &str) -> Option<&Price> {
        let place = || self.places.iter().find(|place| place.pattern.is_match(id));
        if self.is_named(id) || self.is_dated(id) {
            return self.price.as_ref();
        }
        place().map_or(self.price.as_ref(), |place| place.price.as_ref())
    }

    fn is_named(&self, id: &str) -> bool {
        self.id == id || self.aliases.iter().any(|alias| alias == id)
    }

    fn is_dated(&self, id: &str) -> bool {
        let pattern = self.pattern.as_ref();
        pattern.is_some_and(|pattern| pattern.is_match(id))
    }

    /// Whether an id is this model's by a pattern.
    fn is_snapshot(&self, id: &str) -> bool {
        self.is_dated(id) || self.places.iter().any(|place| place.pattern.is_match(id))
    }

    /// What to send for an id: a deployment's name, else the id itself where it names this model here, else this
    /// model's own.
    #[must_use]
    pub fn sent_as<'a>(&'a self, asked: &'a str) -> &'a str {
        if let Some(sent) = &self.sent {
            sent
        } else if self.answers_to(asked) {
            asked
        } else {
            &self.id
        }
    }
}

impl Status {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Scheduled => "scheduled",
            Self::Preview => "preview",
            Self::Redirected => "redirected",
            Self::Moving => "moving",
            Self::Verify => "verify",
        }
    }
}
