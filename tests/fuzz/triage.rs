//! What holds of any bytes that are read as a file of a session.

#![allow(dead_code, reason = "each target uses its part")]

use crash_capture::redacted::Redacted;
use crash_capture::triage::{Findings, Rules, examine_file};
use crash_capture::verdict::{Ending, judge};

/// Dumps, crash contexts, reports, core files: what is read at once.
pub(crate) fn files(bytes: &[u8]) {
    for name in [
        "Crashes/x.dmp",
        "Crashes/CrashContext.runtime-xml",
        "Report.wer",
        "core.1",
        ".sentry-native/a.envelope",
        "x",
    ] {
        check(&examine_file(name, bytes, &Rules::default()));
    }
}

/// What is scanned as it arrives: logs and performance stats.
pub(crate) fn texts(bytes: &[u8]) {
    for name in ["x.log", "hs_err_pid1.log", "perf_stats_v1.csv"] {
        check(&examine_file(name, bytes, &Rules::default()));
    }
}

/// What leaves triage is short and stays as it is; only crashes have a signature.
fn check(findings: &Findings) {
    assert!(findings.evidence.len() <= 16);
    for evidence in &findings.evidence {
        is_fit_to_leave(&evidence.path);
        evidence.tells.iter().for_each(is_fit_to_leave);
    }
    if let Some(found) = &findings.crash {
        let signature = &found.decision.signature;
        assert!(signature.id.len() == 16 && signature.fingerprint.len() == 16);
        assert!(!signature.title.is_empty() && signature.title.as_str().chars().count() <= 255);
        is_fit_to_leave(&signature.title);
        let exception = &found.exception;
        for text in [&exception.kind, &exception.message, &exception.module, &exception.thread] {
            text.iter().for_each(is_fit_to_leave);
        }
    }
    let judgement = judge(findings.clone(), &Ending::default(), &[]);
    assert_eq!(judgement.signature.is_some(), findings.crash.is_some());
}

fn is_fit_to_leave(text: &Redacted) {
    assert!(text.as_str().chars().count() <= 512 && !text.as_str().chars().any(char::is_control));
    assert_eq!(*text, Redacted::new(text.as_str()));
}
