//! Clouds: where deployments are asked, and what clients of Azure's own API may send us.

use serde_json::{Value, json};
use waypost::fixture::{Exchange, Pace, Replay};

use crate::answers::{CHAT, whole};
use crate::keys::app_of;
use crate::support;

/// The paths, keys and models that a cloud saw.
fn asked(replay: &Replay) -> Vec<(String, String, Value)> {
    let one = |seen: &waypost::fixture::Seen| {
        let key = seen.headers.get("api-key").unwrap();
        let key = key.to_str().unwrap().to_owned();
        (seen.path.clone(), key, seen.json()["model"].clone())
    };
    replay.seen().iter().map(one).collect()
}

async fn azure(more: &str) -> (Replay, waypost::app::App) {
    let replay = Replay::start([Exchange::any("azure", whole())], Pace::AtOnce)
        .await
        .unwrap();
    let file = format!(
        "[providers.azure]\nbase_url = \"{}\"\napi_key = \"key-of-ours\"\ndeployments = {{ prod = \"gpt-4.1\", \"gpt-4o\" = \"gpt-4o\" }}\n{more}",
        replay.url("azure")
    );
    let app = app_of(&file).await;
    (replay, app)
}

fn question(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Hello"}]})
}

#[tokio::test]
async fn a_deployment_answers_for_its_model_under_either_version() {
    let table = [
        ("", "/openai/v1/chat/completions"),
        (
            "api_version = \"preview\"",
            "/openai/v1/chat/completions?api-version=preview",
        ),
        (
            "api_version = \"2024-10-21\"",
            "/openai/deployments/prod/chat/completions?api-version=2024-10-21",
        ),
    ];
    for (version, path) in table {
        let (replay, app) = azure(version).await;
        for model in [
            "azure/prod",
            "azure/gpt-4.1",
            "gpt-4.1",
            "gpt-4.1-2025-04-14",
        ] {
            let reply = support::post(app.addr(), CHAT, &[], &question(model)).await;
            assert_eq!(reply.status, 200, "{model}: {}", reply.text());
        }
        for (seen, key, model) in asked(&replay) {
            assert_eq!((seen.as_str(), key.as_str()), (path, "key-of-ours"));
            assert_eq!(model, "prod");
        }
        assert_eq!(replay.seen().len(), 4);
    }
}

#[tokio::test]
async fn clients_of_azure_may_call_as_they_do() {
    let (replay, app) = azure("").await;
    let key = [("api-key", "callers-own")];
    let dated = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21";
    let mut unnamed = question("");
    unnamed.as_object_mut().unwrap().remove("model");
    for (path, body) in [
        (dated, &unnamed),
        (dated, &question("gpt-4o")),
        ("/openai/v1/chat/completions", &question("gpt-4o")),
    ] {
        let reply = support::post(app.addr(), path, &key, body).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    }
    for (_, key, model) in asked(&replay) {
        assert_eq!((key.as_str(), model), ("key-of-ours", json!("gpt-4o")));
    }
    let elsewhere = "/openai/deployments/nowhere/chat/completions?api-version=1";
    let reply = support::post(app.addr(), elsewhere, &key, &unnamed).await;
    assert_eq!(reply.status, 404, "{}", reply.text());
    assert!(reply.text().contains("nowhere"), "{}", reply.text());
    let other = "/openai/deployments/gpt-4o/images/generations";
    assert_eq!(
        support::post(app.addr(), other, &key, &unnamed)
            .await
            .status,
        404
    );
}
