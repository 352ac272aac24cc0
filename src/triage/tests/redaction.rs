//! Nothing that a file says leaves triage as it is.

use super::dumps::{Dump, LINUX_CMD_LINE, LINUX_ENVIRON};
use super::stories::{NULL_READ, Run, context, unreal};
use super::*;
use crate::triage::core_file::tests::core;
use crate::triage::wer::tests::report_of;

const POISON: &str = "token=hunter2hunter2 jane.doe@example.com C:\\Users\\jane.doe\\x /home/jane.doe/x 203.0.113.77 AKIAIOSFODNN7EXAMPLE Bearer hunter2hunter2";

/// Parts of the poison, none of which may be seen outside.
const POISONOUS: [&str; 5] = ["hunter2", "jane", "203.0.113", "AKIAIOSFODNN7", "example.com"];

fn assert_harmless(files: &[(&str, Vec<u8>)]) {
    for ending in [exited(), Ending::default()] {
        let judgement = serde_json::to_string(&judge(findings(files), &ending, &[])).unwrap();
        assert_clean_of_poison(&judgement);
    }
    let decision = format!("{:?}", findings(files).crash.map(|found| found.decision));
    assert_clean_of_poison(&decision);
}

fn assert_clean_of_poison(text: &str) {
    for part in POISONOUS {
        assert!(!text.contains(part), "{part} is in {text}");
    }
}

#[test]
fn every_field_of_a_context_that_leaves_is_redacted() {
    let clean = context(&NULL_READ);
    // Each element in turn holds the poison.
    let tags: Vec<_> = clean
        .match_indices('<')
        .filter_map(|(at, _)| clean[at + 1..].split_once('>').map(|(tag, _)| tag))
        .collect();
    let mut poisoned = 0;
    for tag in tags.iter().filter(|tag| !tag.starts_with(['/', '?'])) {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        let Some((before, rest)) = clean.split_once(&open) else { continue };
        let Some((content, after)) = rest.split_once(&close) else { continue };
        poisoned += 1;
        for value in [
            POISON.to_owned(),
            format!("{content} {POISON}"),
            format!("Assertion failed: {POISON} [File:{POISON}.cpp] [Line: 1] {POISON}"),
        ] {
            let text = format!("{before}{open}{value}{close}{after}");
            assert_harmless(&[("profile/Crashes/x/CrashContext.runtime-xml", text.into_bytes())]);
        }
    }
    assert!(poisoned > 20, "{poisoned}");
}

#[test]
fn every_field_of_a_dump_that_leaves_is_redacted_and_secrets_in_it_are_not_read() {
    let mut dump = Dump::linux(0x5555_0000_0000, 0x1234);
    dump.thread_name = Some(POISON.to_owned());
    dump.modules[0].path = "/home/jane.doe/token=hunter2hunter2 jane.doe@example.com 203.0.113.77 AKIAIOSFODNN7EXAMPLE Bearer hunter2hunter2".to_owned();
    for kind in [LINUX_ENVIRON, LINUX_CMD_LINE] {
        dump.streams.push((kind, POISON.as_bytes().to_vec()));
    }
    assert_harmless(&[("profile/x.dmp", dump.bytes())]);
}

#[test]
fn every_line_of_a_log_that_leaves_is_redacted() {
    for line in [
        format!("Fatal error: [File:{POISON}] [Line: 1] {POISON}"),
        format!("LowLevelFatalError [File:Unknown] [Line: 1] \n{POISON}"),
        format!("Assertion failed: {POISON} [File:{POISON}] [Line: 1]"),
        format!("Unhandled exception. System.Exception: {POISON}\n   at {POISON}("),
        format!("terminate called after throwing an instance of '{POISON}'\n  what():  {POISON}"),
        format!("thread '{POISON}' panicked at /home/jane.doe/x.rs:1:1:\n{POISON}"),
        format!("ValueError: {POISON}"),
        format!(
            "Skylark.exe caused an Access Violation (0xc0000005)\n  in module {POISON} at 0033:ea028b1a."
        ),
        format!("Exception in thread \"{POISON}\" java.lang.Error: {POISON}"),
        format!(
            "LogInit: Engine Version: {POISON}\nLogInit: Build: {POISON}\nCrash!!!\n0x0000000000001234 ({POISON}) {POISON}"
        ),
        format!("{POISON}.lua:1: {POISON}"),
    ] {
        assert_harmless(&[("profile/Users/jane.doe/x.log", line.into_bytes())]);
    }
    let rules = Rules::new("", "boom", "").unwrap();
    let log = format!("boom {POISON}").into_bytes();
    let judgement = judge(findings_by(&[("profile/x.log", log)], &rules), &exited(), &[]);
    assert_clean_of_poison(&serde_json::to_string(&judgement).unwrap());
}

#[test]
fn paths_and_problems_are_redacted() {
    assert_harmless(&[
        ("profile/Users/jane.doe/jane.doe@example.com/token=hunter2hunter2.dmp", b"MDMP".to_vec()),
        ("profile/home/jane.doe/203.0.113.77/x.dmp", b"no dump".to_vec()),
        ("profile/home/jane.doe/last.log", b"LogExit: Exiting.\n".to_vec()),
        ("profile/home/jane.doe/Report.wer", report_of(POISON, "1")),
        (
            "profile/home/jane.doe/net/Report.wer",
            format!("Version=1\nEventType=CLR20r3\nSig[0].Value={POISON}\nSig[3].Value={POISON}\nSig[8].Value={POISON}\n").into_bytes(),
        ),
        ("profile/home/jane.doe/core", core(11, "jane.doe@ex.com", 1)),
    ]);
}

#[test]
fn a_whole_session_is_redacted() {
    let run = Run {
        user: "jane.doe",
        message: "Fatal error: [File:C:\\Users\\jane.doe\\x.cpp] [Line: 1] lost 203.0.113.77 of jane.doe@example.com",
        ..NULL_READ
    };
    assert_harmless(&unreal(&run));
}
