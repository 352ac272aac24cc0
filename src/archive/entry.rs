//! An entry, as the directory declares it, and what is odd about it.

use std::borrow::Cow;

use rawzip::time::ZipDateTimeKind;
use rawzip::{CompressionMethod, ZipFileHeaderRecord};

use super::names;

/// The fixed part of a local header, in bytes (APPNOTE.TXT 4.3.7).
pub(super) const LOCAL_HEADER: u64 = 30;

/// Deflate cannot do better than 1032:1 (zlib's technical notes); what claims to be near that holds nothing, or lies.
const MAX_RATIO: u64 = 1000;

/// Below this size in bytes, inflated, a ratio harms nobody.
const RATIO_MATTERS: u64 = 1024 * 1024;

/// How an entry is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// Not at all.
    #[default]
    Stored,
    /// Deflate.
    Deflate,
    /// By a method that is listed but not read, by its number (APPNOTE.TXT 4.4.5).
    Other(u16),
}

impl Method {
    /// Its number (APPNOTE.TXT 4.4.5).
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::Stored => 0,
            Self::Deflate => 8,
            Self::Other(number) => number,
        }
    }
}

impl From<CompressionMethod> for Method {
    fn from(method: CompressionMethod) -> Self {
        match method {
            CompressionMethod::STORE => Self::Stored,
            CompressionMethod::DEFLATE => Self::Deflate,
            other => Self::Other(other.as_u16()),
        }
    }
}

/// What can be odd about an entry. It is listed all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// It is encrypted, and so it is not read.
    Encrypted,
    /// It is compressed by a method that is not read.
    UnreadableMethod,
    /// Its data would reach into the directory or past the archive's end.
    PastEnd,
    /// It claims to inflate to more than a thousand times its size, and to more than 1 MiB.
    AbsurdRatio,
    /// Its path is empty, absolute, or leads out of the folder it is extracted to.
    UnsafePath,
    /// Its data overlaps that of another entry.
    Overlapping,
    /// Another entry has the same name.
    Duplicate,
}

impl Flag {
    /// Every flag.
    pub const ALL: [Self; 7] = [
        Self::Encrypted,
        Self::UnreadableMethod,
        Self::PastEnd,
        Self::AbsurdRatio,
        Self::UnsafePath,
        Self::Overlapping,
        Self::Duplicate,
    ];

    /// A stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Encrypted => "encrypted-entry",
            Self::UnreadableMethod => "unreadable-method",
            Self::PastEnd => "entry-past-end",
            Self::AbsurdRatio => "absurd-ratio",
            Self::UnsafePath => "unsafe-path",
            Self::Overlapping => "overlapping-entry",
            Self::Duplicate => "duplicate-entry",
        }
    }
}

/// The flags of an entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// Adds a flag if a condition holds.
    pub fn set(&mut self, flag: Flag, holds: bool) {
        self.0 |= u8::from(holds) << (flag as u8);
    }

    /// Whether a flag is among them.
    #[must_use]
    pub fn contains(self, flag: Flag) -> bool {
        self.0 & (1 << (flag as u8)) != 0
    }

    /// The flags, in the order of [`Flag::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL.into_iter().filter(move |flag| self.contains(*flag))
    }
}

/// A file or folder of an archive, as the directory declares it.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Its path, to show: decoded, and made harmless. Match against [`path_to_match`](Self::path_to_match).
    pub path: String,
    /// Its path's bytes, as the directory has them.
    pub raw_path: Vec<u8>,
    /// Its size in bytes, as declared.
    pub size: u64,
    /// Its compressed size in bytes, as declared.
    pub compressed_size: u64,
    /// The CRC-32 of its contents, as declared.
    pub crc32: u32,
    /// How it is compressed.
    pub method: Method,
    /// What is odd about it alone; whether it overlaps another or has its name, only [`Conflicts`](super::Conflicts) tells.
    pub flags: Flags,
    /// Whether it is a folder.
    pub is_folder: bool,
    modified: Option<ZipDateTimeKind>,
    /// Where its local header lies in the archive.
    pub(super) local_header: u64,
}

impl Entry {
    /// Becomes what a record of the directory tells. `base` is what lies before the zip in the archive, in bytes, and `data_end` where the
    /// entries' data has to end: at the directory.
    pub(super) fn read(&mut self, record: &ZipFileHeaderRecord<'_>, base: u64, data_end: u64) {
        let (path, flags) = (record.file_path(), record.flags());
        let raw = path.as_bytes();
        names::display(raw, flags.is_utf8(), &mut self.path);
        self.raw_path.clear();
        self.raw_path.extend_from_slice(raw);
        self.size = record.uncompressed_size_hint();
        self.compressed_size = record.compressed_size_hint();
        self.crc32 = record.crc32();
        self.method = record.compression_method().into();
        self.is_folder = raw.ends_with(b"/") || raw.ends_with(b"\\");
        let modified = record.last_modified();
        let is_dated =
            record.last_modified_dos().packed_date() != 0 || matches!(modified, ZipDateTimeKind::Utc(_));
        self.modified = is_dated.then_some(modified);
        self.local_header = record.local_header_offset().saturating_add(base);
        let is_encrypted = flags.is_encrypted() || flags.has_strong_encryption() || flags.is_masked();
        let is_absurd = self.size / MAX_RATIO > self.compressed_size && self.size > RATIO_MATTERS;
        self.flags = Flags::default();
        for (flag, holds) in [
            (Flag::Encrypted, is_encrypted),
            (Flag::UnreadableMethod, matches!(self.method, Method::Other(_))),
            (Flag::UnsafePath, names::is_unsafe(raw)),
            (Flag::AbsurdRatio, is_absurd),
            (Flag::PastEnd, self.least_end() > data_end),
        ] {
            self.flags.set(flag, holds);
        }
    }

    /// The path to match names against: as [`path`](Self::path), with `/` for every `\`.
    #[must_use]
    pub fn path_to_match(&self) -> Cow<'_, str> {
        if self.path.contains('\\') { self.path.replace('\\', "/").into() } else { self.path.as_str().into() }
    }

    /// When it was last modified, as RFC 3339 has it: in UTC, with a `Z`, where the zip tells UTC, and else without an
    /// offset, in the local time of whoever made the zip. Nothing where the zip tells none.
    #[must_use]
    pub fn modified(&self) -> Option<String> {
        let modified = self.modified.as_ref()?;
        let zone = if matches!(modified, ZipDateTimeKind::Utc(_)) { "Z" } else { "" };
        let (date, time) = (
            format!("{:04}-{:02}-{:02}", modified.year(), modified.month(), modified.day()),
            format!("{:02}:{:02}:{:02}", modified.hour(), modified.minute(), modified.second()),
        );
        Some(format!("{date}T{time}{zone}"))
    }

    /// Where its data ends at the earliest: its local header may have a name and an extra field of any length.
    pub(super) fn least_end(&self) -> u64 {
        self.local_header.saturating_add(LOCAL_HEADER).saturating_add(self.compressed_size)
    }
}
