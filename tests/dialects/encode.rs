//! The way to the provider: what a dialect makes of `request.json`, held against `upstream.http`.

use waypost::chat::Request;
use waypost::dialect::codec::Forgetful;
use waypost::dialect::{Context, Encoded, Mode, Shape, Target};
use waypost::fixture::diff::differences;
use waypost::fixture::{Cassette, Sent};

use crate::site::Site;

/// A request on its way.
pub(crate) struct Sending {
    pub(crate) encoded: Encoded,
    pub(crate) sent: Sent,
}

/// Encodes a case's request.
pub(crate) fn encode(
    request: &Request,
    headers: &[(String, String)],
    site: &Site,
) -> Result<Sending, String> {
    let context = Context {
        mode: mode(headers),
        recall: &Forgetful,
    };
    let mut body = Vec::new();
    let encoded = site
        .dialect
        .encode(request, &target(site), &context, &mut body)
        .map_err(|error| format!("it is refused: {error}"))?;
    let accept = match encoded.shape {
        Shape::Stream => "text/event-stream",
        Shape::Whole => "application/json",
    };
    let mut headers = vec![
        pair("content-type", "application/json"),
        pair("accept", accept),
    ];
    for (name, value) in &encoded.headers {
        // A format's own header stands over the usual one.
        headers.retain(|(known, _)| known != name);
        headers.push(pair(name, value));
    }
    headers.extend(
        site.quirks()
            .headers
            .iter()
            .map(|(name, value)| pair(name, value)),
    );
    let sent = Sent {
        method: "POST".to_owned(),
        path: format!("{}{}", site.base(), encoded.path),
        headers,
        body: body.into(),
    };
    Ok(Sending { encoded, sent })
}

pub(crate) fn target(site: &Site) -> Target<'_> {
    Target {
        model: &site.model,
        quirks: site.quirks(),
        caps: &site.caps,
    }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_lowercase(), value.to_owned())
}

fn mode(headers: &[(String, String)]) -> Mode {
    let asked = headers.iter().find(|(name, _)| name == "x-waypost-params");
    match asked.map(|(_, value)| value.as_str()) {
        Some("strict") => Mode::Strict,
        Some("drop") => Mode::Drop,
        _ => Mode::Emulate,
    }
}

/// What of a request is not as `upstream.http` has it.
pub(crate) fn compare(case: &Cassette, sending: &Sending) -> Vec<String> {
    let (wanted, sent) = (&case.sent, &sending.sent);
    let mut wrong = Vec::new();
    for (what, wanted, sent) in [
        ("method", &wanted.method, &sent.method),
        ("path", &wanted.path, &sent.path),
    ] {
        if wanted != sent {
            wrong.push(format!(
                "upstream.http: {what} {wanted:?}, but {sent:?} is sent"
            ));
        }
    }
    for (name, value) in &wanted.headers {
        if !sent
            .headers
            .iter()
            .any(|one| one == &(name.clone(), value.clone()))
        {
            wrong.push(format!(
                "upstream.http: header '{name}: {value}' is not sent"
            ));
        }
    }
    // What every request bears need not stand in every file.
    for (name, value) in &sending.encoded.headers {
        if !wanted.headers.iter().any(|(known, _)| known == name) {
            wrong.push(format!(
                "upstream.http: header '{name}: {value}' is sent but not there"
            ));
        }
    }
    match (parse(&wanted.body), parse(&sent.body)) {
        (Ok(wanted), Ok(sent)) => wrong.extend(differences(&wanted, &sent).iter().map(|one| {
            let (path, left, right) = (&one.path, &one.left, &one.right);
            format!("upstream.http: {path} is {left}, but {right} is sent")
        })),
        (Err(error), _) => wrong.push(format!("upstream.http: its body is no JSON: {error}")),
        (_, Err(error)) => wrong.push(format!("what is sent is no JSON: {error}")),
    }
    wrong
}

fn parse(body: &[u8]) -> Result<serde_json::Value, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}
