use std::io::{Cursor, Write};
use std::sync::Mutex;

use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

/// A source that notes what is asked of it.
#[derive(Debug)]
struct Counting {
    bytes: Bytes,
    asked: Mutex<Vec<Span>>,
}

impl Counting {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into(), asked: Mutex::default() }
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn asked(&self) -> Vec<Span> {
        self.asked.lock().unwrap().clone()
    }
}

impl Source for Counting {
    type Error = std::convert::Infallible;

    async fn fetch(&self, span: Span) -> Result<Fetched, Self::Error> {
        self.asked.lock().unwrap().push(span.clone());
        self.bytes.fetch(span).await
    }
}

/// Bytes that do not compress, the same in every run.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(length)
    .collect()
}

fn zip_of(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

async fn entries(source: &Counting) -> Vec<Entry> {
    let archive = Archive::open(source, Some(source.size())).await.unwrap();
    let mut entries = Vec::new();
    archive.visit(|entry| entries.push(entry)).unwrap();
    entries
}

#[tokio::test]
async fn a_small_archive_is_fetched_whole_with_one_request() {
    let text = b"hello ".repeat(1000);
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let source = Counting::new(zip_of(&[("profile/a.log", &text), ("temp/b", b"")], method));
        let archive = Archive::open(&source, Some(source.size())).await.unwrap();
        let listed = entries(&Counting::new(source.bytes.to_vec())).await;
        let content = archive.read_head(&listed[0], u64::MAX, usize::MAX - 1).await.unwrap().unwrap();
        assert_eq!((content.bytes, content.complete), (text.clone(), true));
        assert_eq!(listed[1].path, "temp/b");
        assert_eq!(source.asked(), [Span::All]);
    }
}

#[tokio::test]
async fn of_a_large_archive_the_tail_is_fetched_and_then_what_is_wanted() {
    let big = noise(6 << 20);
    let source = Counting::new(zip_of(
        &[("profile/x.dmp", b"MDMP"), ("application/pak", &big)],
        CompressionMethod::Stored,
    ));
    let size = source.bytes.len() as u64;
    let archive = Archive::open(&source, Some(size)).await.unwrap();
    let listed = entries(&Counting::new(source.bytes.to_vec())).await;
    let content = archive.read_head(&listed[0], 256 << 10, 1 << 20).await.unwrap().unwrap();
    assert_eq!((content.bytes.as_slice(), content.complete), (&b"MDMP"[..], true));
    let head = LOCAL_HEADER_GUESS + "profile/x.dmp".len() as u64 + 4;
    assert_eq!(source.asked(), [Span::Suffix(TAIL), Span::Range(0..head)]);
}

/// The fixed part of a local header and the allowance for its extra field.
const LOCAL_HEADER_GUESS: u64 = 30 + 512;

#[tokio::test]
async fn of_a_directory_longer_than_the_tail_only_the_missing_part_is_fetched() {
    let names: Vec<String> =
        (0..9_000).map(|n| format!("application/some/rather/long/path/to/{n:06}.uasset")).collect();
    let pad = noise(5 << 20);
    let mut files: Vec<(&str, &[u8])> = vec![("application/pak", &pad)];
    files.extend(names.iter().map(|name| (name.as_str(), &b"x"[..])));
    let source = Counting::new(zip_of(&files, CompressionMethod::Stored));
    assert_eq!(entries(&source).await.len(), 9_001);
    let asked = source.asked();
    let [Span::Suffix(TAIL), Span::Range(missing)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(missing.end, source.bytes.len() as u64 - TAIL);
    assert!(source.bytes[usize::try_from(missing.start).unwrap()..].starts_with(b"PK\x01\x02"));
}

#[tokio::test]
async fn what_inflates_is_bounded_by_what_comes_out() {
    let bomb = vec![0; 8 << 20];
    let source = Counting::new(zip_of(&[("profile/x.dmp", &bomb)], CompressionMethod::Deflated));
    let listed = entries(&source).await;
    let archive = Archive::open(&source, Some(source.size())).await.unwrap();
    let content = archive.read_head(&listed[0], u64::MAX, 1000).await.unwrap().unwrap();
    assert_eq!((content.bytes.len(), content.complete), (1000, false));
    let content = archive.read_head(&listed[0], 1000, usize::MAX - 1).await.unwrap().unwrap();
    assert!(!content.complete && content.bytes.len() < bomb.len());
}

#[tokio::test]
async fn what_is_no_zip_is_said_to_be_none() {
    for bytes in [vec![], b"PK".to_vec(), noise(10_000), noise(6 << 20)] {
        let source = Counting::new(bytes);
        let error = Archive::open(&source, Some(source.size())).await.unwrap_err();
        assert!(matches!(error, ArchiveError::NotAZip(_)), "{error:?}");
    }
    let mut cut = zip_of(&[("a", b"b")], CompressionMethod::Stored);
    cut.truncate(cut.len() - 10);
    let source = Counting::new(cut);
    assert!(matches!(Archive::open(&source, Some(source.size())).await, Err(ArchiveError::NotAZip(_))));
}

#[tokio::test]
async fn an_unknown_size_costs_no_request_more() {
    let source = Counting::new(zip_of(&[("a", b"b")], CompressionMethod::Stored));
    let archive = Archive::open(&source, None).await.unwrap();
    assert_eq!(archive.size(), source.bytes.len() as u64);
    assert_eq!(source.asked(), [Span::Suffix(TAIL)]);
}
