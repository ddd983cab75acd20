//! Names: who has which, and what a name that is referred to means.

use std::ops::Range;

use toml::Spanned;

use crate::catalog::Catalog;
use crate::route::Known;
use crate::route::names::{AUTO, Routing};
use crate::route::policy::Strategy;
use crate::route::target::prefixed;

use super::super::problem::Flaw;

/// What may be referred to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) catalog: &'a Catalog,
    /// Providers that are on.
    pub(crate) on: &'a [String],
}

/// What a name that is referred to means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A model, family or provider.
    Model,
    /// A model of a provider that is on; the catalogue does not list it.
    Unlisted,
    /// A strategy.
    Strategy,
    /// A pool.
    Pool,
    /// An alias.
    Alias,
}

/// A name of the user's own: plain, and nobody else's.
pub(super) fn check(
    kind: &str,
    name: &Spanned<String>,
    ground: Ground<'_>,
    routing: &Routing,
) -> Result<(), Flaw> {
    let text = name.get_ref().as_str();
    let flaw = |message: String| Err(Flaw::at(name.span(), message));
    plain(kind, name)?;
    let taken = if ground.catalog.provider(text).is_some() {
        Some("a provider")
    } else if prefixed(text, ground.known()).is_some() || !ground.catalog.serving(text).is_empty() {
        Some("a model of the catalogue")
    } else if text == AUTO || routing.strategy(text).is_some() {
        Some("a strategy")
    } else if routing.pool(text).is_some() {
        Some("a pool")
    } else if routing.aliases.contains_key(text) {
        Some("an alias")
    } else {
        None
    };
    match taken {
        Some(taken) => flaw(format!(
            "{kind} cannot be called '{text}': that is the name of {taken}"
        )),
        None => Ok(()),
    }
}

/// A name that can stand in a header and in `model`.
pub(super) fn plain(kind: &str, name: &Spanned<String>) -> Result<(), Flaw> {
    let text = name.get_ref();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/@".contains(&byte);
    if text.is_empty() || text.len() > 128 || !text.bytes().all(plain) {
        let message =
            format!("the name of {kind} has letters, digits and -_.:/@ only, at most 128 of them");
        return Err(Flaw::at(name.span(), message));
    }
    Ok(())
}

impl<'a> Ground<'a> {
    pub(crate) const fn of(catalog: &'a Catalog, on: &'a [String]) -> Self {
        Self { catalog, on }
    }
}

impl<'a> Ground<'a> {
    pub(super) const fn known(self) -> Known<'a> {
        Known {
            catalog: self.catalog,
            on: self.on,
        }
    }

    /// What a reference means.
    pub(super) fn find(self, name: &Spanned<String>, routing: &Routing) -> Result<Found, Flaw> {
        self.find_at(name.get_ref(), name.span(), routing)
    }

    /// The same for a name whose place is known otherwise.
    pub(super) fn find_at(
        self,
        text: &str,
        span: Range<usize>,
        routing: &Routing,
    ) -> Result<Found, Flaw> {
        if routing.strategy(text).is_some() {
            return Ok(Found::Strategy);
        }
        if routing.pool(text).is_some() {
            return Ok(Found::Pool);
        }
        if routing.aliases.contains_key(text) {
            return Ok(Found::Alias);
        }
        self.model(text, span)
    }

    /// A model, family or provider.
    pub(super) fn model(self, text: &str, span: Range<usize>) -> Result<Found, Flaw> {
        let off = |provider: &str| {
            format!(
                "'{text}' needs the provider '{provider}', which is not on; add [providers.{provider}]"
            )
        };
        let one = self.catalog.provider(text).map(|provider| (provider, None));
        let with = prefixed(text, self.known()).map(|(provider, model)| (provider, Some(model)));
        if let Some((provider, model)) = one.or(with) {
            if !self.on.contains(&provider.name) {
                return Err(Flaw::at(span, off(&provider.name)));
            }
            let listed = model.is_none_or(|model| provider.resolve(model).model.is_some());
            return Ok(if listed {
                Found::Model
            } else {
                Found::Unlisted
            });
        }
        let serving = self.catalog.serving(text);
        let Some((first, _)) = serving.first() else {
            let nearest = self.catalog.nearest(text, 3).join(", ");
            let message =
                format!("'{text}' is no model, provider, strategy or pool. Nearest: {nearest}");
            return Err(Flaw::at(span, message));
        };
        if !serving
            .iter()
            .any(|(provider, _)| self.on.contains(&provider.name))
        {
            return Err(Flaw::at(span, off(&first.name)));
        }
        Ok(Found::Model)
    }

    /// A name as lists have it: a provider, `provider/model`, a model or a family; on or not.
    pub(crate) fn canonical(self, name: &Spanned<String>) -> Result<String, Flaw> {
        let text = name.get_ref().as_str();
        if let Some(provider) = self.catalog.provider(text) {
            return Ok(provider.name.clone());
        }
        if let Some((provider, model)) = prefixed(text, self.known()) {
            let resolved = provider.resolve(model).model;
            let model = resolved.map_or(model, |listed| listed.id.as_str());
            return Ok(format!("{}/{model}", provider.name));
        }
        match self.catalog.serving(text).first() {
            Some((_, model)) if model.id == text || model.family == text => Ok(text.to_owned()),
            Some((_, model)) => Ok(model.family.clone()),
            None => {
                let nearest = self.catalog.nearest(text, 3).join(", ");
                let message =
                    format!("'{text}' is no model, family or provider. Nearest: {nearest}");
                Err(Flaw::at(name.span(), message))
            }
        }
    }
}

/// A strategy that is referred to.
pub(super) fn strategy<'a>(
    name: &Spanned<String>,
    routing: &'a Routing,
) -> Result<&'a std::sync::Arc<Strategy>, Flaw> {
    let known: Vec<&str> = routing
        .strategies
        .iter()
        .map(|known| &*known.name)
        .collect();
    routing.strategy(name.get_ref()).ok_or_else(|| {
        let message = format!(
            "there is no strategy '{}'; there are {}",
            name.get_ref(),
            known.join(", ")
        );
        Flaw::at(name.span(), message)
    })
}

/// A number within bounds.
pub(super) fn within(
    what: &str,
    number: &Spanned<f64>,
    (least, most): (f64, f64),
) -> Result<f64, Flaw> {
    let value = *number.get_ref();
    if value.is_finite() && (least..=most).contains(&value) {
        return Ok(value);
    }
    let message = if most >= LARGEST {
        format!("{what} is {least} or more, not {value}")
    } else {
        format!("{what} is from {least} to {most}, not {value}")
    };
    Err(Flaw::at(number.span(), message))
}

/// No weight is larger.
pub(super) const LARGEST: f64 = 1e9;
