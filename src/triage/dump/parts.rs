//! Dumps that are too long to be held: which parts of one tell what happened, and a small dump that is made of these alone.
//!
//! A dump has a directory of streams, some of which point at more: names, debug records, the processor's state. So a few rounds of
//! reading lead to all that is wanted, past whatever else there is, which is mostly the memory of the process.

use std::collections::BTreeMap;
use std::ops::Range;

use super::fields::{Fields, Pointer, pointers};
use super::guard::{MAX_NAME, MAX_STREAMS};
use super::{UNREAL_CONTEXT, fields};

/// How far into a dump is looked, in bytes.
pub(in crate::triage) const REACH: u64 = 64 * 1024 * 1024;

/// What is kept of a dump beside its beginning, and what the small dump comes to, at most, in bytes.
const KEPT: u64 = 6 * 1024 * 1024;

/// A stream that is wanted is at most this long, in bytes; Unreal leaves room behind its context.
const STREAM: u64 = 1024 * 1024;

/// So much before and behind a stream is kept with it, in bytes: what it points at mostly lies there, and may not come again.
const AROUND: u64 = 64 * 1024;

/// So much behind the beginning is kept where a dump can only be read onwards, in bytes: all of a dump that is not very long, in
/// whatever order it was written.
const ONWARDS: u64 = 2 * 1024 * 1024;

/// Names are first taken to be as long as Windows allows paths to be, in bytes. Whatever else is pointed at is no longer than this.
const NAME: u64 = 4 + 2 * 260;
const POINTED: u64 = 16 * 1024;

/// Past a gap up to this long, in bytes, it is cheaper to read on than to ask again.
const GAP: u64 = 256 * 1024;

/// How often more is asked for.
const ROUNDS: u32 = 8;

/// The streams that tell what happened.
const WANTED: [u32; 7] = [
    fields::SYSTEM_INFO,
    fields::EXCEPTION,
    fields::MODULE_LIST,
    fields::THREAD_NAMES,
    fields::MISC_INFO,
    fields::ASSERTION,
    UNREAL_CONTEXT,
];

/// A dump, as far as it is wanted and has come.
#[derive(Debug, Default)]
pub(in crate::triage) struct Parts {
    /// What has come, by where it lies in the dump.
    held: BTreeMap<u64, Vec<u8>>,
    /// What is kept of what comes next: ascending, apart from each other.
    wanted: Vec<Range<u64>>,
    /// Where the next bytes lie.
    at: u64,
    kept: u64,
    rounds: u32,
}

impl Parts {
    /// What all of them take, at most, in bytes, with a beginning of such a length.
    pub(in crate::triage) fn most(beginning: u64) -> u64 {
        beginning + KEPT
    }

    /// Begins with a dump's beginning.
    pub(in crate::triage) fn new(beginning: Vec<u8>) -> Self {
        let at = beginning.len() as u64;
        Self { held: [(0, beginning)].into(), at, ..Self::default() }
    }

    /// What to read next; nothing if all is there, or nothing more can be had. Where a dump can only be read onwards (`jumps` is
    /// false), that is everything up to the last part that is known to be wanted.
    pub(in crate::triage) fn next(&mut self, jumps: bool) -> Option<Range<u64>> {
        self.rounds += 1;
        if self.rounds > ROUNDS || self.kept >= KEPT {
            return None;
        }
        let onwards_from = if jumps { 0 } else { self.at };
        let missing =
            self.missing().into_iter().map(|range| range.start.max(onwards_from)..range.end.min(REACH));
        let mut missing: Vec<_> = missing.filter(|range| !range.is_empty()).collect();
        if self.rounds == 1 && !jumps && !missing.is_empty() {
            missing.push(self.at..self.at + ONWARDS);
        }
        missing.sort_by_key(|range| range.start);
        let mut wanted: Vec<Range<u64>> = Vec::new();
        for range in missing {
            match wanted.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => wanted.push(range),
            }
        }
        if jumps && let Some(far) = wanted.windows(2).position(|pair| pair[1].start - pair[0].end > GAP) {
            wanted.truncate(far + 1);
        }
        let next = wanted.first()?.start..wanted.last()?.end;
        self.at = next.start;
        self.wanted = wanted;
        Some(next)
    }

    /// Takes the next bytes of what was asked for.
    pub(in crate::triage) fn take(&mut self, bytes: &[u8]) {
        let from = self.at;
        self.at += bytes.len() as u64;
        let first = self.wanted.partition_point(|range| range.end <= from);
        for index in first..self.wanted.len() {
            let range = &self.wanted[index];
            let part = range.start.max(from)..range.end.min(self.at);
            if part.is_empty() {
                break;
            }
            #[expect(clippy::cast_possible_truncation, reason = "within a slice")]
            let part_of = |at: u64| (at - from) as usize;
            let part_bytes = &bytes[part_of(part.start)..part_of(part.end)];
            self.keep(part.start, part_bytes);
        }
    }

    fn keep(&mut self, at: u64, bytes: &[u8]) {
        let room = usize::try_from(KEPT.saturating_sub(self.kept)).unwrap_or(0);
        let bytes = &bytes[..bytes.len().min(room)];
        self.kept += bytes.len() as u64;
        match self.held.range_mut(..=at).next_back() {
            Some((start, part)) if start + part.len() as u64 == at => part.extend_from_slice(bytes),
            _ => drop(self.held.insert(at, bytes.to_vec())),
        }
    }

    /// The dump's beginning.
    fn beginning(&self) -> &[u8] {
        self.held.get(&0).map_or(&[], Vec::as_slice)
    }

    /// The part that a range begins in, from there on.
    fn from(&self, at: u64) -> &[u8] {
        let part = self.held.range(..=at).next_back();
        let rest = part.and_then(|(start, part)| part.get(usize::try_from(at - start).ok()?..));
        rest.unwrap_or_default()
    }

    /// The bytes of a range, if they have come.
    fn get(&self, range: &Range<u64>) -> Option<&[u8]> {
        self.from(range.start).get(..usize::try_from(range.end - range.start).ok()?)
    }

    /// What of a range has not come.
    fn rest_of(&self, range: &Range<u64>) -> Option<Range<u64>> {
        let start = range.start + self.from(range.start).len() as u64;
        (start < range.end).then_some(start..range.end)
    }

    fn directory(&self) -> Option<Range<u64>> {
        let header = Fields(self.beginning());
        let (count, at) = (header.u32(8)?, u64::from(header.u32(12)?));
        // More is refused.
        (count as usize <= MAX_STREAMS).then(|| at..at + 12 * u64::from(count))
    }

    /// The wanted streams that the directory tells of.
    fn streams(&self) -> Vec<(u32, Range<u64>)> {
        let directory = self.directory().and_then(|range| self.get(&range)).unwrap_or_default();
        let entries = directory.chunks_exact(12).map(Fields).filter_map(|entry| {
            let (kind, size, at) = (entry.u32(0)?, u64::from(entry.u32(4)?), u64::from(entry.u32(8)?));
            Some((kind, at..at + size.min(STREAM)))
        });
        entries.filter(|(kind, range)| WANTED.contains(kind) && !range.is_empty()).collect()
    }

    /// Where a pointer leads. How long a name is tells its first field.
    fn target(&self, pointer: &Pointer) -> Range<u64> {
        let name = || {
            let length = Fields(self.from(pointer.target)).length(0);
            length.map_or(NAME, |length| 4 + length.min(MAX_NAME) as u64)
        };
        let length = pointer.size.map_or_else(name, |size| size.min(POINTED));
        pointer.target..pointer.target.saturating_add(length)
    }

    /// What is wanted and has not come, as far as that is known.
    fn missing(&self) -> Vec<Range<u64>> {
        let directory = self.directory().unwrap_or(0..0);
        if let Some(rest) = self.rest_of(&directory) {
            return vec![rest];
        }
        let mut missing = Vec::new();
        for (kind, range) in self.streams() {
            if let Some(rest) = self.rest_of(&range) {
                missing.push(rest.start.saturating_sub(AROUND)..rest.end + AROUND);
            } else if let Some(stream) = self.get(&range) {
                let targets = pointers(kind, stream).map(|pointer| self.target(&pointer));
                missing.extend(targets.filter_map(|target| self.rest_of(&target)));
            }
        }
        missing
    }

    /// A dump of what has come, with nothing in it but the streams that are wanted. What it says of lengths is as declared: the guard
    /// looks at it, as at any.
    pub(in crate::triage) fn dump(&self) -> Vec<u8> {
        let streams = self.streams().into_iter().filter_map(|(kind, range)| Some((kind, self.get(&range)?)));
        let streams: Vec<_> = streams.collect();
        let Some(header) = self.beginning().get(..32) else { return self.beginning().to_vec() };
        let mut dump = header.to_vec();
        set(&mut dump, 8, streams.len());
        set(&mut dump, 12, 32);
        dump.resize(32 + 12 * streams.len(), 0);
        // What did not come is empty: a name of no length.
        let nothing = dump.len();
        dump.extend([0; 4]);
        for (number, (kind, stream)) in streams.into_iter().enumerate() {
            let at = dump.len();
            dump.extend_from_slice(stream);
            for (n, word) in [kind as usize, stream.len(), at].into_iter().enumerate() {
                set(&mut dump, 32 + 12 * number + 4 * n, word);
            }
            for pointer in pointers(kind, stream) {
                let target = self.get(&self.target(&pointer));
                let to = target.and_then(|target| append(&mut dump, target)).unwrap_or(nothing);
                set(&mut dump, at + pointer.field, to);
                if target.is_none() && pointer.size.is_some() {
                    set(&mut dump, at + pointer.field - 4, 0);
                }
            }
        }
        dump
    }
}

/// Appends bytes, and tells where they are; nothing if that would be too much.
fn append(dump: &mut Vec<u8>, bytes: &[u8]) -> Option<usize> {
    let at = dump.len();
    let has_room = (at + bytes.len()) as u64 <= KEPT;
    has_room.then(|| {
        dump.extend_from_slice(bytes);
        at
    })
}

fn set(dump: &mut [u8], at: usize, word: usize) {
    if let (Some(field), Ok(word)) = (dump.get_mut(at..at + 4), u32::try_from(word)) {
        field.copy_from_slice(&word.to_le_bytes());
    }
}

#[cfg(test)]
mod tests;
