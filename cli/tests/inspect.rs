//! `crash-capture inspect`, as the built binary.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Output;

use crash_capture_local::account::{Account, EventSender};
use crash_capture_local::s3::{BucketOptions, S3};
use crash_capture_local::zips::writer::{Entry, Zip};
use crash_capture_local::zips::{Image, odd, sessions};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

async fn inspect(arguments: &[&str], zip: impl AsRef<OsStr>, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crash-capture"));
    command.arg("inspect").args(arguments).arg(zip).envs(variables.iter().copied()).output().await.unwrap()
}

/// What it prints, if it succeeds.
async fn printed(arguments: &[&str], zip: &Path) -> String {
    let output = inspect(arguments, zip, &[]).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

async fn record(arguments: &[&str], zip: &Path) -> Value {
    let text = printed(arguments, zip).await;
    assert_eq!(text.lines().count(), 1);
    serde_json::from_str(&text).unwrap()
}

fn file(image: &Image) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.zip");
    image.write_to(&path).unwrap();
    (folder, path)
}

fn crash() -> Image {
    Zip::of([
        Entry::deflated("profile/Saved/Logs/Game.log", b"LogExit: Exiting.\n"),
        Entry::deflated("temp/cut.dmp", b"MDMP"),
    ])
}

fn case(name: &str) -> Image {
    odd::all().into_iter().find(|case| case.name == name).unwrap().image
}

#[tokio::test]
async fn a_zip_is_told_as_the_record_that_its_files_make() {
    let (_folder, path) = file(&crash());
    let record = record(&["--json"], &path).await;
    let head = (&record["schema"], &record["state"], &record["verdict"]);
    assert_eq!(head, (&json!(1), &json!("indexed"), &json!("crash")));
    assert_eq!(record["evidence"][0]["path"], "temp/cut.dmp");
    assert_eq!((record.get("session"), record.get("entries")), (None, None));
}

#[tokio::test]
async fn for_people_it_is_told_in_words() {
    let (_folder, path) = file(&crash());
    let text = printed(&[], &path).await;
    assert!(text.starts_with("crash: "), "{text}");
    assert!(text.contains("cut.dmp") && text.contains("2 files of 22 B"), "{text}");
    let text = printed(&["--entries"], &path).await;
    assert!(text.ends_with("18 profile/Saved/Logs/Game.log\n             4 temp/cut.dmp\n"), "{text}");
}

#[tokio::test]
async fn entries_are_listed_with_all_that_the_directory_says_of_them() {
    let (_folder, path) = file(&crash());
    let record = record(&["--json", "--entries"], &path).await;
    assert_eq!(
        record["entries"][1],
        json!({
            "path": "temp/cut.dmp",
            "rawPathHex": "74656d702f6375742e646d70",
            "size": 4,
            "compressedSize": 6,
            "crc32": "11151a5c",
            "method": 8,
            "modified": "2026-11-23T10:00:00",
            "flags": []
        })
    );
}

#[tokio::test]
async fn what_is_odd_about_an_entry_is_flagged_and_is_a_problem_of_the_record() {
    for (name, flag, entry) in [
        ("two entries of one name", "duplicate-entry", 1),
        ("1,000 entries on one local header", "overlapping-entry", 999),
        ("name: upwards", "unsafe-path", 1),
        ("encrypted, ZipCrypto", "encrypted-entry", 1),
        ("method 93, zstd", "unreadable-method", 1),
        ("data that reaches past the end", "entry-past-end", 1),
        ("30 MB of zeros", "absurd-ratio", 0),
    ] {
        let (_folder, path) = file(&case(name));
        let record = record(&["--json", "--entries"], &path).await;
        assert_eq!(record["entries"][entry]["flags"], json!([flag]), "{name}");
        let problems = record["problems"].as_array().unwrap();
        assert!(problems.iter().any(|problem| problem["code"] == flag), "{name}: {problems:?}");
    }
}

#[tokio::test]
async fn names_are_shown_harmless_and_kept_as_they_are_beside_that() {
    let (_folder, path) = file(&case("name: escapes and right-to-left"));
    let record = record(&["--json", "--entries"], &path).await;
    assert_eq!(record["entries"][1]["path"], "a\u{fffd}[2J\u{fffd}gol.exe");
    assert_eq!(record["entries"][1]["rawPathHex"], "611b5b324ae280ae676f6c2e657865");
    let text = printed(&["--entries"], &path).await;
    assert!(!text.contains(['\u{1b}', '\u{202e}']));
}

#[tokio::test]
async fn what_makes_no_sense_exits_with_2_and_what_cannot_be_read_with_1() {
    let (folder, path) = file(&Image::from(b"no zip".to_vec()));
    let nowhere = folder.path().join("nowhere.zip");
    for (path, code, part) in [
        (path, 2, "not a readable zip"),
        (nowhere, 1, "No such file"),
        ("s3://bucket".into(), 2, "s3://bucket/key"),
    ] {
        let output = inspect(&["--json"], path, &[]).await;
        assert_eq!(output.status.code(), Some(code));
        assert!(output.stdout.is_empty());
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn an_object_in_s3_is_read_by_ranges() {
    let folder = tempfile::tempdir().unwrap();
    let account = Account::default();
    let (events, _receiver) = EventSender::new(account.clone());
    let s3 = S3::new(folder.path(), account, events).unwrap();
    s3.create_bucket("captures", BucketOptions::default()).await.unwrap();
    s3.allow("AKIALOCAL", "secret");
    let endpoint = s3.serve().await.unwrap();
    let variables = [
        ("AWS_ENDPOINT_URL_S3", endpoint.url()),
        ("AWS_ACCESS_KEY_ID", "AKIALOCAL"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "us-west-2"),
    ];
    s3.put("captures", "exports/a.zip", sessions::a().to_bytes().to_vec(), "111122223333").await.unwrap();
    let output = inspect(&["--json"], "s3://captures/exports/a.zip", &variables).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let record: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(record["files"]["count"], 200);
    let log = s3.access_log().entries();
    assert!(log.iter().all(|entry| entry.operation == "GetObject" && entry.range.is_some()), "{log:?}");
    let bytes: u64 = log.iter().map(|entry| entry.bytes_sent).sum();
    assert!(bytes < 4_000_000, "{bytes}");

    let output = inspect(&[], "s3://captures/exports/b.zip", &variables).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("gone"));
}
