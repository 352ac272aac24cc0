//! Reads zips by ranges, from wherever ranges can be had: S3, a local file, memory.
//!
//! An archive is read from its end: one request for the tail, which nearly always holds the whole directory, at most one
//! more for the part of the directory that it does not hold, and one for each file that somebody wants to see. Nothing
//! that a zip declares is trusted: every bound is on what was actually read.

mod content;
mod directory;
mod names;
mod source;

pub use content::{Content, Unreadable};
pub use directory::{Entry, Method};
pub use source::{Fetched, FileSource, Source, Span};

use bytes::Bytes;

/// Objects up to this size, in bytes, are fetched whole with one request: measured, that costs no more time than
/// planned ranges do.
pub const WHOLE_OBJECT: u64 = 5 * 1024 * 1024;

/// How much of the end is fetched first, in bytes: the directory of some 5,000 entries fits.
pub const TAIL: u64 = 512 * 1024;

/// The longest directory that is read, in bytes: about 1.1 million entries.
pub const MAX_DIRECTORY: u64 = 128 * 1024 * 1024;

/// Why a zip could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError<E> {
    /// The bytes could not be had.
    #[error("{0}")]
    Source(E),
    /// The bytes are no zip.
    #[error("not a readable zip: {0}")]
    NotAZip(String),
    /// The directory is longer than [`MAX_DIRECTORY`].
    #[error("the zip's directory is {length} bytes long; at most {MAX_DIRECTORY} are read")]
    DirectoryTooLong {
        /// Its length in bytes, from where it starts to where the end record lies.
        length: u64,
    },
}

/// An open archive: its directory is at hand.
#[derive(Debug)]
pub struct Archive<'a, S> {
    source: &'a S,
    zip: rawzip::ZipArchive<Window>,
}

impl<'a, S: Source> Archive<'a, S> {
    /// Opens an archive; `size` is its length in bytes, where it is known beforehand.
    pub async fn open(source: &'a S, size: Option<u64>) -> Result<Self, ArchiveError<S::Error>> {
        let span = match size {
            Some(size) if size <= WHOLE_OBJECT => Span::All,
            _ => Span::Suffix(TAIL),
        };
        let window = Window::from(source.fetch(span).await.map_err(ArchiveError::Source)?);
        let zip = window.locate()?;
        let start = zip.directory_offset();
        if start >= zip.get_ref().start {
            return Ok(Self { source, zip });
        }
        let length = zip.eocd_offset().saturating_sub(start);
        if length > MAX_DIRECTORY {
            return Err(ArchiveError::DirectoryTooLong { length });
        }
        let window = zip.into_inner();
        let missing = source.fetch(Span::Range(start..window.start)).await.map_err(ArchiveError::Source)?;
        Ok(Self { source, zip: window.preceded_by(missing).locate()? })
    }

    /// The archive's size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.zip.get_ref().end()
    }
}

/// The end of an archive, as far as it was fetched.
#[derive(Debug, Clone)]
struct Window {
    start: u64,
    bytes: Bytes,
}

impl From<Fetched> for Window {
    fn from(fetched: Fetched) -> Self {
        Self { start: fetched.offset, bytes: fetched.bytes }
    }
}

impl Window {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// The bytes of a range, if all of them are at hand.
    fn slice(&self, range: &std::ops::Range<u64>) -> Option<Bytes> {
        let start = usize::try_from(range.start.checked_sub(self.start)?).ok()?;
        let end = usize::try_from(range.end.checked_sub(self.start)?).ok()?;
        (start <= end && end <= self.bytes.len()).then(|| self.bytes.slice(start..end))
    }

    fn preceded_by(self, earlier: Fetched) -> Self {
        let bytes = [earlier.bytes, self.bytes].concat().into();
        Self { start: earlier.offset, bytes }
    }

    /// Finds the end record, and by it the directory; neither needs to lie within the window as a whole.
    fn locate<E>(self) -> Result<rawzip::ZipArchive<Self>, ArchiveError<E>> {
        let end = self.end();
        let mut buffer = vec![0; rawzip::RECOMMENDED_BUFFER_SIZE];
        rawzip::ZipLocator::new()
            .locate_in_reader(self, &mut buffer, end)
            .map_err(|(_, error)| ArchiveError::NotAZip(error.to_string()))
    }
}

impl rawzip::ReaderAt for Window {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> std::io::Result<usize> {
        let outside = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        if offset >= self.end() {
            return Ok(0);
        }
        let start = offset.checked_sub(self.start).ok_or_else(outside)?;
        let available = &self.bytes[usize::try_from(start).map_err(|_| outside())?..];
        let length = available.len().min(buffer.len());
        buffer[..length].copy_from_slice(&available[..length]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
