//! What holds of any bytes that are read as a zip.

use std::ops::ControlFlow;

use bytes::Bytes;
use crash_capture::archive::{
    Archive, Body, Conflicts, Crc, Entry, Opened, Sink, Source, Span, Stop, Target,
};

/// How many entries of a zip are read, and how far, so that no input takes long.
const ENTRIES: usize = 12;
const COMPRESSED: u64 = 100_000;
const INFLATED: u64 = 300_000;

/// Reads a zip, directory and entries, in one piece and in many, and checks that it does the same, within its limits.
pub(crate) fn check(bytes: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers");
    runtime.block_on(async {
        let bytes = Bytes::copy_from_slice(bytes);
        let whole = read(&bytes, bytes.len() as u64).await;
        let pieces =
            Pieces { bytes: bytes.clone(), length: 1 + bytes.first().map_or(0, |&it| usize::from(it) % 61) };
        assert_eq!(whole, read(&pieces, bytes.len() as u64).await);
    });
}

/// All that is told of a zip.
async fn read<S: Source>(source: &S, size: u64) -> Option<Vec<String>> {
    let (mut entries, mut conflicts): (Vec<Entry>, _) = (Vec::new(), Conflicts::default());
    let archive = Archive::open(source, Some(size), None, |entry| {
        conflicts.add(entry);
        entries.push(entry.clone());
    });
    let archive = archive.await.ok()?;
    assert_eq!(archive.directory().entries, entries.len() as u64);
    // No record is shorter than its fixed part.
    assert!(entries.len() as u64 * 46 <= size);
    let conflicting = conflicts.find();
    assert!(conflicting.overlapping_count <= entries.len() as u64);
    let mut told: Vec<String> = archive.directory().findings.iter().map(|it| it.code.to_owned()).collect();
    let mut reads = archive.reads();
    for entry in entries.into_iter().take(ENTRIES) {
        assert!(!entry.path.chars().any(char::is_control));
        reads.add(Target::tail(entry.clone(), 50, Kept::default()));
        reads.add(Target::head(entry, COMPRESSED, INFLATED, Kept::default()));
    }
    while let Some(Ok(read)) = reads.next().await {
        let outcome = match read.result {
            Ok(outcome) => outcome,
            Err(error) => {
                told.push(error.to_string());
                continue;
            }
        };
        let kept = read.sink.0;
        assert_eq!(kept.len() as u64, outcome.given.end - outcome.given.start);
        assert!(kept.len() as u64 <= INFLATED);
        assert!(outcome.given.end <= read.entry.size.max(read.entry.compressed_size));
        if outcome.crc == Crc::Verified {
            assert_eq!((outcome.stop, outcome.given.end), (Stop::End, read.entry.size));
            if outcome.given.start == 0 {
                let mut crc = flate2::Crc::new();
                crc.update(&kept);
                assert_eq!(crc.sum(), read.entry.crc32);
            }
        }
        told.push(format!("{} {:?} {:?} {}", read.entry.path, outcome.given, outcome.stop, kept.len()));
    }
    told.sort();
    Some(told)
}

#[derive(Debug, Default)]
struct Kept(Vec<u8>);

impl Sink for Kept {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        self.0.extend_from_slice(bytes);
        ControlFlow::Continue(())
    }
}

/// A zip that comes in pieces.
struct Pieces {
    bytes: Bytes,
    length: usize,
}

struct PiecesBody {
    rest: Bytes,
    length: usize,
}

impl Source for Pieces {
    type Error = std::convert::Infallible;
    type Body = PiecesBody;

    async fn open(&self, span: Span) -> Result<Opened<PiecesBody>, Self::Error> {
        let Opened { offset, size, mut body } = self.bytes.open(span).await?;
        let rest = body.piece().await?.unwrap_or_default();
        Ok(Opened { offset, size, body: PiecesBody { rest, length: self.length } })
    }
}

impl Body for PiecesBody {
    type Error = std::convert::Infallible;

    async fn piece(&mut self) -> Result<Option<Bytes>, Self::Error> {
        let piece = self.rest.split_to(self.length.min(self.rest.len()));
        Ok((!piece.is_empty()).then_some(piece))
    }
}
