//! `crash-capture inspect`, as the built binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use zip::write::{SimpleFileOptions, ZipWriter};

fn inspect(arguments: &[&str], file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crash-capture"))
        .arg("inspect")
        .args(arguments)
        .arg(file)
        .output()
        .unwrap()
}

fn zip_in(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("export.zip");
    let mut zip = ZipWriter::new(std::fs::File::create(&path).unwrap());
    for (name, content) in [("profile/Saved/Logs/Game.log", "LogExit: Exiting.\n"), ("temp/cut.dmp", "MDMP")]
    {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    path
}

#[test]
fn a_zip_is_told_as_the_record_that_its_files_make() {
    let folder = tempfile::tempdir().unwrap();
    let output = inspect(&["--json"], &zip_in(folder.path()));
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1);
    let record: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&record["schema"], &record["state"], &record["verdict"]),
        (&json!(1), &json!("indexed"), &json!("crash"))
    );
    assert_eq!(record["evidence"][0]["path"], "temp/cut.dmp");
    assert_eq!(record.get("session"), None);
}

#[test]
fn for_people_it_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let output = inspect(&[], &zip_in(folder.path()));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("crash: the game left a minidump, cut.dmp\n"), "{text}");
    assert!(text.contains("2 files, 22 bytes"), "{text}");
}

#[test]
fn what_is_no_zip_exits_with_2_and_what_is_not_there_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "no zip").unwrap();
    for (path, code, part) in
        [(file.as_path(), 2, "not a readable zip"), (&folder.path().join("nowhere.zip"), 1, "No such file")]
    {
        let output = inspect(&["--json"], path);
        assert_eq!(output.status.code(), Some(code));
        assert!(output.stdout.is_empty());
        assert!(String::from_utf8(output.stderr).unwrap().contains(part));
    }
}
