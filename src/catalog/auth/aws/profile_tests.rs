//! Tests of following a profile through the shared files.

use super::*;
use crate::catalog::auth::turns::{absent, answer, asked, elsewhere, failed, file, keys, text};

fn profile(name: &str, asked: Asked) -> Reading {
    let profile = Profile {
        name: name.to_owned(),
        asked,
        files: ["/h/config".into(), "/h/credentials".into()],
        sts: Sts::of("us-east-1", None),
        environment: SigningKeys::new("ENV", "env", None).ok(),
        container: None,
        instance: Some(Instance::at("http://imds")),
    };
    profile.grant()
}

/// The step after both files were read.
fn followed(name: &str, asked: Asked, config: &str, credentials: &str) -> (Reading, Step) {
    let mut reading = profile(name, asked);
    assert_eq!(file(reading.next(Got::Nothing, 0)), "/h/config");
    assert_eq!(file(reading.next(text(config), 0)), "/h/credentials");
    let step = reading.next(text(credentials), 0);
    (reading, step)
}

fn by_name(config: &str, credentials: &str) -> Step {
    followed("work", Asked::ByName, config, credentials).1
}

#[test]
fn keys_are_found_in_either_file_and_the_credentials_file_wins() {
    let config = "[profile work]\naws_access_key_id = C\naws_secret_access_key = c\n";
    let credentials =
        "[work]\naws_access_key_id = K\naws_secret_access_key = k\naws_session_token = t\n";
    assert_eq!(keys(by_name(config, "")), "C c - None");
    assert_eq!(keys(by_name(config, credentials)), "K k t None");
}

#[test]
fn a_role_is_assumed_with_the_keys_of_another_profile() {
    let config = "[profile work]\nrole_arn = arn:r\nsource_profile = base\nexternal_id = x\nrole_session_name = s\n";
    let credentials = "[base]\naws_access_key_id = BASE\naws_secret_access_key = b\n";
    let request = asked(by_name(config, credentials));
    assert!(request.contains("Credential=BASE/"), "{request}");
    assert!(
        request.ends_with("RoleArn=arn%3Ar&RoleSessionName=s&ExternalId=x"),
        "{request}"
    );
}

#[test]
fn a_role_is_assumed_with_a_role_and_with_a_profiles_own_keys() {
    let config = "[profile work]\nrole_arn = arn:two\nsource_profile = mid\n[profile mid]\nrole_arn = arn:one\nsource_profile = mid\n";
    let credentials = "[mid]\naws_access_key_id = MID\naws_secret_access_key = m\n";
    let (mut reading, step) = followed("work", Asked::ByName, config, credentials);
    assert!(asked(step).contains("RoleArn=arn%3Aone"));
    let lent = "<AccessKeyId>ONE</AccessKeyId><SecretAccessKey>o</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-11-25T12:00:00Z</Expiration>";
    let second = asked(reading.next(answer(200, lent), 0));
    assert!(
        second.contains("Credential=ONE/") && second.contains("RoleArn=arn%3Atwo"),
        "{second}"
    );
    assert!(keys(reading.next(answer(200, lent), 0)).starts_with("ONE"));
    assert_eq!(reading.name(), "AWS profile 'work'");
}

#[test]
fn other_sources_of_a_role() {
    let config = |rest: &str| format!("[profile work]\nrole_arn = arn:r\n{rest}\n");
    assert!(
        asked(by_name(&config("credential_source = Environment"), "")).contains("Credential=ENV/")
    );
    let imds = asked(by_name(
        &config("credential_source = Ec2InstanceMetadata"),
        "",
    ));
    assert!(imds.starts_with("near PUT http://imds/latest/api/token"));
    assert_eq!(
        file(by_name(&config("web_identity_token_file = /w/token"), "")),
        "/w/token"
    );
}

#[test]
fn a_program_prints_the_keys() {
    let step = by_name(
        "[profile work]\ncredential_process = \"/opt/my tool\" --json\n",
        "",
    );
    assert!(matches!(step, Step::Run(command) if command == ["/opt/my tool", "--json"]));
}

#[test]
fn what_a_profile_lacks_is_said() {
    let rows = [
        ("", "no profile 'work'"),
        ("[profile work]\nregion = x\n", "holds no keys"),
        ("[profile work]\nrole_arn = r\n", "no source_profile"),
        (
            "[profile work]\nrole_arn = r\nsource_profile = gone\n",
            "no profile 'gone'",
        ),
        (
            "[profile work]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = s\nsource_profile = work\n",
            "its own source_profile",
        ),
        (
            "[profile work]\nrole_arn = r\ncredential_source = EcsContainer\n",
            "'EcsContainer' of the profile 'work' is not here",
        ),
        (
            "[profile work]\nrole_arn = r\ncredential_source = Moon\n",
            "'Moon', which is not known",
        ),
        (
            "[profile work]\nrole_arn = r\nmfa_serial = m\nsource_profile = b\n",
            "MFA",
        ),
        (
            "[profile work]\nsso_session = corp\nsso_account_id = 1\n",
            "export-credentials --profile work",
        ),
        (
            "[profile work]\naws_access_key_id = A\naws_secret_access_key = b c\n",
            "secret access key",
        ),
    ];
    for (config, expected) in rows {
        let why = failed(by_name(config, ""));
        assert!(why.contains(expected), "{why}");
    }
}

#[test]
fn the_usual_profile_may_be_missing_but_not_broken() {
    let mut reading = profile("default", Asked::Not);
    reading.next(Got::Nothing, 0);
    reading.next(absent(), 0);
    assert!(elsewhere(reading.next(absent(), 0)).contains("no profile 'default'"));
    let (_, step) = followed("default", Asked::Not, "[default]\nregion = x\n", "");
    assert!(elsewhere(step).contains("holds no keys"));
    let (_, step) = followed(
        "default",
        Asked::Not,
        "[default]\nrole_arn = r\nsource_profile = gone\n",
        "",
    );
    assert!(failed(step).contains("no profile 'gone'"));
    let mut unreadable = profile("default", Asked::Not);
    unreadable.next(Got::Nothing, 0);
    let step = unreadable.next(Got::Broken("its file cannot be read: denied".to_owned()), 0);
    assert_eq!(failed(step), "its file cannot be read: denied");
}
