//! The end of an archive: its end records, and which of them tells where the directory lies.
//!
//! Anything may follow a zip, its comment may hold anything, and any number of end records with it. Which of them counts is
//! decided here, and not by the first that a search comes by.

use std::ops::Range;

use super::TAIL;
use super::window::Window;

/// An end record without its comment, in bytes (APPNOTE.TXT 4.3.16).
const END_RECORD: u64 = 22;
/// The locator of a zip64 end record, in bytes (4.3.15), and that record's fixed part (4.3.14).
const ZIP64_LOCATOR: u64 = 20;
const ZIP64_RECORD: u64 = 56;
/// What a zip64 record's own size leaves out, in bytes.
const ZIP64_UNCOUNTED: u64 = 12;

/// How many readings of the end are looked at; a comment may hold thousands.
const MAX_READINGS: usize = 64;

/// Where a directory lies, as somebody may read the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// Where the directory begins.
    pub(super) start: u64,
    /// Where it ends: at the end record, or at the zip64 one.
    pub(super) end: u64,
    /// What lies before the zip, in bytes: to be added to the offsets in the directory.
    pub(super) base: u64,
    /// How many entries the end record counts.
    pub(super) declared: u64,
    /// Whether the archive's last byte is that of the end record's comment.
    pub(super) ends_archive: bool,
    certainty: Certainty,
}

/// What the window shows of a directory's beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Certainty {
    /// It begins with a record, or lies before the window where both its offset and its size put it.
    Good,
    /// It lies before the window, and its offset and its size contradict each other.
    Doubtful,
    /// It has no entries.
    Empty,
}

/// What an end record says.
struct EndRecord {
    /// Where it lies; where the directory has to end, which a zip64 record may come behind; where its comment ends.
    at: u64,
    directory_end: u64,
    comment_end: u64,
    entries: u64,
    size: u64,
    offset: u64,
}

impl Reading {
    pub(super) fn is_empty(&self) -> bool {
        self.certainty == Certainty::Empty
    }

    pub(super) fn is_doubtful(&self) -> bool {
        self.certainty == Certainty::Doubtful
    }

    pub(super) fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    /// The newest record that ends the archive comes first, then one that does not, and one of an empty directory only if
    /// there is no other.
    fn rank(&self) -> (bool, bool, Certainty) {
        (self.is_empty(), !self.ends_archive, self.certainty)
    }
}

/// The ways to read the end of an archive, the best first. Only what the window shows is known of them.
pub(super) fn readings(window: &Window) -> Vec<Reading> {
    let mut readings = Vec::new();
    let from = window.start().max(window.end().saturating_sub(TAIL));
    let mut end = window.end();
    while readings.len() < MAX_READINGS
        && let Some(at) = window.rfind(from..end, *b"PK\x05\x06")
    {
        for record in end_records(window, at) {
            readings.extend(starts(window, &record));
        }
        end = at + 3;
    }
    // Stable: the newest first within a rank.
    readings.sort_by_key(Reading::rank);
    readings.dedup();
    readings
}

/// Whether others may read another directory out of the same end.
pub(super) fn is_ambiguous(chosen: &Reading, readings: &[Reading]) -> bool {
    let rivals = readings.iter().filter(|it| it.ends_archive == chosen.ends_archive);
    rivals.into_iter().any(|it| it.range() != chosen.range() && it.certainty != Certainty::Doubtful)
}

/// An end record as its zip64 companion completes it, and as it is by itself.
fn end_records(window: &Window, at: u64) -> Vec<EndRecord> {
    let (Some(entries), Some(size), Some(offset), Some(comment)) =
        (window.u16(at + 10), window.u32(at + 12), window.u32(at + 16), window.u16(at + 20))
    else {
        return Vec::new();
    };
    let comment_end = at + END_RECORD + u64::from(comment);
    if comment_end > window.end() {
        return Vec::new();
    }
    let plain = EndRecord {
        at,
        directory_end: at,
        comment_end,
        entries: entries.into(),
        size: size.into(),
        offset: offset.into(),
    };
    zip64_record(window, &plain).into_iter().chain([plain]).collect()
}

/// The end record that a zip64 record makes of a plain one: it holds the numbers that do not fit there.
fn zip64_record(window: &Window, plain: &EndRecord) -> Option<EndRecord> {
    let locator = plain.at.checked_sub(ZIP64_LOCATOR)?;
    window.starts_with(locator, b"PK\x06\x07").then_some(())?;
    let declared = window.u64(locator + 8)?;
    // Where something was put before the zip without adjusting offsets, the record lies right before its locator.
    let at = [Some(declared), locator.checked_sub(ZIP64_RECORD)].into_iter().flatten().find(|&at| {
        let size = window.u64(at.saturating_add(4)).unwrap_or_default();
        window.starts_with(at, b"PK\x06\x06")
            && size >= ZIP64_RECORD - ZIP64_UNCOUNTED
            && at.checked_add(ZIP64_UNCOUNTED).and_then(|it| it.checked_add(size)) == Some(locator)
    })?;
    let (entries, size, offset) = (window.u64(at + 32)?, window.u64(at + 40)?, window.u64(at + 48)?);
    let agrees = |short: u64, sentinel: u64, long: u64| short == sentinel || short == long;
    let consistent = agrees(plain.entries, u16::MAX.into(), entries)
        && agrees(plain.size, u32::MAX.into(), size)
        && agrees(plain.offset, u32::MAX.into(), offset);
    consistent.then_some(EndRecord {
        at: plain.at,
        directory_end: at,
        comment_end: plain.comment_end,
        entries,
        size,
        offset,
    })
}

/// Where the directory begins, by its size and by its offset. They differ where something was put before the zip, or where one
/// of them is wrong. Size comes first, as with Info-ZIP and Python.
fn starts(window: &Window, record: &EndRecord) -> Vec<Reading> {
    let by_size = record.directory_end.checked_sub(record.size);
    let agree = by_size == Some(record.offset);
    let mut readings = Vec::new();
    for start in [by_size, Some(record.offset)].into_iter().flatten() {
        let certainty = if start > record.directory_end {
            continue;
        } else if start == record.directory_end {
            Certainty::Empty
        } else if start < window.start() {
            if agree { Certainty::Good } else { Certainty::Doubtful }
        } else if window.starts_with(start, b"PK\x01\x02") {
            Certainty::Good
        } else {
            continue;
        };
        let reading = Reading {
            start,
            end: record.directory_end,
            base: start.saturating_sub(record.offset),
            declared: record.entries,
            ends_archive: record.comment_end == window.end(),
            certainty,
        };
        if !readings.contains(&reading) {
            readings.push(reading);
        }
    }
    readings
}
