//! Where ranges come from, and the two sources that need no network: memory and a local file.

use std::convert::Infallible;
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Which bytes of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// The last so many; all of them where there are fewer.
    Suffix(u64),
    /// From one offset up to another, or up to the end of the archive where it comes earlier.
    Range(Range<u64>),
}

/// The answer to a request: where its bytes lie, and the bytes, as they arrive.
#[derive(Debug)]
pub struct Opened<B> {
    /// The offset of the first byte.
    pub offset: u64,
    /// The archive's size in bytes, as far as the answer tells.
    pub size: u64,
    /// The bytes.
    pub body: B,
}

/// Bytes that arrive piece by piece.
pub trait Body: Send {
    /// Why the rest could not be had.
    type Error: Send;

    /// The next piece, of any length; nothing at the end. Dropping a body gives up the rest.
    fn piece(&mut self) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;
}

/// Gives the bytes of one archive, which stays the same while it is read.
pub trait Source: Sync {
    /// Why bytes could not be had.
    type Error: Send;
    /// How they arrive.
    type Body: Body<Error = Self::Error>;

    /// Asks for a span: one request. A body that breaks off, or ends early, is resumed by whoever reads it.
    fn open(&self, span: Span) -> impl Future<Output = Result<Opened<Self::Body>, Self::Error>> + Send;
}

impl Span {
    /// The offsets that the span means in an archive of a given size.
    #[must_use]
    pub fn within(self, size: u64) -> Range<u64> {
        match self {
            Self::Suffix(length) => size.saturating_sub(length)..size,
            Self::Range(range) => range.start.min(size)..range.end.clamp(range.start.min(size), size),
        }
    }
}

/// An archive in memory. Its pieces share its memory.
impl Source for Bytes {
    type Error = Infallible;
    type Body = Whole;

    async fn open(&self, span: Span) -> Result<Opened<Whole>, Infallible> {
        let size = self.len() as u64;
        let range = span.within(size);
        #[expect(clippy::cast_possible_truncation, reason = "both are at most the length of a slice")]
        let bytes = self.slice(range.start as usize..range.end as usize);
        Ok(Opened { offset: range.start, size, body: Whole(Some(bytes)) })
    }
}

/// A body of one piece.
#[derive(Debug)]
pub struct Whole(Option<Bytes>);

impl Body for Whole {
    type Error = Infallible;

    async fn piece(&mut self) -> Result<Option<Bytes>, Infallible> {
        Ok(self.0.take().filter(|bytes| !bytes.is_empty()))
    }
}

/// An archive in a local file.
#[derive(Debug)]
pub struct FileSource {
    file: Arc<Mutex<std::fs::File>>,
    size: u64,
}

impl FileSource {
    /// Opens a file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = std::fs::File::open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { file: Arc::new(Mutex::new(file)), size })
    }

    /// The file's size in bytes, when it was opened.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Source for FileSource {
    type Error = io::Error;
    type Body = FilePieces;

    async fn open(&self, span: Span) -> io::Result<Opened<FilePieces>> {
        let range = span.within(self.size);
        let body = FilePieces { file: Arc::clone(&self.file), range: range.clone() };
        Ok(Opened { offset: range.start, size: self.size, body })
    }
}

/// A part of a file, in pieces of at most 256 KiB.
#[derive(Debug)]
pub struct FilePieces {
    file: Arc<Mutex<std::fs::File>>,
    range: Range<u64>,
}

impl Body for FilePieces {
    type Error = io::Error;

    async fn piece(&mut self) -> io::Result<Option<Bytes>> {
        let length = (self.range.end - self.range.start).min(256 * 1024);
        let mut bytes = Vec::new();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.range.start))?;
        file.by_ref().take(length).read_to_end(&mut bytes)?;
        self.range.start += bytes.len() as u64;
        Ok((!bytes.is_empty()).then(|| bytes.into()))
    }
}
