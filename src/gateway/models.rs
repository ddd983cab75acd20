//! What can be asked for now, and whether anything can.

use http::{HeaderMap, Response, StatusCode};

use serde_json::Value;

use crate::catalog::{Model, Price, Provider};
use crate::chat::{Code, Error, json};
use crate::net::Body;
use crate::route::experiment::Trial;
use crate::route::health::{Gate, Reading};

use super::answer;
use super::open_to::Asker;
use super::path::percent_decoded;
use super::shared::Shared;

/// Who owns what is chosen here.
const OURS: &str = "waypost";

/// `GET /v1/models`: what whoever asks may use.
#[must_use]
pub fn list(shared: &Shared, headers: &HeaderMap) -> Response<Body> {
    let asker = match Asker::of(shared, headers) {
        Ok(asker) => asker,
        Err(error) => return answer::refusal(&error),
    };
    let mut out = b"{\"object\":\"list\",\"data\":[".to_vec();
    let readings = readings(shared);
    for site in &shared.sites {
        let provider = &site.provider.name;
        let models = site.provider.models.iter();
        for model in models.filter(|model| asker.may(provider, &model.id, &model.family)) {
            json::comma(&mut out);
            begin(
                &format!("{}/{}", site.provider.name, model.id),
                &site.provider.name,
                &mut out,
            );
            about(shared, (&site.provider, model), &readings, &mut out);
        }
        let embeddings = site.provider.embeddings.iter();
        for model in embeddings.filter(|model| asker.may(provider, &model.id, &model.id)) {
            json::comma(&mut out);
            write(&site.provider.name, &model.id, &mut out);
        }
    }
    for name in ours(shared).filter(|name| asker.reaches(name)) {
        json::comma(&mut out);
        begin(name, OURS, &mut out);
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    answer::json(StatusCode::OK, out)
}

/// What is chosen here: strategies, pools, aliases, and experiments with arms.
fn ours(shared: &Shared) -> impl Iterator<Item = &str> {
    let (pilot, routing) = (&shared.pilot, &shared.pilot.routing);
    let pools = routing.pools.iter().map(|pool| pool.name.as_str());
    let aliases = routing.aliases.keys().map(String::as_str);
    let splits = routing
        .experiments
        .iter()
        .filter_map(|one| match one.trial {
            Trial::Split(_) => Some(one.name.as_str()),
            Trial::Shadow(_) => None,
        });
    let all = pilot.strategies().chain(pools).chain(aliases).chain(splits);
    all.filter(|_| !shared.sites.is_empty())
}

/// `GET /v1/models/{id}`: the id as the list has it, or a model's bare id.
#[must_use]
pub fn one(shared: &Shared, id: &str, headers: &HeaderMap) -> Response<Body> {
    let asker = match Asker::of(shared, headers) {
        Ok(asker) => asker,
        Err(error) => return answer::refusal(&error),
    };
    let id = percent_decoded(id);
    if ours(shared).any(|known| known == id && asker.reaches(known)) {
        let mut out = Vec::new();
        begin(&id, OURS, &mut out);
        out.push(b'}');
        return answer::json(StatusCode::OK, out);
    }
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
        let mut out = Vec::new();
        let open = |model: &&Model| asker.may(&provider.name, &model.id, &model.family);
        if let Some(model) = provider.resolve(bare).model.filter(open) {
            let name = format!("{}/{}", provider.name, model.sent_as(bare));
            begin(&name, &provider.name, &mut out);
            about(shared, (provider, model), &readings(shared), &mut out);
            return answer::json(StatusCode::OK, out);
        }
        let open = |id: &str| asker.may(&provider.name, id, id);
        if let Some(model) = provider.embedding(bare).filter(|model| open(&model.id)) {
            write(&provider.name, &model.id, &mut out);
            return answer::json(StatusCode::OK, out);
        }
    }
    let nearest = shared.catalog.nearest(&id, 3).join(", ");
    let message = format!(
        "The model '{id}' is not offered here. Nearest: {nearest}. GET /v1/models lists all that you may use."
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
    begin(&format!("{provider}/{model}"), provider, out);
    out.push(b'}');
}

/// OpenAI's own members of a model, without the closing brace.
fn begin(id: &str, owner: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":");
    json::quote(id, out);
    out.extend_from_slice(b",\"object\":\"model\",\"created\":0,\"owned_by\":");
    json::quote(owner, out);
}

fn readings(shared: &Shared) -> Vec<Reading> {
    let (pilot, mut readings) = (&shared.pilot, Vec::new());
    let now = shared.clock.moment();
    pilot.vitals.read(&pilot.board, now, &mut readings);
    readings
}

/// What a model costs, how much it takes and gives, and how it fares now; and the closing brace.
fn about(
    shared: &Shared,
    (provider, model): (&Provider, &Model),
    readings: &[Reading],
    out: &mut Vec<u8>,
) {
    let place = shared.pilot.place(provider, &model.id);
    let reading = place.and_then(|at| readings.get(at));
    let limits = [
        ("context", model.caps.context),
        ("max_input", model.caps.max_input),
        ("max_output", model.caps.max_output),
    ];
    json::key("waypost", out);
    out.extend_from_slice(b"{\"limits\":{");
    for (name, limit) in limits {
        if let Some(limit) = limit {
            json::member(name, &limit.to_string(), out);
        }
    }
    out.push(b'}');
    if let Some(price) = &model.price {
        self::price(price, out);
    }
    if let Some(reading) = reading {
        json::member("health", &health(reading).to_string(), out);
    }
    out.extend_from_slice(b"}}");
}

/// Dollars per million tokens.
fn price(price: &Price, out: &mut Vec<u8>) {
    json::key("usd_per_million", out);
    out.push(b'{');
    json::member("input", &price.rates.input.to_string(), out);
    json::member("output", &price.rates.output.to_string(), out);
    if let Some(read) = &price.rates.cache_read {
        json::member("cache_read", &read.to_string(), out);
    }
    out.push(b'}');
}

/// How a model fares, as far as calls have shown it.
fn health(reading: &Reading) -> Value {
    let state = match reading.gate {
        Gate::Open(_) => "open",
        Gate::Trial => "trial",
        Gate::Closed | Gate::Returning if reading.cooling > 0 => "cooling",
        Gate::Returning => "returning",
        Gate::Closed => "closed",
    };
    let known = |value: f32| (value > 0.0).then_some(value.round());
    let failed = (reading.calls > 0.0).then(|| reading.failed / reading.calls);
    serde_json::json!({
        "breaker": state, "in_flight": reading.in_flight, "failed_share": failed,
        "ttft_ms_p50": known(reading.wait_p50), "ttft_ms_p95": known(reading.wait_p95),
        "tokens_per_second_p50": known(reading.rate_p50),
    })
}
