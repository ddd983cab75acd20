//! The signer against what others sign: AWS's test vectors and botocore.

use super::*;

/// Headers of a request.
type Sent = &'static [(&'static str, &'static str)];

fn keys(session: Option<&str>) -> SigningKeys {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    SigningKeys::new("AKIDEXAMPLE", secret, session).unwrap()
}

fn request(method: &str, url: &str, headers: Sent, body: &'static str) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Bytes::from_static(body.as_bytes())).unwrap()
}

fn signed(
    mut request: Request<Bytes>,
    session: Option<&str>,
    (region, service): (&str, &str),
    now: u64,
) -> (String, String) {
    let scope = Scope {
        region: region.to_owned(),
        service: service.to_owned(),
    };
    sign(&mut request, &scope, &keys(session), now).unwrap();
    let value = request.headers().get(AUTHORIZATION).unwrap();
    assert!(value.is_sensitive());
    let text = value.to_str().unwrap();
    let names = text.split_once("SignedHeaders=").unwrap().1;
    let (names, signature) = names.split_once(", Signature=").unwrap();
    (names.to_owned(), signature.to_owned())
}

/// Facts of the "AWS `SigV4` signing test suite" (`awslabs/aws-c-auth`, `tests/aws-signing-test-suite/v4`, also in the
/// IAM User Guide under "Signature Version 4 test suite"): us-east-1, `service`, 2015-08-30T12:36:00Z. The cases whose
/// paths are normalised before they are signed are left out: no path of ours has anything to normalise.
const VECTORS: &[(&str, &str, &str, Sent, &str, &str)] = &[
    (
        "get-vanilla",
        "GET",
        "/",
        &[],
        "",
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "post-vanilla",
        "POST",
        "/",
        &[],
        "",
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    (
        "post-vanilla-query",
        "POST",
        "/?Param1=value1",
        &[],
        "",
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    ),
    (
        "post-header-key-sort",
        "POST",
        "/",
        &[("My-Header1", "value1")],
        "",
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
    (
        "post-header-value-case",
        "POST",
        "/",
        &[("My-Header1", "VALUE1")],
        "",
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    ),
    (
        "get-header-value-trim",
        "GET",
        "/",
        &[("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
        "",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    (
        "get-header-key-duplicate",
        "GET",
        "/",
        &[
            ("My-Header1", "value2"),
            ("My-Header1", "value2"),
            ("My-Header1", "value1"),
        ],
        "",
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    ),
    (
        "get-header-value-order",
        "GET",
        "/",
        &[
            ("My-Header1", "value4"),
            ("My-Header1", "value1"),
            ("My-Header1", "value3"),
            ("My-Header1", "value2"),
        ],
        "",
        "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
    ),
    (
        "get-vanilla-query-order-key-case",
        "GET",
        "/?Param2=value2&Param1=value1",
        &[],
        "",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "get-vanilla-query-order-encoded",
        "GET",
        "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
        &[],
        "",
        "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
    ),
    (
        "get-unreserved",
        "GET",
        "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        &[],
        "",
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    (
        "get-relative-unnormalized",
        "GET",
        "/example/..",
        &[],
        "",
        "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282",
    ),
    (
        "get-slashes-unnormalized",
        "GET",
        "//example//",
        &[],
        "",
        "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5",
    ),
    (
        "get-slash-dot-slash-unnormalized",
        "GET",
        "/./",
        &[],
        "",
        "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145",
    ),
    (
        "post-x-www-form-urlencoded",
        "POST",
        "/",
        &[
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Content-Length", "13"),
            (
                "x-amz-content-sha256",
                "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
            ),
        ],
        "Param1=value1",
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    ),
];

#[test]
fn signatures_are_those_of_the_test_suite_of_aws() {
    for (name, method, target, headers, body, signature) in VECTORS {
        let url = format!("https://example.amazonaws.com{target}");
        let request = request(method, &url, headers, body);
        let (_, found) = signed(request, None, ("us-east-1", "service"), 1_440_938_160);
        assert_eq!(found, *signature, "{name}");
    }
}

/// The case `get-vanilla-with-session-token` of the same suite.
#[test]
fn a_session_token_is_signed_with_the_rest() {
    let session = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
    let request = request("GET", "https://example.amazonaws.com/", &[], "");
    let signed = signed(
        request,
        Some(session),
        ("us-east-1", "service"),
        1_440_938_160,
    );
    let signature = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8";
    assert_eq!(signed.0, "host;x-amz-date;x-amz-security-token");
    assert_eq!(signed.1, signature);
}

/// 2026-11-25T12:00:00Z.
const NOON: u64 = 1_795_608_000;

const HEADERS: Sent = &[
    ("content-type", "application/json"),
    ("accept", "application/json"),
    ("accept-encoding", "identity"),
    ("user-agent", "waypost/0.1.0"),
];

const BODY: &str = r#"{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}"#;

/// Address, session token, signature: what `SigV4Auth` of botocore 1.43.11 makes of them. A colon of a model id is
/// `%3A` on the wire and `%253A` in what is signed.
const BOTOCORE: [(&str, Option<&str>, &str); 3] = [
    (
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
        None,
        "90783079b135646548b245058fea92f9518d6eea1861434938b15b007e19bb9a",
    ),
    (
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.nova-pro-v1%3A0/converse-stream",
        Some("lent/token+of=="),
        "1bab1290ffbc8e5b508bebea9c36cc4e4acc9a49d70999dd411e1bf88af06b48",
    ),
    (
        "http://127.0.0.1:8099/model/a.b-v1%3A0/converse",
        None,
        "1344e206d5e0c191403371be9ce3e2b6c7a9ce937639066691a0a2dae2650b0e",
    ),
];

#[test]
fn a_converse_request_is_signed_as_botocore_signs_it() {
    for (url, session, signature) in BOTOCORE {
        let request = request("POST", url, HEADERS, BODY);
        let (names, found) = signed(request, session, ("us-east-1", "bedrock"), NOON);
        assert_eq!(found, signature, "{url}");
        let token = if session.is_some() {
            ";x-amz-security-token"
        } else {
            ""
        };
        let expected = format!("accept;accept-encoding;content-type;host;x-amz-date{token}");
        assert_eq!(names, expected);
    }
}

#[test]
fn signing_again_replaces_the_signature() {
    let scope = Scope {
        region: "us-east-1".to_owned(),
        service: "bedrock".to_owned(),
    };
    let (url, session, signature) = BOTOCORE[0];
    assert!(session.is_none());
    let mut request = request("POST", url, HEADERS, BODY);
    sign(&mut request, &scope, &keys(Some("old")), 1).unwrap();
    sign(&mut request, &scope, &keys(None), NOON).unwrap();
    let headers = request.headers();
    assert!(headers.get("x-amz-security-token").is_none());
    assert_eq!(headers.get_all("x-amz-date").iter().count(), 1);
    let authorization = headers.get(AUTHORIZATION).unwrap().to_str().unwrap();
    assert!(authorization.ends_with(signature), "{authorization}");
}

#[test]
fn what_cannot_be_signed_is_said() {
    let scope = Scope {
        region: "r".to_owned(),
        service: "s".to_owned(),
    };
    let mut nowhere = request("GET", "/", &[], "");
    assert!(sign(&mut nowhere, &scope, &keys(None), 1).is_err());
    let mut binary = request("GET", "https://a.example/", &[], "");
    let value = HeaderValue::from_bytes(b"\xff").unwrap();
    binary.headers_mut().insert("x-odd", value);
    let error = sign(&mut binary, &scope, &keys(None), 1).unwrap_err();
    assert!(error.contains("x-odd"), "{error}");
}
