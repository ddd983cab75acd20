//! The file as it is written: tables and keys, each checked where it stands.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::Table;
use toml::de::{DeTable, DeValue};

use crate::catalog::family::Points;
use crate::catalog::{Identity, Rate};
use crate::dialect::{Caps, Quirks};

use super::expand::{self, Env};
use super::faults;
use super::keys::{self, BudgetTable, KeyTable};
use super::ledger::Ledger;
use super::metrics;
use super::problem::Flaw;
use super::routing::Tables;
use super::settings::{Limits, Metadata, Resilience, UnknownHints};
use super::state::StateTable;
use super::telemetry::TelemetryTable;
use super::tls::Tls;
use super::typed::typed;

/// Tables of the contract that this version does not have yet.
const LATER: [&str; 2] = ["control", "server"];

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Everything but providers and models.
    pub(super) top: Top,
    /// `[providers.NAME]`, in the order of the file.
    pub(super) providers: Vec<(Spanned<String>, ProviderTable)>,
    /// `[[models]]`, in the order of the file.
    pub(super) models: Vec<ModelTable>,
    /// All that is said of routing.
    pub(super) routing: Tables,
    /// `[[keys]]`, in the order of the file.
    pub(super) keys: Vec<KeyTable>,
}

/// Keys and tables that have a fixed name.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Top {
    pub(super) listen: Option<Spanned<String>>,
    pub(super) auth: Option<Spanned<String>>,
    pub(super) unknown_hints: UnknownHints,
    pub(super) metadata: Metadata,
    pub(super) resilience: Resilience,
    pub(super) limits: Limits,
    pub(super) ledger: Ledger,
    pub(super) metrics: metrics::Table,
    pub(super) tls: Tls,
    pub(super) state: Option<StateTable>,
    pub(super) budget: Option<BudgetTable>,
    pub(super) faults: faults::Table,
    pub(super) telemetry: Option<TelemetryTable>,
}

/// `[providers.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ProviderTable {
    pub(super) dialect: Option<Spanned<String>>,
    pub(super) base_url: Option<Spanned<String>>,
    pub(super) api_key: Option<Spanned<String>>,
    pub(super) api_keys: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) quirks: Table,
    pub(super) headers: BTreeMap<String, Spanned<String>>,
    pub(super) allow_http: bool,
    pub(super) identity: Option<Identity>,
    /// Names of the user's own for models of the catalogue.
    pub(super) deployments: BTreeMap<String, Spanned<String>>,
    /// Every other key with its text: the provider's file says which there are.
    #[serde(skip)]
    pub(super) settings: Vec<(Spanned<String>, Spanned<String>)>,
}

/// The keys that every [`ProviderTable`] has. Others are settings.
pub(super) const PROVIDER_KEYS: [&str; 9] = [
    "dialect",
    "base_url",
    "api_key",
    "api_keys",
    "quirks",
    "headers",
    "allow_http",
    "identity",
    "deployments",
];

/// A table, and the settings that were in it.
type Apart<'a> = (
    Spanned<DeValue<'a>>,
    Vec<(Spanned<String>, Spanned<String>)>,
);

/// `[[models]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelTable {
    pub(super) id: Spanned<String>,
    pub(super) family: Option<String>,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    pub(super) price: Option<PriceTable>,
    pub(super) quality: Option<Points>,
    pub(super) context: Option<u64>,
    pub(super) max_input: Option<u64>,
    pub(super) max_output: Option<u64>,
    #[serde(default)]
    pub(super) caps: Table,
}

/// A price in dollars per million tokens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceTable {
    pub(super) input: Rate,
    pub(super) output: Rate,
    pub(super) cache_read: Option<Rate>,
    #[serde(default)]
    pub(super) cache_write: BTreeMap<String, Rate>,
    pub(super) audio_input: Option<Rate>,
}

impl File {
    /// Reads a file's text.
    pub(super) fn parse(text: &str, env: Env<'_>) -> Result<Self, Flaw> {
        let mut root = DeTable::parse(text)?;
        refuse_later(root.get_ref())?;
        expand::table(root.get_mut(), env)?;
        let providers = root.get_mut().remove("providers");
        let models = root.get_mut().remove("models");
        let keys = root.get_mut().remove("keys");
        let routing = Tables::take(root.get_mut())?;
        Ok(Self {
            top: Top::deserialize(toml::Deserializer::from(root))?,
            providers: providers
                .map(self::providers)
                .transpose()?
                .unwrap_or_default(),
            models: models.map(self::models).transpose()?.unwrap_or_default(),
            routing,
            keys: keys.map(keys::tables).transpose()?.unwrap_or_default(),
        })
    }
}

fn refuse_later(root: &DeTable<'_>) -> Result<(), Flaw> {
    match root
        .keys()
        .find(|key| LATER.contains(&key.get_ref().as_ref()))
    {
        Some(key) => {
            let message = format!(
                "[{}] comes in a later version; take it out for now",
                key.get_ref()
            );
            Err(Flaw::at(key.span(), message))
        }
        None => Ok(()),
    }
}

fn providers(value: Spanned<DeValue<'_>>) -> Result<Vec<(Spanned<String>, ProviderTable)>, Flaw> {
    let span = value.span();
    let DeValue::Table(table) = value.into_inner() else {
        return Err(Flaw::at(span, "providers are tables: [providers.NAME]"));
    };
    let mut providers = Vec::with_capacity(table.len());
    for (name, value) in table {
        check::<Quirks>(&value, "quirks")?;
        let name = Spanned::new(name.span(), name.into_inner().into_owned());
        let (value, settings) = apart(value)?;
        let table = ProviderTable {
            settings,
            ..typed(value)?
        };
        providers.push((name, table));
    }
    providers.sort_by_key(|(name, _): &(Spanned<String>, _)| name.span().start);
    Ok(providers)
}

/// A provider's table without its settings, and these.
fn apart(value: Spanned<DeValue<'_>>) -> Result<Apart<'_>, Flaw> {
    let span = value.span();
    let DeValue::Table(table) = value.into_inner() else {
        return Err(Flaw::at(span, "a provider is a table: [providers.NAME]"));
    };
    let mut fixed = DeTable::new();
    let mut settings = Vec::new();
    for (key, value) in table {
        if PROVIDER_KEYS.contains(&key.get_ref().as_ref()) {
            fixed.insert(key, value);
        } else {
            let key = Spanned::new(key.span(), key.into_inner().into_owned());
            settings.push((key, value));
        }
    }
    settings.sort_by_key(|(key, _)| key.span().start);
    let texts = settings.into_iter().map(|(key, value)| {
        let at = value.span();
        match value.into_inner() {
            DeValue::String(text) => Ok((key, Spanned::new(at, text.into_owned()))),
            _ => Err(Flaw::at(
                key.span(),
                format!(
                    "unknown field `{}`, or a setting that must be text in quotes",
                    key.get_ref()
                ),
            )),
        }
    });
    let settings = texts.collect::<Result<_, _>>()?;
    Ok((Spanned::new(span, DeValue::Table(fixed)), settings))
}

fn models(value: Spanned<DeValue<'_>>) -> Result<Vec<ModelTable>, Flaw> {
    let span = value.span();
    let DeValue::Array(array) = value.into_inner() else {
        return Err(Flaw::at(span, "models are a list of tables: [[models]]"));
    };
    array
        .into_iter()
        .map(|value| {
            check::<Caps>(&value, "caps")?;
            typed(value)
        })
        .collect()
}

/// Checks a table that is later laid over another: as a table it would lose its place in the file.
fn check<T: DeserializeOwned>(value: &Spanned<DeValue<'_>>, key: &str) -> Result<(), Flaw> {
    match value.get_ref().get(key) {
        Some(inner) => typed::<T>(inner.clone()).map(drop),
        None => Ok(()),
    }
}
