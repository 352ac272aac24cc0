//! Any bytes, read as a session's dump, crash context, report or core file.

#![no_main]

#[path = "../triage.rs"]
mod triage;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triage::files(bytes));
