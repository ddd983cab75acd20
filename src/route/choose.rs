//! From a request and its hints to the endpoints to try, fallbacks among them.

use crate::chat::{Error, Request};

use super::hint::Hints;
use super::other;
use super::target::{Candidate, Chosen, Known, prefixed};

/// How many targets one call may try in all.
pub const MAX_TARGETS: usize = 6;

/// Chooses the endpoints to try for the model that is named, fallbacks left out.
///
/// # Errors
/// `model_not_found` with the nearest names, `no_provider_configured`.
pub fn choose(request: &Request, hints: &Hints, known: Known<'_>) -> Result<Chosen, Error> {
    let asked = asked(request, hints, known);
    let mut chosen = other::resolve(request, &asked, known)?;
    unrepeated(&mut chosen.candidates);
    Ok(chosen)
}

/// The endpoints of models in a fallback list, in its order, after a first one. One that was tried under another name is
/// left out.
///
/// # Errors
/// As [`choose`], blamed on the list.
pub fn listed(
    request: &Request,
    models: &[&str],
    first: &Candidate,
    known: Known<'_>,
) -> Result<Vec<Candidate>, Error> {
    let mut candidates = vec![first.clone()];
    for model in models {
        let more = other::resolve(request, model, known).map_err(in_fallback)?;
        candidates.extend(more.candidates);
    }
    other::same_model(request, &candidates).map_err(in_fallback)?;
    unrepeated(&mut candidates);
    candidates.remove(0);
    Ok(candidates)
}

/// An endpoint that failed is not asked the same again under another name.
fn unrepeated(candidates: &mut Vec<Candidate>) {
    let mut seen: Vec<(String, String)> = Vec::with_capacity(candidates.len());
    candidates.retain(|candidate| {
        let name = (candidate.provider.name.clone(), candidate.model.clone());
        let fresh = !seen.contains(&name);
        if fresh {
            seen.push(name);
        }
        fresh
    });
}

/// The same error, blamed on the list that names the model.
fn in_fallback(error: Error) -> Error {
    let message = format!("In the fallback list: {}", error.message);
    Error { message, ..error }.at("x-waypost-fallback")
}

/// What is asked for: the hint over the body; a hint that is only a provider takes the body's model there.
fn asked(request: &Request, hints: &Hints, known: Known<'_>) -> String {
    let Some(hint) = &hints.model else {
        return request.model.clone();
    };
    match known.catalog.provider(hint) {
        Some(provider) => {
            let model =
                prefixed(&request.model, known).map_or(request.model.as_str(), |(_, model)| model);
            format!("{}/{model}", provider.name)
        }
        None => hint.clone(),
    }
}
