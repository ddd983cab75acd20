//! The list of models, and names that are none.

use serde_json::{Value, json};

use crate::door::{CHAT, GOOD, open_house, raw, refused, sent, status};
use crate::support;

#[tokio::test]
async fn the_list_is_openais_and_each_of_it_can_be_asked_for() {
    let app = open_house().await;
    for path in ["/v1/models", "/models"] {
        let reply = support::get(app.addr(), path, &[]).await;
        let body = reply.json();
        assert_eq!((reply.status, &body["object"]), (200, &json!("list")));
        let models = body["data"].as_array().unwrap();
        assert!(models.len() > 10);
        let owners = ["openai", "groq", "anthropic"];
        let mut strategies = Vec::new();
        for model in models {
            let keys: Vec<_> = model.as_object().unwrap().keys().collect();
            assert_eq!(keys[..4], ["id", "object", "created", "owned_by"]);
            let owner = model["owned_by"].as_str().unwrap();
            if owner == "waypost" {
                strategies.push(model["id"].as_str().unwrap().to_owned());
                continue;
            }
            assert!(owners.contains(&owner), "{model}");
            assert!(
                model["id"]
                    .as_str()
                    .unwrap()
                    .starts_with(&format!("{owner}/"))
            );
        }
        let wanted = [
            "auto",
            "lowest-cost",
            "balanced",
            "fastest",
            "max-reliability",
        ];
        assert_eq!(strategies, wanted);
    }
}

#[tokio::test]
async fn one_model_is_found_by_either_name() {
    let app = open_house().await;
    let list = support::get(app.addr(), "/v1/models", &[]).await.json();
    let model: &Value = &list["data"][0];
    let id = model["id"].as_str().unwrap();
    let bare = id.split_once('/').unwrap().1;
    for name in [id, bare, &id.replace('/', "%2F")] {
        let reply = support::get(app.addr(), &format!("/v1/models/{name}"), &[]).await;
        assert_eq!((reply.status, &reply.json()), (200, model), "{name}");
    }
    let reply = support::get(app.addr(), "/v1/models/gpt-4.1-mimi", &[]).await;
    let error = refused(&app, &reply, 404, "model_not_found");
    assert!(
        error["message"].as_str().unwrap().contains("gpt-4.1-mini"),
        "{error}"
    );
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let app = open_house().await;
    for path in ["/v1/models", "/healthz", "/readyz"] {
        let length = support::get(app.addr(), path, &[]).await.body.len();
        let head = format!("HEAD {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = raw(app.addr(), head.as_bytes()).await;
        assert_eq!(status(&answer), 200, "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
        assert!(
            answer.contains(&format!("\r\ncontent-length: {length}\r\n")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn names_that_are_no_models() {
    let app = open_house().await;
    let rows = [
        ("gpt-4.1-mimi", 404, "model_not_found", "gpt-4.1-mini"),
        (
            "claude-sonet-4-6",
            404,
            "model_not_found",
            "claude-sonnet-4-6",
        ),
        ("", 400, "invalid_value", "model"),
        (
            "mistral/mistral-large-latest",
            404,
            "model_not_found",
            "MISTRAL_API_KEY",
        ),
    ];
    for (model, status, code, word) in rows {
        let body = GOOD.replace("openai/m", model);
        let reply = support::post_text(app.addr(), CHAT, &[], &body).await;
        let error = refused(&app, &reply, status, code);
        assert_eq!(error["param"], "model");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(word), "{model}: {message}");
        assert_eq!(reply.header("x-should-retry"), Some("false"));
    }
}

#[tokio::test]
async fn a_bare_name_goes_to_whoever_serves_it() {
    let app = open_house().await;
    let body = GOOD.replace("openai/m", "gpt-4.1-mini");
    let reply = support::post_text(app.addr(), CHAT, &[], &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("x-waypost-provider"), Some("openai"));
    assert_eq!(reply.header("x-waypost-route-reason"), Some("model"));
    assert_eq!(sent(&app), 1);
}
