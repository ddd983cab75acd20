//! Each platform once, from its token server to what the provider is shown.

use serde_json::json;
use waypost::fixture::Answer;

use crate::world::{AWS, ENTRA, GOOGLE, config, file, header, others, token, world};

#[tokio::test]
async fn a_service_account_file_is_changed_for_a_token() {
    let replay = others(token("ya29.test", 3600)).await;
    let key = json!({
        "type": "service_account", "client_email": "a@p.iam.gserviceaccount.com", "private_key_id": "k",
        "private_key": include_str!("throwaway.pem"), "token_uri": format!("{}/token", replay.url("tokens")),
    });
    let path = file("account.json", &key.to_string());
    let identity = format!("{GOOGLE}credentials = \"{}\"\n", path.display());
    let world = world(replay, &identity, &[]).await;
    let reply = world.ask().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(
        header(&world.at_lab()[0], "authorization"),
        "Bearer ya29.test"
    );
    let asked = &world.at_tokens()[0];
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("POST", "/token")
    );
    let body = String::from_utf8_lossy(&asked.body).into_owned();
    let assertion = body.split_once("&assertion=").unwrap().1;
    assert_eq!(assertion.split('.').count(), 3);
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn the_metadata_server_of_google_is_asked() {
    let replay = others(token("ya29.machine", 3600)).await;
    let host = replay.url("tokens").replace("http://", "");
    let world = world(replay, GOOGLE, &[("GCE_METADATA_HOST", host)]).await;
    assert_eq!(world.ask().await.status, 200);
    assert_eq!(
        header(&world.at_lab()[0], "authorization"),
        "Bearer ya29.machine"
    );
    assert_eq!(header(&world.at_tokens()[0], "metadata-flavor"), "Google");
}

#[tokio::test]
async fn an_application_of_entra_shows_its_secret() {
    let replay = others(token("eyJ.entra", 3600)).await;
    let host = replay.url("tokens");
    let identity =
        format!("{ENTRA}tenant_id = \"t\"\nclient_id = \"c\"\nclient_secret = \"s~1\"\n");
    let world = world(replay, &identity, &[("AZURE_AUTHORITY_HOST", host)]).await;
    assert_eq!(world.ask().await.status, 200);
    assert_eq!(
        header(&world.at_lab()[0], "authorization"),
        "Bearer eyJ.entra"
    );
    assert_eq!(world.at_tokens()[0].path, "/t/oauth2/v2.0/token");
}

#[tokio::test]
async fn an_app_service_of_azure_gives_out_a_token() {
    let replay = others(token("eyJ.app", 3600)).await;
    let endpoint = format!("{}/msi/token", replay.url("tokens"));
    let env = [
        ("IDENTITY_ENDPOINT", endpoint),
        ("IDENTITY_HEADER", "pass".to_owned()),
    ];
    let world = world(replay, ENTRA, &env).await;
    assert_eq!(world.ask().await.status, 200);
    assert_eq!(
        header(&world.at_lab()[0], "authorization"),
        "Bearer eyJ.app"
    );
    assert_eq!(header(&world.at_tokens()[0], "x-identity-header"), "pass");
}

#[tokio::test]
async fn calls_are_signed_with_keys_of_a_role() {
    let lent = "<R><Credentials><AccessKeyId>ASIALENT</AccessKeyId><SecretAccessKey>lent</SecretAccessKey><SessionToken>session==</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></R>";
    let replay = others(Answer::json(200, lent)).await;
    let path = file("web-token", "ey.web.token\n");
    let env = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", path.display().to_string()),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r".to_owned()),
        ("AWS_ENDPOINT_URL_STS", replay.url("tokens")),
    ];
    let world = world(replay, AWS, &env).await;
    let reply = world.ask().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = &world.at_lab()[0];
    let signed = header(seen, "authorization");
    assert!(
        signed.starts_with("AWS4-HMAC-SHA256 Credential=ASIALENT/"),
        "{signed}"
    );
    assert!(signed.contains("/us-east-1/bedrock/aws4_request, SignedHeaders=accept;accept-encoding;content-type;host;x-amz-date;x-amz-security-token, "), "{signed}");
    assert_eq!(header(seen, "x-amz-security-token"), "session==");
    let body = String::from_utf8_lossy(&world.at_tokens()[0].body).into_owned();
    assert!(body.ends_with("&WebIdentityToken=ey.web.token"), "{body}");
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_profile_is_followed_through_the_shared_files() {
    let replay = others(Answer::json(500, "")).await;
    let path = file(
        "credentials",
        "[work]\naws_access_key_id = AKIDWORK\naws_secret_access_key = s\n",
    );
    let env = [
        ("AWS_SHARED_CREDENTIALS_FILE", path.display().to_string()),
        ("AWS_CONFIG_FILE", "/no/such/file".to_owned()),
    ];
    let world = world(replay, &format!("{AWS}profile = \"work\"\n"), &env).await;
    assert_eq!(world.ask().await.status, 200);
    let signed = world.at_lab().remove(0);
    assert!(header(&signed, "authorization").contains("Credential=AKIDWORK/"));
    assert!(world.at_tokens().is_empty());
    std::fs::remove_file(path).unwrap();
}

/// A key says more than an identity: nobody is asked for a token.
#[tokio::test]
async fn a_key_wins_over_an_identity() {
    let replay = others(token("unused", 3600)).await;
    let host = replay.url("tokens").replace("http://", "");
    let identity = format!("{GOOGLE}api_key = \"key-of-ours\"\n");
    let world = world(replay, &identity, &[("GCE_METADATA_HOST", host)]).await;
    assert_eq!(world.ask().await.status, 200);
    assert_eq!(
        header(&world.at_lab()[0], "authorization"),
        "Bearer key-of-ours"
    );
    assert!(world.at_tokens().is_empty());
}

#[tokio::test]
async fn what_tells_of_no_credential_is_refused_at_the_start() {
    let replay = others(token("unused", 3600)).await;
    let why = config(&replay, ENTRA, &[]).unwrap_err();
    for word in ["api_key", "client_secret", "managed_identity"] {
        assert!(why.contains(word), "{why}");
    }
    let off = [("AWS_EC2_METADATA_DISABLED", "true".to_owned())];
    let why = config(&replay, AWS, &off).unwrap_err();
    assert!(
        why.contains("profile") && why.contains("AWS_ACCESS_KEY_ID"),
        "{why}"
    );
}
