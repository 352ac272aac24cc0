use std::io::{Cursor, Write};
use std::path::PathBuf;

use bytes::Bytes;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

async fn findings(files: &[(&str, &[u8])]) -> Findings {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    let bytes: Bytes = zip.finish().unwrap().into_inner().into();
    examine(&bytes, Some(bytes.len() as u64)).await.unwrap()
}

/// A dump of the collection of real crash files that is handed to developers beside the project.
///
/// Where it is absent the test says so and is skipped; in CI it fails.
fn sample(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/samples").join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        assert!(std::env::var_os("CI").is_none(), "CI must have the sample {name}");
        writeln!(std::io::stderr(), "skipped: the sample {name} is not here").unwrap();
    }
    bytes
}

#[tokio::test]
async fn a_real_windows_dump_tells_reason_module_offset_and_build() {
    let Some(dump) = sample("test.dmp") else { return };
    let found = findings(&[("profile/AppData/Local/CrashDumps/game.dmp", &dump)]).await;
    assert!(found.crashed);
    let exception = found.exception.unwrap();
    assert_eq!(exception.kind.as_deref(), Some("EXCEPTION_ACCESS_VIOLATION_WRITE"));
    assert_eq!(exception.module.as_deref(), Some("test_app.exe"));
    assert_eq!(exception.offset.as_deref(), Some("0x429e"));
    assert_eq!(found.build.unwrap().id.as_deref(), Some("5A9832E5287241C1838ED98914E9B7FF1"));
    assert_eq!(found.evidence[0].size, dump.len() as u64);
    assert_eq!((found.files.count, found.files.roots.profile), (1, 1));
}

#[tokio::test]
async fn a_dump_that_was_cut_off_or_is_empty_is_evidence_with_a_problem() {
    for bytes in [&b""[..], b"MDMP", b"MDMP\x93\xa7\0\0\x05\0\0\0\x20\0\0\0"] {
        let found = findings(&[("temp/x.dmp", bytes)]).await;
        assert!(found.crashed, "{bytes:?}");
        assert_eq!(found.problems[0].code, "minidump-unreadable");
    }
}

#[tokio::test]
async fn a_name_alone_makes_no_dump() {
    let found = findings(&[("application/assets/level.dmp", b"a level of the game")]).await;
    assert!(!found.crashed && found.evidence.is_empty());
    assert_eq!(found.problems[0].code, "not-a-minidump");
}

#[tokio::test]
async fn a_log_that_ends_with_the_engines_farewell_is_a_clean_exit() {
    let clean = b"LogInit: Display: Game starting\nLogExit: Exiting.\nLog file closed, 11/23/26\n";
    let found = findings(&[("profile/Saved/Logs/Game.log", clean)]).await;
    assert_eq!(found.clean_exit.as_deref(), Some("profile/Saved/Logs/Game.log"));
    let found = findings(&[("profile/Saved/Logs/Game.log", b"LogInit: Display: Game starting\n")]).await;
    assert_eq!(found.clean_exit, None);
}

#[tokio::test]
async fn files_are_counted_by_the_exports_folders() {
    let files: [(&str, &[u8]); 5] = [
        ("application/a", b"12"),
        ("profile/b", b"3"),
        ("temp/c/d", b""),
        ("stats/perf_stats_v1.csv", b"timestamp\n"),
        ("loose", b"1"),
    ];
    let found = findings(&files).await.files;
    assert_eq!((found.count, found.bytes), (5, 14));
    let roots = &found.roots;
    assert_eq!((roots.application, roots.profile, roots.temp, roots.stats, roots.other), (1, 1, 1, 1, 1));
}
