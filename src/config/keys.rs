//! `auth = "keys"`: `[[keys]]`, and `[budget]` for all callers together.

use serde::Deserialize;
use toml::Spanned;
use toml::de::DeValue;

use crate::account::key::{self, Hash, Promise, Telling, Unpriced};
use crate::account::{Budget, Key, Money, Period, Rights};
use crate::route::names::{AUTO, Routing};

use super::instant::instant;
use super::limits::LimitKeys;
use super::problem::Flaw;
use super::routing::Ground;
use super::settings::Auth;
use super::typed::typed;

/// Shorter secrets could be guessed.
const SHORTEST: usize = 20;

/// `[budget]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BudgetTable {
    usd: Money,
    period: Period,
    #[serde(default)]
    unpriced: Unpriced,
}

/// What all callers may spend together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Together {
    /// The budget.
    pub budget: Option<Budget>,
    /// What becomes of models without a price, whatever a key says of them.
    pub unpriced: Unpriced,
}

/// What all callers may spend together, if anything was said of it.
pub(super) fn together(table: Option<BudgetTable>) -> Together {
    table.map(BudgetTable::together).unwrap_or_default()
}

impl BudgetTable {
    const fn together(self) -> Together {
        let budget = Budget {
            most: self.usd,
            period: self.period,
        };
        Together {
            budget: Some(budget),
            unpriced: self.unpriced,
        }
    }
}

/// `[[keys]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyTable {
    name: Spanned<String>,
    hash: Option<Spanned<String>>,
    secret: Option<Spanned<String>>,
    from: Option<Spanned<String>>,
    expires: Option<Spanned<String>>,
    models: Option<Spanned<Vec<Spanned<String>>>>,
    strategies: Option<Spanned<Vec<Spanned<String>>>>,
    tenant: Option<Spanned<String>>,
    #[serde(default)]
    tenants: Vec<Spanned<String>>,
    budget: Option<Budget>,
    rpm: Option<Spanned<u64>>,
    tpm: Option<Spanned<u64>>,
    concurrency: Option<Spanned<u32>>,
    #[serde(default)]
    tags: Vec<Spanned<String>>,
    #[serde(default)]
    may_tag: Vec<Spanned<String>>,
    sync: Option<Promise>,
    #[serde(default)]
    unpriced: Unpriced,
    #[serde(default)]
    metadata: Telling,
}

/// Reads `[[keys]]` as it is written.
pub(super) fn tables(value: Spanned<DeValue<'_>>) -> Result<Vec<KeyTable>, Flaw> {
    let span = value.span();
    let DeValue::Array(array) = value.into_inner() else {
        return Err(Flaw::at(span, "keys are a list of tables: [[keys]]"));
    };
    array.into_iter().map(typed).collect()
}

/// Checks the keys against the catalogue and each other.
pub(super) fn build(
    tables: &[KeyTable],
    auth: Auth,
    ground: Ground<'_>,
    routing: &Routing,
) -> Result<Vec<Key>, Flaw> {
    let mut keys: Vec<Key> = Vec::with_capacity(tables.len());
    for table in tables {
        let name = &table.name;
        if auth != Auth::Keys {
            let message = "keys are asked for only with auth = \"keys\"; set it, or take them out";
            return Err(Flaw::at(name.span(), message));
        }
        if !key::is_name(name.get_ref()) {
            let message = "the name of a key has letters, digits and -_. only, at most 64 of them";
            return Err(Flaw::at(name.span(), message));
        }
        let (hash, place) = hash(table)?;
        if keys.iter().any(|known| known.name == *name.get_ref()) {
            let message = format!("there are two keys '{}'", name.get_ref());
            return Err(Flaw::at(name.span(), message));
        }
        if let Some(other) = keys.iter().find(|known| known.hash == hash) {
            let message = format!("this is the secret of the key '{}' too", other.name);
            return Err(Flaw::at(place, message));
        }
        let rights = rights(table, ground, routing)?;
        let made_from = table.from.as_ref().map(|from| from.get_ref().clone());
        keys.push(Key {
            name: name.get_ref().clone(),
            hash,
            made_from,
            rights,
        });
    }
    Ok(keys)
}

type Placed = (Hash, std::ops::Range<usize>);

fn hash(table: &KeyTable) -> Result<Placed, Flaw> {
    match (&table.hash, &table.secret) {
        (Some(hash), None) => {
            let wrong = || {
                let message = "a hash is 'sha256:' and 64 hexadecimal digits";
                Flaw::at(hash.span(), message)
            };
            let read = Hash::parse(hash.get_ref()).ok_or_else(wrong)?;
            Ok((read, hash.span()))
        }
        (None, Some(secret)) => {
            let text = secret.get_ref();
            let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
            if text.len() < SHORTEST || !plain {
                let message = format!(
                    "a secret has {SHORTEST} characters at least, none of them blank or beyond ASCII"
                );
                return Err(Flaw::at(secret.span(), message));
            }
            Ok((Hash::of(text), secret.span()))
        }
        (Some(_), Some(secret)) => {
            Err(Flaw::at(secret.span(), "give a hash or a secret, not both"))
        }
        (None, None) => {
            let message = "a key has a hash, or a secret from a variable: secret = \"${NAME}\"";
            Err(Flaw::at(table.name.span(), message))
        }
    }
}

fn rights(table: &KeyTable, ground: Ground<'_>, routing: &Routing) -> Result<Rights, Flaw> {
    let models = match &table.models {
        Some(list) => vec![listed(list, |name| ground.canonical(name))?],
        None => Vec::new(),
    };
    let strategy = |name: &Spanned<String>| {
        let known = name.get_ref() == AUTO || routing.strategy(name.get_ref()).is_some();
        let wrong = || {
            Flaw::at(
                name.span(),
                format!("there is no strategy '{}'", name.get_ref()),
            )
        };
        known.then(|| name.get_ref().clone()).ok_or_else(wrong)
    };
    let strategies = table.strategies.as_ref();
    let tenant = table.tenant.as_ref().map(|name| tenant(name, routing));
    let tenants = table.tenants.iter().map(|name| match name.get_ref() {
        any if any == key::ANY => Ok(any.clone()),
        _ => self::tenant(name, routing),
    });
    let limits = LimitKeys {
        rpm: table.rpm.as_ref(),
        tpm: table.tpm.as_ref(),
        concurrency: table.concurrency.as_ref(),
    };
    let may_tag = table.may_tag.iter().map(|name| match name.get_ref() {
        any if any == key::ANY => Ok(any.clone()),
        _ => tag(name),
    });
    Ok(Rights {
        expires: table.expires.as_ref().map(expiry).transpose()?,
        models,
        strategies: strategies.map(|list| listed(list, strategy)).transpose()?,
        tenant: tenant.transpose()?,
        tenants: tenants.collect::<Result<_, _>>()?,
        budget: table.budget,
        limits: limits.read()?,
        tags: table.tags.iter().map(tag).collect::<Result<_, _>>()?,
        may_tag: may_tag.collect::<Result<_, _>>()?,
        sync: table.sync,
        unpriced: table.unpriced,
        metadata: table.metadata,
    })
}

fn tag(tag: &Spanned<String>) -> Result<String, Flaw> {
    let wrong = || {
        let message = "a tag has letters, digits and -_. only, at most 64 of them";
        Flaw::at(tag.span(), message)
    };
    let plain = key::is_name(tag.get_ref());
    plain.then(|| tag.get_ref().clone()).ok_or_else(wrong)
}

fn expiry(text: &Spanned<String>) -> Result<u64, Flaw> {
    let wrong = || {
        let message = "a time is a day like \"2027-01-31\", or \"2027-01-31T12:00:00Z\"";
        Flaw::at(text.span(), message)
    };
    instant(text.get_ref()).ok_or_else(wrong)
}

/// Where tenants are configured, a name that is none of theirs is a slip of the pen.
fn tenant(name: &Spanned<String>, routing: &Routing) -> Result<String, Flaw> {
    let text = name.get_ref();
    if routing.tenants.is_empty() || routing.tenant(text).is_some() {
        return Ok(text.clone());
    }
    let message = format!("there is no tenant '{text}'; add [tenants.{text}]");
    Err(Flaw::at(name.span(), message))
}

fn listed(
    list: &Spanned<Vec<Spanned<String>>>,
    read: impl Fn(&Spanned<String>) -> Result<String, Flaw>,
) -> Result<Vec<String>, Flaw> {
    if list.get_ref().is_empty() {
        let message = "an empty list allows nothing; take it out to allow all";
        return Err(Flaw::at(list.span(), message));
    }
    list.get_ref().iter().map(read).collect()
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
