//! Paths and methods.

use serde_json::json;

use crate::door::{CHAT, GOOD, error, open_house, raw, refused, sent, status};
use crate::support;

#[tokio::test]
async fn chat_answers_with_and_without_v1() {
    let app = open_house().await;
    for path in [CHAT, "/chat/completions", "/v1/chat/completions?beta=1"] {
        let reply = support::post_text(app.addr(), path, &[], GOOD).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.json()["choices"][0]["message"]["content"], "Hi there");
    }
}

#[tokio::test]
async fn unknown_paths_say_what_is_served() {
    let app = open_house().await;
    let paths = [
        "/",
        "/v1",
        "/v1/",
        "//v1/chat/completions",
        "/v1/../v1/chat/completions",
        "/v1/chat/completions/",
        "/v1/chat%2fcompletions",
        "/v1/chat/completions;x",
        "/v1/chat/completions%00",
        "/V1/chat/completions",
        "/v1/responses",
        "/v1/messages",
        "/healthz/x",
    ];
    for path in paths {
        let reply = support::post_text(app.addr(), path, &[], GOOD).await;
        let error = refused(&app, &reply, 404, "unknown_url");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("/v1/chat/completions"), "{message}");
        assert_eq!(reply.header("x-should-retry"), Some("false"));
    }
}

#[tokio::test]
async fn other_methods_are_405() {
    let app = open_house().await;
    let rows = [
        ("GET", CHAT, "POST"),
        ("PUT", CHAT, "POST"),
        ("DELETE", CHAT, "POST"),
        ("GET", "/v1/embeddings", "POST"),
        ("GET", "/completions", "POST"),
        ("TRACE", CHAT, "GET, HEAD, POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("DELETE", "/v1/models/openai/gpt-4.1", "GET, HEAD"),
        ("POST", "/healthz", "GET, HEAD"),
        ("POST", "/readyz", "GET, HEAD"),
    ];
    for (method, path, allowed) in rows {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = raw(app.addr(), head.as_bytes()).await;
        assert_eq!(status(&answer), 405, "{method} {path}: {answer}");
        assert!(answer.contains("\"method_not_allowed\""), "{answer}");
        let allow = format!("\r\nallow: {allowed}\r\n");
        assert!(answer.contains(&allow), "{answer}");
    }
    assert_eq!(sent(&app), 0);
}

#[tokio::test]
async fn there_are_no_tunnels() {
    let app = open_house().await;
    let connect =
        "CONNECT example.org:443 HTTP/1.1\r\nhost: example.org\r\nconnection: close\r\n\r\n";
    let answer = raw(app.addr(), connect.as_bytes()).await;
    assert_eq!(status(&answer), 405, "{answer}");
    let upgrade = [("upgrade", "websocket"), ("connection", "upgrade")];
    let reply = support::post_text(app.addr(), CHAT, &upgrade, GOOD).await;
    assert_eq!(reply.status, 200);
    let seen = app.replay().unwrap().seen();
    assert!(
        seen.iter()
            .all(|seen| !seen.headers.contains_key("upgrade"))
    );
}

#[tokio::test]
async fn a_path_over_the_limit_is_a_414() {
    let app = open_house().await;
    let path = format!("/v1/{}", "a".repeat(9000));
    let reply = support::get(app.addr(), &path, &[]).await;
    refused(&app, &reply, 414, "uri_too_long");
}

/// The id of an answer is ours; the client's own comes back under another name.
#[tokio::test]
async fn every_answer_has_an_id_of_ours() {
    let app = open_house().await;
    let own = [("x-request-id", "client-7")];
    let mut ids = Vec::new();
    for (path, body) in [(CHAT, GOOD), (CHAT, "{"), ("/nowhere", GOOD)] {
        let reply = support::post_text(app.addr(), path, &own, body).await;
        assert_eq!(
            reply.header("x-client-request-id"),
            Some("client-7"),
            "{path}"
        );
        ids.push(reply.header("x-request-id").unwrap().to_owned());
    }
    let reply = support::get(app.addr(), "/healthz", &[]).await;
    assert_eq!(reply.header("x-client-request-id"), None);
    ids.push(reply.header("x-request-id").unwrap().to_owned());
    let form = |id: &String| id.len() == 36 && id.starts_with("req_");
    assert!(ids.iter().all(form), "{ids:?}");
    ids.dedup();
    assert_eq!(ids.len(), 4);
    let reply = support::post_text(app.addr(), CHAT, &[], GOOD).await;
    let body = reply.json();
    assert_eq!(
        Some(body["waypost"]["request_id"].as_str().unwrap()),
        reply.header("x-request-id")
    );
}

#[tokio::test]
async fn health_and_readiness() {
    let app = open_house().await;
    let reply = support::get(app.addr(), "/healthz", &[]).await;
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("ok")));
    let reply = support::get(app.addr(), "/readyz", &[]).await;
    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (200, &json!("ready"))
    );

    let bare = support::app(Vec::new()).await;
    assert_eq!(support::get(bare.addr(), "/healthz", &[]).await.status, 200);
    let reply = support::get(bare.addr(), "/readyz", &[]).await;
    let told = error(&reply);
    assert_eq!(
        (reply.status, &told["code"]),
        (503, &json!("no_provider_configured"))
    );
    for variable in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"] {
        assert!(
            told["message"].as_str().unwrap().contains(variable),
            "{told}"
        );
    }
    let reply = support::post_text(bare.addr(), CHAT, &[], GOOD).await;
    assert_eq!(
        (reply.status, &error(&reply)["code"]),
        (503, &json!("no_provider_configured"))
    );
}
