//! What clients send: hints, JSON, and requests that become a provider's.

use waypost::chat::{Ask, Request, gate as json};
use waypost::dialect::codec::Forgetful;
use waypost::dialect::{Context, DIALECTS, Mode};
use waypost::route::hint::{Hints, PREFIX, Unknown};

use super::answers::with_target;
use super::parts;

/// Hints in headers and in the body. Parts: lines of `name: value`, a body.
pub(crate) fn head(data: &[u8]) {
    let parts = parts(data);
    let lines = String::from_utf8_lossy(parts[0]);
    let body = parts.get(1).map_or(&b"{}"[..], |body| body);
    let Ok(request) = Request::parse(body.to_vec()) else {
        return;
    };
    let headers = lines.lines().filter_map(|line| line.split_once(": "));
    let headers: Vec<(String, &str)> = headers
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    for unknown in [Unknown::Reject, Unknown::Warn] {
        let named = headers.iter().map(|(name, value)| (name.as_str(), *value));
        if let Err(error) = Hints::read(named, &request, unknown) {
            assert_eq!(error.code.row().status, 400, "{error}");
        }
    }
}

/// The JSON gate: what it lets through is JSON for everybody else too, and nothing that decides where it goes or what it
/// costs stands twice.
pub(crate) fn gate(data: &[u8]) {
    let Ok(text) = json::text(data.to_vec()) else {
        return;
    };
    let Ok(places) = json::check(&text) else {
        return;
    };
    let read: serde_json::Value = serde_json::from_str(&text).expect("what is let through is JSON");
    let members = read.as_object().expect("and an object");
    assert!(members.len() <= places.len());
    for name in [
        "model",
        "messages",
        "stream",
        "n",
        "max_tokens",
        "tools",
        "waypost",
    ] {
        let named = |range: std::ops::Range<usize>| {
            let key: Result<String, _> = serde_json::from_str(&format!("\"{}\"", &text[range]));
            key.expect("a key is a string") == name
        };
        let times = places.iter().filter(|place| named(place.key.clone()));
        assert!(times.count() <= 1, "{name} stands twice");
    }
}

/// A request in every format: refused in words, or sent as JSON.
pub(crate) fn encode(data: &[u8]) {
    for ask in [Ask::Chat, Ask::Embeddings, Ask::Completion] {
        let Ok(request) = Request::read(ask, data.to_vec()) else {
            continue;
        };
        for (name, dialect) in DIALECTS {
            for mode in [Mode::Emulate, Mode::Drop, Mode::Strict] {
                let context = Context {
                    mode,
                    recall: &Forgetful,
                };
                let mut body = Vec::new();
                let dialect = match ask {
                    Ask::Chat => Some(*dialect),
                    Ask::Embeddings => with_target(name, |target| dialect.embeddings(target)),
                    Ask::Completion => with_target(name, |target| dialect.completions(target)),
                };
                let Some(dialect) = dialect else { continue };
                let sent = with_target(name, |target| {
                    dialect.encode(&request, target, &context, &mut body)
                });
                match sent {
                    Ok(sent) => {
                        serde_json::from_slice::<&serde_json::value::RawValue>(&body)
                            .unwrap_or_else(|error| {
                                panic!("{name}: what is sent is no JSON: {error}")
                            });
                        assert!(sent.path.starts_with('/'), "{name}: {}", sent.path);
                    }
                    Err(error) => assert!(
                        (400..500).contains(&error.code.row().status),
                        "{name}: {error}"
                    ),
                }
            }
        }
    }
}
