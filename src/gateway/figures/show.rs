//! The page: states are read off the house, counts are as they are.

use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use prometheus::{Encoder as _, TextEncoder};
use tokio::runtime::Handle;

use crate::gateway::answer;
use crate::gateway::shared::Shared;
use crate::net::Body;
use crate::route::health::Gate;

use super::families::Figures;

/// `GET /metrics`.
#[must_use]
pub fn page(shared: &Shared) -> Response<Body> {
    let figures = &shared.tallies.figures;
    read(figures, shared);
    let mut out = Vec::with_capacity(16 * 1024);
    let encoder = TextEncoder::new();
    if let Err(error) = encoder.encode(&figures.registry.gather(), &mut out) {
        tracing::error!(%error, "the figures cannot be told");
    }
    let mut response = answer::json(StatusCode::OK, out);
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// Tasks that are alive, as long as something runs them.
fn tasks() -> usize {
    let runtime = Handle::try_current();
    runtime.map_or(0, |runtime| runtime.metrics().num_alive_tasks())
}

/// Reads the states.
fn read(figures: &Figures, shared: &Shared) {
    let set = [
        (&figures.states.in_flight, shared.load.in_flight()),
        (&figures.states.queued, shared.load.queued()),
        (&figures.states.connections, shared.entrance.open()),
        (&figures.states.bodies, shared.load.bodies()),
        (&figures.states.pending, shared.ledger.open_places()),
        (&figures.states.away, usize::from(shared.ledger.is_away())),
        (&figures.states.tasks, tasks()),
    ];
    for (gauge, count) in set {
        gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    let (pilot, now) = (&shared.pilot, shared.clock.moment());
    let mut readings = Vec::new();
    pilot.vitals.read(&pilot.board, now, &mut readings);
    let mut last = None;
    for (endpoint, reading) in pilot.board.endpoints.iter().zip(&readings) {
        // Endpoints of one site stand together and share its health.
        if last.replace(endpoint.site) == Some(endpoint.site)
            || !shared.tallies.knows(endpoint.site)
        {
            continue;
        }
        let name = &pilot.board.site(endpoint).name;
        let Some((provider, model)) = name.split_once('/') else {
            continue;
        };
        let state = match reading.gate {
            Gate::Closed => 0,
            Gate::Trial | Gate::Returning => 1,
            Gate::Open(_) => 2,
        };
        let labels = [provider, model];
        figures
            .states
            .breakers
            .with_label_values(&labels)
            .set(state);
        let under_way = figures.states.under_way.with_label_values(&labels);
        under_way.set(i64::from(reading.in_flight));
    }
}
