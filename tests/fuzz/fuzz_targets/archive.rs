//! Any bytes, read as a zip.

#![no_main]

#[path = "../archive.rs"]
mod archive;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| archive::check(bytes));
