//! `cargo +nightly fuzz run gate`.
#![no_main]

#[path = "../doors/mod.rs"]
mod doors;

libfuzzer_sys::fuzz_target!(|data: &[u8]| doors::gate(data));
