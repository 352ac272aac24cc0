//! Any bytes, read as a session's log or performance stats.

#![no_main]

#[path = "../triage.rs"]
mod triage;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| triage::texts(bytes));
