//! Where ranges come from.

use std::convert::Infallible;
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

/// Which bytes of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// All of them.
    All,
    /// The last so many; all of them where there are fewer.
    Suffix(u64),
    /// From one offset up to another, or up to the end of the archive where it comes earlier.
    Range(Range<u64>),
}

/// The bytes of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The offset of the first byte.
    pub offset: u64,
    /// The bytes.
    pub bytes: Bytes,
}

/// Gives the bytes of one archive, which stays the same while it is read.
pub trait Source: Sync {
    /// Why bytes could not be had.
    type Error: Send;

    /// Fetches a span: one request.
    fn fetch(&self, span: Span) -> impl Future<Output = Result<Fetched, Self::Error>> + Send;
}

impl Span {
    /// The offsets that the span means in an archive of a given size.
    fn within(self, size: u64) -> Range<u64> {
        match self {
            Self::All => 0..size,
            Self::Suffix(length) => size.saturating_sub(length)..size,
            Self::Range(range) => range.start.min(size)..range.end.clamp(range.start.min(size), size),
        }
    }
}

/// An archive in memory.
impl Source for Bytes {
    type Error = Infallible;

    async fn fetch(&self, span: Span) -> Result<Fetched, Infallible> {
        let range = span.within(self.len() as u64);
        // Both ends are at most the length of a slice.
        #[expect(clippy::cast_possible_truncation, reason = "bounded by a slice's length")]
        let bytes = self.slice(range.start as usize..range.end as usize);
        Ok(Fetched { offset: range.start, bytes })
    }
}

/// An archive in a local file.
#[derive(Debug)]
pub struct FileSource {
    file: Mutex<std::fs::File>,
    size: u64,
}

impl FileSource {
    /// Opens a file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = std::fs::File::open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { file: Mutex::new(file), size })
    }

    /// The file's size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Source for FileSource {
    type Error = io::Error;

    async fn fetch(&self, span: Span) -> io::Result<Fetched> {
        let range = span.within(self.size);
        let mut bytes = Vec::new();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(range.start))?;
        file.by_ref().take(range.end - range.start).read_to_end(&mut bytes)?;
        Ok(Fetched { offset: range.start, bytes: bytes.into() })
    }
}
