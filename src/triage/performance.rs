//! `stats/perf_stats_v1.csv`: how the session fared, and what ran short at its end.
//!
//! Columns are found by their names, so that new ones do no harm (developer guide, "Real-time performance stats"). `app_*_normalized` is
//! a share of what the session is entitled to: above 1.0 it takes more. `shared_*` tells of the whole machine, other sessions included,
//! and is a hint only.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::record::{LastMinute, Performance};

use super::details::{Sample, Series};

/// Longer lines are cut, in bytes.
const MAX_LINE: usize = 4096;

/// How many rows of the end are kept: a minute's, at one a second, and some to spare.
const LAST_ROWS: usize = 128;

/// How much of the session is its end, in seconds.
const LAST: f64 = 60.0;

/// From this share of its memory on a session is under pressure: what is left is less than any game can do with.
pub const MEMORY_PRESSURE: f64 = 0.95;
/// From this use of the machine's graphics memory on, in percent. A hint, as other sessions count.
pub const VRAM_PRESSURE: f64 = 97.0;
/// From this share of its processor time on, on average over the last minute: it wants more than it gets.
pub const CPU_PRESSURE: f64 = 1.5;

/// Reads the file as it arrives.
#[derive(Debug, Default)]
pub(super) struct Scan {
    line: Vec<u8>,
    columns: Option<Columns>,
    rows: u64,
    first: Option<f64>,
    last: Option<f64>,
    peak: Row,
    end: VecDeque<Row>,
    series: Series,
}

/// Where the columns are.
#[derive(Debug)]
struct Columns {
    timestamp: usize,
    figures: [Option<usize>; 6],
}

/// What a row tells: time in seconds, share of processor, memory in MiB, share of memory, and of the machine's graphics memory,
/// memory and graphics processor, in percent.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    time: Option<f64>,
    figures: [Option<f64>; 6],
}

const CPU: usize = 0;
const MEMORY: usize = 1;
const MEMORY_SHARE: usize = 2;
const VRAM: usize = 3;
const GPU: usize = 5;

const NAMES: [&str; 6] = [
    "app_cpu_normalized",
    "app_mem_mb",
    "app_mem_normalized",
    "shared_sys_vram_pct",
    "shared_sys_mem_pct",
    "shared_sys_gpu_pct",
];

impl Scan {
    /// Takes the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                self.take_line();
            }
        }
    }

    /// What all of it tells, and the figures over time; nothing if it has not one row.
    pub(super) fn finish(mut self) -> (Option<Performance>, Vec<Sample>) {
        self.take_line();
        (self.told(), self.series.finish())
    }

    fn told(&self) -> Option<Performance> {
        if self.rows == 0 {
            return None;
        }
        let end = self.last.unwrap_or_default() - LAST;
        let last: Vec<_> = self.end.iter().filter(|row| row.time.is_none_or(|time| time >= end)).collect();
        let highest = |figure: usize| max(last.iter().filter_map(|row| row.figures[figure]));
        let average = |figure: usize| {
            let figures: Vec<_> = last.iter().filter_map(|row| row.figures[figure]).collect();
            #[expect(clippy::cast_precision_loss, reason = "a hundred rows at most")]
            let count = figures.len() as f64;
            (count > 0.0).then(|| figures.iter().sum::<f64>() / count)
        };
        let (memory, vram, cpu) = (highest(MEMORY_SHARE), highest(VRAM), average(CPU));
        let is_high = |figure: Option<f64>, limit| figure.is_some_and(|figure| figure >= limit);
        let pressure = [
            ("memory", is_high(memory, MEMORY_PRESSURE)),
            ("vram", is_high(vram, VRAM_PRESSURE)),
            ("cpu", is_high(cpu, CPU_PRESSURE)),
        ];
        let peak = self.peak.figures;
        Some(Performance {
            seconds: self.first.zip(self.last).map(|(first, last)| whole(last - first)),
            peak_memory_mib: peak[MEMORY].map(whole),
            peak_memory_share: peak[MEMORY_SHARE].map(rounded),
            peak_cpu_share: peak[CPU].map(rounded),
            peak_vram_percent: peak[VRAM].map(whole),
            last_minute: Some(LastMinute {
                memory_share: memory.map(rounded),
                cpu_share: cpu.map(rounded),
                vram_percent: vram.map(whole),
            }),
            pressure: pressure
                .into_iter()
                .filter(|(_, high)| *high)
                .map(|(word, _)| word.to_owned())
                .collect(),
        })
    }

    fn take_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            return;
        }
        let fields: Vec<_> = line.split(',').map(|field| field.trim().trim_matches('"')).collect();
        match &self.columns {
            None => self.columns = Columns::of(&fields),
            Some(columns) => {
                let row = columns.row(&fields);
                self.take(row);
            }
        }
    }

    fn take(&mut self, row: Row) {
        if row.time.is_none() && row.figures.iter().all(Option::is_none) {
            return;
        }
        self.rows += 1;
        self.first = self.first.or(row.time);
        self.last = row.time.or(self.last);
        for (peak, figure) in self.peak.figures.iter_mut().zip(row.figures) {
            *peak = max(peak.iter().copied().chain(figure));
        }
        if let Some(sample) = row.sample() {
            self.series.push(sample);
        }
        if self.end.len() == LAST_ROWS {
            self.end.pop_front();
        }
        self.end.push_back(row);
    }
}

impl Columns {
    fn of(header: &[&str]) -> Option<Self> {
        let place = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
        Some(Self { timestamp: place("timestamp")?, figures: NAMES.map(place) })
    }

    fn row(&self, fields: &[&str]) -> Row {
        let figure = |place: Option<usize>| {
            let figure: f64 = fields.get(place?)?.parse().ok()?;
            (figure.is_finite() && (0.0..1e9).contains(&figure)).then_some(figure)
        };
        Row {
            time: fields.get(self.timestamp).and_then(|text| seconds(text)),
            figures: self.figures.map(figure),
        }
    }
}

impl Row {
    /// The row as a sample, if it has a time.
    fn sample(&self) -> Option<Sample> {
        let shares = |figure: usize| self.figures[figure].map(|share| thousandths(share * 1000.0));
        let percents = |figure: usize| self.figures[figure].map(|percent| thousandths(percent * 10.0));
        #[expect(clippy::cast_possible_truncation, reason = "times are bounded")]
        let at = (self.time? * 1000.0) as i64;
        Some(Sample {
            at,
            cpu: shares(CPU),
            memory: shares(MEMORY_SHARE),
            gpu: percents(GPU),
            vram: percents(VRAM),
        })
    }
}

/// A time in seconds: RFC 3339, or the seconds or milliseconds since 1970.
fn seconds(text: &str) -> Option<f64> {
    let seconds = match text.parse::<f64>() {
        Ok(milliseconds) if milliseconds > 1e11 => milliseconds / 1000.0,
        Ok(seconds) => seconds,
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century fit")]
        Err(_) => text.parse::<Timestamp>().ok()?.as_millisecond() as f64 / 1000.0,
    };
    (seconds.is_finite() && seconds.abs() < 1e11).then_some(seconds)
}

fn max(figures: impl Iterator<Item = f64>) -> Option<f64> {
    figures.reduce(f64::max)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures are bounded, and a negative one is 0"
)]
fn whole(figure: f64) -> u64 {
    figure.max(0.0).round() as u64
}

fn thousandths(figure: f64) -> u16 {
    u16::try_from(whole(figure)).unwrap_or(u16::MAX)
}

/// To three digits behind the point.
fn rounded(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// Rows a second apart, with these shares of processor and memory and this percentage of graphics memory.
    pub(crate) fn csv(rows: &[(f64, f64, f64)]) -> Vec<u8> {
        let mut text = "timestamp,app_cpu_normalized,app_mem_mb,app_mem_normalized,shared_sys_cpu_pct,shared_sys_mem_mb,\
                        shared_sys_mem_pct,shared_sys_gpu_pct,shared_sys_vram_mb,shared_sys_vram_pct\n"
            .to_owned();
        for (n, (cpu, memory, vram)) in rows.iter().enumerate() {
            let (minute, second) = (n / 60, n % 60);
            let mib = memory * 10_000.0;
            writeln!(
                text,
                "2026-11-23T10:{minute:02}:{second:02}.000Z,{cpu},{mib},{memory},9,1,1,1,1,{vram}"
            )
            .unwrap();
        }
        text.into_bytes()
    }

    fn told(bytes: &[u8], piece: usize) -> Option<Performance> {
        let mut scan = Scan::default();
        for piece in bytes.chunks(piece) {
            scan.push(piece);
        }
        scan.finish().0
    }

    #[test]
    fn duration_peaks_and_the_last_minute() {
        let mut rows = vec![(1.9, 0.99, 99.0); 30];
        rows.extend(vec![(0.5, 0.5, 50.0); 90]);
        let performance = told(&csv(&rows), 1000).unwrap();
        assert_eq!(performance.seconds, Some(119));
        assert_eq!((performance.peak_memory_mib, performance.peak_vram_percent), (Some(9900), Some(99)));
        assert!(performance.pressure.is_empty(), "only the last minute counts: {performance:?}");
        assert_eq!(performance.last_minute.unwrap().memory_share, Some(0.5));
    }

    #[test]
    fn pressure_is_what_ran_short_in_the_last_minute() {
        for (row, expected) in [
            ((0.1, 0.95, 0.0), vec!["memory"]),
            ((0.1, 0.949, 96.9), vec![]),
            ((1.5, 0.1, 97.0), vec!["vram", "cpu"]),
        ] {
            assert_eq!(told(&csv(&[row; 90]), 4096).unwrap().pressure, expected, "{row:?}");
        }
    }

    #[test]
    fn columns_are_found_by_name_and_pieces_do_not_matter() {
        let text = b"\xef\xbb\xbfnew,shared_sys_vram_pct,timestamp,app_mem_mb\r\nx,12,1700000000,77\r\nx,13,1700000009,7\r\n";
        for piece in 1..20 {
            let performance = told(text, piece).unwrap();
            assert_eq!((performance.seconds, performance.peak_memory_mib), (Some(9), Some(77)));
            assert_eq!(performance.peak_vram_percent, Some(13));
        }
    }

    #[test]
    fn what_is_no_such_file_tells_nothing() {
        for text in [&b""[..], b"timestamp\n", b"a,b\n1,2\n", b"timestamp,app_mem_mb\nNaN,inf\n"] {
            assert_eq!(told(text, 7), None);
        }
    }
}
