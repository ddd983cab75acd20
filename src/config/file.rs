//! The file as it is written: tables and keys, each checked where it stands.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::Table;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::catalog::Rate;
use crate::catalog::family::Points;
use crate::dialect::{Caps, Quirks};

use super::expand::{self, Env};
use super::problem::Flaw;
use super::settings::{Limits, Metadata, Resilience, UnknownHints};

/// Tables of the contract that this version does not have yet.
const LATER: [&str; 9] = [
    "pools",
    "routing",
    "tenants",
    "ledger",
    "state",
    "faults",
    "experiments",
    "control",
    "server",
];

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Everything but providers and models.
    pub(super) top: Top,
    /// `[providers.NAME]`, in the order of the file.
    pub(super) providers: Vec<(Spanned<String>, ProviderTable)>,
    /// `[[models]]`, in the order of the file.
    pub(super) models: Vec<ModelTable>,
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
}

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
        Ok(Self {
            top: Top::deserialize(toml::Deserializer::from(root))?,
            providers: providers
                .map(self::providers)
                .transpose()?
                .unwrap_or_default(),
            models: models.map(self::models).transpose()?.unwrap_or_default(),
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
        providers.push((name, typed(value)?));
    }
    providers.sort_by_key(|(name, _): &(Spanned<String>, _)| name.span().start);
    Ok(providers)
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

fn typed<T: DeserializeOwned>(value: Spanned<DeValue<'_>>) -> Result<T, Flaw> {
    let span: Range<usize> = value.span();
    T::deserialize(ValueDeserializer::from(value)).map_err(|error| {
        let flaw = Flaw::from(error);
        Flaw {
            span: flaw.span.or(Some(span)),
            ..flaw
        }
    })
}
