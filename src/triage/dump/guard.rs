//! What a minidump may declare before the parser is let near it.
//!
//! The crate `minidump` copies each module's name and debug record and each thread's name. A crafted dump of 4 MB lets
//! thousands of entries point at one large blob, and the copies then take gigabytes (its issue 381). So the lengths are
//! added up here first, in one pass over the tables, without copying anything.
//!
//! Unloaded modules and Crashpad's dictionaries can be crafted in the same way. Those streams are never parsed.

use super::fields::{Fields, MODULE, MODULE_LIST, SYSTEM_INFO, THREAD_NAMES};

/// Streams in the directory. Real dumps have a dozen or two.
pub(super) const MAX_STREAMS: usize = 128;
/// Entries of a list.
const MAX_ENTRIES: usize = 4096;
/// A name, in bytes.
pub(super) const MAX_NAME: usize = 8 * 1024;
/// A module's debug record (`CodeView`), in bytes.
const MAX_DEBUG_RECORD: usize = 4 * 1024;
/// All that would be copied, in bytes. A process of a thousand modules has half of that.
const MAX_COPIED: usize = 1024 * 1024;

/// Whether the parser may read a little-endian dump; else which bound it breaks.
pub(super) fn check(dump: &[u8]) -> Result<(), &'static str> {
    let dump = Fields(dump);
    let (Some(streams), Some(directory)) = (dump.length(8), dump.length(12)) else { return Ok(()) };
    if streams > MAX_STREAMS {
        return Err("it declares more than 128 streams");
    }
    let mut copied = 0;
    for entry in (0..streams).map(|n| directory.saturating_add(12 * n)) {
        let (Some(kind), Some(size)) = (dump.u32(entry), dump.length(entry.saturating_add(4))) else {
            return Ok(());
        };
        let Some(at) = dump.length(entry.saturating_add(8)) else { return Ok(()) };
        copied += match kind {
            MODULE_LIST => dump.module_list(at, size)?,
            THREAD_NAMES => dump.thread_names(at)?,
            // `CSDVersionRva`, the service pack's name, is at 24 of `MINIDUMP_SYSTEM_INFO`; 0 where there is none.
            SYSTEM_INFO => match dump.length(at.saturating_add(24)) {
                Some(name) if name > 0 => dump.name(name)?,
                _ => 0,
            },
            _ => 0,
        };
        if copied > MAX_COPIED {
            return Err("its names and debug records are longer than 1 MiB together");
        }
    }
    Ok(())
}

impl Fields<'_> {
    /// The length of a `MINIDUMP_STRING`, which begins with it.
    fn name(&self, at: usize) -> Result<usize, &'static str> {
        match self.length(at) {
            Some(length) if length > MAX_NAME => Err("a name in it is longer than 8 KiB"),
            length => Ok(length.unwrap_or(0)),
        }
    }

    /// `MINIDUMP_MODULE_LIST`: a count, and entries; some writers pad the count to 8 bytes, which the size tells.
    fn module_list(&self, at: usize, size: usize) -> Result<usize, &'static str> {
        let count = self.count(at)?;
        let first = if size == 8 + MODULE * count { 8 } else { 4 };
        let mut copied = 0;
        for entry in (0..count).map(|n| at.saturating_add(first + MODULE * n)) {
            copied += self.length(entry.saturating_add(20)).map_or(Ok(0), |name| self.name(name))?;
            let debug_record = self.length(entry.saturating_add(76)).unwrap_or(0);
            if debug_record > MAX_DEBUG_RECORD {
                return Err("a debug record in it is longer than 4 KiB");
            }
            copied += debug_record;
        }
        Ok(copied)
    }

    /// `MINIDUMP_THREAD_NAME_LIST`: a count, and entries of 12 bytes: thread id, 64-bit offset of its name.
    fn thread_names(&self, at: usize) -> Result<usize, &'static str> {
        let mut copied = 0;
        for entry in (0..self.count(at)?).map(|n| at.saturating_add(4 + 12 * n)) {
            copied += self.length(entry.saturating_add(4)).map_or(Ok(0), |name| self.name(name))?;
        }
        Ok(copied)
    }

    fn count(&self, at: usize) -> Result<usize, &'static str> {
        match self.length(at) {
            Some(count) if count > MAX_ENTRIES => Err("a list in it has more than 4,096 entries"),
            count => Ok(count.unwrap_or(0)),
        }
    }
}
