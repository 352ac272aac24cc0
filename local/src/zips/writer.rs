//! Writes zips (APPNOTE.TXT 6.3), and whatever lies it is told.

use std::ops::Range;

use bytes::Bytes;

use super::Image;
use super::content::{crc32, crc32_of_zeros, deflate};

/// What an entry holds.
#[derive(Debug, Clone)]
pub enum Data {
    /// These bytes, as they are in the archive.
    Raw(Bytes),
    /// So many zeros, stored, which cost nothing.
    Zeros(u64),
    /// These bytes, and then a hole up to a length: only their beginning can be read.
    Beginning(Bytes, u64),
    /// Nothing, not even a local header: a place that is never read.
    Nowhere,
}

/// How an entry's sizes and CRC follow its data (4.3.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Descriptor {
    /// They do not: the local header has them.
    None,
    /// With its signature, and sizes of 4 bytes.
    Signed,
    /// Without its signature.
    Unsigned,
    /// With its signature, and sizes of 8 bytes.
    Zip64,
}

/// Which numbers of an entry's directory record are in its zip64 extra field, and all ones in their place (4.5.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the format")]
pub struct Zip64 {
    /// The inflated size.
    pub size: bool,
    /// The compressed size.
    pub compressed: bool,
    /// The local header's offset.
    pub offset: bool,
    /// All ones without an extra field to complete them: a lie.
    pub without_field: bool,
    /// An extra field that is too short by so many bytes: a lie.
    pub short_by: usize,
}

/// An entry. The fields are what the directory says; what they are where nobody lies, the constructors tell.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "they are the format's own names (4.3.7, 4.3.12)")]
pub struct Entry {
    pub name: Vec<u8>,
    /// The name in the local header, if it is another one.
    pub local_name: Option<Vec<u8>>,
    pub data: Data,
    pub method: u16,
    pub flags: u16,
    pub crc32: u32,
    pub compressed_size: u64,
    pub size: u64,
    /// MS-DOS time and date.
    pub modified: (u16, u16),
    pub extra: Vec<u8>,
    pub local_extra: Vec<u8>,
    pub comment: Vec<u8>,
    pub descriptor: Descriptor,
    pub zip64: Zip64,
    /// Where the directory says that the local header lies, if that is another place.
    pub offset: Option<u64>,
}

impl Entry {
    fn with(name: impl Into<Vec<u8>>, data: Data, method: u16, crc32: u32, sizes: (u64, u64)) -> Self {
        Self {
            name: name.into(),
            local_name: None,
            data,
            method,
            flags: 0,
            crc32,
            compressed_size: sizes.0,
            size: sizes.1,
            // 2026-11-23 10:00:00
            modified: (10 << 11, (46 << 9) + (11 << 5) + 23),
            extra: Vec::new(),
            local_extra: Vec::new(),
            comment: Vec::new(),
            descriptor: Descriptor::None,
            zip64: Zip64::default(),
            offset: None,
        }
    }

    /// A file that is stored.
    #[must_use]
    pub fn stored(name: impl Into<Vec<u8>>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let (crc, size) = (crc32(&bytes), bytes.len() as u64);
        Self::with(name, Data::Raw(bytes), 0, crc, (size, size))
    }

    /// A file that is deflated.
    #[must_use]
    pub fn deflated(name: impl Into<Vec<u8>>, bytes: &[u8]) -> Self {
        let raw = deflate(bytes);
        let sizes = (raw.len() as u64, bytes.len() as u64);
        Self::with(name, Data::Raw(raw.into()), 8, crc32(bytes), sizes)
    }

    /// A stored file of zeros.
    #[must_use]
    pub fn zeros(name: impl Into<Vec<u8>>, size: u64) -> Self {
        Self::with(name, Data::Zeros(size), 0, crc32_of_zeros(size), (size, size))
    }

    /// A long file of which only the beginning can be read: `bytes`, stored or deflated, and a hole.
    #[must_use]
    pub fn beginning(
        name: impl Into<Vec<u8>>,
        method: u16,
        bytes: Vec<u8>,
        compressed: u64,
        size: u64,
    ) -> Self {
        Self::with(name, Data::Beginning(bytes.into(), compressed), method, 0, (compressed, size))
    }

    /// A file that nobody will read.
    #[must_use]
    pub fn nowhere(name: impl Into<Vec<u8>>) -> Self {
        Self::with(name, Data::Nowhere, 0, 0, (0, 0))
    }

    /// The same, changed.
    #[must_use]
    pub fn but(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

/// What the end records say. The fields are what is true, or another number in its place.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "they are the format's own names (4.3.14, 4.3.16)")]
pub struct End {
    pub zip64: bool,
    pub entries: Option<u64>,
    pub directory_size: Option<u64>,
    pub directory_offset: Option<u64>,
    pub comment: Vec<u8>,
    /// Bytes between the directory and its end record.
    pub before: Vec<u8>,
}

/// A zip that is being written.
#[derive(Debug, Default)]
pub struct Zip {
    image: Image,
    buffer: Vec<u8>,
    directory: Vec<u8>,
    entries: u64,
    /// What is added to every offset that is written.
    shift: i64,
    offsets: Vec<u64>,
}

impl Zip {
    /// A zip of these entries, as it should be.
    #[must_use]
    pub fn of(entries: impl IntoIterator<Item = Entry>) -> Image {
        let mut zip = Self::default();
        for entry in entries {
            zip.add(&entry);
        }
        zip.finish(&End::default())
    }

    /// Puts something before the zip. If offsets are not adjusted, they are counted from behind it.
    #[must_use]
    pub fn behind(prefix: Vec<u8>, adjusted: bool) -> Self {
        let shift = if adjusted { 0 } else { -i64::try_from(prefix.len()).unwrap_or(0) };
        Self { buffer: prefix, shift, ..Self::default() }
    }

    /// Where the local headers were written.
    #[must_use]
    pub fn offsets(&self) -> &[u64] {
        &self.offsets
    }

    /// Where the next local header will be.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.image.size() + self.buffer.len() as u64
    }

    /// Writes an entry: its local header, its data, and its record, which is kept for the directory.
    pub fn add(&mut self, entry: &Entry) {
        let at = self.position();
        self.offsets.push(at);
        if !matches!(entry.data, Data::Nowhere) {
            self.local_header(entry);
            match &entry.data {
                Data::Raw(bytes) => self.buffer.extend_from_slice(bytes),
                Data::Zeros(length) => self.hole(*length),
                Data::Beginning(bytes, length) => {
                    self.buffer.extend_from_slice(bytes);
                    self.hole(length - bytes.len() as u64);
                }
                Data::Nowhere => {}
            }
            self.descriptor(entry);
        }
        self.record(entry, at);
    }

    /// Adds a record for an entry whose data is written already, or is not to be.
    pub fn record(&mut self, entry: &Entry, at: u64) {
        let offset = entry.offset.unwrap_or_else(|| at.saturating_add_signed(self.shift));
        let zip64 = entry.zip64;
        let mut field = Vec::new();
        let mut short = |number: u64, extended: bool| {
            if extended {
                field.extend_from_slice(&number.to_le_bytes());
                u32::MAX
            } else {
                u32::try_from(number).unwrap_or(u32::MAX)
            }
        };
        let size = short(entry.size, zip64.size);
        let compressed = short(entry.compressed_size, zip64.compressed);
        let offset = short(offset, zip64.offset);
        field.truncate(field.len().saturating_sub(zip64.short_by));
        let mut extra = entry.extra.clone();
        if !field.is_empty() && !zip64.without_field {
            extra = [&[1, 0], &u16_of(field.len())[..], &field, &extra].concat();
        }
        let fixed = self.fixed(entry, [compressed, size], entry.name.len(), extra.len());
        let record = [
            &b"PK\x01\x02\x2d\x03"[..],
            &fixed,
            &u16_of(entry.comment.len()),
            &[0; 8],
            &offset.to_le_bytes(),
            &entry.name,
            &extra,
            &entry.comment,
        ];
        self.directory.extend(record.into_iter().flatten());
        self.entries += 1;
    }

    /// What local header and record have in common, from the version to the extra field's length.
    #[expect(clippy::unused_self, reason = "reads as a part of the writer")]
    fn fixed(&self, entry: &Entry, sizes: [u32; 2], name: usize, extra: usize) -> Vec<u8> {
        let described = if entry.descriptor == Descriptor::None { 0 } else { 8 };
        [
            &45_u16.to_le_bytes()[..],
            &(entry.flags | described).to_le_bytes(),
            &entry.method.to_le_bytes(),
            &entry.modified.0.to_le_bytes(),
            &entry.modified.1.to_le_bytes(),
            &entry.crc32.to_le_bytes(),
            &sizes[0].to_le_bytes(),
            &sizes[1].to_le_bytes(),
            &u16_of(name),
            &u16_of(extra),
        ]
        .concat()
    }

    fn local_header(&mut self, entry: &Entry) {
        let name = entry.local_name.as_ref().unwrap_or(&entry.name);
        let short = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let sizes = [short(entry.compressed_size), short(entry.size)];
        let mut fixed = self.fixed(entry, sizes, name.len(), entry.local_extra.len());
        if entry.descriptor != Descriptor::None {
            // CRC and sizes come behind the data.
            fixed[10..22].fill(0);
        }
        self.buffer.extend([&b"PK\x03\x04"[..], &fixed, name, &entry.local_extra].into_iter().flatten());
    }

    fn descriptor(&mut self, entry: &Entry) {
        if matches!(entry.descriptor, Descriptor::Signed | Descriptor::Zip64) {
            self.buffer.extend_from_slice(b"PK\x07\x08");
        }
        if entry.descriptor != Descriptor::None {
            self.buffer.extend_from_slice(&entry.crc32.to_le_bytes());
            for size in [entry.compressed_size, entry.size] {
                let width = if entry.descriptor == Descriptor::Zip64 { 8 } else { 4 };
                self.buffer.extend_from_slice(&size.to_le_bytes()[..width]);
            }
        }
    }

    /// Small holes are written out, so that what is written stays together.
    fn hole(&mut self, length: u64) {
        if length < 64 * 1024 {
            let length = usize::try_from(length).unwrap_or(0);
            self.buffer.resize(self.buffer.len() + length, 0);
        } else {
            self.image.append(std::mem::take(&mut self.buffer));
            self.image.skip(length);
        }
    }

    /// Leaves so many bytes out.
    pub fn skip(&mut self, length: u64) {
        self.hole(length);
    }

    /// Writes the directory and its end records.
    #[must_use]
    pub fn finish(mut self, end: &End) -> Image {
        let start = self.position();
        let offset = end.directory_offset.unwrap_or_else(|| start.saturating_add_signed(self.shift));
        let size = end.directory_size.unwrap_or(self.directory.len() as u64);
        let entries = end.entries.unwrap_or(self.entries);
        self.image.append(std::mem::take(&mut self.buffer));
        self.image.append(std::mem::take(&mut self.directory));
        let mut tail = end.before.clone();
        if end.zip64 {
            let at = (self.image.size() + tail.len() as u64).saturating_add_signed(self.shift);
            tail.extend(zip64_end(at, [entries, size, offset]));
        }
        tail.extend(end_record(end.zip64, [entries, size, offset], &end.comment));
        self.image.append(tail);
        self.image
    }
}

/// A zip64 end record with its locator; `at` is where it lies.
#[must_use]
pub fn zip64_end(at: u64, [entries, size, offset]: [u64; 3]) -> Vec<u8> {
    let mut record = b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0".to_vec();
    for number in [entries, entries, size, offset] {
        record.extend_from_slice(&number.to_le_bytes());
    }
    record.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    record.extend_from_slice(&at.to_le_bytes());
    record.extend_from_slice(&[1, 0, 0, 0]);
    record
}

/// An end record; with zip64, all ones in it.
#[must_use]
pub fn end_record(zip64: bool, [entries, size, offset]: [u64; 3], comment: &[u8]) -> Vec<u8> {
    let short = |number: u64| if zip64 { u32::MAX } else { u32::try_from(number).unwrap_or(u32::MAX) };
    // Writers without zip64 let the count wrap around.
    let entries = if zip64 { u16::MAX } else { (entries & 0xffff) as u16 };
    [
        &b"PK\x05\x06\0\0\0\0"[..],
        &entries.to_le_bytes(),
        &entries.to_le_bytes(),
        &short(size).to_le_bytes(),
        &short(offset).to_le_bytes(),
        &u16_of(comment.len()),
        comment,
    ]
    .concat()
}

fn u16_of(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes()
}

/// The extra field of an id with some bytes.
#[must_use]
pub fn extra_field(id: u16, bytes: &[u8]) -> Vec<u8> {
    [&id.to_le_bytes()[..], &u16_of(bytes.len()), bytes].concat()
}

/// Where an entry's local header, data and descriptor lie, if they lie together.
#[must_use]
pub fn extent(offsets: &[u64], number: usize, directory: u64) -> Range<u64> {
    offsets[number]..offsets.get(number + 1).copied().unwrap_or(directory)
}
