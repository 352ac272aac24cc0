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
    examine(&bytes, Some(bytes.len() as u64), None).await.unwrap()
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

/// A dump with one stream, whose bytes come right behind the directory.
fn dump_with(stream_type: u32, stream: &[u8]) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let header = [&b"MDMP"[..], &words(&[0xa793, 1, 32, 0, 0, 0, 0])].concat();
    let size = u32::try_from(stream.len()).unwrap();
    [header, words(&[stream_type, size, 44]), stream.to_vec()].concat()
}

/// Entries whose fields at the given places are all the same word.
fn list(count: u32, entry_size: usize, fields: &[(usize, u32)]) -> Vec<u8> {
    let mut entry = vec![0; entry_size];
    for (place, word) in fields {
        entry[*place..place + 4].copy_from_slice(&word.to_le_bytes());
    }
    [count.to_le_bytes().to_vec(), entry.repeat(count as usize)].concat()
}

#[tokio::test]
async fn a_dump_that_would_blow_up_in_the_parser_is_not_given_to_it() {
    const MODULES: u32 = 4;
    const THREAD_NAMES: u32 = 24;
    let shared_name = 8000_u32;
    let cases = [
        ("longer than 8 KiB", MODULES, list(1, 108, &[(20, 44 + 4)])),
        ("longer than 4 KiB", MODULES, list(1, 108, &[(20, 44 + 4), (76, 5000)])),
        ("more than 4,096 entries", MODULES, list(4097, 108, &[])),
        ("longer than 4 MiB together", MODULES, list(2000, 108, &[(20, 44 + 4 + 2000 * 108)])),
        ("longer than 4 MiB together", THREAD_NAMES, list(2000, 12, &[(4, 44 + 4 + 2000 * 12)])),
    ];
    for (expected, stream_type, mut stream) in cases {
        if expected.contains("8 KiB") {
            // The name's length is read from the entry's own first word.
            stream[4..8].copy_from_slice(&9000_u32.to_le_bytes());
        }
        // The name that all entries share: its length, and then itself.
        stream.extend(shared_name.to_le_bytes());
        stream.extend(vec![b'x'; shared_name as usize]);
        let found = findings(&[("temp/bomb.dmp", &dump_with(stream_type, &stream))]).await;
        assert!(found.problems[0].detail.contains(expected), "{expected}: {:?}", found.problems);
    }
    let mut many = dump_with(0, &[]);
    many[8..12].copy_from_slice(&129_u32.to_le_bytes());
    let found = findings(&[("temp/many.dmp", &many)]).await;
    assert!(found.problems[0].detail.contains("more than 128 streams"), "{:?}", found.problems);
}
