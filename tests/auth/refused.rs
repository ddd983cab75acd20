//! Credentials that are refused, by those who give them out or by those who are shown them.

use serde_json::json;
use waypost::app::{App, Plan};
use waypost::fixture::{Answer, Exchange};

use crate::world::{
    AWS, ENTRA, GOOGLE, World, ask, config, file, header, others, token, trouble, world,
};

async fn machine(tokens: Answer) -> World {
    let replay = others(tokens).await;
    let host = replay.url("tokens").replace("http://", "");
    world(replay, GOOGLE, &[("GCE_METADATA_HOST", host)]).await
}

fn unauthenticated() -> Answer {
    let error = json!({"code": 401, "message": "Request had invalid credentials ya29.expired", "status": "UNAUTHENTICATED"});
    Answer::json(401, json!({ "error": error }).to_string())
}

#[tokio::test]
async fn a_secret_that_has_expired_is_one_clear_502() {
    let error = json!({"error": "invalid_client", "error_description": "AADSTS7000222: The provided client secret keys are expired."});
    let replay = others(Answer::json(401, error.to_string())).await;
    let host = replay.url("tokens");
    let identity =
        format!("{ENTRA}tenant_id = \"t\"\nclient_id = \"c\"\nclient_secret = \"very-secret\"\n");
    let world = world(replay, &identity, &[("AZURE_AUTHORITY_HOST", host)]).await;
    for _ in 0..20 {
        let reply = world.ask().await;
        let why = trouble(&reply);
        assert!(
            why.contains("'lab'") && why.contains("Entra application with a client secret"),
            "{why}"
        );
        assert!(why.contains("AADSTS7000222"), "{why}");
        assert!(!reply.text().contains("very-secret"));
    }
    // What failed a moment ago is not asked again for each call, and the provider is not asked at all.
    assert_eq!(world.at_tokens().len(), 1);
    assert!(world.at_lab().is_empty());
}

#[tokio::test]
async fn a_token_that_was_just_fetched_is_not_fetched_again_where_it_is_refused() {
    let world = machine(token("ya29.expired", 3600)).await;
    world.replay.set([Exchange::any("lab", unauthenticated())]);
    world
        .replay
        .add(Exchange::any("tokens", token("ya29.expired", 3600)));
    for _ in 0..5 {
        let reply = world.ask().await;
        let why = trouble(&reply);
        assert!(
            why.contains("(Google metadata server)") && why.contains("expired or was revoked"),
            "{why}"
        );
        assert!(!reply.text().contains("ya29"), "{}", reply.text());
    }
    assert_eq!(world.at_tokens().len(), 1);
    assert_eq!(world.at_lab().len(), 5);
}

#[tokio::test]
async fn keys_that_aws_refuses_are_told_apart() {
    let replay = others(Answer::json(500, "")).await;
    let identity = format!("{AWS}access_key_id = \"AKID\"\nsecret_access_key = \"very/secret\"\n");
    let world = world(replay, &identity, &[]).await;
    let rows = [
        (
            "ExpiredTokenException",
            "The security token included in the request is expired",
            "expired or was revoked",
        ),
        (
            "InvalidSignatureException",
            "Signature expired: 1 is now earlier than 2",
            "clock of this machine",
        ),
        (
            "AccessDeniedException",
            "User is not authorized to perform: bedrock:InvokeModel",
            "may not call this model",
        ),
    ];
    for (kind, message, expected) in rows {
        let answer = Answer::json(403, json!({ "message": message }).to_string());
        world.replay.set([Exchange::any(
            "lab",
            answer.header("x-amzn-errortype", kind),
        )]);
        let why = trouble(&world.ask().await);
        assert!(
            why.contains(expected) && why.contains("(AWS keys of the configuration)"),
            "{why}"
        );
        assert!(
            !why.contains("very/secret") && !why.contains("AKID"),
            "{why}"
        );
    }
    assert_eq!(world.at_lab().len(), 3, "none was sent twice");
}

/// A provider that answers 500 has not refused the token, whatever else it did.
#[tokio::test]
async fn other_failures_leave_the_token_alone() {
    let world = machine(token("ya29.good", 3600)).await;
    world
        .replay
        .set([Exchange::any("lab", Answer::json(500, "{}"))]);
    world
        .replay
        .add(Exchange::any("tokens", token("ya29.good", 3600)));
    for _ in 0..3 {
        assert_eq!(world.ask().await.status, 502);
    }
    assert_eq!(world.at_tokens().len(), 1);
}

/// A target that has no credential is one that failed: the next one that was named is asked.
#[tokio::test]
async fn the_next_target_is_asked_where_there_is_no_credential() {
    let replay = others(Answer::json(404, "")).await;
    let host = replay.url("tokens").replace("http://", "");
    let identity = format!(
        "{GOOGLE}[providers.spare]\ndialect = \"openai\"\nbase_url = \"{}\"\napi_key = \"key-1\"\n",
        replay.url("lab")
    );
    let world = world(replay, &identity, &[("GCE_METADATA_HOST", host)]).await;
    let question = json!({"model": "lab/m", "messages": [{"role": "user", "content": "Hello"}]});
    let headers = [("x-waypost-fallback", "spare/m")];
    let reply = crate::support::post(
        world.app.addr(),
        "/v1/chat/completions",
        &headers,
        &question,
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(header(&world.at_lab()[0], "authorization"), "Bearer key-1");
}

/// Neither the credential nor how it was fetched is in a recording.
#[tokio::test]
async fn a_recording_holds_nothing_of_a_credential() {
    let lent = "<R><AccessKeyId>ASIALENT</AccessKeyId><SecretAccessKey>lentsecret</SecretAccessKey><SessionToken>session-of-mine</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></R>";
    let replay = others(Answer::json(200, lent)).await;
    let path = file("recorded-token", "ey.web.token\n");
    let env = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", path.display().to_string()),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r".to_owned()),
        ("AWS_ENDPOINT_URL_STS", replay.url("tokens")),
    ];
    let folder = std::env::temp_dir().join(format!("waypost-auth-record-{}", std::process::id()));
    let plan = Plan {
        listen: ([127, 0, 0, 1], 0).into(),
        record: Some(folder.clone()),
        play: None,
        config: config(&replay, AWS, &env).unwrap(),
    };
    let app = App::start(plan).await.unwrap();
    assert_eq!(ask(app.addr()).await.status, 200);
    app.stop().await;
    let mut kept = String::new();
    texts(&folder, &mut kept);
    assert!(kept.contains("/chat/completions"), "{kept}");
    for secret in [
        "ASIALENT",
        "lentsecret",
        "session-of-mine",
        "ey.web",
        "AWS4",
        "authorization",
        "x-amz-",
        "Assume",
    ] {
        assert!(!kept.contains(secret), "{secret} is in {kept}");
    }
    std::fs::remove_dir_all(folder).unwrap();
    std::fs::remove_file(path).unwrap();
}

/// Everything that is in the files of a folder and of those below.
fn texts(folder: &std::path::Path, out: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, out);
        } else {
            out.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
        }
    }
}

/// A replay has no use for credentials: none is fetched, and none has to be there.
#[tokio::test]
async fn a_replay_needs_no_credential() {
    let replay = others(Answer::json(500, "")).await;
    let host = replay.url("tokens").replace("http://", "");
    let config = config(&replay, GOOGLE, &[("GCE_METADATA_HOST", host)]).unwrap();
    let exchanges = vec![Exchange::any("lab", crate::world::whole())];
    let app = crate::support::app_with(exchanges, config).await;
    assert_eq!(ask(app.addr()).await.status, 200);
    let seen = app.replay().unwrap().seen();
    assert_eq!(header(&seen[0], "authorization"), "");
    assert!(replay.seen().is_empty());
}

/// A call whose token has gone stale is sent once more with a new one, and the client sees nothing of it.
#[tokio::test]
async fn a_stale_token_is_renewed_within_the_call() {
    let world = machine(token("ya29.old", 3600)).await;
    assert_eq!(world.ask().await.status, 200);
    // Half a minute passes: the token is no longer one that was fetched just now.
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(31)).await;
    tokio::time::resume();
    world.replay.set([
        Exchange::any("lab", unauthenticated()),
        Exchange::any("lab", crate::world::whole()),
        Exchange::any("tokens", token("ya29.new", 3600)),
    ]);
    let reply = world.ask().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let shown: Vec<String> = world
        .at_lab()
        .iter()
        .map(|seen| header(seen, "authorization").to_owned())
        .collect();
    assert_eq!(
        shown,
        ["Bearer ya29.old", "Bearer ya29.old", "Bearer ya29.new"]
    );
    assert_eq!(world.at_tokens().len(), 2);
    assert_eq!(world.ask().await.status, 200);
    assert_eq!(world.at_tokens().len(), 2);
}
