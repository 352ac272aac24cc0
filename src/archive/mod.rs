//! Reads zips by ranges, from wherever ranges can be had: S3, a local file, memory.
//!
//! An archive is read from its end: one request for the tail, which nearly always holds the whole directory; at most one more
//! for the part of the directory that it does not hold; and one for each file that somebody wants to see, neighbours together.
//! Everything is read as it arrives, and little of it is held. Nothing that a zip declares is trusted: every bound is on what was
//! actually read. `docs/reading-zips.md` has the whole plan, its limits, and what it costs.
//!
//! ```text
//! Archive::open ─► Download (tail) ─► end: which end record counts ─► directory: records as they arrive ─► visitor
//! Archive::reads ─► Target ─► reads: which bytes, in which request ─► Download ─► decoder ─► Sink
//! ```

mod conflicts;
mod decoder;
mod directory;
mod download;
mod end;
mod entry;
mod group;
mod names;
mod reads;
mod source;
mod window;

pub use conflicts::{Conflicting, Conflicts};
pub use decoder::{Crc, Limit, Outcome, Sink, Stop, Unreadable};
pub use directory::Directory;
pub use entry::{Entry, Flag, Flags, Method};
pub use reads::{Read, Reads, Rest, Target};
pub use source::{Body, FilePieces, FileSource, Opened, Source, Span, Whole};

use tokio::time::Instant;

use self::directory::Records;
use self::download::{Download, Stopped};
use self::end::Reading;
use self::window::Window;

/// Objects up to this size, in bytes, are fetched whole with one request: measured, that costs no more time than
/// planned ranges do.
pub const WHOLE_OBJECT: u64 = 5 * 1024 * 1024;

/// How much of the end is fetched first, in bytes: the directory of some 5,000 entries fits. End records are looked for in it.
pub const TAIL: u64 = 512 * 1024;

/// The longest directory that is read, in bytes: about 1.1 million entries.
pub const MAX_DIRECTORY: u64 = 128 * 1024 * 1024;

/// All that is held of contents at a time, in bytes: eight requests on their way, and the beginnings of as many dumps.
pub const BUFFERS: u64 = 16 * 1024 * 1024;

/// How many places before the tail are looked at for a directory, where the end records contradict each other.
const PLACES: u32 = 2;

/// Why a zip could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError<E> {
    /// The bytes could not be had.
    #[error("{0}")]
    Source(E),
    /// What was sent ended early, at each attempt; a retry may help.
    #[error("the zip's bytes broke off at each of several attempts to read them")]
    CutOff,
    /// The time was over before anything was known of what the zip holds; a retry may help.
    #[error("there was not enough time to read the zip's directory")]
    OutOfTime,
    /// The bytes are no zip.
    #[error("not a readable zip: {0}")]
    NotAZip(&'static str),
    /// The directory is longer than [`MAX_DIRECTORY`].
    #[error("not a readable zip: its directory is {length} bytes long; at most {MAX_DIRECTORY} are read")]
    DirectoryTooLong {
        /// Its length in bytes, from where it starts to where the end record lies.
        length: u64,
    },
}

/// Something odd about an archive, or a limit that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable code.
    pub code: &'static str,
    /// What it is, in words.
    pub detail: String,
}

/// An open archive.
#[derive(Debug)]
pub struct Archive<'a, S> {
    source: &'a S,
    window: Window,
    deadline: Option<Instant>,
    directory: Directory,
}

impl<'a, S: Source> Archive<'a, S> {
    /// Opens an archive, and shows each of its entries to `visit`, in the directory's order, while it arrives. Entries are not
    /// kept: memory grows with what `visit` clones, and by 24 bytes for each of the first million entries while they are compared.
    ///
    /// `size` is the archive's length in bytes, where it is known beforehand. Nothing is read after the `deadline`: entries that
    /// were visited by then still count, with the finding `time-limit`.
    pub async fn open(
        source: &'a S,
        size: Option<u64>,
        deadline: Option<Instant>,
        mut visit: impl FnMut(&Entry) + Send,
    ) -> Result<Self, ArchiveError<S::Error>> {
        let tail = if size.is_some_and(|size| size <= WHOLE_OBJECT) { WHOLE_OBJECT } else { TAIL };
        let tail = Download::open(source, Span::Suffix(tail), deadline).await.map_err(out_of_time)?;
        let start = tail.position();
        let window = Window::new(start, tail.collect().await.map_err(out_of_time)?);
        let mut archive = Self { source, window, deadline, directory: Directory::default() };
        let readings = end::readings(&archive.window);
        let mut places = 0;
        for reading in &readings {
            let length = reading.end - reading.start;
            if length > MAX_DIRECTORY {
                return Err(ArchiveError::DirectoryTooLong { length });
            }
            if reading.start < start {
                places += 1;
                if places > PLACES {
                    continue;
                }
            }
            let ambiguous = end::is_ambiguous(reading, &readings);
            if let Some(directory) = archive.list(reading, ambiguous, &mut visit).await? {
                archive.directory = directory;
                return Ok(archive);
            }
        }
        Err(ArchiveError::NotAZip(if readings.is_empty() {
            "it has no end record, or that points nowhere"
        } else {
            "there is no directory where its end record points"
        }))
    }

    /// Reads the directory where one reading of the end puts it; nothing if there is none.
    async fn list(
        &self,
        reading: &Reading,
        ambiguous: bool,
        visit: &mut (impl FnMut(&Entry) + Send),
    ) -> Result<Option<Directory>, ArchiveError<S::Error>> {
        let window = self.window.start();
        if reading.is_doubtful() && !self.begins_with_record(reading.start).await? {
            return Ok(None);
        }
        let mut records = Records::new(reading, visit);
        if reading.start < window {
            let before = Span::Range(reading.start..reading.end.min(window));
            if let Err(stopped) = self.stream(before, &mut records).await {
                return match stopped {
                    Stopped::Time if records.count() > 0 => {
                        Ok(Some(records.finish(ambiguous, Some(Limit::Time.finding()))))
                    }
                    stopped => Err(out_of_time(stopped)),
                };
            }
        }
        if let Some(bytes) = self.window.slice(reading.start.max(window)..reading.end) {
            records.push(&bytes);
        }
        let is_there = records.count() > 0 || reading.is_empty();
        Ok(is_there.then(|| records.finish(ambiguous, None)))
    }

    /// Whether there is a record before the window. What is asked for may be sent before it is looked at, so that a directory
    /// that probably is none is looked at first.
    async fn begins_with_record(&self, at: u64) -> Result<bool, ArchiveError<S::Error>> {
        let span = Span::Range(at..at.saturating_add(4).min(self.window.start()));
        let download = Download::open(self.source, span, self.deadline).await.map_err(out_of_time)?;
        let signature = download.collect().await.map_err(out_of_time)?;
        Ok(b"PK\x01\x02".starts_with(&signature))
    }

    async fn stream<V: FnMut(&Entry)>(
        &self,
        span: Span,
        records: &mut Records<'_, V>,
    ) -> Result<(), Stopped<S::Error>> {
        let mut download = Download::open(self.source, span, self.deadline).await?;
        while !records.ended()
            && let Some(bytes) = download.piece().await?
        {
            records.push(&bytes);
        }
        download.finish().await;
        Ok(())
    }

    /// The archive's size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.window.end()
    }

    /// What it holds, in sum.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
}

fn out_of_time<E>(stopped: Stopped<E>) -> ArchiveError<E> {
    match stopped {
        Stopped::Time => ArchiveError::OutOfTime,
        Stopped::Failed(error) => error,
    }
}

#[cfg(test)]
mod tests;
