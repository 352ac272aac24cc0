//! The files of a zip, as `--entries` lists them.

use std::fmt::Write as _;

use crash_capture::archive::{Conflicting, Entry, Flag};
use serde::Serialize;

/// A file or folder of a zip, as its directory declares it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    /// Its path, made harmless.
    pub(crate) path: String,
    /// Its path's bytes, in hexadecimal digits.
    raw_path_hex: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    compressed_size: u64,
    /// 8 hexadecimal digits.
    crc32: String,
    /// The number of its compression method (APPNOTE.TXT 4.4.5).
    method: u16,
    /// When it was last modified: in UTC with a `Z`, else in the local time of whoever made the zip.
    pub(crate) modified: Option<String>,
    /// What is odd about it.
    pub(crate) flags: Vec<&'static str>,
}

impl Listed {
    pub(super) fn new(entry: &Entry, conflicting: &Conflicting) -> Self {
        let mut flags = entry.flags;
        flags.set(Flag::Overlapping, conflicting.overlaps(entry));
        flags.set(Flag::Duplicate, conflicting.is_duplicate(entry));
        Self {
            path: entry.path.clone(),
            raw_path_hex: hex(&entry.raw_path),
            size: entry.size,
            compressed_size: entry.compressed_size,
            crc32: format!("{:08x}", entry.crc32),
            method: entry.method.number(),
            modified: entry.modified(),
            flags: flags.iter().map(Flag::code).collect(),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        write!(text, "{byte:02x}").ok();
        text
    })
}
