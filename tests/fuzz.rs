//! The fuzz targets' doors on the stable compiler: every fixture, and each of them damaged in many ways.
//!
//! The damage is drawn from a seed, so that a failure is one again; `WAYPOST_FUZZ=50` draws 50 times as much.
//! `cargo test --test fuzz -- --ignored` writes the corpus for cargo-fuzz to `fuzz/corpus/`.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and reads how much to draw from the environment"
)]

#[path = "../fuzz/doors/mod.rs"]
mod doors;

use std::fs;
use std::path::{Path, PathBuf};

use doors::APART;

/// A door, by its name, with what it is given.
struct Door {
    name: &'static str,
    open: fn(&[u8]),
    /// Damaged inputs per seed.
    draws: usize,
    seeds: Vec<Vec<u8>>,
}

fn doors() -> Vec<Door> {
    let folders = folders();
    let files = |name: &str| -> Vec<Vec<u8>> {
        folders
            .iter()
            .filter_map(|folder| fs::read(folder.join(name)).ok())
            .collect()
    };
    let bodies: Vec<Vec<u8>> = files("response.http")
        .iter()
        .map(|file| body(file))
        .collect();
    let requests = files("request.json");
    let door = |name, open, draws, seeds| Door {
        name,
        open,
        draws,
        seeds,
    };
    let heads = requests
        .iter()
        .map(|request| joined(&[HINTS, request]))
        .collect();
    let recordings = folders.iter().map(|folder| recording(folder)).collect();
    let refusals = bodies.iter().map(|body| joined(&[body, b"3"])).collect();
    let counts: Vec<u8> = (0..9_u64)
        .flat_map(|at| (at << (at * 7)).to_le_bytes())
        .collect();
    let usages = bodies
        .iter()
        .take(60)
        .map(|body| joined(&[body, &counts]))
        .collect();
    vec![
        door("head", doors::head, 20, heads),
        door("gate", doors::gate, 40, requests.clone()),
        door("encode", doors::encode, 4, requests),
        door("sse", doors::sse, 15, bodies.clone()),
        door("eventstream", doors::eventstream, 15, bodies.clone()),
        door("decode", doors::decode, 3, bodies),
        door("failure", doors::failure, 3, refusals),
        door("usage", doors::usage, 4, usages),
        door("config", doors::config, 150, configs()),
        door("cassette", doors::cassette, 15, recordings),
    ]
}

const HINTS: &[u8] =
    b"x-waypost-strategy: fastest\nx-waypost-max-cost-usd: 0.5\nx-waypost-fallback: a/b, c";

#[test]
fn foreign_bytes_are_taken_or_refused_and_nothing_else() {
    let more: usize =
        std::env::var("WAYPOST_FUZZ").map_or(1, |more| more.parse().expect("a number"));
    for door in doors() {
        assert!(!door.seeds.is_empty(), "{} has no seeds", door.name);
        for (place, seed) in door.seeds.iter().enumerate() {
            (door.open)(seed);
            let mut draw = fastrand::Rng::with_seed(u64::try_from(place).expect("a few"));
            for _ in 0..door.draws * more {
                let other = &door.seeds[draw.usize(..door.seeds.len())];
                (door.open)(&damaged(seed, other, &mut draw));
            }
        }
    }
}

#[test]
#[ignore = "writes fuzz/corpus/ for cargo-fuzz"]
fn the_corpus_is_written() {
    for door in doors() {
        let folder = Path::new("fuzz/corpus").join(door.name);
        fs::create_dir_all(&folder).expect("folder");
        for (place, seed) in door.seeds.iter().enumerate() {
            fs::write(folder.join(place.to_string()), seed).expect("file");
        }
    }
}

/// An input with one to four damages.
fn damaged(seed: &[u8], other: &[u8], draw: &mut fastrand::Rng) -> Vec<u8> {
    /// What parsers stumble over.
    const ODD: [&[u8]; 16] = [
        b"\0",
        b"\"",
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b"null",
        b"-1",
        b"1e999",
        b"18446744073709551616",
        b"\\ud800",
        b"\xff\xfe",
        b"\r",
        b"\n\n",
        b"\xe2\x80\xa8",
    ];
    let mut bytes = seed.to_vec();
    for _ in 0..=draw.usize(..4) {
        let at = draw.usize(..=bytes.len());
        match draw.u8(..6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..at, ODD[draw.usize(..ODD.len())].iter().copied())),
            2 if at < bytes.len() => bytes[at] ^= 1 << draw.u8(..8),
            3 => {
                let to = (at + draw.usize(..40)).min(bytes.len());
                bytes.drain(at..to);
            }
            4 => {
                let to = (at + draw.usize(..400)).min(bytes.len());
                let again = bytes[at..to].to_vec();
                drop(bytes.splice(to..to, again));
            }
            _ => {
                let from = draw.usize(..=other.len());
                let to = (from + draw.usize(..400)).min(other.len());
                drop(bytes.splice(at..at, other[from..to].iter().copied()));
            }
        }
    }
    bytes
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(APART)
}

/// What follows the head of a stored message.
fn body(file: &[u8]) -> Vec<u8> {
    let ends = |mark: &[u8]| {
        let at = file.windows(mark.len()).position(|bytes| bytes == mark);
        at.map(|at| at + mark.len())
    };
    let end = ends(b"\r\n\r\n").or_else(|| ends(b"\n\n"));
    end.map_or_else(Vec::new, |end| file[end..].to_vec())
}

fn recording(folder: &Path) -> Vec<u8> {
    let files = doors::FILES.map(|name| fs::read(folder.join(name)).unwrap_or_default());
    files.join(APART)
}

/// The folders of all fixtures, in the order of their names.
fn folders() -> Vec<PathBuf> {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("fixtures");
        let mut found: Vec<_> = entries.map(|entry| entry.expect("entry").path()).collect();
        found.retain(|path| path.is_dir());
        found.sort();
        found
    };
    let providers = inside(Path::new("fixtures"));
    providers
        .iter()
        .flat_map(|provider| inside(provider))
        .collect()
}

/// Configurations that use every table.
fn configs() -> Vec<Vec<u8>> {
    let readme = fs::read_to_string("README.md").expect("README.md");
    let blocks = readme.split("```toml\n").skip(1);
    let own = blocks.filter_map(|block| block.split("```").next());
    own.map(|block| block.as_bytes().to_vec()).collect()
}
