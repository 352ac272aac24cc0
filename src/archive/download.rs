//! One span of an archive on its way: in order, exactly once, resumed where its body breaks off.

use std::future::Future;
use std::ops::Range;

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::{ArchiveError, Body, Source, Span};

/// How often a body that breaks off or ends early is asked for again from there, before the archive's reader gives up.
const RESUMED: u32 = 3;

/// A rest up to this long, in bytes, is read to its end where nobody wants it, so that its connection can be used again.
const DRAINED: u64 = 64 * 1024;

/// Why no more bytes come.
#[derive(Debug)]
pub(super) enum Stopped<E> {
    /// The time to read is over.
    Time,
    /// They could not be had.
    Failed(ArchiveError<E>),
}

/// A span on its way.
pub(super) struct Download<'a, S: Source> {
    source: &'a S,
    deadline: Option<Instant>,
    body: Option<S::Body>,
    /// What has not come yet.
    rest: Range<u64>,
    resumes_left: u32,
}

impl<'a, S: Source> Download<'a, S> {
    /// Asks for a span.
    pub(super) async fn open(
        source: &'a S,
        span: Span,
        deadline: Option<Instant>,
    ) -> Result<Self, Stopped<S::Error>> {
        let opened = within(deadline, source.open(span.clone())).await?.map_err(failed)?;
        let end = match span {
            Span::Suffix(_) => opened.size,
            Span::Range(range) => range.end.min(opened.size).max(opened.offset),
        };
        Ok(Self {
            source,
            deadline,
            body: Some(opened.body),
            rest: opened.offset..end,
            resumes_left: RESUMED,
        })
    }

    /// The offset of the next byte.
    pub(super) fn position(&self) -> u64 {
        self.rest.start
    }

    /// Where the span ends.
    pub(super) fn end(&self) -> u64 {
        self.rest.end
    }

    /// The next bytes; nothing at the end of the span.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Stopped<S::Error>> {
        while !self.rest.is_empty() {
            let answer = match self.body.as_mut() {
                Some(body) => within(self.deadline, body.piece()).await?,
                None => Ok(None),
            };
            match answer {
                Ok(Some(mut bytes)) => {
                    let wanted = usize::try_from(self.rest.end - self.rest.start).unwrap_or(usize::MAX);
                    bytes.truncate(wanted);
                    self.rest.start += bytes.len() as u64;
                    return Ok(Some(bytes));
                }
                Ok(None) if self.resumes_left == 0 => return Err(Stopped::Failed(ArchiveError::CutOff)),
                Err(error) if self.resumes_left == 0 => return Err(failed(error)),
                Ok(None) | Err(_) => self.resume().await?,
            }
        }
        Ok(None)
    }

    async fn resume(&mut self) -> Result<(), Stopped<S::Error>> {
        self.resumes_left -= 1;
        // The broken body first gives back what it holds.
        self.body = None;
        let span = Span::Range(self.rest.clone());
        let opened = within(self.deadline, self.source.open(span)).await?.map_err(failed)?;
        if opened.offset != self.rest.start {
            return Err(Stopped::Failed(ArchiveError::CutOff));
        }
        self.body = Some(opened.body);
        Ok(())
    }

    /// All bytes of the span.
    pub(super) async fn collect(mut self) -> Result<Bytes, Stopped<S::Error>> {
        let length = usize::try_from(self.rest.end - self.rest.start).unwrap_or(usize::MAX);
        let mut all = Vec::new();
        while let Some(piece) = self.piece().await? {
            if all.is_empty() {
                if piece.len() == length {
                    return Ok(piece);
                }
                // The callers' spans are at most 5 MiB.
                all.reserve_exact(length);
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.into())
    }

    /// Nobody wants the rest.
    pub(super) async fn finish(mut self) {
        if self.rest.end - self.rest.start <= DRAINED {
            self.resumes_left = 0;
            while let Ok(Some(_)) = self.piece().await {}
        }
    }
}

fn failed<E>(error: E) -> Stopped<E> {
    Stopped::Failed(ArchiveError::Source(error))
}

async fn within<F: Future, E>(deadline: Option<Instant>, future: F) -> Result<F::Output, Stopped<E>> {
    match deadline {
        None => Ok(future.await),
        // A future that is ready at once would still be let through.
        Some(deadline) if deadline <= Instant::now() => Err(Stopped::Time),
        Some(deadline) => timeout_at(deadline, future).await.map_err(|_| Stopped::Time),
    }
}
