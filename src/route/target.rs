//! From the `model` field to the endpoints to try, in order.
//!
//! A prefix counts only if it names a provider, as `openai/gpt-oss-120b` on Groq, `ft:…` and `llama3.1:8b` are
//! model ids themselves. Then exact id, alias and family decide who serves a bare id.

use std::borrow::Cow;
use std::sync::Arc;

use crate::catalog::{Catalog, Provider};
use crate::chat::json::quoted;
use crate::chat::{Ask, Code, Error, Request};
use crate::dialect::{Caps, Dialect, Effort, Target};

/// What there is to choose from.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Every provider and model that is known.
    pub catalog: &'a Catalog,
    /// The names of the providers that have a key, in the order of preference.
    pub on: &'a [String],
}

/// One endpoint to try.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Who is asked.
    pub provider: Arc<Provider>,
    /// The model, in the provider's own name for it.
    pub model: String,
    /// The wire format it is asked in, unless that hands the request over to another.
    pub dialect: &'static dyn Dialect,
    /// What it can do.
    pub caps: Arc<Caps>,
    /// The reasoning effort that routing chose; `None` leaves it as the caller said it, or unsaid.
    pub effort: Option<Effort>,
    /// The output limit that routing set; `None` leaves it as the caller said it, or unsaid.
    pub limit: Option<u64>,
}

impl Candidate {
    /// The request as this endpoint is asked: what routing decided is said in the caller's own words.
    ///
    /// # Errors
    /// Where the request cannot be written so.
    pub fn asked<'a>(&self, request: &'a Request) -> Result<Cow<'a, Request>, Error> {
        let effort = self.effort.map(|effort| quoted(effort.as_str()));
        let limit = self.limit.map(|limit| limit.to_string());
        let old_name = request.member("max_completion_tokens").is_none()
            && request.member("max_tokens").is_some();
        let limit_name = if old_name {
            "max_tokens"
        } else {
            "max_completion_tokens"
        };
        let set: Vec<(&str, &str)> = [
            effort.as_deref().map(|effort| ("reasoning_effort", effort)),
            limit.as_deref().map(|limit| (limit_name, limit)),
        ]
        .into_iter()
        .flatten()
        .collect();
        if set.is_empty() {
            return Ok(Cow::Borrowed(request));
        }
        request.with(&set).map(Cow::Owned)
    }

    /// What a wire format may know of it.
    #[must_use]
    pub fn target(&self) -> Target<'_> {
        Target {
            model: &self.model,
            quirks: &self.provider.quirks,
            caps: &self.caps,
        }
    }

    /// The wire format that this request is put in; `None` where the target has none for what it asks.
    #[must_use]
    pub fn spoken(&self, request: &Request) -> Option<&'static dyn Dialect> {
        let target = self.target();
        match request.ask {
            Ask::Chat => {
                let handed_over = self.dialect.handover(request, &target);
                Some(handed_over.unwrap_or(self.dialect))
            }
            Ask::Embeddings => self.dialect.embeddings(&target),
            Ask::Completion => self.dialect.completions(&target),
        }
    }
}

/// The endpoints to try, in order, never none.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// In the order of trying.
    pub candidates: Vec<Candidate>,
    /// Why the first is the first.
    pub reason: Reason,
}

/// Why a route was taken; its word is `x-waypost-route-reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The caller named provider and model.
    Forced,
    /// The caller named a model the provider says is shut down or moved; it is asked all the same.
    ForcedRetired,
    /// The caller named a model that the catalogue does not know.
    ForcedUnknown,
    /// The caller named a model; this provider serves it.
    BareModel,
    /// The caller named a pool.
    Pool,
    /// A strategy chose it.
    Strategy,
}

impl Reason {
    /// The short token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forced => "forced",
            Self::ForcedRetired => "forced-retired",
            Self::ForcedUnknown => "forced-unknown-model",
            Self::BareModel => "model",
            Self::Pool => "pool",
            Self::Strategy => "strategy",
        }
    }
}

/// A model name whose prefix names a provider.
#[must_use]
pub fn prefixed<'a, 'm>(model: &'m str, known: Known<'a>) -> Option<(&'a Arc<Provider>, &'m str)> {
    let at = model.find(['/', ':'])?;
    let (prefix, rest) = model.split_at(at);
    let rest = rest.get(1..).filter(|rest| !rest.is_empty())?;
    known
        .catalog
        .provider(prefix)
        .map(|provider| (provider, rest))
}

/// Endpoints of a chat model.
///
/// # Errors
/// As [`super::choose()`].
pub fn resolve(asked: &str, known: Known<'_>) -> Result<Chosen, Error> {
    check(known)?;
    match prefixed(asked, known) {
        Some((provider, model)) => forced(provider, model, known),
        None => bare(asked, known),
    }
}

/// What no name can be asked for, whatever it names.
///
/// # Errors
/// `no_provider_configured`.
pub(super) fn check(known: Known<'_>) -> Result<(), Error> {
    if known.on.is_empty() {
        return Err(nobody(known));
    }
    Ok(())
}

/// No provider is on.
#[must_use]
pub fn nobody(known: Known<'_>) -> Error {
    let mut providers = known.catalog.providers().iter();
    let variable = providers.find_map(|provider| provider.env.first());
    let message = format!(
        "No provider has a key. Set {} or another provider's variable, or name providers in waypost.toml; GET /readyz \
         lists the variables.",
        variable.map_or("a key", String::as_str)
    );
    Error::new(Code::NotConfigured, message)
}

/// The endpoint of a provider and one of its models.
///
/// # Errors
/// `model_not_found` where the provider has no key.
pub(super) fn forced(
    provider: &Arc<Provider>,
    model: &str,
    known: Known<'_>,
) -> Result<Chosen, Error> {
    if !known.on.contains(&provider.name) {
        let variable = provider
            .env
            .first()
            .map(|name| format!("set {name} or "))
            .unwrap_or_default();
        let message = format!(
            "The provider '{}' is known but not configured: {variable}add [providers.{}] to waypost.toml.",
            provider.name, provider.name
        );
        return Err(Error::new(Code::ModelNotFound, message).at("model"));
    }
    let resolved = provider.resolve(model);
    let reason = match (&resolved.model, &resolved.retired) {
        (_, Some(_)) => Reason::ForcedRetired,
        (Some(_), None) => Reason::Forced,
        (None, None) => Reason::ForcedUnknown,
    };
    let candidate = Candidate {
        provider: Arc::clone(provider),
        model: resolved
            .model
            .map_or(model, |listed| listed.sent_as(model))
            .to_owned(),
        dialect: resolved.dialect,
        caps: resolved.caps,
        effort: None,
        limit: None,
    };
    Ok(Chosen {
        candidates: vec![candidate],
        reason,
    })
}

fn bare(asked: &str, known: Known<'_>) -> Result<Chosen, Error> {
    let mut candidates = Vec::new();
    let serving = known.catalog.serving(asked);
    for name in known.on {
        for (provider, model) in serving
            .iter()
            .filter(|(provider, _)| provider.name == *name)
        {
            candidates.push(Candidate {
                provider: Arc::clone(provider),
                // A dated snapshot or an alias is sent as it was asked for.
                model: model.sent_as(asked).to_owned(),
                dialect: model.dialect,
                caps: Arc::clone(&model.caps),
                effort: None,
                limit: None,
            });
        }
    }
    if candidates.is_empty() {
        return Err(not_found(asked, known));
    }
    Ok(Chosen {
        candidates,
        reason: Reason::BareModel,
    })
}

fn not_found(asked: &str, known: Known<'_>) -> Error {
    let serving: Vec<_> = known
        .catalog
        .serving(asked)
        .into_iter()
        .map(|(p, m)| format!("{}/{}", p.name, m.id))
        .collect();
    let message = if serving.is_empty() {
        let nearest = known.catalog.nearest(asked, 3).join(", ");
        format!(
            "The model '{asked}' is not known. Nearest: {nearest}. Write 'provider/model' to force a route; GET /v1/models lists what can be asked for."
        )
    } else {
        format!(
            "The model '{asked}' is served by {}, but none of these providers is configured.",
            serving.join(", ")
        )
    };
    Error::new(Code::ModelNotFound, message).at("model")
}
