//! Entries that are in each other's way: overlapping data, equal names.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::Entry;

/// How many entries are compared with each other at most: at 24 bytes each, that costs 24 MiB.
pub(super) const COMPARED: usize = 1 << 20;

/// Compares entries with each other, without keeping them.
#[derive(Debug, Default)]
pub struct Conflicts {
    /// Where each begins, and where it ends at the earliest.
    extents: Vec<(u64, u64)>,
    /// Hashes of the names. Two names of one hash are taken for one; by chance that happens once in 30 million archives of a million.
    names: Vec<u64>,
    /// Entries that were too many to be compared.
    left_out: u64,
}

/// Which entries are in each other's way.
#[derive(Debug)]
pub struct Conflicting {
    /// Where those begin that overlap, in ascending order.
    overlapping: Vec<u64>,
    /// Hashes of the names that occur more than once, in ascending order.
    duplicates: Vec<u64>,
    /// Entries that overlap another.
    pub overlapping_count: u64,
    /// Entries that have a name which an earlier one has.
    pub duplicate_count: u64,
    /// Entries that were not compared, because there were more than 1,048,576 before them.
    pub left_out: u64,
}

impl Conflicts {
    /// Takes note of an entry.
    pub fn add(&mut self, entry: &Entry) {
        if self.extents.len() == COMPARED {
            self.left_out += 1;
            return;
        }
        self.extents.push((entry.local_header, entry.least_end()));
        self.names.push(hash(&entry.raw_path));
    }

    /// Compares all entries.
    #[must_use]
    pub fn find(self) -> Conflicting {
        let (overlapping, overlapping_count) = overlapping(self.extents);
        let (duplicates, duplicate_count) = duplicates(self.names);
        Conflicting { overlapping, duplicates, overlapping_count, duplicate_count, left_out: self.left_out }
    }
}

impl Conflicting {
    /// Whether an entry's data overlaps another's.
    #[must_use]
    pub fn overlaps(&self, entry: &Entry) -> bool {
        self.overlapping.binary_search(&entry.local_header).is_ok()
    }

    /// Whether another entry has the same name.
    #[must_use]
    pub fn is_duplicate(&self, entry: &Entry) -> bool {
        self.duplicates.binary_search(&hash(&entry.raw_path)).is_ok()
    }
}

/// Where the entries begin that overlap another, and how many entries those are.
fn overlapping(mut extents: Vec<(u64, u64)>) -> (Vec<u64>, u64) {
    extents.sort_unstable();
    let (mut starts, mut count) = (Vec::new(), 0);
    // The entry so far that reaches farthest, and whether it was counted.
    let mut farthest = (0, 0, true);
    for (start, end) in extents {
        if start < farthest.1 {
            count += 1;
            starts.push(start);
            if !farthest.2 {
                count += 1;
                starts.push(farthest.0);
                farthest.2 = true;
            }
            if end > farthest.1 {
                farthest = (start, end, true);
            }
        } else {
            farthest = (start, end, false);
        }
    }
    starts.sort_unstable();
    starts.dedup();
    (starts, count)
}

/// The hashes that occur more than once, and how often they are repeated.
fn duplicates(mut hashes: Vec<u64>) -> (Vec<u64>, u64) {
    hashes.sort_unstable();
    let mut repeated: Vec<u64> =
        hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
    let count = repeated.len() as u64;
    repeated.dedup();
    (repeated, count)
}

fn hash(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
