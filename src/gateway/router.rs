//! Method and path to what answers them.

use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::header::{CONNECTION, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::chat::plain::Job;
use crate::chat::{Ask, Code, Error};
use crate::net::Body;
use crate::net::server::Service;

use super::figures::show;
use super::path::{deployment, without};
use super::shared::{Shared, Shown};
use super::speech::Speech;
use super::{answer, call, models, receipt};

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// Everything.
    Calls,
    /// Figures and health.
    Figures,
}

/// The service that a listener runs.
#[derive(Debug)]
pub struct Front {
    gateway: Arc<Gateway>,
    face: Face,
}

impl Front {
    /// The service of one listener of a house.
    #[must_use]
    pub fn of(gateway: &Arc<Gateway>, face: Face) -> Arc<Self> {
        Arc::new(Self {
            gateway: Arc::clone(gateway),
            face,
        })
    }
}

/// The house that answers, under the configuration of the moment.
#[derive(Debug)]
pub struct Gateway {
    shared: ArcSwap<Shared>,
}

impl Gateway {
    /// A gateway that answers for a house.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared: ArcSwap::new(shared),
        }
    }

    /// What all calls share that come now.
    #[must_use]
    pub fn now(&self) -> Arc<Shared> {
        self.shared.load_full()
    }

    /// Puts another configuration in the place of this one. Calls that run keep theirs.
    pub fn change(&self, shared: Arc<Shared>) {
        self.shared.store(shared);
    }
}

const CHAT: Speech = Speech::OpenAi(Ask::Chat);
const EMBEDDINGS: Speech = Speech::OpenAi(Ask::Embeddings);
const COMPLETION: Speech = Speech::OpenAi(Ask::Completion);

/// Longest path with query, in bytes.
const MAX_PATH: usize = 8 * 1024;

/// What is served, as messages name it.
const SERVED: &str = "POST /v1/chat/completions, POST /v1/embeddings, POST /v1/completions, POST /api/route, POST \
     /api/route/stream, POST /api/recommend, GET /v1/models, GET /v1/models/{id}, GET /v1/receipts/{id}, GET /metrics, \
     GET /healthz, GET /readyz";

/// What a path stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route<'a> {
    Call(Speech),
    Models,
    Model(&'a str),
    Receipt(&'a str),
    Metrics,
    Health,
    Ready,
    /// Of the contract, but not built yet.
    Later,
    Unknown,
}

fn route(path: &str) -> Route<'_> {
    match path {
        "/healthz" => return Route::Health,
        "/readyz" => return Route::Ready,
        "/metrics" => return Route::Metrics,
        "/api/route" => return Route::Call(Speech::Plain(Job::Whole)),
        "/api/route/stream" => return Route::Call(Speech::Plain(Job::Stream)),
        "/api/recommend" => return Route::Call(Speech::Plain(Job::Recommend)),
        _ => {}
    }
    let short = match deployment(path) {
        Some((_, rest)) => rest,
        None => without(without(path, "/openai"), "/v1"),
    };
    match short {
        "/chat/completions" => Route::Call(CHAT),
        "/embeddings" => Route::Call(EMBEDDINGS),
        "/completions" => Route::Call(COMPLETION),
        "/models" => Route::Models,
        "/responses" | "/messages" => Route::Later,
        _ => within(short),
    }
}

/// What is named by the end of a path.
fn within(path: &str) -> Route<'_> {
    let named = |folder: &str| path.strip_prefix(folder).filter(|id| !id.is_empty());
    if let Some(id) = named("/models/") {
        return Route::Model(id);
    }
    named("/receipts/").map_or(Route::Unknown, Route::Receipt)
}

impl Service for Front {
    async fn answer(self: Arc<Self>, request: Request<Incoming>, from: IpAddr) -> Response<Body> {
        let shared = self.gateway.now();
        let mut response = match self.face {
            Face::Calls => routed(Arc::clone(&shared), request).await,
            Face::Figures => watched(&shared, &request),
        };
        if response.status() == StatusCode::UNAUTHORIZED {
            response = slowed(&shared, response, from);
        }
        if shared.load.is_draining() {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response
    }
}

/// The answer to a wrong key: another one where its address has shown too many.
fn slowed(shared: &Shared, response: Response<Body>, from: IpAddr) -> Response<Body> {
    let now = shared.clock.moment().as_millis();
    let keyed = shared.keyring.is_asked_for();
    let Some(after) = keyed.then(|| shared.wrong.shown(from, now)).flatten() else {
        return response;
    };
    let message = "Too many wrong keys came from this address. Nothing was sent; try again in a moment, with a key that is valid.";
    let error = Error::new(Code::RateLimitExceeded, message);
    let mut slower = answer::turned_away(&error, Some(after));
    for name in ["x-request-id", "x-client-request-id"] {
        if let Some(value) = response.headers().get(name) {
            slower.headers_mut().insert(name, value.clone());
        }
    }
    slower
}

/// The answer to a request, from a house.
async fn routed(shared: Arc<Shared>, request: Request<Incoming>) -> Response<Body> {
    let client_id = request.headers().get("x-request-id").cloned();
    let path = request.uri().path();
    let mut response = match route(path) {
        _ if path.len() > MAX_PATH => refuse(Code::UriTooLong, "The path is over 8 KiB."),
        _ if matches!(*request.method(), Method::CONNECT | Method::TRACE) => {
            let message = "There are no tunnels and no echoes here.";
            answer::allowing(refuse(Code::MethodNotAllowed, message), "GET, HEAD, POST")
        }
        Route::Call(speech) if request.method() == Method::POST => {
            return call::call(shared, speech, request, client_id).await;
        }
        Route::Call(_) => {
            let refusal = refuse(Code::MethodNotAllowed, &format!("'{path}' takes POST."));
            answer::allowing(refusal, "POST")
        }
        Route::Later => {
            let message = format!("'{path}' is not served in this version. Served: {SERVED}.");
            refuse(Code::UnknownUrl, &message)
        }
        Route::Unknown => refuse(
            Code::UnknownUrl,
            &format!("There is nothing at '{path}'. Served: {SERVED}."),
        ),
        Route::Models
        | Route::Model(_)
        | Route::Receipt(_)
        | Route::Metrics
        | Route::Health
        | Route::Ready
            if !is_read(request.method()) =>
        {
            let refusal = refuse(Code::MethodNotAllowed, &format!("'{path}' takes GET."));
            answer::allowing(refusal, "GET, HEAD")
        }
        Route::Models => models::list(&shared, request.headers()),
        Route::Model(id) => models::one(&shared, id, request.headers()),
        Route::Receipt(id) => receipt::one(&shared, id, request.headers()).await,
        Route::Metrics => metrics(&shared),
        Route::Health => answer::json(StatusCode::OK, b"{\"status\":\"ok\"}".to_vec()),
        Route::Ready => models::ready(&shared),
    };
    answer::identify(
        &mut response,
        &format!("req_{:032x}", fastrand::u128(..)),
        client_id,
    );
    response
}

/// The figures, where they are told here.
fn metrics(shared: &Shared) -> Response<Body> {
    match shared.settings.figures {
        Shown::Here => show::page(shared),
        Shown::Elsewhere => refuse(
            Code::UnknownUrl,
            "The figures are not told here. Set [metrics] listen to an address for them, or open = true.",
        ),
    }
}

/// What is answered to whoever watches: figures and health, and nothing that costs.
fn watched(shared: &Shared, request: &Request<Incoming>) -> Response<Body> {
    match route(request.uri().path()) {
        _ if !is_read(request.method()) => {
            let refusal = refuse(Code::MethodNotAllowed, "Everything here takes GET.");
            answer::allowing(refusal, "GET, HEAD")
        }
        Route::Metrics => show::page(shared),
        Route::Health => answer::json(StatusCode::OK, b"{\"status\":\"ok\"}".to_vec()),
        Route::Ready => models::ready(shared),
        Route::Call(_)
        | Route::Models
        | Route::Model(_)
        | Route::Receipt(_)
        | Route::Later
        | Route::Unknown => {
            let message = "Served here: GET /metrics, GET /healthz, GET /readyz.";
            refuse(Code::UnknownUrl, message)
        }
    }
}

fn is_read(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

fn refuse(code: Code, message: &str) -> Response<Body> {
    answer::refusal(&Error::new(code, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_answer_with_and_without_v1() {
        let table = [
            ("/v1/chat/completions", Route::Call(CHAT)),
            ("/chat/completions", Route::Call(CHAT)),
            ("/v1/embeddings", Route::Call(EMBEDDINGS)),
            ("/embeddings", Route::Call(EMBEDDINGS)),
            ("/v1/completions", Route::Call(COMPLETION)),
            ("/completions", Route::Call(COMPLETION)),
            ("/v1/models", Route::Models),
            ("/models", Route::Models),
            ("/v1/models/openai/gpt-4.1", Route::Model("openai/gpt-4.1")),
            ("/v1/receipts/req_1", Route::Receipt("req_1")),
            ("/v1/receipts/", Route::Unknown),
            ("/openai/v1/chat/completions", Route::Call(CHAT)),
            (
                "/openai/deployments/gpt-4o/chat/completions",
                Route::Call(CHAT),
            ),
            ("/openai/v1/models", Route::Models),
            ("/openai/deployments//chat/completions", Route::Unknown),
            ("/openai/deployments/gpt-4o", Route::Unknown),
            ("/openai/deployments/a/b/chat/completions", Route::Unknown),
            ("/v1/openai/chat/completions", Route::Unknown),
            ("/openai/deployments/e/embeddings", Route::Call(EMBEDDINGS)),
            ("/v1/responses", Route::Later),
            ("/api/route", Route::Call(Speech::Plain(Job::Whole))),
            ("/api/route/stream", Route::Call(Speech::Plain(Job::Stream))),
            ("/api/recommend", Route::Call(Speech::Plain(Job::Recommend))),
            ("/v1/api/route", Route::Unknown),
            ("/api/route/", Route::Unknown),
            ("/v1", Route::Unknown),
            ("/v1/chat/completions/", Route::Unknown),
            ("//v1/chat/completions", Route::Unknown),
            ("/v1/../healthz", Route::Unknown),
            ("/v1chat/completions", Route::Unknown),
        ];
        for (path, expected) in table {
            assert_eq!(route(path), expected, "{path}");
        }
    }
}
