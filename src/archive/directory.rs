//! The directory: what an archive holds. It is read as it arrives, and never held as a whole.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::conflicts::{COMPARED, Conflicts};
use super::end::Reading;
use super::{Entry, Finding, Flag};

/// A record's fixed part, in bytes (APPNOTE.TXT 4.3.12).
const RECORD: usize = 46;

/// What an archive holds, in sum.
#[derive(Debug, Default)]
pub struct Directory {
    /// How many entries it has: as many as there are records, whatever the end record counts.
    pub entries: u64,
    /// What is odd about the archive and its entries. Each code occurs once.
    pub findings: Vec<Finding>,
}

/// Reads records out of bytes that come in pieces, and gives each to a visitor.
pub(super) struct Records<'a, V> {
    reading: &'a Reading,
    visit: V,
    /// What has come of a record that is not there as a whole yet: at most [`rawzip::MAX_CENTRAL_DIRECTORY_RECORD_SIZE`].
    pending: Vec<u8>,
    /// The entry that was read last: the next one is written over it, which spares two allocations for each.
    entry: Entry,
    conflicts: Conflicts,
    entries: u64,
    /// By flag: how many entries have it, and the first of them.
    flagged: BTreeMap<&'static str, (u64, String)>,
    /// Whether something came that is no record.
    ended: bool,
}

impl<'a, V: FnMut(&Entry)> Records<'a, V> {
    pub(super) fn new(reading: &'a Reading, visit: V) -> Self {
        Self {
            reading,
            visit,
            pending: Vec::new(),
            entry: Entry::default(),
            conflicts: Conflicts::default(),
            entries: 0,
            flagged: BTreeMap::new(),
            ended: false,
        }
    }

    /// Whether no record can come any more.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// How many have come.
    pub(super) fn count(&self) -> u64 {
        self.entries
    }

    /// Takes the next bytes of the directory.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.ended {
            return;
        }
        self.pending.extend_from_slice(bytes);
        let whole = self.whole_records();
        if whole > 0 {
            let rest = self.pending.split_off(whole);
            // The same memory for each batch: the system clears what it gives anew.
            let mut batch = std::mem::take(&mut self.pending);
            self.read(&mut batch);
            batch.clear();
            batch.extend_from_slice(&rest);
            self.pending = batch;
        }
    }

    /// How many of the pending bytes are whole records; notes where something else follows them.
    fn whole_records(&mut self) -> usize {
        let mut at = 0;
        loop {
            let rest = &self.pending[at..];
            let signature = &rest[..rest.len().min(4)];
            if !b"PK\x01\x02".starts_with(signature) {
                self.ended = true;
                return at;
            }
            let length_at = |at: usize| usize::from(u16::from_le_bytes([rest[at], rest[at + 1]]));
            if rest.len() < RECORD {
                return at;
            }
            let length = RECORD + length_at(28) + length_at(30) + length_at(32);
            if rest.len() < length {
                return at;
            }
            at += length;
        }
    }

    /// Reads whole records, at least one. To the crate that knows records, they are a small zip of their own: the end record
    /// that makes them one is kept apart from them by a digital signature (APPNOTE.TXT 4.3.13), lest the last record's
    /// comment pass for a part of it.
    fn read(&mut self, batch: &mut Vec<u8>) {
        let size = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        batch.extend_from_slice(b"PK\x05\x05\x0e\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        batch.extend_from_slice(b"PK\x05\x06\0\0\0\0\0\0\0\0");
        batch.extend_from_slice(&size.to_le_bytes());
        batch.extend_from_slice(&[0; 6]);
        let zip = rawzip::ZipArchive::with_max_search_space(22).locate_in_slice(batch.as_slice());
        let Ok(zip) = zip else {
            self.ended = true;
            return;
        };
        let mut records = zip.entries();
        while let Ok(Some(record)) = records.next_entry() {
            self.entry.read(&record, self.reading.base, self.reading.start);
            self.take();
        }
    }

    fn take(&mut self) {
        let entry = &self.entry;
        self.entries += 1;
        self.conflicts.add(entry);
        for flag in entry.flags.iter() {
            let (count, _) = self.flagged.entry(flag.code()).or_insert_with(|| (0, entry.path.clone()));
            *count += 1;
        }
        (self.visit)(entry);
    }

    /// What the directory comes to. `cut` is why no more of it was read, if that was not its end.
    pub(super) fn finish(mut self, ambiguous: bool, cut: Option<Finding>) -> Directory {
        let is_short = self.entries < self.reading.declared && (self.ended || !self.pending.is_empty());
        let conflicting = std::mem::take(&mut self.conflicts).find();
        let mut findings: Vec<Finding> = cut.into_iter().collect();
        let mut add = |code, detail: String| findings.push(Finding { code, detail });
        let found = self.entries;
        if is_short {
            add("directory-damaged", format!("after {found} entries comes something that is no entry"));
        } else if found != self.reading.declared {
            let declared = self.reading.declared;
            add("count-mismatch", format!("the zip counts {declared} entries, and has {found}"));
        }
        if ambiguous {
            add("ambiguous-end", "other programs may read other entries out of this zip".to_owned());
        }
        for (code, (count, first)) in self.flagged {
            let mut detail = first;
            if count > 1 {
                write!(detail, ", and {} more", count - 1).ok();
            }
            add(code, detail);
        }
        if conflicting.overlapping_count > 0 {
            let count = conflicting.overlapping_count;
            add(Flag::Overlapping.code(), format!("the data of {count} entries overlaps that of others"));
        }
        if conflicting.duplicate_count > 0 {
            let count = conflicting.duplicate_count;
            add(Flag::Duplicate.code(), format!("{count} entries have the name of an earlier one"));
        }
        if conflicting.left_out > 0 {
            let detail = format!("only the first {COMPARED} entries were compared with each other");
            add("compare-limit", detail);
        }
        Directory { entries: found, findings }
    }
}
