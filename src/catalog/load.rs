//! From the catalogue's files to a [`Catalog`] in which every name is resolved, or to what is wrong with them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::io::Read as _;
use std::sync::Arc;

use flate2::read::DeflateDecoder;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use toml::{Table, Value};

use crate::dialect::{self, Caps, Dialect};

use super::endpoint::{Model, Place, Provider, Rule};
use super::family::Family;
use super::form::{FamiliesForm, ModelForm, PlaceForm, ProviderForm, RuleForm};
use super::lookup::Catalog;
use super::pattern::Pattern;
use super::price::Price;

/// The providers, each with a file of its name. A new provider is a new line.
pub(super) const FILES: &[&str] = &[
    "openai",
    "anthropic",
    "google",
    "groq",
    "deepseek",
    "mistral",
    "xai",
    "together",
    "fireworks",
    "cerebras",
    "openrouter",
    "moonshot",
    "zai",
    "minimax",
    "perplexity",
    "azure",
    "vertex",
    "cohere",
    "bedrock",
    "ollama",
    "vllm",
];

// What the build script made of the files.
const PROVIDERS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/providers.json.z"));
const FAMILIES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/families.json.z"));

/// What is wrong with a catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// Which provider's part of it.
    pub provider: String,
    /// What it is.
    pub message: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "catalogue, provider '{}': {}",
            self.provider, self.message
        )
    }
}

impl std::error::Error for LoadError {}

/// The files of the catalogue that comes with the program, as they are written.
///
/// # Errors
/// Where one cannot be read, which tests rule out.
pub fn builtin() -> Result<Vec<ProviderForm>, LoadError> {
    let text = unpacked(PROVIDERS)?;
    let files: HashMap<&str, &RawValue> =
        serde_json::from_str(&text).map_err(|error| wrong("all", error.to_string()))?;
    let read = |name: &&str| {
        let file = files.get(name).ok_or_else(|| wrong(name, "no file"))?;
        let mut form: ProviderForm =
            serde_json::from_str(file.get()).map_err(|error| wrong(name, error.to_string()))?;
        form.own_identity();
        Ok(form)
    };
    FILES.iter().map(read).collect()
}

fn unpacked(packed: &[u8]) -> Result<String, LoadError> {
    let mut text = String::new();
    DeflateDecoder::new(packed)
        .read_to_string(&mut text)
        .map_err(|error| wrong("all", error.to_string()))?;
    Ok(text)
}

impl Catalog {
    /// The catalogue that comes with the program.
    ///
    /// # Errors
    /// Where its files are wrong, which tests rule out.
    pub fn builtin() -> Result<Self, LoadError> {
        Self::assemble(builtin()?)
    }

    /// A catalogue of these providers.
    ///
    /// # Errors
    /// Where a dialect is not known, a pattern cannot be read, or two things have one name.
    pub fn assemble(forms: Vec<ProviderForm>) -> Result<Self, LoadError> {
        let families = families()?;
        let mut names = HashSet::new();
        let mut providers = Vec::with_capacity(forms.len());
        for form in forms {
            for name in std::iter::once(&form.name).chain(&form.aliases) {
                if name.is_empty() || !names.insert(name.clone()) {
                    return Err(wrong(
                        &form.name,
                        format!("the name '{name}' is empty or taken"),
                    ));
                }
            }
            providers.push(Arc::new(provider(form, &families)?));
        }
        Ok(Self::new(providers))
    }
}

fn wrong(provider: &str, message: impl Into<String>) -> LoadError {
    LoadError {
        provider: provider.to_owned(),
        message: message.into(),
    }
}

fn families() -> Result<HashMap<String, Family>, LoadError> {
    let form: FamiliesForm = serde_json::from_str(&unpacked(FAMILIES)?)
        .map_err(|error| wrong("families", error.to_string()))?;
    Ok(form
        .families
        .into_iter()
        .map(|family| (family.key.clone(), family))
        .collect())
}

fn provider(form: ProviderForm, families: &HashMap<String, Family>) -> Result<Provider, LoadError> {
    let (address, settings) = (form.address(), form.settings());
    let name = form.name;
    let dialect = dialect(&name, &form.dialect)?;
    let models: Vec<Model> = form
        .models
        .into_iter()
        .map(|model| self::model((&name, dialect), model, &form.model_caps, families))
        .map(|model| model.map(|model| model.charged(address.regional)))
        .collect::<Result<_, _>>()?;
    let rules: Vec<Rule> = form
        .rules
        .into_iter()
        .map(|rule| self::rule((&name, dialect), rule))
        .collect::<Result<_, _>>()?;
    Ok(Provider {
        index: index(&name, &models)?,
        quirks: typed(&name, "quirks", address.quirks)?,
        nothing: Arc::new(Caps::default()),
        aliases: form.aliases,
        dialect,
        base_url: address.url,
        url_shape: address.shape,
        settings,
        auth: form.auth,
        identity: form.identity,
        env: form.env,
        cancel_stops_billing: form.cancel_stops_billing,
        notes: form.notes,
        retired: form.retired,
        embeddings: form.embeddings,
        models,
        rules,
        name,
    })
}

fn dialect(provider: &str, name: &str) -> Result<&'static dyn Dialect, LoadError> {
    dialect::find(name).ok_or_else(|| wrong(provider, format!("there is no dialect '{name}'")))
}

fn index(provider: &str, models: &[Model]) -> Result<HashMap<String, usize>, LoadError> {
    let mut index = HashMap::new();
    for (at, model) in models.iter().enumerate() {
        for id in std::iter::once(&model.id).chain(&model.aliases) {
            if id.is_empty() || index.insert(id.clone(), at).is_some() {
                return Err(wrong(
                    provider,
                    format!("the model id '{id}' is empty or taken"),
                ));
            }
        }
    }
    Ok(index)
}

fn model(
    (provider, usual): (&str, &'static dyn Dialect),
    form: ModelForm,
    shared: &Table,
    families: &HashMap<String, Family>,
) -> Result<Model, LoadError> {
    let key = if form.family.is_empty() {
        form.id.clone()
    } else {
        form.family
    };
    let family = families.get(&key);
    let mut caps = shared.clone();
    lay_over(&mut caps, form.caps);
    Ok(Model {
        name: family.map_or_else(|| form.id.clone(), |family| family.name.clone()),
        pattern: form
            .pattern
            .as_deref()
            .map(|text| pattern(provider, text))
            .transpose()?,
        dialect: own_dialect(provider, form.dialect.as_deref(), usual)?,
        caps: Arc::new(typed(provider, &form.id, caps)?),
        quality: form
            .quality
            .or_else(|| family.and_then(|family| family.quality)),
        speed: form
            .speed
            .or_else(|| family.and_then(|family| family.speed)),
        token_factor: family.and_then(|family| family.token_factor),
        tokenizer: family.and_then(|family| family.tokenizer),
        family: key,
        sent: form.sent,
        id: form.id,
        aliases: form.aliases,
        status: form.status,
        released: form.released,
        shutdown: form.shutdown,
        successor: form.successor,
        billed_as: form.billed_as,
        places: places(provider, form.places, form.price.as_ref())?,
        price: form.price,
        note: form.note,
    })
}

fn pattern(provider: &str, text: &str) -> Result<Pattern, LoadError> {
    Pattern::parse(text).map_err(|message| wrong(provider, message))
}

fn places(
    provider: &str,
    forms: Vec<PlaceForm>,
    price: Option<&Price>,
) -> Result<Vec<Place>, LoadError> {
    let place = |form: PlaceForm| {
        Ok(Place {
            pattern: pattern(provider, &form.pattern)?,
            price: price.map(|price| price.times(form.factor)),
        })
    };
    forms.into_iter().map(place).collect()
}

fn own_dialect(
    provider: &str,
    own: Option<&str>,
    usual: &'static dyn Dialect,
) -> Result<&'static dyn Dialect, LoadError> {
    own.map_or(Ok(usual), |name| dialect(provider, name))
}

fn rule(
    (provider, usual): (&str, &'static dyn Dialect),
    form: RuleForm,
) -> Result<Rule, LoadError> {
    Ok(Rule {
        dialect: own_dialect(provider, form.dialect.as_deref(), usual)?,
        pattern: pattern(provider, &form.pattern)?,
        caps: Arc::new(typed(provider, &form.pattern, form.caps)?),
        price: form.price,
    })
}

fn typed<T: DeserializeOwned>(provider: &str, what: &str, table: Table) -> Result<T, LoadError> {
    T::deserialize(Value::Table(table))
        .map_err(|error| wrong(provider, format!("{what}: {}", error.message())))
}

/// Lays one table over another: tables in both are joined, everything else is replaced.
pub fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod cloud_tests;
#[cfg(test)]
mod tests;
