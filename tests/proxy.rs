//! Every fixture through the whole proxy over real sockets: what the provider gets, and what the client gets.
//!
//! One proxy serves all cases, one after the other. The replay holds a case's own exchange only, so that cases which
//! ask the same do not take each other's answers; each caller has a key of its own, so that no case recalls another's
//! reasoning.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says how much it did"
)]

mod support;

use std::path::Path;

use serde_json::Value;
use waypost::app::App;
use waypost::catalog::Catalog;
use waypost::config::Config;
use waypost::fixture::cassette::Expected;
use waypost::fixture::diff::differences;
use waypost::fixture::{Cassette, Exchange, Seen};

use support::Reply;

/// What every request to a provider bears, whatever the dialect.
const USUAL: [&str; 6] = [
    "host",
    "content-type",
    "content-length",
    "accept",
    "accept-encoding",
    "user-agent",
];

#[tokio::test]
async fn every_fixture_passes_through_the_whole_proxy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let cases = Cassette::read_tree(&root).unwrap();
    let exchanges: Vec<Exchange> = cases.iter().cloned().map(Into::into).collect();
    let app = support::app_with(exchanges, Config::bare().unwrap()).await;
    let catalog = Catalog::builtin().unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        app.replay().unwrap().set([case.clone()]);
        let place = format!("{}/{}", case.provider, case.case);
        let problems = check(&app, &catalog, case).await;
        wrong.extend(problems.iter().map(|problem| format!("{place}: {problem}")));
    }
    app.stop().await;
    eprintln!("{} fixtures, {} problems", cases.len(), wrong.len());
    assert!(cases.len() > 100, "the fixtures are there");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// What is wrong with one case.
async fn check(app: &App, catalog: &Catalog, case: &Cassette) -> Vec<String> {
    let replay = app.replay().unwrap();
    let before = replay.seen().len();
    let reply = ask(app, case).await;
    let seen = replay.seen();
    let seen = seen.get(before..).unwrap_or_default();
    let mut wrong = match seen.last() {
        Some(last) if last.provider == case.provider => compare_sent(catalog, case, last),
        Some(last) => vec![format!("the last to be asked is {}", last.provider)],
        None => vec![format!("nothing is sent: {}", reply.text())],
    };
    let hidden = format!("{seen:?}").contains(&key(case));
    if hidden {
        wrong.push("the caller's key is sent on".to_owned());
    }
    if reply.status != case.status {
        let (wanted, text) = (case.status, reply.text());
        wrong.push(format!(
            "status {wanted}, but it is {}: {text}",
            reply.status
        ));
        return wrong;
    }
    wrong.extend(compare_answer(case, &reply));
    wrong.extend(compare_metadata(catalog, case, &reply));
    wrong
}

fn key(case: &Cassette) -> String {
    format!("key-of-{}-{}", case.provider, case.case)
}

async fn ask(app: &App, case: &Cassette) -> Reply {
    let key = format!("Bearer {}", key(case));
    let mut headers = vec![("authorization", key.as_str())];
    let own = case.headers.iter();
    headers.extend(own.map(|(name, value)| (name.as_str(), value.as_str())));
    let body = case.request.as_deref().unwrap();
    let body = std::str::from_utf8(body).unwrap();
    support::post_text(app.addr(), &case.path, &headers, body).await
}

/// What of the request is not as `upstream.http` has it.
fn compare_sent(catalog: &Catalog, case: &Cassette, seen: &Seen) -> Vec<String> {
    let wanted = &case.sent;
    let mut wrong = Vec::new();
    if (&wanted.method, &wanted.path) != (&seen.method, &seen.path) {
        wrong.push(format!("{} {} is sent", seen.method, seen.path));
    }
    for (name, value) in &wanted.headers {
        let sent = seen.headers.get(name).and_then(|value| value.to_str().ok());
        if sent != Some(value) {
            wrong.push(format!("header '{name}: {value}', but {sent:?} is sent"));
        }
    }
    let quirks = &catalog.provider(&case.provider).unwrap().quirks.headers;
    for name in seen.headers.keys().map(http::HeaderName::as_str) {
        let known = USUAL.contains(&name)
            || wanted.headers.iter().any(|(wanted, _)| wanted == name)
            || quirks
                .iter()
                .any(|(quirk, _)| quirk.eq_ignore_ascii_case(name));
        if !known {
            wrong.push(format!("header '{name}' is sent"));
        }
    }
    let body: Value = serde_json::from_slice(&wanted.body).unwrap();
    wrong.extend(compare_values("upstream.http", &body, &seen.json()));
    wrong
}

/// What of the answer is not as it is expected.
fn compare_answer(case: &Cassette, reply: &Reply) -> Vec<String> {
    let kind = reply.header("content-type").unwrap_or_default();
    match case.expected.as_ref().unwrap() {
        Expected::Json(wanted) => {
            let mut wrong = compare_data(
                "expected.json",
                &String::from_utf8_lossy(wanted),
                &reply.text(),
            );
            if kind != "application/json" || !reply.clean {
                wrong.push(format!("content-type {kind}, clean end: {}", reply.clean));
            }
            wrong
        }
        Expected::Events(wanted) => {
            let wanted = String::from_utf8_lossy(wanted);
            let mut wrong = compare_events(&wanted, &reply.text());
            if !kind.starts_with("text/event-stream") {
                wrong.push(format!("content-type {kind}"));
            }
            let whole = wanted.trim_end().ends_with("data: [DONE]");
            if reply.clean != whole {
                wrong.push(format!(
                    "ends cleanly: {}, but {whole} is right",
                    reply.clean
                ));
            }
            wrong
        }
    }
}

/// An answer that is complete tells once who gave it; a failed one, and one with metadata off, does not.
fn compare_metadata(catalog: &Catalog, case: &Cassette, reply: &Reply) -> Vec<String> {
    let text = reply.text();
    let off = (String::from("x-waypost-metadata"), String::from("off"));
    let complete = match case.expected.as_ref().unwrap() {
        Expected::Json(_) => case.status == 200,
        Expected::Events(_) => text.ends_with("data: [DONE]\n\n"),
    };
    let parts = text.split("data: ");
    let parts = parts.filter_map(|part| serde_json::from_str::<Value>(part).ok());
    let parts: Vec<Value> = parts.collect();
    let told: Vec<String> = parts
        .iter()
        .map(|part| part["waypost"]["provider"].clone())
        .filter_map(|provider| provider.as_str().map(str::to_owned))
        .collect();
    let wanted = if complete && !case.headers.contains(&off) {
        vec![case.provider.clone()]
    } else {
        Vec::new()
    };
    let wrong = format!("the metadata names {told:?}, but {wanted:?} is right");
    let wrong = (told != wanted).then_some(wrong);
    let costs = parts
        .iter()
        .filter_map(|part| compare_cost(catalog, case, part));
    wrong.into_iter().chain(costs).collect()
}

/// What an answer cost is told wherever the catalogue knows a price, in the metadata and in `usage.cost` alike.
fn compare_cost(catalog: &Catalog, case: &Cassette, part: &Value) -> Option<String> {
    let told = part.get("waypost")?;
    let model = told["model"].as_str().unwrap_or_default();
    let priced = catalog
        .provider(&case.provider)?
        .resolve(model)
        .price
        .is_some();
    let (actual, usage) = (&told["cost"]["actual_usd"], &part["usage"]);
    if priced && !actual.is_number() {
        return Some(format!(
            "{model} has a price, but the metadata tells no cost"
        ));
    }
    if usage.is_object() && usage["cost"] != *actual {
        let cost = &usage["cost"];
        return Some(format!(
            "usage.cost is {cost}, but the metadata says {actual}"
        ));
    }
    None
}

/// Number, order and values of events: each is one `data` line, and nothing else comes.
fn compare_events(wanted: &str, got: &str) -> Vec<String> {
    let blocks = |text: &str| -> Vec<String> {
        let blocks = text.split("\n\n").map(|block| block.trim_matches('\n'));
        blocks
            .filter(|block| !block.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (wanted, got) = (blocks(wanted), blocks(got));
    if wanted.len() != got.len() {
        let (last, counts) = (got.last(), (wanted.len(), got.len()));
        return vec![format!(
            "{} events, but there are {}, the last: {last:?}",
            counts.0, counts.1
        )];
    }
    let mut wrong = Vec::new();
    for (at, (wanted, got)) in wanted.iter().zip(&got).enumerate() {
        let data = (wanted.strip_prefix("data: "), got.strip_prefix("data: "));
        match data {
            _ if wanted == got => {}
            (Some(wanted), Some(got)) => {
                wrong.extend(compare_data(&format!("event {at}"), wanted, got));
            }
            _ => wrong.push(format!("event {at} is {wanted:?}, but it is {got:?}")),
        }
    }
    wrong
}

fn compare_data(what: &str, wanted: &str, got: &str) -> Vec<String> {
    let parse = |text: &str| serde_json::from_str::<Value>(text);
    match (parse(wanted), parse(got)) {
        (Ok(wanted), Ok(mut got)) => {
            normalise(&wanted, &mut got);
            compare_values(what, &wanted, &got)
        }
        _ => vec![format!("{what} is {wanted:?}, but it is {got:?}")],
    }
}

/// The metadata is looked at apart. Where the provider tells neither time nor id, ours stand in their place: any
/// time, and an id of our own form.
fn normalise(wanted: &Value, got: &mut Value) {
    if let Some(members) = got.as_object_mut() {
        let told = members.remove("waypost").is_some();
        // What it cost depends on the day; it is looked at apart. Where metadata is off, no price of ours is told.
        if told
            && let Some(usage) = members.get_mut("usage").and_then(Value::as_object_mut)
            && wanted["usage"].get("cost").is_none()
        {
            usage.remove("cost");
        }
    }
    let now = got["created"].as_u64().is_some_and(|at| at > 1_700_000_000);
    if wanted["created"] == 0 && now {
        got["created"] = 0.into();
    }
    let id = got["id"].as_str().unwrap_or_default();
    let ours = id
        .strip_prefix("chatcmpl-")
        .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if wanted["id"] == "chatcmpl-0" && ours {
        got["id"] = "chatcmpl-0".into();
    }
}

fn compare_values(what: &str, wanted: &Value, got: &Value) -> Vec<String> {
    let places = differences(wanted, got);
    let line = |(path, left, right)| format!("{what}: {path} is {left}, but it is {right}");
    let places = places
        .into_iter()
        .map(|one| (one.path, one.left, one.right));
    places.map(line).collect()
}
