//! The doors through which foreign bytes come in, each as one function: it takes any bytes, and panics where what we
//! promise does not hold. `fuzz_targets/` opens them to cargo-fuzz, `tests/fuzz.rs` to `cargo test`.
#![allow(
    dead_code,
    unused_imports,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "each fuzz target opens one of them, and they tell what is wrong by panicking"
)]

mod answers;
mod files;
mod requests;

pub(crate) use answers::{decode, eventstream, failure, sse, usage};
pub(crate) use files::{FILES, cassette, config};
pub(crate) use requests::{encode, gate, head};

/// What stands between the parts of a door's input.
pub(crate) const APART: &[u8] = b"\n====\n";

/// Parts of an input.
pub(crate) fn parts(data: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = data;
    while let Some(at) = rest.windows(APART.len()).position(|bytes| bytes == APART) {
        parts.push(&rest[..at]);
        rest = &rest[at + APART.len()..];
    }
    parts.push(rest);
    parts
}

/// The next number of a row that hangs on its seed alone.
fn next(seed: &mut u64) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    usize::try_from(*seed >> 33).unwrap_or(0)
}

/// Bytes cut anywhere, as the network does: most pieces short, some long.
fn cuts(data: &[u8], seed: u64) -> Vec<&[u8]> {
    let mut seed = seed | 1;
    let mut pieces = Vec::new();
    let mut rest = data;
    while !rest.is_empty() {
        let most = [1, 3, 17, 4_096][next(&mut seed) % 4];
        let (piece, left) = rest.split_at((1 + next(&mut seed) % most).min(rest.len()));
        pieces.push(piece);
        rest = left;
    }
    pieces
}
