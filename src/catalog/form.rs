//! The catalogue's files as they are written, before names are resolved. The configuration lays its own over them.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Table;

use super::auth::{AuthKind, Identity};
use super::date::Date;
use super::embedding::Embedding;
use super::endpoint::{BilledAs, Retired, Status};
use super::family::{Family, Quality, Speed};
use super::price::{Factor, Price};
use super::setting::{SettingForm, Settings, Variant};

/// One provider's file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderForm {
    /// Its name.
    pub name: String,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// The name of its wire format.
    pub dialect: String,
    /// What paths are appended to; `{name}` stands for a setting.
    pub base_url: String,
    /// What stands between the base URL, the user's own too, and the dialect's paths.
    pub prefix: String,
    /// The variables that may hold a base URL, in order.
    pub base_url_env: Vec<String>,
    /// What must or may be told of the user's account.
    pub settings: BTreeMap<String, SettingForm>,
    /// What else holds by the values of settings.
    pub variants: Vec<Variant>,
    /// The values of settings that the user gave.
    #[serde(skip)]
    pub given: Settings,
    /// Whether there is a key.
    #[serde(skip)]
    pub keyed: bool,
    /// Whether the base URL is the user's own.
    #[serde(skip)]
    pub moved: bool,
    /// How it wants its key.
    pub auth: AuthKind,
    /// How calls are authorised where there is no key.
    pub identity: Option<Identity>,
    /// The variables that usually hold a key, in order.
    pub env: Vec<String>,
    /// Whether breaking off a stream ends its cost; absent where not known.
    pub cancel_stops_billing: Option<bool>,
    /// Where the facts of this file come from, with dates.
    pub sources: Vec<String>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// Members of [`crate::dialect::Quirks`].
    pub quirks: Table,
    /// Capabilities that all models below have, unless they say otherwise.
    pub model_caps: Table,
    /// What it sells.
    pub models: Vec<ModelForm>,
    /// What it sells that turns texts into vectors.
    pub embeddings: Vec<Embedding>,
    /// What holds of ids that are not listed, first match wins.
    pub rules: Vec<RuleForm>,
    /// What it sold once.
    pub retired: Vec<Retired>,
}

/// One model of a provider.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelForm {
    /// What goes into the request.
    pub id: String,
    /// The key of its family; its id where empty.
    pub family: String,
    /// Other exact ids for it here.
    pub aliases: Vec<String>,
    /// Dated snapshots of it.
    pub pattern: Option<String>,
    /// Ids of the same model that cost otherwise, first match wins; asked after `pattern`.
    pub places: Vec<PlaceForm>,
    /// The name that is sent for each of its ids, where it is the user's own.
    #[serde(skip)]
    pub sent: Option<String>,
    /// The name of its wire format, where it is not its provider's.
    pub dialect: Option<String>,
    /// Whether it is offered.
    pub status: Status,
    /// The day it came out here.
    pub released: Option<Date>,
    /// The day it goes.
    pub shutdown: Option<Date>,
    /// What its provider, or else we, would take in its place.
    pub successor: Option<String>,
    /// What it is served and charged as from a day on.
    pub billed_as: Option<BilledAs>,
    /// What it costs; absent where no price can be vouched for.
    pub price: Option<Price>,
    /// How good it is, where its family does not say.
    pub quality: Option<Quality>,
    /// How fast it is here, where that differs from its family.
    pub speed: Option<Speed>,
    /// What else is worth knowing.
    pub note: String,
    /// Members of [`crate::dialect::Caps`].
    pub caps: Table,
}

/// A place whose name is part of a model's id, and what that costs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceForm {
    /// The ids.
    pub pattern: String,
    /// The factor on all rates.
    pub factor: Factor,
}

/// What holds of ids that are not listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleForm {
    /// The ids.
    pub pattern: String,
    /// The name of their wire format, where it is not their provider's.
    pub dialect: Option<String>,
    /// Where this comes from.
    pub note: String,
    /// What they cost, where that is certain (on one's own machine).
    pub price: Option<Price>,
    /// Members of [`crate::dialect::Caps`].
    pub caps: Table,
}

/// The file of families.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamiliesForm {
    /// Where the figures come from, with dates.
    pub sources: Vec<String>,
    /// The families.
    pub families: Vec<Family>,
}
