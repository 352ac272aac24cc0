//! `crash-capture files` and `get`, as the built binary against the local cloud.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crash_capture_local::faults::Fault;
use crash_capture_local::zips::content::noise;
use crash_capture_local::zips::writer::{Entry, Zip};
use crash_capture_local::zips::{Image, odd, sessions};

use support::records::{GAME, GROUP, LATEST};
use support::{Deployment, Ran, snapshot};

const EXPORT: &str = "exports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/ABC123def4567.zip";
const LOG: &str = "profile/AppData/Local/Game/Saved/Logs/Game.log";

async fn deployment_with(image: &Image) -> Deployment {
    let deployment = Deployment::with_captures().await;
    let file = deployment.folder().join("export");
    image.write_to(&file).unwrap();
    deployment.s3.put(support::BUCKET, EXPORT, file, "111122223333").await.unwrap();
    deployment
}

fn game() -> Image {
    Zip::of([
        Entry::deflated(LOG, b"LogExit: Exiting.\n"),
        Entry::deflated("profile/AppData/Local/Game/Saved/Crashes/1/UEMinidump.dmp", b"MDMP"),
        Entry::deflated("temp/empty.txt", b""),
        Entry::stored("application/Game.pak", noise(1, 3_000_000)),
    ])
}

/// Every file below a folder, with what it holds.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(entry.path()).unwrap_or_default());
            }
        }
    }
    files
}

fn succeeded(ran: &Ran) {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[tokio::test]
async fn the_files_of_a_zip_are_listed() {
    let deployment = deployment_with(&game()).await;
    snapshot("files", &deployment.printed(&["files", LATEST]).await);
    let files = deployment.json(&["files", LATEST, "*.dmp"]).await;
    assert_eq!((files.len(), &files[0]["size"]), (1, &4.into()));
    let none = deployment.run(&["files", LATEST, "*.none"]).await;
    assert_eq!((none.code, none.stdout.as_str()), (Some(3), ""));
}

#[tokio::test]
async fn files_are_written_below_a_folder_of_the_sessions_name() {
    let deployment = deployment_with(&game()).await;
    let got = deployment.printed(&["get", LATEST, "*.log", "temp", "application/game.pak"]).await;
    snapshot("get-files", &got);
    let tree = tree(&deployment.folder().join(LATEST));
    let names: Vec<_> = tree.keys().map(String::as_str).collect();
    assert_eq!(names, ["application/Game.pak", LOG, "temp/empty.txt"]);
    assert_eq!(tree[LOG], b"LogExit: Exiting.\n");
    assert_eq!(tree["application/Game.pak"], noise(1, 3_000_000));
    let got = deployment.json(&["get", LATEST, LOG, "--to", "elsewhere/a"]).await;
    assert_eq!((&got[0]["path"], &got[0]["file"]), (&LOG.into(), &format!("elsewhere/a/{LOG}").into()));
}

#[tokio::test]
async fn what_is_there_is_replaced_only_if_that_is_asked_for() {
    let deployment = deployment_with(&game()).await;
    let log = deployment.folder().join(LATEST).join(LOG);
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    fs::write(&log, "mine").unwrap();
    let refused = deployment.run(&["get", LATEST, "*.log", "*.dmp"]).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--overwrite"), "{}", refused.stderr);
    assert!(refused.stdout.contains("UEMinidump.dmp"), "the others are written: {}", refused.stdout);
    assert_eq!(fs::read(&log).unwrap(), b"mine");
    succeeded(&deployment.run(&["get", LATEST, "*.log", "--overwrite"]).await);
    assert_eq!(fs::read(&log).unwrap(), b"LogExit: Exiting.\n");
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_stays_in_the_folder_and_is_told_of() {
    let names = [
        "../../outside.txt",
        "/outside.txt",
        "C:\\outside.txt",
        "\\\\host\\share\\outside.txt",
        "a/../../outside.txt",
        "NUL.txt",
        "profile/com1",
        "profile/Game.log",
        "profile/game.LOG",
        "profile/Game.log",
        "profile",
        "stream.txt:hidden",
        "escape\u{1b}[2J.txt",
    ];
    let entries = names.iter().map(|name| Entry::stored(*name, name.as_bytes().to_vec()));
    let deployment = deployment_with(&Zip::of(entries)).await;
    let before = tree(deployment.folder()).keys().filter(|name| !name.starts_with("s3/")).count();
    let got = deployment.run(&["get", LATEST, "**", "--to", "deep/target"]).await;
    succeeded(&got);
    snapshot("get-hostile", &(got.stdout + "\n" + &got.stderr));
    let all = tree(deployment.folder());
    let target = tree(&deployment.folder().join("deep/target"));
    assert_eq!(target.len(), names.len());
    let elsewhere =
        all.keys().filter(|name| !name.starts_with("s3/") && !name.starts_with("deep/target/")).count();
    assert_eq!(elsewhere, before, "{:?}", all.keys());
}

#[tokio::test]
async fn nothing_is_written_through_a_link() {
    let deployment = deployment_with(&game()).await;
    let (outside, target) = (deployment.folder().join("outside"), deployment.folder().join("target"));
    fs::create_dir_all(&outside).unwrap();
    fs::create_dir_all(target.join("temp")).unwrap();
    symlink(&outside, target.join("application")).unwrap();
    let file = outside.join("file");
    fs::write(&file, "mine").unwrap();
    symlink(&file, target.join("temp/empty.txt")).unwrap();
    symlink(&file, target.join("temp/empty.txt.unfinished")).unwrap();
    let got = deployment.run(&["get", LATEST, "application", "--to", "target"]).await;
    assert_eq!(got.code, Some(1));
    assert!(got.stderr.contains("is a link or a file, and nothing is written through it"), "{}", got.stderr);
    succeeded(&deployment.run(&["get", LATEST, "temp", "--to", "target", "--overwrite"]).await);
    assert!(target.join("temp/empty.txt").symlink_metadata().unwrap().is_file());
    assert_eq!((fs::read(&file).unwrap(), tree(&outside).len()), (b"mine".to_vec(), 1));
    // The folder itself may be a link: whoever names it means where it leads.
    symlink(&outside, deployment.folder().join("link")).unwrap();
    succeeded(&deployment.run(&["get", LATEST, "*.dmp", "--to", "link"]).await);
    assert_eq!(tree(&outside).len(), 2);
}

#[tokio::test]
async fn a_file_that_is_damaged_is_not_written_and_the_others_are() {
    for (case, code) in [("encrypted, ZipCrypto", 1), ("two entries of one name", 0), ("30 MB of zeros", 0)] {
        let image = odd::all().into_iter().find(|it| it.name == case).unwrap().image;
        let deployment = deployment_with(&image).await;
        let got = deployment.run(&["get", LATEST, "**"]).await;
        assert_eq!(got.code, Some(code), "{case}: {}", got.stderr);
        let tree = tree(&deployment.folder().join(LATEST));
        assert_eq!(tree.len(), got.stdout.lines().count(), "{case}: {:?}", tree.keys());
        assert!(!tree.keys().any(|name| name.ends_with(".unfinished")), "{case}");
    }
}

#[tokio::test]
async fn one_file_out_of_gigabytes_moves_little_more_than_that_file() {
    let deployment = deployment_with(&sessions::d()).await;
    let path = "profile/AppData/Local/Game/Saved/Crashes/UECC-Windows-00000000000000000000000000000003_0000/UEMinidump.dmp";
    let mark = deployment.mark();
    let got = deployment.json(&["get", LATEST, path]).await;
    assert_eq!(got[0]["size"], 2_900_000);
    let reads = deployment.requests_since(mark, "exports/");
    let bytes: u64 = reads.iter().map(|entry| entry.bytes_sent).sum();
    // The file, which compresses to half, and half a megabyte with the directory.
    assert!(bytes < 1_500_000 + 700_000, "{bytes} in {} requests", reads.len());
    assert!(reads.len() <= 3, "{reads:?}");
}

#[tokio::test]
async fn the_zip_is_downloaded_whole() {
    let deployment = deployment_with(&game()).await;
    let got = deployment.printed(&["get", LATEST]).await;
    assert_eq!(got, format!("{LATEST}.zip  3.00 MB\n"));
    assert_eq!(fs::read(deployment.folder().join(format!("{LATEST}.zip"))).unwrap(), game().to_bytes());
    assert_eq!(deployment.run(&["get", LATEST]).await.code, Some(1), "it is there already");
    succeeded(&deployment.run(&["get", LATEST, "--overwrite", "--json"]).await);
}

/// The one part in a folder.
fn part(folder: &Path) -> std::path::PathBuf {
    let is_part = |path: &std::path::PathBuf| path.extension().is_some_and(|extension| extension == "part");
    fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).find(is_part).unwrap()
}

#[tokio::test]
async fn a_download_that_broke_off_goes_on_where_it_ended() {
    let deployment = deployment_with(&game()).await;
    let zip = deployment.folder().join(format!("{LATEST}.zip"));
    succeeded(&deployment.run(&["get", LATEST, "--to", "whole"]).await);
    // What an attempt leaves that was killed: a part, named after the object's version.
    deployment.s3.inject(|entry| {
        (entry.operation.contains("GET") && entry.key.as_deref() == Some(EXPORT)).then_some(Fault::Never)
    });
    let mut command = deployment.command(&["get", LATEST]);
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    while fs::read_dir(deployment.folder())
        .unwrap()
        .flatten()
        .all(|it| it.path().extension().is_none_or(|it| it != "part"))
    {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    child.kill().await.unwrap();
    deployment.s3.inject(|_| None);
    let part = part(deployment.folder());
    fs::write(&part, &game().to_bytes()[..1_000_000]).unwrap();
    let mark = deployment.mark();
    let got = deployment.run(&["get", LATEST]).await;
    succeeded(&got);
    assert_eq!(got.stderr, format!("going on from 1000000 of {} bytes\n", game().to_bytes().len()));
    assert_eq!(fs::read(&zip).unwrap(), game().to_bytes());
    let reads = deployment.requests_since(mark, "exports/");
    let ranges: Vec<_> = reads.iter().filter_map(|entry| entry.range.as_deref()).collect();
    assert!(ranges.len() == 1 && ranges[0].starts_with("bytes=1000000-"), "{ranges:?}");
    assert!(!part.exists());
}

#[tokio::test]
async fn a_part_of_a_zip_that_was_replaced_is_not_gone_on_with() {
    let deployment = deployment_with(&game()).await;
    let etag = |deployment: &Deployment| deployment.s3.object(support::BUCKET, EXPORT).unwrap().etag.clone();
    let part = |etag: &str| deployment.folder().join(format!("{LATEST}.zip.{}.part", &etag[..16]));
    let old = part(&etag(&deployment));
    fs::write(&old, b"what was there before").unwrap();
    let other = Zip::of([Entry::stored("other.txt", b"other".to_vec())]);
    deployment.put(EXPORT, other.to_bytes().to_vec()).await;
    // One that is longer than the zip is none of its parts.
    fs::write(part(&etag(&deployment)), vec![0; 10_000]).unwrap();
    succeeded(&deployment.run(&["get", LATEST]).await);
    assert_eq!(fs::read(deployment.folder().join(format!("{LATEST}.zip"))).unwrap(), other.to_bytes());
    assert!(old.exists(), "nobody knows whose it is");
}

#[tokio::test]
async fn a_zip_that_is_gone_or_never_was_is_told_of() {
    let deployment = Deployment::with_captures().await;
    let mut refusals = String::new();
    for session in [LATEST, "EEE666eee6666", "III000iii0000"] {
        for arguments in [&["get", session] as &[_], &["get", session, "*"], &["files", session]] {
            let refused = deployment.run(arguments).await;
            assert_eq!((refused.code, refused.stdout.as_str()), (Some(3), ""), "{arguments:?}");
            write!(refusals, "# {arguments:?}\n{}", refused.stderr).unwrap();
        }
    }
    snapshot("no-zip", &refusals);
    assert!(EXPORT.starts_with(&format!("exports/{GAME}/{GROUP}/")));
}
