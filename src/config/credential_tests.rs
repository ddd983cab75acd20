//! Tests of providers that are called with a credential of their platform.

use std::path::Path;

use super::Config;

type Rows = &'static [(&'static str, &'static str)];

fn env(rows: Rows) -> impl Fn(&str) -> Option<String> {
    move |name| {
        let row = rows.iter().find(|(key, _)| *key == name)?;
        Some(row.1.to_owned())
    }
}

fn parse(file: &str, rows: Rows) -> Result<Config, String> {
    let config = Config::parse(file, Path::new("waypost.toml"), &env(rows));
    config.map_err(|problem| problem.to_string())
}

/// Where the one provider's credential comes from.
fn source(file: &str, rows: Rows) -> Option<String> {
    let config = parse(file, rows).unwrap();
    assert_eq!(config.active.len(), 1);
    config.active[0]
        .source
        .as_ref()
        .map(crate::catalog::auth::source::Source::name)
}

const AZURE: &str = "[providers.azure]\nresource = \"acme\"\n";
const LAB: &str = "[providers.lab]\ndialect = \"openai\"\nbase_url = \"https://lab.example/v1\"\n";

#[test]
fn settings_and_variables_tell_where_a_credential_comes_from() {
    let keys = format!("{AZURE}tenant_id = \"t\"\nclient_id = \"c\"\nclient_secret = \"s\"\n");
    let secret = Some("Entra application with a client secret".to_owned());
    assert_eq!(source(&keys, &[]), secret);
    let variables: Rows = &[
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_CLIENT_SECRET", "s"),
    ];
    assert_eq!(source(AZURE, variables), secret);
    let machine = source(
        AZURE,
        &[
            ("IDENTITY_ENDPOINT", "http://127.0.0.1/"),
            ("IDENTITY_HEADER", "h"),
        ],
    );
    assert!(machine.unwrap().contains("App Service"));
}

#[test]
fn a_key_wins_and_callers_keys_need_no_credential() {
    let keyed = format!("{AZURE}api_key = \"k\"\n");
    let machine: Rows = &[("AZURE_CLIENT_ID", "c")];
    assert_eq!(source(&keyed, machine), None);
    let usual: Rows = &[("AZURE_CLIENT_ID", "c"), ("AZURE_OPENAI_API_KEY", "k")];
    assert_eq!(source(AZURE, usual), None);
    assert_eq!(
        source(&format!("auth = \"passthrough\"\n{AZURE}"), machine),
        None
    );
}

#[test]
fn what_can_be_set_is_said_where_nothing_is() {
    let why = parse(AZURE, &[]).unwrap_err();
    for word in [
        "waypost.toml:1:",
        "AZURE_OPENAI_API_KEY",
        "client_secret",
        "managed_identity",
    ] {
        assert!(why.contains(word), "{why}");
    }
    let half = parse(&format!("{AZURE}client_secret = \"very-secret\"\n"), &[]).unwrap_err();
    assert!(
        half.contains("tenant_id") && !half.contains("very-secret"),
        "{half}"
    );
}

#[test]
fn any_provider_of_ones_own_may_have_an_identity() {
    let identity = "identity = { google = { scope = \"s\" } }\ncredentials = \"/k.json\"\n";
    let name = source(&format!("{LAB}{identity}"), &[]);
    assert_eq!(name.unwrap(), "Google credentials file /k.json");
    let aws = "identity = { aws = { service = \"bedrock\" } }\n";
    let why = parse(&format!("{LAB}{aws}"), &[]).unwrap_err();
    assert!(why.contains("AWS_REGION"), "{why}");
    let why = parse(&format!("{LAB}identity = {{ oracle = {{ }} }}\n"), &[]).unwrap_err();
    assert!(why.contains("oracle"), "{why}");
    assert!(
        parse(&format!("{LAB}credentials = \"/k\"\n"), &[]).is_err(),
        "a setting of no identity"
    );
}

#[test]
fn a_token_does_not_leave_in_the_clear() {
    let clear = LAB.replace("https", "http");
    let identity = "identity = { google = { scope = \"s\" } }\n";
    let why = parse(&format!("{clear}{identity}"), &[]).unwrap_err();
    assert!(why.contains("unencrypted"), "{why}");
    let allowed = format!("{clear}{identity}allow_http = true\n");
    assert!(source(&allowed, &[]).is_some());
}

/// Such credentials lie about for many reasons: alone they turn no cloud on, and whoever means them is told how.
#[test]
fn credentials_of_the_environment_alone_turn_nothing_on() {
    let rows: Rows = &[
        ("AZURE_CLIENT_SECRET", "s"),
        ("AZURE_OPENAI_RESOURCE", "acme"),
    ];
    let config = Config::from_env(&env(rows)).unwrap();
    assert!(config.active.is_empty());
    let note = config
        .notes
        .iter()
        .find(|note| note.contains("AZURE_CLIENT_SECRET"));
    assert!(
        note.unwrap().contains("[providers.azure]"),
        "{:?}",
        config.notes
    );
}
