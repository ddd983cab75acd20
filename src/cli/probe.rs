//! `waypost check --probe`: one tiny real call to each provider that is on, through the proxy itself.

use std::io::Write;
use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::app::{App, Plan, StartError};
use crate::config::Config;
use crate::net::Client;

/// The exit code where a provider did not answer.
const UNAVAILABLE: u8 = 69;

/// Calls the cheapest model of each provider and prints what came of it; gives back the exit code.
///
/// # Errors
/// Where the proxy cannot start.
pub async fn run(config: Config, out: &mut impl Write) -> Result<u8, StartError> {
    let chosen: Vec<(String, Option<String>)> = config
        .active
        .iter()
        .map(|active| {
            let model = active.provider.cheapest().map(|model| model.id.clone());
            (active.provider.name.clone(), model)
        })
        .collect();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let app = App::start(Plan {
        listen,
        record: None,
        play: None,
        config,
    })
    .await?;
    let client = Client::new(None).map_err(StartError::Tls)?;
    let mut code = 0;
    for (provider, model) in chosen {
        let result = match model {
            Some(model) => probe(&client, app.addr(), &provider, &model).await,
            None => Ok(format!(
                "{provider}: not probed, as the catalogue knows no model of it"
            )),
        };
        if result.is_err() {
            code = UNAVAILABLE;
        }
        // Whoever closed the pipe has seen enough.
        let _ = writeln!(out, "  {}", result.unwrap_or_else(|error| error));
    }
    app.stop().await;
    Ok(code)
}

async fn probe(
    client: &Client,
    addr: SocketAddr,
    provider: &str,
    model: &str,
) -> Result<String, String> {
    let failed = |why: &str| format!("{provider}/{model}: FAILED: {why}");
    let body = json!({
        "model": format!("{provider}/{model}"),
        "messages": [{"role": "user", "content": "Say ok."}],
        "max_completion_tokens": 16,
    });
    let request = Request::post(format!("http://{addr}/v1/chat/completions"))
        .header("content-type", "application/json")
        .body(Bytes::from(body.to_string()))
        .map_err(|error| failed(&error.to_string()))?;
    let mut answer = client
        .send("waypost", request)
        .await
        .map_err(|wire| failed(&format!("{wire:?}")))?;
    let mut bytes = Vec::new();
    while let Some(read) = answer.bytes().await {
        bytes.extend_from_slice(&read.map_err(|wire| failed(&format!("{wire:?}")))?);
    }
    let body: Value = serde_json::from_slice(&bytes).map_err(|error| failed(&error.to_string()))?;
    match body.pointer("/error/message").and_then(Value::as_str) {
        Some(message) => Err(failed(message)),
        None => Ok(format!("{provider}/{model}: ok")),
    }
}
