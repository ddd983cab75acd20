//! Tests of roles that are assumed.

use super::*;
use crate::catalog::auth::aws::keys::Fixed;
use crate::catalog::auth::turns::{absent, answer, asked, failed, file, keys, text};

/// An answer of the token service, as its reference shows it, shortened.
const LENT: &str =
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>
<AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/waypost</Arn></AssumedRoleUser><Credentials>
<AccessKeyId>ASIALENT</AccessKeyId><SecretAccessKey>lent/secret+</SecretAccessKey>
<SessionToken>session==</SessionToken><Expiration>2026-11-25T13:00:00Z</Expiration>
</Credentials></AssumeRoleResult></AssumeRoleResponse>";

/// 2026-11-25T12:00:00Z.
const NOON: u64 = 1_795_608_000;

fn role() -> Role {
    Role {
        arn: "arn:aws:iam::1:role/r".to_owned(),
        session: "waypost".to_owned(),
        external_id: None,
        duration: None,
    }
}

fn web() -> WebIdentity {
    WebIdentity {
        role: role(),
        file: "/var/run/token".into(),
        sts: Sts::of("eu-west-1", None),
    }
}

fn assume(role: Role) -> Assume {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    let base = Fixed {
        keys: SigningKeys::new("AKIDEXAMPLE", secret, None).unwrap(),
        name: "given keys",
    };
    Assume {
        base: Box::new(base),
        role,
        sts: Sts::of("us-east-1", None),
        asked: false,
    }
}

#[test]
fn a_token_out_of_a_file_is_changed_for_keys() {
    let mut web = web();
    assert_eq!(file(web.next(Got::Nothing, NOON)), "/var/run/token");
    let request = asked(web.next(text("ey.J.token\n"), NOON));
    let expected = "POST https://sts.eu-west-1.amazonaws.com/
content-type: application/x-www-form-urlencoded; charset=utf-8

Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=waypost&WebIdentityToken=ey.J.token";
    assert_eq!(request, expected);
    let end = keys(web.next(answer(200, LENT), NOON));
    assert_eq!(end, "ASIALENT lent/secret+ session== Some(1795611600)");
}

#[test]
fn a_role_is_assumed_with_a_signed_request() {
    let mut assume = assume(Role {
        external_id: Some("a b".to_owned()),
        duration: Some(900),
        ..role()
    });
    assert_eq!(assume.name(), "given keys");
    let request = asked(assume.next(Got::Nothing, NOON));
    assert!(request.contains("authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261125/us-east-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature="), "{request}");
    assert!(
        request.ends_with("&RoleSessionName=waypost&ExternalId=a%20b&DurationSeconds=900"),
        "{request}"
    );
    assert_eq!(assume.name(), "AWS role 'arn:aws:iam::1:role/r'");
    assert!(keys(assume.next(answer(200, LENT), NOON)).starts_with("ASIALENT"));
}

/// What botocore 1.43.11 signs for the same form, in the service `sts`.
#[test]
fn a_form_is_signed_as_botocore_signs_it() {
    let sts = Sts::of("us-east-1", None);
    let mut request = sts.request("AssumeRole", &role(), &[]).unwrap();
    *request.body_mut() = "Action=AssumeRole&Version=2011-06-15".into();
    let scope = Scope {
        region: "us-east-1".to_owned(),
        service: "sts".to_owned(),
    };
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    let keys = SigningKeys::new("AKIDEXAMPLE", secret, None).unwrap();
    sigv4::sign(&mut request, &scope, &keys, NOON).unwrap();
    let signed = request.headers()["authorization"].to_str().unwrap();
    assert!(signed.ends_with("bcf29a14ff30ae56fbd7b3648829bda678336f144d74de34465086c4c51bd672"));
}

#[test]
fn refusals_are_told_with_their_codes() {
    let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRole</Message></Error></ErrorResponse>";
    let mut assume = assume(role());
    assume.next(Got::Nothing, NOON);
    let why = failed(assume.next(answer(403, body), NOON));
    assert_eq!(
        why,
        "the token service refused with status 403, AccessDenied: Not authorized to perform sts:AssumeRole"
    );
}

#[test]
fn answers_that_hold_no_keys_are_failures() {
    for body in [
        "",
        "<html>",
        "<Credentials><AccessKeyId>a</AccessKeyId></Credentials>",
        &LENT.replace("2026-11", "soon"),
    ] {
        let why = failed(web().next(answer(200, body), NOON));
        assert!(
            why.starts_with("the token service's answer has no "),
            "{why}"
        );
    }
}

#[test]
fn a_token_file_that_is_named_must_be_there() {
    assert_eq!(failed(web().next(absent(), NOON)), "there is no such file");
    let mut assume = assume(role());
    assume.next(Got::Nothing, NOON);
    assert!(failed(assume.next(absent(), NOON)).contains("no such"));
}

#[test]
fn the_address_goes_by_region_unless_it_is_given() {
    assert_eq!(
        Sts::of("cn-north-1", None).url,
        "https://sts.cn-north-1.amazonaws.com.cn"
    );
    let given = Some("http://127.0.0.1:1".to_owned());
    assert_eq!(Sts::of("x", given).url, "http://127.0.0.1:1");
}
