//! How fast logs are scanned: `cargo bench --bench triage`.
//!
//! A session's log is inflated at some 600 MB/s (one core, zlib-rs); the scan comes on top of that. On one core of a shared AMD EPYC
//! that was busy otherwise: Unreal's and Unity's logs at 330 and 409 MB/s, UTF-16 at 608, and 23 where every line is a managed
//! exception, that is, a hit. Optimised for size, the regular expressions did a tenth of it: hence the profile in `Cargo.toml`.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

use std::fmt::Write as _;
use std::time::Instant;

use crash_capture::triage::{Rules, examine_file};

const SIZE: usize = 48 * 1024 * 1024;

fn main() {
    let rules = Rules::default();
    let begun = Instant::now();
    let taught = Rules::new("", r"^PANIC (?P<message>.*)", "^bye$");
    println!("patterns compiled in {:?}", begun.elapsed());
    assert!(taught.is_ok(), "a studio's patterns");
    for (name, line) in [
        (
            "Unreal",
            "[2026.11.23-10.00.00:728][ 41]LogNet: Warning: packet {} of player was lost, sequence 0x00004f31",
        ),
        ("Unity", "Unloading {} unused Assets / (1.2 MB). Loaded Objects now: 4711."),
        ("managed exceptions", "NullReferenceException: Object {} is gone"),
    ] {
        let mut log = String::with_capacity(SIZE + 256);
        while log.len() < SIZE {
            let number = log.len().to_string();
            writeln!(log, "{}", line.replace("{}", &number)).ok();
        }
        report(name, log.as_bytes(), &rules);
        if name == "Unreal" {
            let utf16: Vec<_> = log[..SIZE / 2].encode_utf16().flat_map(u16::to_le_bytes).collect();
            report("Unreal, UTF-16", &utf16, &rules);
        }
    }
}

fn report(name: &str, log: &[u8], rules: &Rules) {
    let begun = Instant::now();
    let findings = examine_file("x.log", log, rules);
    let seconds = begun.elapsed().as_secs_f64();
    assert!(findings.crash.is_none(), "{name} has no crash");
    #[expect(clippy::cast_precision_loss, reason = "megabytes to read")]
    let megabytes = log.len() as f64 / 1e6;
    println!("{name}: {:.0} MB/s", megabytes / seconds);
}
