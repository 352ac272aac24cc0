//! What the tests share: a source that counts, and can fail; and a reader that reads everything.

mod costs;
mod faults;
mod limits;
mod odd_zips;
mod properties;

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use crash_capture_local::zips::Image;

use super::*;

/// Serves an image, notes what is asked of it, and fails as it is told.
#[derive(Debug, Default)]
pub(super) struct Served {
    image: Image,
    /// Bytes of each piece; 64 KiB if none is said.
    piece: Option<usize>,
    /// The request that fails, counted from 0.
    fails_at: Option<usize>,
    /// Bodies that end early, after so many bytes: the first of them, counted, or all.
    cut: Option<(usize, u64)>,
    /// Whether a cut body ends with an error, or as if it were whole.
    cut_with_error: bool,
    asked: Mutex<Vec<Span>>,
    sent: Mutex<u64>,
    open: AtomicUsize,
    most_open: AtomicUsize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the source failed")]
pub(super) struct Failed;

impl Served {
    pub(super) fn new(image: impl Into<Image>) -> Self {
        Self { image: image.into(), ..Self::default() }
    }

    pub(super) fn size(&self) -> u64 {
        self.image.size()
    }

    pub(super) fn asked(&self) -> Vec<Span> {
        self.asked.lock().unwrap().clone()
    }

    /// Requests, and bytes that were taken of them.
    pub(super) fn cost(&self) -> (usize, u64) {
        (self.asked().len(), *self.sent.lock().unwrap())
    }
}

impl<'s> Source for &'s Served {
    type Error = Failed;
    type Body = ServedBody<'s>;

    async fn open(&self, span: Span) -> Result<Opened<ServedBody<'s>>, Failed> {
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(span.clone());
            asked.len() - 1
        };
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.most_open.fetch_max(open, Ordering::Relaxed);
        let mut body = ServedBody { served: self, at: 0, end: 0, broken: false };
        // As over a network, others get on meanwhile.
        tokio::task::yield_now().await;
        if self.fails_at == Some(number) {
            return Err(Failed);
        }
        let range = span.within(self.size());
        (body.at, body.end) = (range.start, range.end);
        if let Some((bodies, after)) = self.cut
            && number < bodies
            && range.start + after < range.end
        {
            (body.end, body.broken) = (range.start + after, true);
        }
        Ok(Opened { offset: range.start, size: self.size(), body })
    }
}

#[derive(Debug)]
pub(super) struct ServedBody<'s> {
    served: &'s Served,
    at: u64,
    end: u64,
    broken: bool,
}

impl Body for ServedBody<'_> {
    type Error = Failed;

    async fn piece(&mut self) -> Result<Option<Bytes>, Failed> {
        tokio::task::yield_now().await;
        if self.at == self.end {
            return if self.broken && self.served.cut_with_error { Err(Failed) } else { Ok(None) };
        }
        let piece = self.served.piece.unwrap_or(64 * 1024) as u64;
        let range = self.at..self.end.min(self.at + piece);
        self.at = range.end;
        *self.served.sent.lock().unwrap() += range.end - range.start;
        Ok(Some(self.served.image.read(range)))
    }
}

impl Drop for ServedBody<'_> {
    fn drop(&mut self) {
        self.served.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is made of a file: how many bytes came, and their CRC.
#[derive(Debug)]
pub(super) struct Digest(flate2::Crc);

impl Digest {
    pub(super) fn new() -> Self {
        Self(flate2::Crc::new())
    }

    pub(super) fn is_of(&self, bytes: &[u8]) -> bool {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        (self.0.amount(), self.0.sum()) == (crc.amount(), crc.sum())
    }
}

impl Sink for Digest {
    fn take(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        self.0.update(bytes);
        ControlFlow::Continue(())
    }
}

/// Whether an entry's name ends so.
pub(super) fn has_extension(entry: &Entry, extension: &str) -> bool {
    let path = entry.path_to_match();
    std::path::Path::new(path.as_ref()).extension().is_some_and(|it| it == extension)
}

/// Opens an archive, and gives its entries with it.
pub(super) async fn open<S: Source>(
    source: &S,
    size: Option<u64>,
) -> Result<(Archive<'_, S>, Vec<Entry>), ArchiveError<S::Error>> {
    let mut entries = Vec::new();
    let archive = Archive::open(source, size, None, |entry| entries.push(entry.clone())).await?;
    Ok((archive, entries))
}

/// Reads one thing.
pub(super) async fn read<S: Source, K: Sink>(
    archive: &Archive<'_, S>,
    target: Target<K>,
) -> Result<Read<K>, ArchiveError<S::Error>> {
    let mut reads = archive.reads();
    reads.add(target);
    let read = reads.next().await.unwrap()?;
    assert!(reads.next().await.is_none());
    Ok(read)
}

/// Reads all of an entry.
pub(super) async fn read_all<S: Source>(
    archive: &Archive<'_, S>,
    entry: &Entry,
) -> Result<Read<Digest>, ArchiveError<S::Error>> {
    read(archive, Target::stream(entry.clone(), u64::MAX, u64::MAX, Digest::new())).await
}
