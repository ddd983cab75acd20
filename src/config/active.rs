//! Which providers are on, with which keys: the file's tables laid over the catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::{Spanned, Table, Value};

use crate::catalog::auth::{self, Source};
use crate::catalog::form::{ModelForm, ProviderForm};
use crate::catalog::load::lay_over;
use crate::catalog::{AuthKind, Price, Provider, Rates, Secret, Trust};
use crate::dialect;

use super::address::Base;
use super::expand::Env;
use super::file::{ModelTable, ProviderTable};
use super::given;
use super::problem::Flaw;
use super::settings::Auth;

/// A provider that is on.
#[derive(Clone, Debug)]
pub struct Active {
    /// The provider.
    pub provider: Arc<Provider>,
    /// Its keys, which take turns; none where it needs none or the caller brings one.
    pub keys: Vec<Secret>,
    /// Where its credential comes from, where it has one but no key.
    pub source: Option<Source>,
    /// Its host, where that is named in the configuration or made of what is: it may be in a private network.
    pub own_host: Option<String>,
}

/// A provider that is on, by name, with what it is called with.
#[derive(Debug)]
pub(super) struct On {
    /// Its name.
    pub(super) name: String,
    /// Its keys.
    pub(super) keys: Vec<Secret>,
    /// Where its credential comes from otherwise.
    pub(super) source: Option<Source>,
    /// Its host, where that is the user's own.
    pub(super) own_host: Option<String>,
}

/// The host of a provider whose address is the user's own, or has words of the user's in it, or is this machine.
pub(super) fn own_host(form: &ProviderForm) -> Option<String> {
    let url = form.address().url;
    let base = Base::parse(&url).ok()?;
    let own = form.moved || form.base_url.contains('{') || base.is_loopback();
    own.then(|| base.host.to_owned())
}

/// Lays one `[providers.NAME]` over the catalogue; gives back its name and what it is called with.
pub(super) fn provider(
    forms: &mut Vec<ProviderForm>,
    name: &Spanned<String>,
    table: &ProviderTable,
    callers: Auth,
    env: Env<'_>,
) -> Result<On, Flaw> {
    let at = place(forms, name, table)?;
    let Some(form) = forms.get_mut(at) else {
        return Err(Flaw::at(name.span(), "the provider cannot be found"));
    };
    if let Some(wanted) = &table.dialect {
        known_dialect(wanted)?;
        form.dialect.clone_from(wanted.get_ref());
    }
    if let Some(url) = &table.base_url {
        Base::parse(url.get_ref()).map_err(|message| Flaw::at(url.span(), message))?;
        form.move_to(url.get_ref());
    }
    if let Some(identity) = &table.identity {
        form.identity = Some(identity.clone());
        form.own_identity();
    }
    lay_over(&mut form.quirks, table.quirks.clone());
    headers(form, &table.headers)?;
    let keys = keys(form, name, table, callers, env)?;
    form.keyed = !keys.is_empty() || callers == Auth::Passthrough;
    given::settings(form, name, table, env)?;
    given::deployments(form, table)?;
    let source = if keys.is_empty() && callers != Auth::Passthrough {
        source(form, name, table, env)?
    } else {
        None
    };
    form.keyed |= source.is_some();
    guard(form, name, table)?;
    let (name, own_host) = (form.name.clone(), own_host(form));
    Ok(On {
        name,
        keys,
        source,
        own_host,
    })
}

/// Where the credential of a provider without a key comes from.
fn source(
    form: &ProviderForm,
    name: &Spanned<String>,
    table: &ProviderTable,
    env: Env<'_>,
) -> Result<Option<Source>, Flaw> {
    let Some(identity) = &form.identity else {
        return Ok(None);
    };
    let values = form.settings();
    let settings = |name: &str| values.value(name).map(str::to_owned);
    let found = auth::source(identity, &settings, env);
    let found = found.map_err(|why| Flaw::at(name.span(), format!("'{}': {why}", form.name)))?;
    // An address of the user's own may well want no credential at all.
    if found.is_some() || (table.base_url.is_some() && table.identity.is_none()) {
        return Ok(found);
    }
    let key = match form.env.as_slice() {
        [] => "set api_key here".to_owned(),
        names => format!("set api_key here, or the variable {}", names.join(" or ")),
    };
    let wants = identity.wants();
    let message = format!("no key and no credential: {key}; or {wants}");
    Err(Flaw::at(name.span(), message))
}

/// The place of a provider among the known ones; a new one gets a place of its own.
fn place(
    forms: &mut Vec<ProviderForm>,
    name: &Spanned<String>,
    table: &ProviderTable,
) -> Result<usize, Flaw> {
    let wanted = name.get_ref();
    let is = |form: &ProviderForm| form.name == *wanted || form.aliases.contains(wanted);
    if let Some(at) = forms.iter().position(is) {
        return Ok(at);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if wanted.is_empty() || !wanted.bytes().all(plain) {
        return Err(Flaw::at(
            name.span(),
            "a provider's name has letters, digits, '-', '_' and '.' only",
        ));
    }
    if table.dialect.is_none() || table.base_url.is_none() {
        let message =
            format!("the provider '{wanted}' is not known, so it needs dialect and base_url");
        return Err(Flaw::at(name.span(), message));
    }
    forms.push(ProviderForm {
        name: wanted.clone(),
        ..ProviderForm::default()
    });
    Ok(forms.len().saturating_sub(1))
}

fn known_dialect(wanted: &Spanned<String>) -> Result<(), Flaw> {
    if dialect::find(wanted.get_ref()).is_some() {
        return Ok(());
    }
    let known: Vec<&str> = dialect::DIALECTS.iter().map(|(name, _)| *name).collect();
    let message = format!(
        "there is no dialect '{}'; there are {}",
        wanted.get_ref(),
        known.join(", ")
    );
    Err(Flaw::at(wanted.span(), message))
}

/// Headers that are ours to set.
const OURS: [&str; 7] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "accept-encoding",
    "te",
];

fn headers(
    form: &mut ProviderForm,
    headers: &BTreeMap<String, Spanned<String>>,
) -> Result<(), Flaw> {
    let mut table = Table::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) || OURS.contains(&name.as_str()) {
            return Err(Flaw::at(
                value.span(),
                format!("the header '{name}' cannot be set"),
            ));
        }
        if !value
            .get_ref()
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic())
        {
            return Err(Flaw::at(
                value.span(),
                format!("the header '{name}' has letters that no header takes"),
            ));
        }
        table.insert(name, Value::String(value.get_ref().clone()));
    }
    let mut quirks = Table::new();
    quirks.insert("headers".to_owned(), Value::Table(table));
    lay_over(&mut form.quirks, quirks);
    Ok(())
}

fn keys(
    form: &ProviderForm,
    name: &Spanned<String>,
    table: &ProviderTable,
    auth: Auth,
    env: Env<'_>,
) -> Result<Vec<Secret>, Flaw> {
    let given = table.api_key.as_ref().map(Spanned::span);
    if let (Auth::Passthrough, Some(span)) = (
        auth,
        given.or_else(|| table.api_keys.as_ref().map(Spanned::span)),
    ) {
        return Err(Flaw::at(
            span,
            "with auth = \"passthrough\" callers bring their own keys; take this one out",
        ));
    }
    let texts: Vec<&Spanned<String>> = match (&table.api_key, &table.api_keys) {
        (Some(_), Some(keys)) => {
            return Err(Flaw::at(keys.span(), "give api_key or api_keys, not both"));
        }
        (Some(key), None) => vec![key],
        (None, Some(keys)) if keys.get_ref().is_empty() => {
            return Err(Flaw::at(keys.span(), "there is no key in it"));
        }
        (None, Some(keys)) => keys.get_ref().iter().collect(),
        (None, None) if auth == Auth::Passthrough => Vec::new(),
        (None, None) => {
            let usual = usual_keys(form, env).map_err(|message| Flaw::at(name.span(), message))?;
            let keyless =
                form.env.is_empty() || form.identity.is_some() || table.base_url.is_some();
            if usual.is_empty() && !keyless {
                let message = format!(
                    "no key: set api_key here, or the variable {}",
                    form.env.join(" or ")
                );
                return Err(Flaw::at(name.span(), message));
            }
            return Ok(usual);
        }
    };
    let mut keys: Vec<Secret> = Vec::with_capacity(texts.len());
    for text in texts {
        let key = Secret::new(text.get_ref())
            .map_err(|error| Flaw::at(text.span(), error.to_string()))?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// The key in a provider's usual variable, if one is set. An empty variable is an unset one.
pub(super) fn usual_keys(form: &ProviderForm, env: Env<'_>) -> Result<Vec<Secret>, String> {
    if form.auth == AuthKind::None {
        return Ok(Vec::new());
    }
    let set = form
        .env
        .iter()
        .find_map(|name| Some((name, env(name).filter(|value| !value.is_empty())?)));
    match set {
        Some((name, value)) => Secret::new(&value)
            .map(|key| vec![key])
            .map_err(|error| format!("the variable {name}: {error}")),
        None => Ok(Vec::new()),
    }
}

/// No key leaves in the clear, unless to this machine or with consent.
fn guard(form: &ProviderForm, name: &Spanned<String>, table: &ProviderTable) -> Result<(), Flaw> {
    let span = table
        .base_url
        .as_ref()
        .map_or_else(|| name.span(), Spanned::span);
    let url = form.address().url;
    let base = Base::parse(&url).map_err(|message| Flaw::at(span.clone(), message))?;
    if !base.plain || base.is_loopback() || table.allow_http || !form.keyed {
        return Ok(());
    }
    let message = "this would send a key unencrypted to another machine; use https://, or set allow_http = true";
    Err(Flaw::at(span, message))
}

/// Lays one `[[models]]` over the catalogue.
pub(super) fn model(forms: &mut [ProviderForm], table: &ModelTable) -> Result<(), Flaw> {
    let flaw = |message: String| Flaw::at(table.id.span(), message);
    let id = table.id.get_ref();
    let Some((provider, id)) = id.split_once('/').filter(|(_, id)| !id.is_empty()) else {
        return Err(flaw(format!("'{id}' must be 'provider/model'")));
    };
    let is = |form: &&mut ProviderForm| {
        form.name == provider || form.aliases.iter().any(|alias| alias == provider)
    };
    let Some(form) = forms.iter_mut().find(is) else {
        return Err(flaw(format!(
            "there is no provider '{provider}'; add [providers.{provider}]"
        )));
    };
    let taken = |other: &ModelForm, name: &String| {
        other.id != id && (other.id == *name || other.aliases.contains(name))
    };
    let clash = table
        .aliases
        .iter()
        .find(|alias| *alias == id || form.models.iter().any(|other| taken(other, alias)));
    if let Some(alias) = clash {
        return Err(flaw(format!(
            "the alias '{alias}' is the name of another model"
        )));
    }
    let at = form.models.iter().position(|model| model.id == id);
    let mut model = match at {
        Some(at) => form.models.remove(at),
        None => fresh(form, id),
    };
    overlay(&mut model, table);
    form.models.insert(at.unwrap_or(form.models.len()), model);
    form.retired.retain(|retired| retired.id != id);
    Ok(())
}

/// A model that was not listed. An alias of another becomes a model of its own with all that is known of the other;
/// what the listed ones share does not hold for a new one.
fn fresh(form: &mut ProviderForm, id: &str) -> ModelForm {
    let mut fresh = ModelForm::default();
    for model in &mut form.models {
        let mut caps = form.model_caps.clone();
        lay_over(&mut caps, std::mem::take(&mut model.caps));
        model.caps = caps;
        if model.aliases.iter().any(|alias| alias == id) {
            model.aliases.retain(|alias| alias != id);
            fresh = ModelForm {
                aliases: Vec::new(),
                pattern: None,
                ..model.clone()
            };
        }
    }
    form.model_caps = Table::new();
    ModelForm {
        id: id.to_owned(),
        ..fresh
    }
}

fn overlay(model: &mut ModelForm, table: &ModelTable) {
    if let Some(family) = &table.family {
        model.family.clone_from(family);
    }
    for alias in &table.aliases {
        if !model.aliases.contains(alias) {
            model.aliases.push(alias.clone());
        }
    }
    if let Some(price) = &table.price {
        let rates = Rates {
            input: price.input,
            output: price.output,
            cache_read: price.cache_read,
            cache_write: price.cache_write.clone(),
            audio_input: price.audio_input,
        };
        model.price = Some(Price::flat(rates, Trust::Own, "your configuration"));
    }
    model.quality = table
        .quality
        .map(crate::catalog::Quality::own)
        .or(model.quality);
    let limits = [
        ("context", table.context),
        ("max_input", table.max_input),
        ("max_output", table.max_output),
    ];
    for (name, limit) in limits {
        if let Some(limit) = limit.and_then(|limit| i64::try_from(limit).ok()) {
            model.caps.insert(name.to_owned(), Value::Integer(limit));
        }
    }
    lay_over(&mut model.caps, table.caps.clone());
}
