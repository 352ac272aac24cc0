//! `crash-capture signature`, as the built binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crash_capture_local::zips::writer::{Entry, Zip};
use serde_json::Value;

const LOG: &str = "LogWindows: Error: === Critical error: ===\nAssertion failed: Health > 0 [File:D:\\x\\Shield.cpp] [Line: 214]\n";

fn signature(arguments: &[&str], files: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crash-capture"))
        .arg("signature")
        .args(arguments)
        .args(files)
        .output()
        .unwrap()
}

fn file_in(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_zip_and_a_log_alone_are_told_with_the_row_that_decided() {
    let folder = tempfile::tempdir().unwrap();
    let log = file_in(folder.path(), "Skylark.log", LOG);
    let zipped = folder.path().join("export.zip");
    let zip = Zip::of([Entry::deflated("profile/Saved/Logs/Skylark.log", LOG.as_bytes())]);
    zip.write_to(&zipped).unwrap();

    let output = signature(&[], &[&log, &zipped]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches("  title        assert | Health > <n> | Shield.cpp\n").count(), 2, "{text}");
    assert_eq!(
        text.matches("  row 1        an assertion: `assert` | condition | file\n").count(),
        2,
        "{text}"
    );
    assert!(text.contains("told by      ue.assert, in profile/Saved/Logs/Skylark.log (log)"), "{text}");

    let output = signature(&["--json"], &[&log, &zipped]);
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ids: Vec<_> = lines.iter().map(|line| &line["crash"]["signature"]["id"]).collect();
    assert!(ids[0].is_string() && ids[0] == ids[1], "{ids:?}");
}

#[test]
fn without_a_crash_there_is_no_signature_and_what_cannot_be_read_fails() {
    let folder = tempfile::tempdir().unwrap();
    let clean = file_in(folder.path(), "Skylark.log", "LogExit: Exiting.\n");
    let output = signature(&[], &[&clean]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("no crash, so no signature"));
    let broken = file_in(folder.path(), "export.zip", "no zip");
    for (path, code) in [(broken.as_path(), 2), (&folder.path().join("nowhere.log"), 1)] {
        let output = signature(&["--json"], &[path]);
        assert_eq!(output.status.code(), Some(code));
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}
