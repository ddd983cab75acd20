//! What a caller may use, as the list of models tells it.

use std::sync::Arc;

use http::HeaderMap;

use crate::chat::Error;
use crate::route::experiment::Trial;
use crate::route::names::{AUTO, Meaning};
use crate::route::tenant::{Named, Tenant};
use crate::route::{self, Known, pool};

use super::admit::holder;
use super::keyring::Holder;
use super::rules::may;
use super::shared::Shared;

/// Who asks what there is.
#[derive(Debug)]
pub struct Asker<'a> {
    shared: &'a Shared,
    holder: Option<Arc<Holder>>,
    tenant: Option<&'a Tenant>,
}

impl<'a> Asker<'a> {
    /// Whoever shows the credential of these headers.
    ///
    /// # Errors
    /// A key that is not valid.
    pub fn of(shared: &'a Shared, headers: &HeaderMap) -> Result<Self, Error> {
        let holder = holder(shared, headers)?;
        let named = holder
            .as_ref()
            .and_then(|holder| holder.rights.tenant.as_deref());
        let tenant = named.and_then(|name| shared.pilot.routing.tenant(name));
        Ok(Self {
            shared,
            tenant: tenant.map(|tenant| &**tenant),
            holder,
        })
    }

    /// Whether a model is open, by the names that the catalogue has for it.
    #[must_use]
    pub fn may(&self, provider: &str, id: &str, family: &str) -> bool {
        let target = Named {
            provider,
            model: id,
            id,
            family,
        };
        may(self.tenant, self.holder.as_deref(), target)
    }

    /// Whether anything behind a name of ours is open: a strategy, a pool, an alias or an experiment.
    #[must_use]
    pub fn reaches(&self, name: &str) -> bool {
        let Some(holder) = &self.holder else {
            return true;
        };
        let routing = &self.shared.pilot.routing;
        let known = self.shared.known();
        match routing.meaning(name, known) {
            Meaning::Strategy(_) if name == AUTO => {
                let strategies = holder.rights.strategies.as_ref();
                strategies.is_none_or(|listed| !listed.is_empty())
            }
            Meaning::Strategy(strategy) => holder.rights.may_ask(&strategy.name),
            Meaning::Pool(at) => {
                let names = pool::names(&routing.pools, at);
                names.into_iter().any(|name| self.serves(name, known))
            }
            Meaning::Model(name) => self.serves(name, known),
            Meaning::Experiment(one) => match &one.trial {
                // Arms are no experiments.
                Trial::Split(split) => split.arms.iter().any(|(arm, _)| self.reaches(arm)),
                Trial::Shadow(_) => false,
            },
        }
    }

    fn serves(&self, name: &str, known: Known<'_>) -> bool {
        let Ok(chosen) = route::resolve(name, known) else {
            return false;
        };
        chosen.candidates.iter().any(|candidate| {
            let (provider, model) = (&candidate.provider, candidate.model.as_str());
            let listed = provider.resolve(model).model;
            let (id, family) = listed.map_or((model, model), |listed| (&listed.id, &listed.family));
            self.may(&provider.name, id, family)
        })
    }
}
