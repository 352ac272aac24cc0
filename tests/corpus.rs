//! The fuzz targets of `tests/fuzz` on their corpora, and on what comes of them by small changes: `CORPUS_CHANGES` says how many of each file
//! (40), `CORPUS_SEED` which.

#[path = "fuzz/archive.rs"]
mod archive;
#[path = "fixtures/bombs.rs"]
mod bombs;
#[path = "fixtures/dumps.rs"]
mod dumps;
#[path = "fuzz/triage.rs"]
mod triage;

use std::path::{Path, PathBuf};

/// How many changes of each file are tried, unless the environment says otherwise.
const CHANGES: u64 = 40;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn changes() -> u64 {
    variable("CORPUS_CHANGES").unwrap_or(CHANGES)
}

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target)
}

/// The files of a target's corpus; none if it has none yet.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder(target))
        .into_iter()
        .flatten()
        .map(|file| file.expect("a file").path())
        .map(|path| (path.clone(), std::fs::read(path).expect("a readable file")))
        .collect();
    files.sort();
    files
}

/// Numbers that look random, and are the same in every run.
struct Numbers(u64);

impl Numbers {
    /// Those of the seed that the environment gives, else of this one. Zero would stay zero.
    fn seeded(seed: u64) -> Self {
        Self(variable("CORPUS_SEED").map_or(seed, |given| (seed ^ given.rotate_left(32)).max(1)))
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % end.max(1)
    }
}

/// One to three bytes changed, a part cut out or doubled, or the end cut off.
fn changed(bytes: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let (from, to) = (numbers.below(bytes.len()), numbers.below(bytes.len()));
    let part = from.min(to)..from.max(to);
    match numbers.below(8) {
        0 => bytes.truncate(from),
        1 => drop(bytes.drain(part)),
        2 => bytes.extend_from_within(part),
        _ => {
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(bytes.len());
                let byte = [0, 1, 0x7f, 0xff, 0x50][numbers.below(5)];
                if let Some(it) = bytes.get_mut(at) {
                    *it = byte;
                }
            }
        }
    }
    bytes
}

#[test]
fn archives_of_the_corpus_and_their_like_keep_their_promises() {
    let mut numbers = Numbers::seeded(0x9e37_79b9_7f4a_7c15);
    let files = corpus("archive");
    assert!(files.len() >= 50, "the corpus is part of the project, and has {} files", files.len());
    for (path, bytes) in files {
        let check = |bytes: &[u8]| {
            let result = std::panic::catch_unwind(|| archive::check(bytes));
            assert!(result.is_ok(), "{}, changed to {bytes:02x?}", path.display());
        };
        check(&bytes);
        for _ in 0..changes() {
            check(&changed(&bytes, &mut numbers));
        }
    }
}

/// The corpora of triage: dumps are generated, texts are what engines write.
fn session_files() -> Vec<Vec<u8>> {
    let mut files: Vec<_> =
        bombs::all().into_iter().map(|(_, bytes, _)| bytes).filter(|bytes| bytes.len() < 100_000).collect();
    files.push(dumps::Dump::windows(0x1_4000_0000, 0x1234).bytes());
    files.push(dumps::Dump::linux(0x5555_0000_0000, 0x1234).bytes());
    files
}

/// Gives cargo-fuzz something to begin with.
fn write_down(target: &str, files: &[Vec<u8>]) {
    let folder = folder(target);
    std::fs::create_dir_all(&folder).expect("a folder beside that of the archives");
    for (number, bytes) in files.iter().enumerate() {
        std::fs::write(folder.join(format!("made-up-{number}")), bytes).expect("a file");
    }
}

const TEXTS: [&str; 6] = [
    "<FGenericCrashContext><CrashType>Crash</CrashType><ErrorMessage>Unhandled Exception: EXCEPTION_ACCESS_VIOLATION reading address \
     0x20</ErrorMessage><PCallStack>Skylark 0x00007ff612340000 + 8d8b1a</PCallStack></FGenericCrashContext>",
    "Version=1\r\nEventType=APPCRASH\r\nSig[0].Value=a.exe\r\nSig[3].Value=b.dll\r\nSig[6].Value=c0000005\r\nSig[7].Value=1f\r\n",
    "LogWindows: Error: === Critical error: ===\nAssertion failed: x [File:a.cpp] [Line: 1]\n[Callstack] 0x00007ff612345678 a.exe!f() []\n",
    "Crash!!!\nC:\\a.exe:a.exe (0000000140000000), size: 667648, fileVersion: 1.2\n0x0000000140001234 (a) f\n",
    "wine: Unhandled page fault on read access to 0000000000000020 at address 1 (thread 0124), starting debugger...\n=>0 0x1 in a (+0x1) (0x2)\n",
    "timestamp,app_mem_mb,app_mem_normalized\n2026-11-23T10:00:00Z,1,0.5\n2026-11-23T10:00:01Z,1e9,inf\n",
];

#[test]
fn files_of_a_session_and_their_like_keep_their_promises() {
    let mut numbers = Numbers::seeded(0x2545_f491_4f6c_dd1d);
    let texts: Vec<_> = TEXTS.iter().map(|text| text.as_bytes().to_vec()).collect();
    let made_up = [("triage_files", session_files()), ("triage_texts", texts)];
    if std::env::var_os("CORPUS_WRITE").is_some() {
        for (target, files) in &made_up {
            write_down(target, files);
        }
    }
    let found = ["triage_files", "triage_texts"].into_iter().flat_map(corpus).map(|(_, bytes)| bytes);
    for bytes in made_up.into_iter().flat_map(|(_, files)| files).chain(found) {
        for n in 0..=changes() {
            let bytes = if n == 0 { bytes.clone() } else { changed(&bytes, &mut numbers) };
            let result = std::panic::catch_unwind(|| {
                triage::files(&bytes);
                triage::texts(&bytes);
            });
            assert!(result.is_ok(), "{bytes:02x?}");
        }
    }
}
