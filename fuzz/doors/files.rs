//! What lies in files: the configuration, and recordings.

use std::collections::HashMap;
use std::path::Path;

use bytes::Bytes;
use waypost::config::Config;
use waypost::fixture::Cassette;

use super::parts;

/// A configuration: understood, or refused in words that end with a place.
pub(crate) fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let environment = |name: &str| (name != "UNSET").then(|| "sk-of-the-environment".to_owned());
    if let Err(problem) = Config::parse(&text, Path::new("waypost.toml"), &environment) {
        let said = problem.to_string();
        assert!(said.starts_with("waypost.toml"), "{said}");
        assert!(
            !said.contains("sk-of-the-environment"),
            "a key is in an error: {said}"
        );
    }
}

/// A recording. Parts: its files, in the order of [`FILES`].
pub(crate) fn cassette(data: &[u8]) {
    let parts = parts(data);
    let files: HashMap<&str, Bytes> = FILES
        .into_iter()
        .zip(parts)
        .filter(|(name, bytes)| !bytes.is_empty() || *name == FILES[0])
        .map(|(name, bytes)| (name, Bytes::copy_from_slice(bytes)))
        .collect();
    let place = ("provider".to_owned(), "case".to_owned());
    if let Ok(mut cassette) = Cassette::parse(place, &files) {
        let body = cassette.answer.body();
        let pieces: usize = cassette
            .answer
            .pieces
            .iter()
            .map(|piece| piece.bytes.len())
            .sum();
        assert_eq!(pieces, body.len());
        cassette.scrub();
    }
}

/// The files of a recording.
pub(crate) const FILES: [&str; 7] = [
    "upstream.http",
    "response.http",
    "chunks",
    "request.json",
    "headers",
    "path",
    "expected.status",
];
