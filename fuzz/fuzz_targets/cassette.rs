//! `cargo +nightly fuzz run cassette`.
#![no_main]

#[path = "../doors/mod.rs"]
mod doors;

libfuzzer_sys::fuzz_target!(|data: &[u8]| doors::cassette(data));
