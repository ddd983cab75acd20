//! Tests of Entra's ways to a token.

use super::*;
use crate::catalog::auth::grant::Got;
use crate::catalog::auth::turns::{absent, answer, asked, failed, file, table, text, token};

const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

type Rows = &'static [(&'static str, &'static str)];

fn ways(settings: Rows, env: Rows) -> Result<Option<Ways>, String> {
    Ways::new(SCOPE, &table(settings), &table(env))
}

fn grant(settings: Rows, env: Rows) -> Box<dyn Grant> {
    ways(settings, env).unwrap().unwrap().grant()
}

const APPLICATION: Rows = &[
    ("tenant_id", "t1"),
    ("client_id", "c1"),
    ("client_secret", "s~1"),
];

#[test]
fn an_application_shows_its_secret() {
    let mut grant = grant(APPLICATION, &[]);
    let request = asked(grant.next(Got::Nothing, 0));
    let expected = "POST https://login.microsoftonline.com/t1/oauth2/v2.0/token\naccept: application/json\ncontent-type: application/x-www-form-urlencoded\n\ngrant_type=client_credentials&client_id=c1&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default&client_secret=s~1";
    assert_eq!(request, expected);
    let body =
        r#"{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"eyJ"}"#;
    assert_eq!(
        token(grant.next(answer(200, body), 1)),
        ("eyJ".to_owned(), Some(3600))
    );
}

#[test]
fn a_refused_secret_is_told_by_its_code() {
    let mut grant = grant(
        APPLICATION,
        &[("AZURE_AUTHORITY_HOST", "https://login.example/")],
    );
    assert!(asked(grant.next(Got::Nothing, 0)).starts_with("POST https://login.example/t1/oauth2"));
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired."}"#;
    let why = failed(grant.next(answer(401, body), 0));
    assert!(why.contains("401, invalid_client, AADSTS7000222"), "{why}");
}

#[test]
fn a_workload_shows_a_token_out_of_a_file() {
    let env: Rows = &[
        ("AZURE_TENANT_ID", "t2"),
        ("AZURE_CLIENT_ID", "c2"),
        ("AZURE_FEDERATED_TOKEN_FILE", "/var/azure"),
    ];
    let mut grant = grant(&[], env);
    assert_eq!(file(grant.next(Got::Nothing, 0)), "/var/azure");
    let request = asked(grant.next(text("ey.J\n"), 0));
    assert!(request.ends_with("&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=ey.J"), "{request}");
    assert_eq!(
        failed(self::grant(&[], env).next(absent(), 0)),
        "there is no such file"
    );
}

#[test]
fn an_app_service_gives_out_its_own_token() {
    let env: Rows = &[
        ("IDENTITY_ENDPOINT", "http://127.0.0.1:41/msi/token/"),
        ("IDENTITY_HEADER", "pass"),
    ];
    let mut grant = grant(&[], env);
    let request = asked(grant.next(Got::Nothing, 0));
    assert_eq!(
        request,
        "near GET http://127.0.0.1:41/msi/token/?api-version=2019-08-01&resource=https%3A%2F%2Fcognitiveservices.azure.com\nx-identity-header: pass\n\n"
    );
    let body =
        r#"{"access_token":"eyJ","expires_on":"1586984735","resource":"x","token_type":"Bearer"}"#;
    assert_eq!(
        token(grant.next(answer(200, body), 0)),
        ("eyJ".to_owned(), Some(1_586_984_735))
    );
}

#[test]
fn a_virtual_machine_is_asked_where_somebody_says_so() {
    let system = asked(
        grant(&[("managed_identity", "system"), ("client_id", "c")], &[]).next(Got::Nothing, 0),
    );
    assert_eq!(
        system,
        "near GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fcognitiveservices.azure.com\nmetadata: true\n\n"
    );
    let env: Rows = &[
        ("AZURE_CLIENT_ID", "c 3"),
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:2/"),
    ];
    let user = asked(grant(&[], env).next(Got::Nothing, 0));
    assert!(
        user.starts_with("near GET http://127.0.0.1:2/metadata/identity/oauth2/token?"),
        "{user}"
    );
    assert!(user.contains("&client_id=c%203\n"), "{user}");
    assert!(
        grant(
            &[],
            &[("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")]
        )
        .name()
        .contains("managed identity")
    );
    assert!(
        failed(grant(&[("managed_identity", "system")], &[]).next(absent(), 0)).contains("no such")
    );
}

#[test]
fn nothing_is_asked_where_nothing_is_said() {
    assert!(ways(&[], &[]).unwrap().is_none());
    assert!(ways(&[], &[("AZURE_TENANT_ID", "t")]).unwrap().is_none());
}

#[test]
fn what_is_said_by_halves_is_refused() {
    let rows: [(Rows, &str); 4] = [
        (
            &[("client_secret", "s"), ("client_id", "c")],
            "client_id and tenant_id",
        ),
        (
            &[
                ("client_secret", "a b"),
                ("client_id", "c"),
                ("tenant_id", "t"),
            ],
            "client_secret: ",
        ),
        (&[("managed_identity", "yes")], "managed_identity is"),
        (&[("managed_identity", "user")], "needs client_id"),
    ];
    for (settings, expected) in rows {
        let why = ways(settings, &[]).unwrap_err();
        assert!(why.contains(expected), "{why}");
    }
}
