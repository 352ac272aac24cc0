//! The contents of an entry, as far as one wants to see them.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::DeflateDecoder;

use super::{Archive, ArchiveError, Entry, Method, Source, Span};

/// The fixed part of a local header, in bytes (APPNOTE.TXT 4.3.7).
const LOCAL_HEADER: u64 = 30;

/// A local header's extra field may be longer than the directory tells: this much is fetched for it, in bytes, so that
/// one request does.
const EXTRA_ALLOWANCE: u64 = 512;

/// The beginning of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The bytes, inflated.
    pub bytes: Vec<u8>,
    /// Whether these are all: no limit was hit, and the data ends where it should.
    pub complete: bool,
}

/// Why an entry's contents cannot be read, although the archive can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is encrypted.
    #[error("encrypted")]
    Encrypted,
    /// It is compressed by a method that is not read.
    #[error("compressed by method {0}, which is not read")]
    Method(u16),
    /// It is not what the directory says.
    #[error("damaged: {0}")]
    Damaged(&'static str),
}

impl<S: Source> Archive<'_, S> {
    /// Reads an entry from its beginning: at most `max_compressed` bytes of the archive, and at most `max_inflated` bytes
    /// of what they inflate to. One request, none where the bytes are at hand already.
    pub async fn read_head(
        &self,
        entry: &Entry,
        max_compressed: u64,
        max_inflated: usize,
    ) -> Result<Result<Content, Unreadable>, ArchiveError<S::Error>> {
        if entry.encrypted {
            return Ok(Err(Unreadable::Encrypted));
        }
        if let Method::Other(method) = entry.method {
            return Ok(Err(Unreadable::Method(method)));
        }
        let wanted = entry.compressed_size.min(max_compressed);
        let Some(raw) = self.compressed(entry, wanted).await? else {
            return Ok(Err(Unreadable::Damaged("its header is not where the directory says")));
        };
        let whole = raw.len() as u64 == entry.compressed_size;
        Ok(Ok(if entry.method == Method::Deflate {
            inflate(&raw, max_inflated, whole)
        } else {
            let length = raw.len().min(max_inflated);
            Content { bytes: raw[..length].to_vec(), complete: whole && length == raw.len() }
        }))
    }

    /// The first `wanted` bytes of an entry's data, compressed as they are; nothing if there is no local header.
    async fn compressed(&self, entry: &Entry, wanted: u64) -> Result<Option<Bytes>, ArchiveError<S::Error>> {
        let start = entry.local_header;
        let guess = LOCAL_HEADER + entry.name_length as u64 + EXTRA_ALLOWANCE;
        let Some(bytes) = self.span(start, guess.saturating_add(wanted)).await? else { return Ok(None) };
        let Some(header) = local_header_length(&bytes) else { return Ok(None) };
        let end = header + wanted;
        let bytes = if end > bytes.len() as u64 && header > guess {
            self.span(start, end).await?.unwrap_or(bytes)
        } else {
            bytes
        };
        let range = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        Ok(Some(bytes.slice(range(header)..range(end))))
    }

    /// So many bytes from an offset, or as many as there are; nothing if it lies outside.
    async fn span(&self, start: u64, length: u64) -> Result<Option<Bytes>, ArchiveError<S::Error>> {
        let end = start.saturating_add(length).min(self.size());
        if start >= end {
            return Ok(None);
        }
        if let Some(bytes) = self.zip.get_ref().slice(&(start..end)) {
            return Ok(Some(bytes));
        }
        let fetched = self.source.fetch(Span::Range(start..end)).await.map_err(ArchiveError::Source)?;
        Ok(Some(fetched.bytes))
    }
}

/// The length of the local header that some bytes begin with: its fixed part, its name, its extra field.
fn local_header_length(bytes: &[u8]) -> Option<u64> {
    let length_at = |at: usize| Some(u64::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    bytes.starts_with(b"PK\x03\x04").then_some(())?;
    Some(LOCAL_HEADER + length_at(26)? + length_at(28)?)
}

/// Inflates as much as is there and as is allowed.
fn inflate(raw: &[u8], max: usize, whole: bool) -> Content {
    let mut bytes = Vec::new();
    let result = DeflateDecoder::new(raw).take(max as u64 + 1).read_to_end(&mut bytes);
    let complete = whole && result.is_ok() && bytes.len() <= max;
    bytes.truncate(max);
    Content { bytes, complete }
}
