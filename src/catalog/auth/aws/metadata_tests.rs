//! Tests of keys that the machine lends.

use super::*;
use crate::catalog::auth::turns::{absent, answer, asked, elsewhere, failed, file, keys, text};

const LENT: &str = r#"{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIALENT","SecretAccessKey":"s","Token":"t","Expiration":"2026-11-25T12:00:00Z"}"#;

#[test]
fn an_instance_is_asked_by_a_session() {
    let mut instance = Instance::at("http://169.254.169.254/");
    let first = asked(instance.next(Got::Nothing, 0));
    assert_eq!(
        first,
        "near PUT http://169.254.169.254/latest/api/token\nx-aws-ec2-metadata-token-ttl-seconds: 21600\n\n"
    );
    let second = asked(instance.next(answer(200, "AQAE=="), 0));
    assert_eq!(
        second,
        "near GET http://169.254.169.254/latest/meta-data/iam/security-credentials/\nx-aws-ec2-metadata-token: AQAE==\n\n"
    );
    let third = asked(instance.next(answer(200, "my-role\n"), 0));
    assert_eq!(
        third,
        "near GET http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role\nx-aws-ec2-metadata-token: AQAE==\n\n"
    );
    assert_eq!(
        keys(instance.next(answer(200, LENT), 0)),
        "ASIALENT s t Some(1795608000)"
    );
}

#[test]
fn what_is_no_instance_or_has_no_role_is_elsewhere() {
    let mut nobody = Instance::at("http://a");
    nobody.next(Got::Nothing, 0);
    assert_eq!(elsewhere(nobody.next(absent(), 0)), "there is no such file");
    let mut other = Instance::at("http://a");
    other.next(Got::Nothing, 0);
    assert!(elsewhere(other.next(answer(405, ""), 0)).contains("405"));
    for (status, body) in [(404, "<html>"), (200, " \n")] {
        let mut bare = Instance::at("http://a");
        bare.next(Got::Nothing, 0);
        bare.next(answer(200, "token"), 0);
        assert_eq!(
            elsewhere(bare.next(answer(status, body), 0)),
            "the instance has no role"
        );
    }
}

#[test]
fn an_instance_that_breaks_off_is_a_failure() {
    let mut instance = Instance::at("http://a");
    instance.next(Got::Nothing, 0);
    instance.next(answer(200, "token"), 0);
    instance.next(answer(200, "role"), 0);
    assert_eq!(
        failed(instance.next(answer(500, ""), 0)),
        "it answered with status 500"
    );
}

fn container(url: &str, pass: Pass) -> Container {
    let url = url.to_owned();
    Container { url, pass }
}

#[test]
fn a_container_is_asked_with_what_it_wants_to_be_shown() {
    let url = "http://169.254.170.2/v2/credentials/id";
    let mut bare = container(url, Pass::None);
    assert_eq!(
        asked(bare.next(Got::Nothing, 0)),
        format!("near GET {url}\n\n\n")
    );
    assert!(keys(bare.next(answer(200, LENT), 0)).starts_with("ASIALENT"));
    let mut shown = container(url, Pass::Text(Secret::new("pass").unwrap()));
    assert_eq!(
        asked(shown.next(Got::Nothing, 0)),
        format!("near GET {url}\nauthorization: pass\n\n")
    );
    let mut read = container(
        "http://169.254.170.23/v1/credentials",
        Pass::File("/var/token".into()),
    );
    assert_eq!(file(read.next(Got::Nothing, 0)), "/var/token");
    let request = asked(read.next(text("eks pass\n"), 0));
    assert_eq!(
        request,
        "near GET http://169.254.170.23/v1/credentials\nauthorization: eks pass\n\n"
    );
}

#[test]
fn a_containers_keys_are_not_fetched_from_strangers() {
    for near in [
        "http://127.0.0.1:9/a",
        "http://localhost/a",
        "http://[fd00:ec2::23]/v1",
    ] {
        assert!(
            asked(container(near, Pass::None).next(Got::Nothing, 0)).starts_with("near GET"),
            "{near}"
        );
    }
    let far = asked(container("https://keys.example/a", Pass::None).next(Got::Nothing, 0));
    assert!(far.starts_with("GET https"));
    for bad in [
        "http://keys.example/a",
        "http://127.evil.example/",
        "http://10.0.0.1/",
        "nonsense",
    ] {
        failed(container(bad, Pass::None).next(Got::Nothing, 0));
    }
}

#[test]
fn a_container_that_does_not_answer_is_a_failure() {
    let near = "http://127.0.0.1/a";
    assert!(failed(container(near, Pass::None).next(absent(), 0)).contains("no such"));
    assert_eq!(
        failed(container(near, Pass::None).next(answer(403, ""), 0)),
        "it answered with status 403"
    );
    let odd = container(near, Pass::File("/t".into())).next(text("a\u{1}b"), 0);
    assert!(failed(odd).contains("no header takes"));
}
