//! The fuzz targets of `tests/fuzz` on their corpora, and on what comes of them by small changes.

#[path = "fuzz/archive.rs"]
mod archive;

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
