//! What a call asks for: the tenant's pin, then the header, then the body; then the arm of a split; then what the name
//! means.

use std::sync::Arc;

use crate::catalog::Provider;
use crate::chat::{Error, Request};
use crate::route::Hints;
use crate::route::experiment::{self, Trial, Who};
use crate::route::names::{AUTO, Meaning, Routing};
use crate::route::policy::Strategy;
use crate::route::tenant::Tenant;

use super::receive::Received;
use super::shared::Shared;

/// Who chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Whatever the strategy finds best.
    Best,
    /// A model that it names.
    Model,
    /// A pool, by its place.
    Pool(usize),
}

/// What a call asks for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The name.
    name: &'a str,
    /// What it means.
    meaning: Meaning<'a>,
    /// The provider that a header keeps it to.
    provider: Option<&'a Provider>,
    /// The experiment and its arm.
    arm: Option<(&'a str, &'a str)>,
    /// The name that routing would read by itself.
    plain: &'a str,
    /// The name before the arm, where the call takes part in experiments.
    tried_as: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// Reads what a call asks for.
    #[must_use]
    pub fn of(
        shared: &'a Shared,
        received: &'a Received,
        tenant: Option<&'a Tenant>,
        seed: u64,
    ) -> Self {
        let routing = &shared.pilot.routing;
        let body = received.request.model.as_str();
        let hint = received.hints.model.as_deref();
        // What a shadow copy is sent to is settled; the tenant's lists hold for it all the same.
        let tenant = tenant.filter(|_| received.copies_for.is_none());
        let pinned = tenant.is_some_and(|tenant| tenant.model.is_some());
        let provider = hint.filter(|_| !pinned);
        let provider = provider.and_then(|hint| shared.catalog.provider(hint));
        let header = hint.filter(|_| provider.is_none());
        let said = tenant.map_or_else(
            || header.unwrap_or(body),
            |tenant| tenant.asked(header, body),
        );
        let settled = pinned || received.copies_for.is_some();
        let tried_as = (!settled && !routing.experiments.is_empty()).then_some(said);
        let arm = tried_as.and_then(|said| arm(routing, said, who(received, seed)));
        let name = arm.map_or(said, |(_, arm)| arm);
        let known = shared.known();
        Self {
            name,
            meaning: routing.meaning(name, known),
            provider: provider.map(|provider| &**provider),
            arm,
            plain: header.unwrap_or(body),
            tried_as,
        }
    }

    /// Who chooses.
    #[must_use]
    pub const fn wish(&self) -> Wish {
        match self.meaning {
            Meaning::Strategy(_) => Wish::Best,
            Meaning::Pool(at) => Wish::Pool(at),
            // An experiment without arms is nothing that can be asked for.
            Meaning::Model(_) | Meaning::Experiment(_) => Wish::Model,
        }
    }

    /// The strategy that is asked for; `auto` leaves it open.
    #[must_use]
    pub fn strategy(&self) -> Option<&'a Arc<Strategy>> {
        match self.meaning {
            Meaning::Strategy(strategy) if self.name != AUTO => Some(strategy),
            Meaning::Strategy(_)
            | Meaning::Pool(_)
            | Meaning::Model(_)
            | Meaning::Experiment(_) => None,
        }
    }

    /// The provider that a strategy or pool is kept to.
    #[must_use]
    pub fn within(&self) -> Option<String> {
        let provider = self.provider.filter(|_| self.wish() != Wish::Model);
        provider.map(|provider| provider.name.clone())
    }

    /// The model that stands for the one that request and header name, where it is another.
    #[must_use]
    pub fn named(&self) -> Option<String> {
        let Meaning::Model(model) = self.meaning else {
            return None;
        };
        (model != self.plain).then(|| match self.provider {
            Some(provider) if !model.contains('/') => format!("{}/{model}", provider.name),
            Some(_) | None => model.to_owned(),
        })
    }

    /// The copies of the call, drawn by its seed: those of the name that was asked for, and of its arm.
    #[must_use]
    pub fn copies(&self, routing: &Routing, seed: u64) -> Vec<experiment::Copy> {
        let Some(said) = self.tried_as else {
            return Vec::new();
        };
        let all = routing.experiments.iter().filter(|one| {
            let takes = |name: &str| one.on.iter().any(|on| on == name);
            takes(routing.spelled(said)) || takes(self.name)
        });
        let shadows = all.filter_map(|one| match &one.trial {
            Trial::Shadow(shadow) if shadow.copies(&one.name, seed) => Some(experiment::Copy {
                experiment: one.name.clone(),
                shadow: shadow.clone(),
            }),
            Trial::Shadow(_) | Trial::Split(_) => None,
        });
        shadows.collect()
    }

    /// The experiment that the call takes part in, and its arm.
    #[must_use]
    pub fn arm(&self) -> Option<(String, String)> {
        self.arm
            .map(|(experiment, arm)| (experiment.to_owned(), arm.to_owned()))
    }
}

/// The policy of the tenant that a call names. Where no tenant is configured, the name is a label.
///
/// # Errors
/// A tenant that nobody knows.
pub fn tenant<'a>(routing: &'a Routing, hints: &Hints) -> Result<Option<&'a Arc<Tenant>>, Error> {
    let Some(name) = &hints.tenant else {
        return Ok(None);
    };
    let known = routing.tenant(name);
    if known.is_some() || routing.tenants.is_empty() {
        return Ok(known);
    }
    let names: Vec<&str> = routing.tenants.iter().map(|known| &*known.name).collect();
    let message = format!(
        "'x-waypost-tenant' names '{name}', which is not configured. These are: {}.",
        names.join(", ")
    );
    Err(Error::value("x-waypost-tenant", message))
}

/// The arm of the split that a name takes part in.
fn arm<'a>(routing: &'a Routing, said: &str, who: Who<'_>) -> Option<(&'a str, &'a str)> {
    let (experiment, split) = experiment::split(&routing.experiments, routing.spelled(said))?;
    Some((experiment, split.arm(experiment, who)?))
}

/// What makes callers differ.
fn who(received: &Received, seed: u64) -> Who<'_> {
    Who {
        key: received.key,
        user: user(&received.request),
        session: received.hints.session.as_deref(),
        seed,
    }
}

/// The end user that a request names, as it is written.
fn user(request: &Request) -> Option<&str> {
    let text = |name: &str| {
        let raw = request.member(name)?;
        let is_text = raw.len() > 2 && raw.starts_with('"');
        is_text.then_some(raw)
    };
    text("safety_identifier").or_else(|| text("user"))
}
