//! What people want to see beside the findings: the log around what tells of a crash, the stack, figures over time, the largest files.
//!
//! Nothing of it gets into a record. It is bounded in number and length, and text of the session's files is in it only as
//! [`Redacted`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;

use crate::redacted::Redacted;

use super::crash::{Crash, Frame};
use super::log::Around;
use super::modules::{Owner, file_name, owner, stem};

/// How many frames of a stack are shown.
const MAX_FRAMES: usize = 32;

/// How many files are listed.
const MAX_FILES: usize = 40;

/// How many lines of a log are shown before and after the first one that tells of a crash, and of a log's end.
const LINES_BEFORE: usize = 16;
const LINES_AFTER: usize = 32;
const LINES_OF_END: usize = 32;

/// What people want to see of a session beside the findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// When it crashed, by the clock of the machine that it ran on.
    pub crashed_at: Option<Timestamp>,
    /// The crashing thread's stack, innermost first.
    pub stack: Vec<StackFrame>,
    /// The log that tells of the crash, or how the last one ends.
    pub log: Option<Excerpt>,
    /// How the session fared, over time.
    pub samples: Vec<Sample>,
    /// What the zip holds.
    pub listing: Listing,
}

/// A frame of a stack, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackFrame {
    /// The module's file name; may be empty.
    pub module: Redacted,
    /// From the module's base address, as `0x…`.
    pub offset: Option<String>,
    /// The function, where its name is known.
    pub function: Option<Redacted>,
    /// Whether it lies in the game, not in the system, an engine's or a driver's module.
    pub is_games: bool,
}

/// Lines of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The log's path in the zip, made harmless for display.
    pub path: Redacted,
    /// The lines, one after the other. Where none of them [tells](Line::tells) of a crash they are the log's last ones.
    pub lines: Vec<Line>,
}

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it says.
    pub text: Redacted,
    /// Whether it tells of the crash.
    pub tells: bool,
}

/// The highest figures of a stretch of time, each in thousandths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sample {
    /// When it begins, in milliseconds since 1970.
    pub at: i64,
    /// Of the processor time that the session is entitled to.
    pub cpu: Option<u16>,
    /// Of the memory that it is entitled to.
    pub memory: Option<u16>,
    /// Of the machine's graphics processor, other sessions included.
    pub gpu: Option<u16>,
    /// Of the machine's graphics memory, other sessions included.
    pub vram: Option<u16>,
}

/// The zip's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The folders of the export that hold any, the largest first.
    pub folders: Vec<Folder>,
    /// The largest files, the largest first.
    pub largest: Vec<Listed>,
}

/// A folder at the zip's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// `application`, `profile`, `temp`, `stats`; or `other` for everything else.
    pub name: &'static str,
    /// Files in it.
    pub count: u64,
    /// Their sizes in bytes, as the zip declares them.
    pub bytes: u64,
}

/// A file of the zip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its path, made harmless for display.
    pub path: Redacted,
    /// Its size in bytes, as the zip declares it.
    pub size: u64,
    /// Whether that is its very path: nothing had to be taken out.
    pub is_exact: bool,
}

/// The crashing thread's stack, fit to be shown.
pub(super) fn stack(crash: &Crash) -> Vec<StackFrame> {
    let show = |frame: &Frame| StackFrame {
        module: Redacted::new(file_name(&frame.module)),
        offset: frame.offset.map(|offset| format!("{offset:#x}")),
        function: frame.function.as_deref().map(Redacted::new),
        is_games: !frame.module.is_empty() && owner(&stem(&frame.module)) == Owner::Game,
    };
    crash.frames.iter().take(MAX_FRAMES).map(show).collect()
}

/// A log that was scanned, and the part of it that may be shown.
#[derive(Debug, Clone)]
pub(super) struct Log {
    pub(super) shown: Redacted,
    pub(super) modified: Option<String>,
    /// What it tells: the most, if it tells of a crash.
    pub(super) telling: u8,
    pub(super) around: Around,
}

/// The log that people want to see: the one that `decided`, else one that tells of a crash, else the one written last.
pub(super) fn excerpt(logs: &[Log], decided: Option<&Redacted>) -> Option<Excerpt> {
    let told = logs.iter().filter(|log| !log.around.is_empty());
    let best = told.max_by_key(|log| {
        (decided == Some(&log.shown), log.telling, log.modified.as_deref(), log.around.len())
    })?;
    let lines = best.around.lines();
    let first = lines.iter().position(|(_, tells)| *tells);
    let shown = match first {
        Some(first) => first.saturating_sub(LINES_BEFORE)..lines.len().min(first + LINES_AFTER),
        None => lines.len().saturating_sub(LINES_OF_END)..lines.len(),
    };
    let shown =
        lines.get(shown)?.iter().map(|(text, tells)| Line { text: Redacted::new(text), tells: *tells });
    Some(Excerpt { path: best.shown.clone(), lines: shown.collect() })
}

/// Picks the largest files, and adds up the folders.
#[derive(Debug, Default)]
pub(super) struct Listings {
    folders: [(u64, u64); 5],
    /// The smallest of them first; of files of a size, the last one in order.
    largest: BinaryHeap<Reverse<(u64, Reverse<String>)>>,
}

/// The folders of an export (developer guide, "Export stream session files"), and everything else.
pub(super) const FOLDERS: [&str; 5] = ["application", "profile", "temp", "stats", "other"];

impl Listings {
    /// Takes note of a file.
    pub(super) fn add(&mut self, folder: usize, path: &str, size: u64) {
        if let Some((count, bytes)) = self.folders.get_mut(folder) {
            *count += 1;
            *bytes = bytes.saturating_add(size);
        }
        let is_full = self.largest.len() >= MAX_FILES;
        let is_larger = |Reverse((least, Reverse(last))): &Reverse<(u64, Reverse<String>)>| {
            (size, Reverse(path)) > (*least, Reverse(last.as_str()))
        };
        if is_full && !self.largest.peek().is_some_and(is_larger) {
            return;
        }
        self.largest.push(Reverse((size, Reverse(path.to_owned()))));
        if is_full {
            self.largest.pop();
        }
    }

    /// Files in each folder.
    pub(super) fn count(&self, folder: usize) -> u64 {
        self.folders.get(folder).map_or(0, |(count, _)| *count)
    }

    pub(super) fn finish(self) -> Listing {
        let mut folders: Vec<_> = FOLDERS
            .into_iter()
            .zip(self.folders)
            .filter(|(_, (count, _))| *count > 0)
            .map(|(name, (count, bytes))| Folder { name, count, bytes })
            .collect();
        folders.sort_by_key(|folder| Reverse(folder.bytes));
        let largest = self.largest.into_sorted_vec().into_iter().map(|Reverse((size, Reverse(path)))| {
            let shown = Redacted::new(&path);
            Listed { is_exact: shown == *path.as_str(), path: shown, size }
        });
        Listing { folders, largest: largest.collect() }
    }
}

/// How many samples are kept at most. Half of them stay when there are more, each of twice the time.
const MAX_SAMPLES: usize = 320;

/// Figures over time, in a bounded number of samples, whatever the time is. No peak is lost.
#[derive(Debug, Default)]
pub(super) struct Series {
    samples: Vec<Sample>,
    /// Rows in a sample, but for the last one.
    stride: usize,
    /// Rows in the last sample.
    filled: usize,
}

impl Series {
    /// Takes the next row.
    pub(super) fn push(&mut self, row: Sample) {
        if self.filled < self.stride
            && let Some(last) = self.samples.last_mut()
        {
            last.absorb(&row);
            self.filled += 1;
            return;
        }
        if self.samples.len() >= MAX_SAMPLES {
            let pairs = self.samples.chunks(2).map(|pair| {
                let mut sample = pair[0];
                for other in pair {
                    sample.absorb(other);
                }
                sample
            });
            self.samples = pairs.collect();
            self.stride *= 2;
        }
        self.samples.push(row);
        self.stride = self.stride.max(1);
        self.filled = 1;
    }

    pub(super) fn finish(self) -> Vec<Sample> {
        self.samples
    }
}

impl Sample {
    fn absorb(&mut self, other: &Self) {
        self.cpu = self.cpu.max(other.cpu);
        self.memory = self.memory.max(other.memory);
        self.gpu = self.gpu.max(other.gpu);
        self.vram = self.vram.max(other.vram);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_files_are_listed_first_and_their_number_is_bounded() {
        let mut listings = Listings::default();
        for n in 0..1000_u64 {
            listings.add(0, &format!("application/{n:04}.pak"), n % 500);
        }
        listings.add(4, "C:\\Users\\jane\\x.sav", 10_000);
        let Listing { folders, largest } = listings.finish();
        assert_eq!(largest.len(), MAX_FILES);
        assert_eq!((largest[0].path.as_str(), largest[0].is_exact), ("C:\\Users\\[user]\\x.sav", false));
        let next: Vec<_> = largest[1..4].iter().map(|file| (file.path.as_str(), file.size)).collect();
        let expected =
            [("application/0499.pak", 499), ("application/0999.pak", 499), ("application/0498.pak", 498)];
        assert_eq!(next, expected);
        assert!(largest[1].is_exact);
        let folders: Vec<_> = folders.iter().map(|folder| (folder.name, folder.count)).collect();
        assert_eq!(folders, [("application", 1000), ("other", 1)]);
    }

    #[test]
    fn a_series_is_bounded_and_loses_no_peak() {
        for rows in [0, 1, 319, 320, 321, 5000, 100_000_i64] {
            let mut series = Series::default();
            for n in 0..rows {
                let cpu = if n == rows / 2 { 1999 } else { 500 };
                series.push(Sample { at: n * 1000, cpu: Some(cpu), ..Sample::default() });
            }
            let samples = series.finish();
            assert!(
                samples.len() <= MAX_SAMPLES && i64::try_from(samples.len()).unwrap() >= rows.min(160),
                "{rows}"
            );
            assert!(samples.is_sorted_by_key(|sample| sample.at));
            if rows > 0 {
                assert_eq!(samples.iter().filter(|sample| sample.cpu == Some(1999)).count(), 1, "{rows}");
                assert_eq!(samples[0].at, 0);
            }
        }
    }
}
