//! Endpoints of requests that are no chat: embeddings, whose models cannot stand in for one another, and completions
//! of a text, which few providers have.

use std::sync::Arc;

use crate::catalog::{Catalog, Embedding, Provider};
use crate::chat::{Ask, Code, Error, Request};
use crate::dialect::{Caps, Target};

use super::target::{self, Candidate, Chosen, Known, Reason};

/// The endpoints of a name, for what a request asks.
///
/// # Errors
/// As for chat; and where nobody that is named has what is asked, who has it.
pub(super) fn resolve(request: &Request, asked: &str, known: Known<'_>) -> Result<Chosen, Error> {
    match request.ask {
        Ask::Chat => target::resolve(asked, known),
        Ask::Embeddings => {
            target::check(known)?;
            let chosen = match target::prefixed(asked, known) {
                Some((provider, model)) => forced(provider, model, known)?,
                None => bare(asked, known)?,
            };
            speaking(request, chosen, known)
        }
        Ask::Completion => speaking(request, target::resolve(asked, known)?, known),
    }
}

/// That a list of embedding models is one model at several hosts: vectors of another would be taken for its.
///
/// # Errors
/// `invalid_value` where it is not.
pub(super) fn same_model(request: &Request, candidates: &[Candidate]) -> Result<(), Error> {
    let [first, rest @ ..] = candidates else {
        return Ok(());
    };
    let stranger = rest.iter().find(|one| family(one) != family(first));
    match (request.ask, stranger) {
        (Ask::Embeddings, Some(stranger)) => {
            let message = format!(
                "'{}/{}' is another model than '{}/{}', and its vectors cannot be compared. Name other hosts of the \
                 same model only.",
                stranger.provider.name, stranger.model, first.provider.name, first.model
            );
            Err(Error::value("model", message))
        }
        (Ask::Embeddings | Ask::Chat | Ask::Completion, _) => Ok(()),
    }
}

/// The model itself, whoever serves it.
fn family(candidate: &Candidate) -> &str {
    let known = candidate.provider.embedding(&candidate.model);
    known.map_or(candidate.model.as_str(), Embedding::family)
}

fn forced(provider: &Arc<Provider>, model: &str, known: Known<'_>) -> Result<Chosen, Error> {
    let mut chosen = target::forced(provider, model, known)?;
    if let Some(listed) = provider.embedding(model) {
        chosen.reason = Reason::Forced;
        chosen.candidates = vec![candidate(provider, listed, model)];
    }
    Ok(chosen)
}

fn bare(asked: &str, known: Known<'_>) -> Result<Chosen, Error> {
    let serving = known.catalog.embedding(asked);
    let mut candidates = Vec::new();
    for name in known.on {
        let of_it = serving.iter().filter(|(host, _)| host.name == *name);
        candidates.extend(of_it.map(|(host, model)| candidate(host, model, asked)));
    }
    if candidates.is_empty() {
        return Err(not_found(asked, &serving, known));
    }
    Ok(Chosen {
        candidates,
        reason: Reason::BareModel,
    })
}

fn candidate(provider: &Arc<Provider>, model: &Embedding, asked: &str) -> Candidate {
    let is_its = model.aliases.iter().any(|alias| alias == asked);
    Candidate {
        provider: Arc::clone(provider),
        model: if is_its { asked } else { &model.id }.to_owned(),
        dialect: provider.dialect,
        caps: Arc::new(Caps::default()),
        effort: None,
        limit: None,
    }
}

fn not_found(asked: &str, serving: &[(&Arc<Provider>, &Embedding)], known: Known<'_>) -> Error {
    let message = if serving.is_empty() {
        let on = |provider: &&Arc<Provider>| known.on.contains(&provider.name);
        let all = known.catalog.providers().iter().filter(on).flat_map(|one| {
            let name = |model: &Embedding| format!("{}/{}", one.name, model.id);
            one.embeddings.iter().map(name).collect::<Vec<_>>()
        });
        let all: Vec<String> = all.take(LISTED).collect();
        format!(
            "The embedding model '{asked}' is not known. Known here: {}. Write 'provider/model' to force a route.",
            if all.is_empty() {
                "none".to_owned()
            } else {
                all.join(", ")
            }
        )
    } else {
        let hosts: Vec<_> = serving.iter().map(|(host, _)| host.name.as_str()).collect();
        format!(
            "The embedding model '{asked}' is served by {}, but none of these providers is configured.",
            hosts.join(", ")
        )
    };
    Error::new(Code::ModelNotFound, message).at("model")
}

/// How many models a message names.
const LISTED: usize = 8;

/// Only the endpoints that have what is asked; a named one that has not is an error.
fn speaking(request: &Request, mut chosen: Chosen, known: Known<'_>) -> Result<Chosen, Error> {
    let first = chosen
        .candidates
        .first()
        .map(|one| one.provider.name.clone());
    chosen
        .candidates
        .retain(|candidate| candidate.spoken(request).is_some());
    if !chosen.candidates.is_empty() {
        return Ok(chosen);
    }
    let what = match request.ask {
        Ask::Chat => "chat completions",
        Ask::Embeddings => "embeddings",
        Ask::Completion => "completions of a text",
    };
    let first = first.unwrap_or_default();
    let message = format!(
        "The provider '{first}' has no {what}. These have: {}.",
        having(request.ask, known.catalog).join(", ")
    );
    Err(Error::value("model", message))
}

/// The providers that have something.
fn having(ask: Ask, catalog: &Catalog) -> Vec<&str> {
    let caps = Caps::default();
    let has = |provider: &&Arc<Provider>| {
        let target = Target {
            model: "",
            quirks: &provider.quirks,
            caps: &caps,
        };
        match ask {
            Ask::Chat => true,
            Ask::Embeddings => provider.dialect.embeddings(&target).is_some(),
            Ask::Completion => provider.dialect.completions(&target).is_some(),
        }
    };
    let having = catalog.providers().iter().filter(has);
    having.map(|provider| provider.name.as_str()).collect()
}
