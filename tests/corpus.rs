//! The fuzz targets of `tests/fuzz` on their corpora, and on what comes of them by small changes.

#[path = "fuzz/archive.rs"]
mod archive;
#[path = "fixtures/bombs.rs"]
mod bombs;
#[path = "fixtures/dumps.rs"]
mod dumps;
#[path = "fuzz/triage.rs"]
mod triage;

use std::path::{Path, PathBuf};

/// How many changes of each file are tried.
const CHANGES: u64 = 40;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the corpus is part of the project")
        .map(|file| file.expect("a file").path())
        .map(|path| (path.clone(), std::fs::read(path).expect("a readable file")))
        .collect();
    files.sort();
    assert!(files.len() >= 50, "{} files", files.len());
    files
}

/// Numbers that look random, and are the same in every run.
struct Numbers(u64);

impl Numbers {
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
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for (path, bytes) in corpus("archive") {
        let check = |bytes: &[u8]| {
            let result = std::panic::catch_unwind(|| archive::check(bytes));
            assert!(result.is_ok(), "{}, changed to {bytes:02x?}", path.display());
        };
        check(&bytes);
        for _ in 0..CHANGES {
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
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let texts = TEXTS.iter().map(|text| text.as_bytes().to_vec());
    for bytes in session_files().into_iter().chain(texts) {
        for n in 0..=CHANGES {
            let bytes = if n == 0 { bytes.clone() } else { changed(&bytes, &mut numbers) };
            let result = std::panic::catch_unwind(|| {
                triage::files(&bytes);
                triage::texts(&bytes);
            });
            assert!(result.is_ok(), "{bytes:02x?}");
        }
    }
}
