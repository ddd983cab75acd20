//! Every fixture without sockets: what we send is `upstream.http`, what the client gets is `expected.*`, and any split
//! of the provider's bytes gives the same.
//!
//! `BLESS=1` rewrites `expected.*`; `BLESS=upstream` writes `upstream.http` where it is missing. The diff is the
//! review: read every line of it against the provider's documentation.
#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking and says what it skips"
)]

#[path = "dialects/decode.rs"]
mod decode;
#[path = "dialects/encode.rs"]
mod encode;
#[path = "dialects/expect.rs"]
mod expect;
#[path = "dialects/site.rs"]
mod site;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use waypost::chat::{Ask, Request};
use waypost::dialect::DIALECTS;
use waypost::fixture::cassette::CHAT;
use waypost::fixture::{Cassette, head};

use decode::{CUTS, Cut};
use site::Site;

/// What every dialect shows that it can do, in the folder of its first provider.
const CASES: [&str; 18] = [
    "text",
    "text-stream",
    "tool-call",
    "tool-call-stream",
    "parallel-tools-stream",
    "tool-loop-second-turn",
    "reasoning-stream",
    "json-schema",
    "image-in",
    "cached-tokens",
    "length-stop",
    "stop-sequence",
    "error-400-context",
    "error-401",
    "error-429-retry-after",
    "error-500",
    "error-mid-stream",
    "truncated-stream",
];

/// The provider whose folder holds a dialect's cases, and what their names begin with.
const FOLDERS: &[(&str, &str, &str)] = &[
    ("openai", "openai", ""),
    ("openai-responses", "openai", "responses-"),
    ("anthropic", "anthropic", ""),
    ("gemini", "google", ""),
    ("anthropic-vertex", "vertex", "claude-"),
    ("bedrock", "bedrock", ""),
    ("anthropic-bedrock", "bedrock", "claude-"),
    ("cohere", "cohere", ""),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bless {
    No,
    Expected,
    Upstream,
}

#[test]
fn every_fixture_is_sent_and_read_as_it_says() {
    let bless = bless();
    let mut wrong = Vec::new();
    let folders = folders();
    for folder in &folders {
        for problem in check(folder, bless) {
            wrong.push(format!("{}: {problem}", place(folder)));
        }
    }
    eprintln!("{} fixtures, {} problems", folders.len(), wrong.len());
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_dialect_has_its_cases() {
    let mut missing = Vec::new();
    for (name, dialect) in DIALECTS {
        if dialect.params().is_empty() {
            eprintln!("SKIPPED: the dialect '{name}' is not built yet");
            continue;
        }
        let folder = FOLDERS.iter().find(|(dialect, ..)| dialect == name);
        let (_, provider, begin) = folder.unwrap_or_else(|| panic!("name the folder of '{name}'"));
        let cases = CASES.iter().map(|case| format!("{begin}{case}"));
        let cases = cases.filter(|case| !root().join(provider).join(case).is_dir());
        missing.extend(cases.map(|case| format!("fixtures/{provider}/{case}")));
    }
    assert!(missing.is_empty(), "missing:\n{}", missing.join("\n"));
}

/// A replay would answer such requests in turn, and a test would get another case's answer.
#[test]
fn no_two_fixtures_ask_the_same() {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut same = Vec::new();
    for folder in folders() {
        let Ok(case) = Cassette::read(&folder) else {
            continue;
        };
        let body: serde_json::Value = serde_json::from_slice(&case.sent.body).unwrap_or_default();
        let asked = format!("{} {} {body}", case.provider, case.sent.path);
        if let Some(first) = seen.insert(asked, place(&folder)) {
            same.push(format!("{first} and {}", place(&folder)));
        }
    }
    assert!(same.is_empty(), "\n{}\n", same.join("\n"));
}

/// What is wrong with one fixture.
fn check(folder: &Path, bless: Bless) -> Vec<String> {
    let unwritten = bless == Bless::Upstream && !folder.join("upstream.http").exists();
    if unwritten && let Err(why) = write_upstream(folder) {
        return vec![why];
    }
    let case = match Cassette::read(folder) {
        Ok(case) => case,
        Err(error) => return vec![error.to_string()],
    };
    let (request, site) = match asked(&case.provider, &case.path, case.request.as_deref()) {
        Ok(asked) => asked,
        Err(why) => return vec![why],
    };
    let sending = match encode::encode(&request, &case.headers, &site) {
        Ok(sending) => sending,
        Err(why) => return vec![why],
    };
    let mut wrong = encode::compare(&case, &sending);
    let read = |cut| decode::decode(&case, &request, &site, &sending.encoded, cut);
    let got = read(Cut::Recorded);
    for cut in CUTS {
        let other = read(cut);
        if other != got {
            wrong.push(format!("{cut:?} reads {other:?}, not {got:?}"));
        }
    }
    if bless == Bless::Expected {
        expect::bless(folder, &case, &got);
    } else {
        wrong.extend(expect::compare(&case, &got));
    }
    wrong
}

fn asked(provider: &str, path: &str, request: Option<&[u8]>) -> Result<(Request, Site), String> {
    let body = request.ok_or("request.json is missing")?;
    let ask = match path.trim() {
        "" | CHAT => Ask::Chat,
        "/v1/embeddings" => Ask::Embeddings,
        "/v1/completions" => Ask::Completion,
        other => return Err(format!("path: nothing is served at '{other}'")),
    };
    let request =
        Request::read(ask, body.to_vec()).map_err(|error| format!("request.json: {error}"))?;
    let site = site::site(provider, &request)?;
    Ok((request, site))
}

fn write_upstream(folder: &Path) -> Result<(), String> {
    let provider = folder.parent().and_then(Path::file_name);
    let provider = provider.unwrap_or_default().to_string_lossy();
    let request = fs::read(folder.join("request.json")).ok();
    let headers = fs::read_to_string(folder.join("headers")).unwrap_or_default();
    let headers = head::headers(&headers)?;
    let path = fs::read_to_string(folder.join("path")).unwrap_or_default();
    let (request, site) = asked(&provider, &path, request.as_deref())?;
    let sent = encode::encode(&request, &headers, &site)?.sent;
    let start = format!("{} {} HTTP/1.1", sent.method, sent.path);
    let text = head::join(&start, &sent.headers, &sent.body);
    fs::write(folder.join("upstream.http"), text).map_err(|error| error.to_string())
}

#[expect(clippy::disallowed_methods, reason = "a switch of this test alone")]
fn bless() -> Bless {
    match std::env::var("BLESS").as_deref() {
        Ok("upstream") => Bless::Upstream,
        Ok("1") => Bless::Expected,
        _ => Bless::No,
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Every `provider/case` folder, in the order of their names; none where there are no fixtures yet.
fn folders() -> Vec<PathBuf> {
    let list = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        let mut paths: Vec<_> = paths.filter(|path| path.is_dir()).collect();
        paths.sort();
        paths
    };
    list(&root()).iter().flat_map(|path| list(path)).collect()
}

fn place(folder: &Path) -> String {
    let place = folder.strip_prefix(root()).unwrap_or(folder);
    place.display().to_string()
}

#[path = "dialects/tests.rs"]
mod tests;
