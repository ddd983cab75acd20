//! Tests of Google's ways to a token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;
use crate::catalog::auth::google::Ways;
use crate::catalog::auth::turns::{
    absent, answer, asked, elsewhere, failed, file, table, text, token,
};

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The step after a file was read.
fn read(file: &Value) -> (File, Step) {
    let mut way = File {
        path: "/k.json".into(),
        scope: SCOPE.to_owned(),
        named: Some("credentials"),
        way: None,
    };
    assert!(matches!(way.next(Got::Nothing, 1000), Step::Read(_)));
    let step = way.next(text(&file.to_string()), 1000);
    (way, step)
}

fn account() -> Value {
    json!({
        "type": "service_account", "project_id": "p", "private_key_id": "kid1",
        "private_key": "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
        "client_email": "a@p.iam.gserviceaccount.com", "token_uri": "https://oauth2.example/token",
    })
}

#[test]
fn a_service_account_signs_an_assertion_and_changes_it_for_a_token() {
    let (mut way, step) = read(&account());
    let Step::Sign(signing) = step else {
        panic!("the assertion is signed first");
    };
    assert!(signing.pem.starts_with("-----BEGIN PRIVATE KEY-----\nAA=="));
    let part = |at: usize| -> Value {
        let part = signing.text.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(
        part(0),
        json!({"alg": "RS256", "typ": "JWT", "kid": "kid1"})
    );
    let claims = json!({
        "iss": "a@p.iam.gserviceaccount.com", "scope": SCOPE, "aud": "https://oauth2.example/token",
        "iat": 1000, "exp": 4600,
    });
    assert_eq!(part(1), claims);
    let request = asked(way.next(Got::Signature(vec![255, 254]), 1000));
    let expected = format!(
        "POST https://oauth2.example/token\naccept: application/json\ncontent-type: application/x-www-form-urlencoded\n\n\
         grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={}.__4",
        signing.text
    );
    assert_eq!(request, expected);
    let body = r#"{"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"}"#;
    assert_eq!(
        token(way.next(answer(200, body), 1000)),
        ("ya29.x".to_owned(), Some(4599))
    );
    assert_eq!(way.name(), "Google service account file");
}

#[test]
fn a_key_that_is_refused_or_cannot_sign_is_a_failure() {
    let (mut way, _) = read(&account());
    let why = failed(way.next(
        Got::Broken("its private key is no RSA key in PEM".to_owned()),
        0,
    ));
    assert!(why.contains("no RSA key"));
    let (mut way, _) = read(&account());
    way.next(Got::Signature(vec![1]), 0);
    let body = r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#;
    let why = failed(way.next(answer(400, body), 0));
    assert_eq!(
        why,
        "it was refused with status 400, invalid_grant, Invalid JWT Signature."
    );
}

#[test]
fn a_persons_login_is_refreshed() {
    let user = json!({"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "1//r"});
    let (mut way, step) = read(&user);
    let request = asked(step);
    assert!(request.starts_with("POST https://oauth2.googleapis.com/token"));
    assert!(
        request.ends_with(
            "grant_type=refresh_token&client_id=c&client_secret=s&refresh_token=1%2F%2Fr"
        ),
        "{request}"
    );
    let why = failed(way.next(
        answer(
            400,
            r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#,
        ),
        0,
    ));
    assert!(
        why.ends_with("run gcloud auth application-default login again"),
        "{why}"
    );
}

fn external(source: &Value) -> Value {
    json!({
        "type": "external_account", "audience": "//iam.googleapis.com/p/1", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.example/v1/token", "credential_source": source,
    })
}

#[test]
fn anothers_token_out_of_a_file_is_changed_for_googles() {
    let source =
        json!({"file": "/var/token", "format": {"type": "json", "subject_token_field_name": "id"}});
    let (mut way, step) = read(&external(&source));
    assert_eq!(file(step), "/var/token");
    let request = asked(way.next(text(r#"{"id":"sub.ject"}"#), 0));
    let body = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token&audience=%2F%2Fiam.googleapis.com%2Fp%2F1&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&subject_token=sub.ject";
    assert!(request.ends_with(body), "{request}");
    assert_eq!(
        token(way.next(answer(200, r#"{"access_token":"t","expires_in":10}"#), 5)),
        ("t".to_owned(), Some(15))
    );
}

#[test]
fn anothers_token_from_an_address_leads_to_a_service_accounts() {
    let source = json!({"url": "http://127.0.0.1/id", "headers": {"Metadata": "True"}});
    let mut file = external(&source);
    file["service_account_impersonation_url"] =
        json!("https://iam.example/v1/a:generateAccessToken");
    let (mut way, step) = read(&file);
    assert_eq!(asked(step), "GET http://127.0.0.1/id\nmetadata: True\n\n");
    assert!(asked(way.next(answer(200, "sub\n"), 0)).ends_with("&subject_token=sub"));
    let request = asked(way.next(
        answer(200, r#"{"access_token":"first","expires_in":10}"#),
        0,
    ));
    let expected = "POST https://iam.example/v1/a:generateAccessToken\nauthorization: Bearer first\ncontent-type: application/json\n\n{\"scope\":[\"https://www.googleapis.com/auth/cloud-platform\"],\"lifetime\":\"3600s\"}";
    assert_eq!(request, expected);
    let body = r#"{"accessToken":"second","expireTime":"2026-11-25T12:00:00Z"}"#;
    assert_eq!(
        token(way.next(answer(200, body), 0)),
        ("second".to_owned(), Some(1_795_608_000))
    );
    assert_eq!(way.name(), "Google service account impersonation");
}

#[test]
fn a_login_may_stand_for_a_service_account() {
    let user = json!({"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"});
    let file = json!({
        "type": "impersonated_service_account", "source_credentials": user, "delegates": ["d"],
        "service_account_impersonation_url": "https://iam.example/v1/b:generateAccessToken",
    });
    let (mut way, step) = read(&file);
    assert!(asked(step).contains("grant_type=refresh_token"));
    let request = asked(way.next(answer(200, r#"{"access_token":"first"}"#), 0));
    assert!(
        request.contains("authorization: Bearer first")
            && request.ends_with("\"delegates\":[\"d\"]}"),
        "{request}"
    );
}

#[test]
fn files_that_lead_nowhere_say_so_without_their_secrets() {
    let secret = "very-secret-value";
    let rows = [
        (
            json!({"type": "gdch_service_account"}),
            "the type 'gdch_service_account', which is not supported",
        ),
        (json!({}), "the type ''"),
        (
            json!({"type": "service_account", "client_email": "a"}),
            "it has no private_key",
        ),
        (
            json!({"type": "service_account", "client_email": 7, "private_key": secret}),
            "of the wrong type",
        ),
        (
            json!({"type": "authorized_user", "client_id": secret}),
            "it has no client_secret",
        ),
        (
            external(&json!({"environment_id": "aws1"})),
            "not supported",
        ),
        (
            external(&json!({"executable": {"command": "/bin/x"}})),
            "not supported",
        ),
    ];
    for (file, expected) in rows {
        let why = failed(read(&file).1);
        assert!(why.contains(expected) && !why.contains(secret), "{why}");
    }
}

type Rows = &'static [(&'static str, &'static str)];

fn ways(settings: Rows, env: Rows) -> Ways {
    Ways::new(SCOPE, &table(settings), &table(env))
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let mut grant = ways(
        &[("credentials", "/a")],
        &[("GOOGLE_APPLICATION_CREDENTIALS", "/b")],
    )
    .grant();
    assert_eq!(file(grant.next(Got::Nothing, 0)), "/a");
    assert_eq!(failed(grant.next(absent(), 0)), "there is no such file");
    assert_eq!(
        grant.name(),
        "Google credentials file (named by credentials)"
    );
    // The configuration gives the variable's value as the setting's.
    let grant = ways(
        &[("credentials", "/b")],
        &[("GOOGLE_APPLICATION_CREDENTIALS", "/b")],
    )
    .grant();
    assert_eq!(
        grant.name(),
        "Google credentials file (named by GOOGLE_APPLICATION_CREDENTIALS)"
    );
}

#[test]
fn without_a_file_the_metadata_server_is_asked() {
    let ways = ways(&[], &[("HOME", "/h")]);
    assert_eq!(
        ways.name(),
        "Google credentials file /h/.config/gcloud/application_default_credentials.json, else Google metadata server"
    );
    let mut grant = ways.grant();
    assert!(file(grant.next(Got::Nothing, 0)).ends_with("application_default_credentials.json"));
    let request = asked(grant.next(absent(), 0));
    assert_eq!(
        request,
        "near GET http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform\nmetadata-flavor: Google\n\n"
    );
    assert_eq!(
        token(grant.next(answer(200, r#"{"access_token":"m","expires_in":100}"#), 1)),
        ("m".to_owned(), Some(101))
    );
}

#[test]
fn the_metadata_server_may_be_elsewhere_or_off() {
    let mut named = ways(
        &[],
        &[
            ("GCE_METADATA_HOST", "127.0.0.1:4"),
            ("NO_GCE_CHECK", "true"),
        ],
    )
    .grant();
    assert!(
        asked(named.next(Got::Nothing, 0))
            .starts_with("near GET http://127.0.0.1:4/computeMetadata")
    );
    assert!(failed(named.next(absent(), 0)).contains("no such"));
    assert!(!ways(&[], &[("NO_GCE_CHECK", "true")]).is_open());
    let mut bare = ways(&[], &[]).grant();
    bare.next(Got::Nothing, 0);
    assert!(elsewhere(bare.next(answer(404, ""), 0)).contains("no service account"));
}
