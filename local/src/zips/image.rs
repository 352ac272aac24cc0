//! An archive with holes: what was written, and zeros everywhere else.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::Path;

use bytes::{Bytes, BytesMut};

/// The bytes of an archive.
#[derive(Debug, Clone, Default)]
pub struct Image {
    /// By offset; they do not overlap.
    parts: BTreeMap<u64, Bytes>,
    size: u64,
}

impl From<Vec<u8>> for Image {
    fn from(bytes: Vec<u8>) -> Self {
        let mut image = Self::default();
        image.append(bytes);
        image
    }
}

impl Image {
    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        if !bytes.is_empty() {
            let at = self.size;
            self.size += bytes.len() as u64;
            self.parts.insert(at, bytes);
        }
    }

    /// Appends so many zeros, which cost nothing.
    pub fn skip(&mut self, length: u64) {
        self.size += length;
    }

    /// The bytes of a range, as far as there are any.
    #[must_use]
    pub fn read(&self, range: Range<u64>) -> Bytes {
        let range = range.start.min(self.size)..range.end.clamp(range.start.min(self.size), self.size);
        let first = self.parts.range(..=range.start).next_back().map_or(range.start, |(&at, _)| at);
        let length = |range: &Range<u64>| usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let mut bytes = BytesMut::zeroed(0);
        for (&at, part) in self.parts.range(first..range.end) {
            let overlap = at.max(range.start)..(at + part.len() as u64).min(range.end);
            if overlap.start >= overlap.end {
                continue;
            }
            let skipped = length(&(at..overlap.start));
            let part = part.slice(skipped..skipped + length(&overlap));
            if overlap == range {
                return part;
            }
            bytes.resize(length(&(range.start..overlap.start)), 0);
            bytes.extend_from_slice(&part);
        }
        bytes.resize(length(&range), 0);
        bytes.freeze()
    }

    /// All bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.read(0..self.size)
    }

    /// The first so many bytes.
    #[must_use]
    pub fn cut(&self, size: u64) -> Self {
        self.read(0..size).to_vec().into()
    }

    /// Writes it to a new file, with holes where the file system has any.
    pub fn write_to(&self, path: &Path) -> io::Result<()> {
        let mut file = File::create_new(path)?;
        file.set_len(self.size)?;
        for (&at, part) in &self.parts {
            file.seek(SeekFrom::Start(at))?;
            file.write_all(part)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_written_is_zero() {
        let mut image = Image::from(b"ab".to_vec());
        image.skip(3);
        image.append(&b"cd"[..]);
        image.append(&b"e"[..]);
        assert_eq!(image.to_bytes(), &b"ab\0\0\0cde"[..]);
        assert_eq!(image.read(1..6), &b"b\0\0\0c"[..]);
        assert_eq!(image.read(3..4), &b"\0"[..]);
        assert_eq!(image.read(6..99), &b"de"[..]);
        assert_eq!(image.read(8..9), &b""[..]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        image.write_to(&path).unwrap();
        assert_eq!(std::fs::read(path).unwrap(), image.to_bytes());
    }
}
