//! `cargo +nightly fuzz run failure`.
#![no_main]

#[path = "../doors/mod.rs"]
mod doors;

libfuzzer_sys::fuzz_target!(|data: &[u8]| doors::failure(data));
