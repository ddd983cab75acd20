//! Tests of the order of the chain.

use super::*;
use crate::catalog::auth::grant::{Got, Step};
use crate::catalog::auth::turns::{
    absent, answer, asked, elsewhere, failed, file, keys, table, text,
};

type Rows = &'static [(&'static str, &'static str)];

fn ways(settings: Rows, env: Rows) -> Result<Ways, String> {
    Ways::new("bedrock", &table(settings), &table(env))
}

const REGION: Rows = &[("region", "eu-west-1")];

#[test]
fn the_region_is_needed_and_signs() {
    assert!(ways(&[], &[]).unwrap_err().contains("AWS_REGION"));
    let scope = |settings, env| ways(settings, env).unwrap().scope.region;
    assert_eq!(scope(REGION, &[("AWS_REGION", "us-east-1")]), "eu-west-1");
    assert_eq!(
        scope(&[], &[("AWS_DEFAULT_REGION", "b"), ("AWS_REGION", "a")]),
        "a"
    );
    assert_eq!(ways(REGION, &[]).unwrap().scope.service, "bedrock");
}

#[test]
fn the_configuration_stands_before_everything_else() {
    let settings: Rows = &[
        ("region", "r"),
        ("access_key_id", "A"),
        ("secret_access_key", "b"),
        ("session_token", "t"),
    ];
    let env: Rows = &[
        ("AWS_ACCESS_KEY_ID", "E"),
        ("AWS_SECRET_ACCESS_KEY", "e"),
        ("HOME", "/h"),
    ];
    let ways = ways(settings, env).unwrap();
    assert_eq!(ways.name(), "AWS keys of the configuration");
    assert_eq!(keys(ways.grant().next(Got::Nothing, 0)), "A b t None");
}

#[test]
fn keys_come_in_pairs_and_must_be_keys() {
    assert!(
        ways(&[("region", "r"), ("access_key_id", "A")], &[])
            .unwrap_err()
            .contains("needs secret_access_key")
    );
    assert!(
        ways(&[("region", "r"), ("secret_access_key", "A")], &[])
            .unwrap_err()
            .contains("needs access_key_id")
    );
    let env: Rows = &[("AWS_ACCESS_KEY_ID", "E"), ("AWS_SECRET_ACCESS_KEY", "e f")];
    let why = ways(REGION, env).unwrap_err();
    assert!(why.contains("environment") && !why.contains("e f"), "{why}");
}

#[test]
fn every_link_of_the_chain_is_tried_in_order() {
    let env: Rows = &[("HOME", "/h")];
    let ways = ways(REGION, env).unwrap();
    assert_eq!(
        ways.name(),
        "AWS profile 'default', else AWS instance role (metadata service)"
    );
    let mut grant = ways.grant();
    assert_eq!(file(grant.next(Got::Nothing, 0)), "/h/.aws/config");
    assert_eq!(file(grant.next(absent(), 0)), "/h/.aws/credentials");
    let put = asked(grant.next(absent(), 0));
    assert!(
        put.starts_with("near PUT http://169.254.169.254/latest/api/token"),
        "{put}"
    );
    let why = elsewhere(grant.next(Got::Absent("nobody answers".to_owned()), 0));
    assert!(
        why.contains("AWS profile 'default': there is no profile")
            && why.contains("nobody answers"),
        "{why}"
    );
}

#[test]
fn links_stand_in_the_order_of_the_sdks() {
    let env: Rows = &[
        ("AWS_ACCESS_KEY_ID", "E"),
        ("AWS_SECRET_ACCESS_KEY", "e"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/w"),
        ("AWS_ROLE_ARN", "arn:r"),
        ("AWS_PROFILE", "work"),
        ("HOME", "/h"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c"),
    ];
    let expected = "AWS keys of the environment, else AWS web identity token file, else AWS profile 'work', else AWS \
                    container role, else AWS instance role (metadata service)";
    assert_eq!(ways(REGION, env).unwrap().name(), expected);
    assert_eq!(
        keys(ways(REGION, env).unwrap().grant().next(Got::Nothing, 0)),
        "E e - None"
    );
}

#[test]
fn a_profile_that_is_named_is_the_only_way() {
    let settings: Rows = &[("region", "r"), ("profile", "work")];
    let env: Rows = &[
        ("AWS_CONFIG_FILE", "/c"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/k"),
        ("AWS_ACCESS_KEY_ID", "E"),
        ("AWS_SECRET_ACCESS_KEY", "e"),
    ];
    let ways = ways(settings, env).unwrap();
    assert_eq!(ways.name(), "AWS profile 'work'");
    let mut grant = ways.grant();
    assert_eq!(file(grant.next(Got::Nothing, 0)), "/c");
    assert_eq!(file(grant.next(text(""), 0)), "/k");
    assert!(failed(grant.next(text(""), 0)).contains("no profile 'work'"));
    assert!(self::ways(settings, &[]).unwrap_err().contains("HOME"));
}

#[test]
fn a_role_is_assumed_with_whatever_is_found() {
    let settings: Rows = &[
        ("region", "us-east-1"),
        ("role_arn", "arn:aws:iam::1:role/r"),
    ];
    let env: Rows = &[
        ("AWS_ACCESS_KEY_ID", "E"),
        ("AWS_SECRET_ACCESS_KEY", "e"),
        ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:7/sts"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let ways = ways(settings, env).unwrap();
    assert_eq!(
        ways.name(),
        "AWS role 'arn:aws:iam::1:role/r' by AWS keys of the environment"
    );
    let request = asked(ways.grant().next(Got::Nothing, 0));
    assert!(
        request.starts_with("POST http://127.0.0.1:7/sts") && request.contains("Credential=E/"),
        "{request}"
    );
}

#[test]
fn the_metadata_service_can_be_moved_and_turned_off() {
    let first = |env| ways(REGION, env).unwrap().grant().next(Got::Nothing, 0);
    let moved = asked(first(&[(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "http://127.0.0.1:5/",
    )]));
    assert!(
        moved.starts_with("near PUT http://127.0.0.1:5/latest"),
        "{moved}"
    );
    let six = asked(first(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6")]));
    assert!(
        six.starts_with("near PUT http://[fd00:ec2::254]/latest"),
        "{six}"
    );
    let off = ways(REGION, &[("AWS_EC2_METADATA_DISABLED", "TRUE")]).unwrap();
    assert!(!off.is_open());
}

#[test]
fn a_container_is_asked_where_the_environment_says() {
    let full: Rows = &[
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:6/k"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "p"),
    ];
    let mut grant = ways(REGION, full).unwrap().grant();
    assert_eq!(
        asked(grant.next(Got::Nothing, 0)),
        "near GET http://127.0.0.1:6/k\nauthorization: p\n\n"
    );
    // It was named, so that the instance is not asked in its place.
    assert!(matches!(grant.next(answer(500, ""), 0), Step::Failed(_)));
    let eks: Rows = &[
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "http://169.254.170.23/v1",
        ),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/t"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "p"),
    ];
    assert_eq!(
        file(ways(REGION, eks).unwrap().grant().next(Got::Nothing, 0)),
        "/t"
    );
}
