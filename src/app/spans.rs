//! From `[telemetry]` to where spans are told.

use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::config::{Problem, Telemetry};
use crate::gateway::figures::Figures;
use crate::gateway::spans::{Spans, To};
use crate::net::Client;

use super::error::StartError;

/// Begins to tell spans, where somebody is to be told.
pub(super) fn begin(
    telemetry: Option<&Telemetry>,
    client: &Client,
    figures: &Figures,
) -> Result<Arc<Spans>, StartError> {
    let Some(telemetry) = telemetry else {
        return Ok(Arc::default());
    };
    let to = to(telemetry)
        .map_err(|what| StartError::Config(Problem::new(format!("[telemetry] {what}"))))?;
    // The collector is named by the configuration, and no exchange with it is recorded.
    Ok(Arc::new(Spans::on(to, client.untapped(), figures.clone())))
}

fn to(telemetry: &Telemetry) -> Result<To, &'static str> {
    let mut headers = HeaderMap::new();
    for (name, value) in &telemetry.headers {
        let name: HeaderName = name.parse().map_err(|_| "headers has a bad name")?;
        let value: HeaderValue = value.parse().map_err(|_| "headers has a bad value")?;
        headers.insert(name, value);
    }
    let uri = format!("{}/v1/traces", telemetry.otlp.trim_end_matches('/'));
    Ok(To {
        uri: uri.parse().map_err(|_| "otlp is no address")?,
        headers,
        service: telemetry.service.clone(),
    })
}
