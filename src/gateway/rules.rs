//! What holds for one call's choice: the one place where hints, and later tenants and pools, become a policy.

use std::sync::Arc;

use crate::account::Money;
use crate::catalog::Catalog;
use crate::chat::{Code, Error};
use crate::dialect::Mode;
use crate::route::experiment::Copy;
use crate::route::hint::Fallback;
use crate::route::names::{AUTO, Meaning, Routing};
use crate::route::policy::{Cap, Mask, Naming, Policy, Strategy};
use crate::route::pool;
use crate::route::tenant::{self, Named, Tenant};
use crate::route::{Candidate, Known};

use super::asked::{self, Asked, Wish};
use super::keyring::Holder;
use super::pilot::Pilot;
use super::receive::Received;
use super::shared::Shared;

/// The header of each list, as errors name it.
const ONLY: &str = "x-waypost-only";
const IGNORE: &str = "x-waypost-ignore";

/// What holds for one call's choice.
#[derive(Debug)]
pub struct Rules {
    /// What the call asks for.
    pub wish: Wish,
    /// The strategy.
    pub strategy: Arc<Strategy>,
    /// Whether the caller named the strategy beside the model.
    pub insists: bool,
    /// The name that stands for what the caller asked for, where that is another.
    pub named: Option<String>,
    /// The experiment that the call takes part in, and its arm.
    pub arm: Option<(String, String)>,
    /// Copies that are sent once the answer has begun.
    pub copies: Vec<Copy>,
    /// Whose policy holds.
    pub tenant: Option<Arc<Tenant>>,
    /// Whose key was shown.
    pub holder: Option<Arc<Holder>>,
    /// Which share of calls explores.
    pub explore: f64,
    /// The cap.
    pub cap: Option<Cap>,
    /// What is done about what a model cannot express.
    pub mode: Mode,
    /// The seed of the draw.
    pub seed: u64,
    /// Who alone may be taken; names as the catalogue has them, none is all.
    pub only: Vec<String>,
    /// Who may not be taken.
    pub ignored: Vec<String>,
}

/// Lists looked up on the board.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    allowed: Option<Mask>,
    only: Option<Mask>,
    ignored: Option<Mask>,
}

impl Rules {
    /// Reads what the caller says.
    ///
    /// # Errors
    /// A strategy, provider or model that nobody knows.
    pub fn of(shared: &Shared, received: &Received) -> Result<Self, Error> {
        let (pilot, hints) = (&shared.pilot, &received.hints);
        let routing = &pilot.routing;
        let seed = hints.seed.unwrap_or_else(|| fastrand::u64(..));
        let tenant = match &received.copies_for {
            Some(tenant) => tenant.as_ref(),
            None => asked::tenant(routing, hints)?,
        };
        let asked = Asked::of(shared, received, tenant.map(|known| &**known), seed);
        let known_to = |name: &String| pilot.strategy(name).ok_or_else(|| unknown(pilot, name));
        let hinted = hints.strategy.as_ref().map(known_to).transpose()?;
        let tenants = tenant.and_then(|tenant| tenant.strategy.as_ref());
        let named = hinted.or_else(|| asked.strategy());
        let holder = received.holder.as_deref();
        let wish = asked.wish();
        let strategy = named.map_or_else(
            || left_open(pilot, holder, tenants, wish),
            |named| permitted(holder, named),
        )?;
        let pool = match wish {
            Wish::Pool(at) => pool::most(&routing.pools, at),
            Wish::Best | Wish::Model => None,
        };
        let names = shared.known();
        // A call that may come to a pool keeps within what that lets it cost.
        let spare = least(routing, &hints.fallback, names);
        let pool = pool.into_iter().chain(spare).min();
        let mut only = known(shared, ONLY, &hints.only)?;
        if let Some(provider) = asked.within() {
            only = if only.is_empty() {
                vec![provider]
            } else {
                narrowed(&provider, only)
            };
        }
        Ok(Self {
            wish,
            strategy: Arc::clone(strategy),
            insists: hinted.is_some(),
            named: asked.named(),
            arm: asked.arm(),
            copies: asked.copies(routing, seed),
            cap: tenant::cap(
                (hints.max_cost, hints.cap_mode),
                tenant.map(|known| &**known),
                pool,
            ),
            tenant: tenant.map(Arc::clone),
            holder: received.holder.clone(),
            explore: routing.explore,
            mode: hints.params,
            seed,
            only,
            ignored: known(shared, IGNORE, &hints.ignore)?,
        })
    }

    /// The lists as a plan asks them.
    #[must_use]
    pub fn lists(&self, pilot: &Pilot) -> Lists {
        let mask = |names: &Vec<String>| {
            let some = (!names.is_empty()).then_some(names);
            some.map(|names| Mask::of(&pilot.board, names))
        };
        Lists {
            allowed: allowed(self.tenant.as_deref(), self.holder.as_deref(), pilot),
            only: mask(&self.only),
            ignored: mask(&self.ignored),
        }
    }

    /// What a plan goes by.
    #[must_use]
    pub fn policy<'a>(&'a self, lists: &'a Lists) -> Policy<'a> {
        Policy {
            cap: self.cap,
            mode: self.mode,
            naming: match self.wish {
                Wish::Best | Wish::Pool(_) => Naming::Open,
                Wish::Model => Naming::Model,
            },
            min_quality: self.floor(None),
            explore: self.explore,
            allowed: lists.allowed.as_ref(),
            only: lists.only.as_ref(),
            ignored: lists.ignored.as_ref(),
            ..Policy::of(&self.strategy)
        }
    }

    /// Quality below which nothing is taken: a pool's own figure in place of the strategy's, a tenant's over both.
    #[must_use]
    pub fn floor(&self, pool: Option<u16>) -> Option<u16> {
        let tenant = self.tenant.as_ref().and_then(|tenant| tenant.min_quality);
        let Some(tenant) = tenant else { return pool };
        Some(tenant.max(pool.unwrap_or(self.strategy.min_quality)))
    }

    /// Whether the tenant may use a target.
    #[must_use]
    pub fn allows(&self, candidate: &Candidate) -> bool {
        if self.tenant.is_none() && self.holder.is_none() {
            return true;
        }
        let (provider, model) = (candidate.provider.name.as_str(), candidate.model.as_str());
        let listed = candidate.provider.resolve(model).model;
        let (id, family) = listed
            .as_ref()
            .map_or((model, model), |listed| (&listed.id, &listed.family));
        let target = Named {
            provider,
            model,
            id,
            family,
        };
        may(self.tenant.as_deref(), self.holder.as_deref(), target)
    }

    /// The header that keeps a named target from being taken, if one does.
    #[must_use]
    pub fn excludes(&self, candidate: &Candidate) -> Option<&'static str> {
        if self.only.is_empty() && self.ignored.is_empty() {
            return None;
        }
        let (provider, model) = (candidate.provider.name.as_str(), candidate.model.as_str());
        let listed = candidate.provider.resolve(model).model;
        let (id, family) = listed.map_or((model, model), |listed| (&listed.id, &listed.family));
        let means = |name: &String| {
            let whole = name
                .strip_prefix(provider)
                .and_then(|rest| rest.strip_prefix(['/', ':']))
                .is_some_and(|rest| rest == model || rest == id);
            whole || [provider, model, id, family].contains(&name.as_str())
        };
        if !self.only.is_empty() && !self.only.iter().any(means) {
            return Some(ONLY);
        }
        self.ignored.iter().any(means).then_some(IGNORE)
    }
}

impl Lists {
    /// The same, but for nothing beside these sites.
    #[must_use]
    pub fn within(self, pilot: &Pilot, sites: impl Iterator<Item = usize>) -> Self {
        self.also_on(Mask::sites(&pilot.board, sites))
    }

    /// The same, but for nothing beside another list.
    #[must_use]
    pub fn also_on(mut self, sites: Mask) -> Self {
        self.only = Some(match self.only {
            Some(only) => only.and(&sites),
            None => sites,
        });
        self
    }
}

/// Whether a target is open to a tenant and to the holder of a key.
#[must_use]
pub fn may(tenant: Option<&Tenant>, holder: Option<&Holder>, target: Named<'_>) -> bool {
    tenant.is_none_or(|tenant| tenant.may(target)) && holder.is_none_or(|holder| holder.may(target))
}

/// What of the board a tenant and the holder of a key may use; `None` is all.
fn allowed(tenant: Option<&Tenant>, holder: Option<&Holder>, pilot: &Pilot) -> Option<Mask> {
    let tenant = tenant.filter(|tenant| !(tenant.allow.is_empty() && tenant.deny.is_empty()));
    let holder = holder.filter(|holder| !holder.rights.models.is_empty());
    if tenant.is_none() && holder.is_none() {
        return None;
    }
    let sites = pilot.board.sites.iter().enumerate();
    let own = sites.filter(|(_, site)| {
        let target = Named {
            provider: site.provider(),
            model: site.model(),
            id: site.model(),
            family: &site.family,
        };
        may(tenant, holder, target)
    });
    Some(Mask::sites(&pilot.board, own.map(|(at, _)| at)))
}

/// A strategy that is asked for, where the key may ask for it.
///
/// # Errors
/// Where it may not.
pub fn permitted<'a>(
    holder: Option<&Holder>,
    named: &'a Arc<Strategy>,
) -> Result<&'a Arc<Strategy>, Error> {
    if holder.is_none_or(|holder| holder.rights.may_ask(&named.name)) {
        return Ok(named);
    }
    let message = format!("The strategy '{}' is not open to your key.", named.name);
    Err(Error::new(Code::ModelNotFound, message).at("model"))
}

/// The strategy where nobody names one: the tenant's, else the usual, else the first that the key may ask for. Where
/// that is none, a model that is named needs none.
fn left_open<'a>(
    pilot: &'a Pilot,
    holder: Option<&Holder>,
    tenants: Option<&'a Arc<Strategy>>,
    wish: Wish,
) -> Result<&'a Arc<Strategy>, Error> {
    let usual = tenants.unwrap_or_else(|| pilot.default_strategy());
    let rights = holder.map(|holder| &holder.rights);
    let Some(rights) = rights.filter(|rights| !rights.may_ask(&usual.name)) else {
        return Ok(usual);
    };
    let mut listed = rights.strategies.iter().flatten();
    match (listed.find_map(|name| pilot.strategy(name)), wish) {
        (Some(first), _) => Ok(first),
        // `auto` is whatever the configuration says.
        (None, _) if rights.may_ask(AUTO) => Ok(usual),
        (None, Wish::Model) => Ok(usual),
        (None, Wish::Best | Wish::Pool(_)) => permitted(holder, usual),
    }
}

/// The least that any pool of a fallback list lets a call cost.
fn least(routing: &Routing, fallback: &Fallback, known: Known<'_>) -> Option<Money> {
    let Fallback::Models(names) = fallback else {
        return None;
    };
    if routing.pools.is_empty() {
        return None;
    }
    let caps = names
        .iter()
        .filter_map(|name| match routing.meaning(name, known) {
            Meaning::Pool(at) => pool::most(&routing.pools, at),
            Meaning::Model(_) | Meaning::Strategy(_) | Meaning::Experiment(_) => None,
        });
    caps.min()
}

/// What of a list a provider sells.
fn narrowed(provider: &str, only: Vec<String>) -> Vec<String> {
    let own = only.into_iter().filter_map(|name| {
        let (before, _) = name.split_once(['/', ':']).unwrap_or((&name, ""));
        if before == provider {
            return Some(name);
        }
        let elsewhere = name.contains(['/', ':']);
        (!elsewhere).then(|| format!("{provider}/{name}"))
    });
    own.collect()
}

fn unknown(pilot: &Pilot, name: &str) -> Error {
    let names: Vec<&str> = pilot.strategies().collect();
    let message = format!(
        "The strategy '{name}' is not known. These are: {}.",
        names.join(", ")
    );
    Error::value("x-waypost-strategy", message)
}

/// The names of a list as the catalogue has them; what nobody knows is an error, lest a slip of the pen ignore nothing.
fn known(shared: &Shared, header: &str, names: &[String]) -> Result<Vec<String>, Error> {
    let each = names.iter().map(|name| {
        canonical(&shared.catalog, name).ok_or_else(|| {
            let message = format!("'{header}' names '{name}', which is no provider and no model.");
            Error::value(header, message)
        })
    });
    each.collect()
}

/// A name as lists have it; `None` where nobody knows it.
pub fn canonical(catalog: &Catalog, name: &str) -> Option<String> {
    if let Some(provider) = catalog.provider(name) {
        return Some(provider.name.clone());
    }
    if let Some((prefix, model)) = name.split_once(['/', ':'])
        && let Some(provider) = catalog.provider(prefix)
    {
        let resolved = provider.resolve(model);
        let model = resolved.model.map_or(model, |listed| listed.id.as_str());
        return Some(format!("{}/{model}", provider.name));
    }
    let serving = catalog.serving(name);
    let (_, model) = serving.first()?;
    Some(if model.family == name || model.id == name {
        name.to_owned()
    } else {
        model.family.clone()
    })
}
