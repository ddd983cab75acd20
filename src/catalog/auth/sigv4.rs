//! Signature Version 4: what a request is signed with, over its last form.
//!
//! Written out over ring's HMAC and SHA-256, which TLS brings anyway: the crate `aws-sigv4` would bring 26 more crates
//! (the runtime of AWS's SDK, a second SHA-2 and a second date library among them) for what follows here. The tests
//! hold it against AWS's published vectors and against botocore.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST, HeaderName, HeaderValue};
use http::{Request, Uri};
use ring::{digest, hmac};

use super::credential::SigningKeys;
use super::stamp;

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SESSION: HeaderName = HeaderName::from_static("x-amz-security-token");

/// What a signature holds for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The region.
    pub region: String,
    /// The service.
    pub service: String,
}

/// Headers that something on the way may change or take off: botocore does not sign them either.
const UNSIGNED: [&str; 10] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-amzn-trace-id",
];

/// Signs a request as it stands; nothing of it may change afterwards.
///
/// The host is signed as the client will send it: taken from the address where there is no such header.
///
/// # Errors
/// Where the request has no host, or a header that is no text.
pub fn sign(
    request: &mut Request<Bytes>,
    scope: &Scope,
    keys: &SigningKeys,
    now: u64,
) -> Result<(), String> {
    let stamp = stamp::compact(now);
    let day = stamp.get(..8).unwrap_or_default();
    let headers = request.headers_mut();
    headers.remove(AUTHORIZATION);
    headers.insert(DATE, value(&stamp)?);
    headers.remove(&SESSION);
    if let Some(session) = &keys.session {
        headers.insert(SESSION, secret(session.reveal())?);
    }
    let (canonical, signed) = canonical(request)?;
    let under = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let text = format!(
        "AWS4-HMAC-SHA256\n{stamp}\n{under}\n{}",
        hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref())
    );
    let first = format!("AWS4{}", keys.secret.reveal());
    let words = [day, &scope.region, &scope.service, "aws4_request", &text];
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, first.as_bytes());
    let mut signature = String::new();
    for word in words {
        let tag = hmac::sign(&key, word.as_bytes());
        key = hmac::Key::new(hmac::HMAC_SHA256, tag.as_ref());
        signature = hex(tag.as_ref());
    }
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{under}, SignedHeaders={signed}, Signature={signature}",
        keys.access.reveal()
    );
    let authorization = secret(&authorization)?;
    request.headers_mut().insert(AUTHORIZATION, authorization);
    Ok(())
}

fn value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| "a header of the signature cannot be sent".to_owned())
}

fn secret(text: &str) -> Result<HeaderValue, String> {
    let mut value = value(text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The request in the form that is hashed, and the names of the headers in it.
fn canonical(request: &Request<Bytes>) -> Result<(String, String), String> {
    let headers = headers(request)?;
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let mut text = String::with_capacity(512);
    let uri = request.uri();
    let path = if uri.path().is_empty() {
        "/"
    } else {
        uri.path()
    };
    let _ = writeln!(text, "{}", request.method());
    encode(&mut text, path);
    let _ = writeln!(text, "\n{}", query(uri.query().unwrap_or_default()));
    for (name, value) in &headers {
        let _ = writeln!(text, "{name}:{value}");
    }
    let _ = write!(text, "\n{names}\n");
    text.push_str(&hex(
        digest::digest(&digest::SHA256, request.body()).as_ref()
    ));
    Ok((text, names))
}

/// The headers that are signed, by name; values of one name joined, runs of blanks made one.
fn headers(request: &Request<Bytes>) -> Result<Vec<(String, String)>, String> {
    let mut headers: Vec<(String, String)> = Vec::with_capacity(request.headers().len() + 1);
    for name in request.headers().keys() {
        if UNSIGNED.contains(&name.as_str()) {
            continue;
        }
        let mut joined = String::new();
        for value in request.headers().get_all(name) {
            let text = value
                .to_str()
                .map_err(|_| format!("the header '{name}' is no text and cannot be signed"))?;
            let words: Vec<&str> = text.split_whitespace().collect();
            let comma = if joined.is_empty() { "" } else { "," };
            let _ = write!(joined, "{comma}{}", words.join(" "));
        }
        headers.push((name.as_str().to_owned(), joined));
    }
    if !request.headers().contains_key(HOST) {
        let host = host(request.uri()).ok_or("the address has no host")?;
        headers.push((HOST.as_str().to_owned(), host));
    }
    headers.sort();
    Ok(headers)
}

/// The `host` header that the client derives from an address: without a port that goes without saying.
fn host(uri: &Uri) -> Option<String> {
    let host = uri.host()?;
    let usual = match uri.scheme_str() {
        Some("https") => 443,
        _ => 80,
    };
    Some(match uri.port_u16() {
        Some(port) if port != usual => format!("{host}:{port}"),
        Some(_) | None => host.to_owned(),
    })
}

/// A path is encoded once more than it is on the wire, `%` included: of all services only S3 does otherwise.
fn encode(out: &mut String, path: &str) {
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Parameters in the order of their names, then of their values. They are encoded on the wire as they must be here.
fn query(query: &str) -> String {
    let mut pairs: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
#[path = "sigv4_tests.rs"]
mod tests;
