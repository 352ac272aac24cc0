//! The end of an archive, which is fetched first and stays at hand.

use std::ops::Range;

use bytes::Bytes;

/// The bytes from some offset to the archive's end.
#[derive(Debug, Clone)]
pub(super) struct Window {
    start: u64,
    bytes: Bytes,
}

impl Window {
    pub(super) fn new(start: u64, bytes: Bytes) -> Self {
        Self { start, bytes }
    }

    /// The offset of its first byte.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// The archive's size.
    pub(super) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// The bytes of a range, if all of them are at hand.
    pub(super) fn slice(&self, range: Range<u64>) -> Option<Bytes> {
        let start = usize::try_from(range.start.checked_sub(self.start)?).ok()?;
        let end = usize::try_from(range.end.checked_sub(self.start)?).ok()?;
        (start <= end && end <= self.bytes.len()).then(|| self.bytes.slice(start..end))
    }

    /// Where a signature occurs last in a range.
    pub(super) fn rfind(&self, range: Range<u64>, signature: [u8; 4]) -> Option<u64> {
        let bytes = self.slice(range.clone())?;
        bytes.windows(4).rposition(|it| it == signature).map(|at| range.start + at as u64)
    }

    pub(super) fn starts_with(&self, at: u64, signature: &[u8]) -> bool {
        self.from(at).is_some_and(|bytes| bytes.starts_with(signature))
    }

    pub(super) fn u16(&self, at: u64) -> Option<u16> {
        Some(u16::from_le_bytes(*self.from(at)?.first_chunk()?))
    }

    pub(super) fn u32(&self, at: u64) -> Option<u32> {
        Some(u32::from_le_bytes(*self.from(at)?.first_chunk()?))
    }

    pub(super) fn u64(&self, at: u64) -> Option<u64> {
        Some(u64::from_le_bytes(*self.from(at)?.first_chunk()?))
    }

    fn from(&self, at: u64) -> Option<&[u8]> {
        self.bytes.get(usize::try_from(at.checked_sub(self.start)?).ok()?..)
    }
}
