//! What can be asked for now, and whether anything can.

use http::{Response, StatusCode};

use crate::chat::{Code, Error, json};
use crate::net::Body;

use super::answer;
use super::path::percent_decoded;
use super::shared::Shared;

/// `GET /v1/models`.
#[must_use]
pub fn list(shared: &Shared) -> Response<Body> {
    let mut out = b"{\"object\":\"list\",\"data\":[".to_vec();
    for site in &shared.sites {
        for model in &site.provider.models {
            json::comma(&mut out);
            write(&site.provider.name, &model.id, &mut out);
        }
        for model in &site.provider.embeddings {
            json::comma(&mut out);
            write(&site.provider.name, &model.id, &mut out);
        }
    }
    out.extend_from_slice(b"]}");
    answer::json(StatusCode::OK, out)
}

/// `GET /v1/models/{id}`: the id as the list has it, or a model's bare id.
#[must_use]
pub fn one(shared: &Shared, id: &str) -> Response<Body> {
    let id = percent_decoded(id);
    let (named, bare) = match id.split_once(['/', ':']) {
        Some((prefix, rest)) => match shared.catalog.provider(prefix) {
            Some(provider) => (Some(&provider.name), rest),
            None => (None, id.as_str()),
        },
        None => (None, id.as_str()),
    };
    for site in &shared.sites {
        let provider = &site.provider;
        if named.is_some_and(|name| *name != provider.name) {
            continue;
        }
        let listed = provider.resolve(bare).model;
        let listed = listed.map(|model| model.sent_as(bare));
        let embeds = provider.embedding(bare).map(|model| model.id.as_str());
        if let Some(id) = listed.or(embeds) {
            let mut out = Vec::new();
            write(&provider.name, id, &mut out);
            return answer::json(StatusCode::OK, out);
        }
    }
    let nearest = shared.catalog.nearest(&id, 3).join(", ");
    let message = format!(
        "The model '{id}' is not offered here. Nearest: {nearest}. GET /v1/models lists all."
    );
    answer::refusal(&Error::new(Code::ModelNotFound, message).at("model"))
}

/// `GET /readyz`: ready as soon as one provider has a key.
#[must_use]
pub fn ready(shared: &Shared) -> Response<Body> {
    if shared.load.is_draining() {
        return answer::refusal(&Error::new(
            Code::ServerShuttingDown,
            "The proxy is shutting down.",
        ));
    }
    if !shared.sites.is_empty() {
        let mut out = b"{\"status\":\"ready\",\"providers\":[".to_vec();
        for name in &shared.on {
            json::comma(&mut out);
            json::quote(name, &mut out);
        }
        out.extend_from_slice(b"]}");
        return answer::json(StatusCode::OK, out);
    }
    let variables: Vec<&str> = shared
        .catalog
        .providers()
        .iter()
        .flat_map(|provider| &provider.env)
        .map(String::as_str)
        .collect();
    let message = format!(
        "No provider has a key. Set one of {}, or name providers in waypost.toml.",
        variables.join(", ")
    );
    answer::refusal(&Error::new(Code::NotConfigured, message))
}

fn write(provider: &str, model: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    json::quote(&format!("{provider}/{model}"), out);
    out.extend_from_slice(b",\"object\":\"model\",\"created\":0,\"owned_by\":");
    json::quote(provider, out);
    out.push(b'}');
}
