//! `stats/perf_stats_v1.csv`: what a session takes of the machine, and what is taken of the machine in all, one row a
//! second.
//!
//! The columns are those of the developer guide's page on real-time performance stats. A session's fair share is the
//! whole machine here. There is no GPU: the columns about one are 0.0, always.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rustix::param::page_size;
use rustix::process::Pid;
use tokio::time::{Interval, MissedTickBehavior, interval};

const MEBIBYTE: u64 = 1024 * 1024;

const COLUMNS: &str = "timestamp,app_cpu_normalized,app_mem_mb,app_mem_normalized,shared_sys_cpu_pct,\
                       shared_sys_mem_mb,shared_sys_mem_pct,shared_sys_gpu_pct,shared_sys_vram_mb,\
                       shared_sys_vram_pct";

/// Writes a session's rows.
#[derive(Debug)]
pub(super) struct Recorder {
    file: File,
    game: Pid,
    seconds: Interval,
    last: Usage,
}

/// Counters since the start of the game and of the machine, in clock ticks of processor time.
#[derive(Debug, Clone, Copy)]
struct Usage {
    game: u64,
    /// Of all processes together.
    busy: u64,
    /// Busy or idle, of all processors together.
    total: u64,
}

/// Of the machine, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Memory {
    total: u64,
    used: u64,
}

impl Recorder {
    /// Begins the file. The first row comes at once, the next ones a second apart.
    pub(super) fn create(path: &Path, game: Pid) -> io::Result<Self> {
        let mut file = File::create(path)?;
        writeln!(file, "{COLUMNS}")?;
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Ok(Self { file, game, seconds, last: Usage::read(game)? })
    }

    /// Waits for the next second, and writes its row. Nothing is lost if it is dropped while it waits.
    pub(super) async fn record(&mut self) {
        self.seconds.tick().await;
        if let Err(error) = self.row() {
            // A game that has just ended has no figures any more.
            tracing::debug!(%error, "no row of performance stats");
        }
    }

    fn row(&mut self) -> io::Result<()> {
        let now = Usage::read(self.game)?;
        let before = std::mem::replace(&mut self.last, now);
        let memory = Memory::read()?;
        let game_memory = resident(self.game)?;
        // In the time between the rows, the machine had this much processor time, whatever the number of processors.
        let total = now.total.saturating_sub(before.total);
        let (game, busy) = (now.game.saturating_sub(before.game), now.busy.saturating_sub(before.busy));
        writeln!(
            self.file,
            "{},{:.4},{:.1},{:.4},{:.1},{:.1},{:.1},0.0,0.0,0.0",
            Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ"),
            ratio(game, total),
            ratio(game_memory, MEBIBYTE),
            ratio(game_memory, memory.total),
            100.0 * ratio(busy, total),
            ratio(memory.used, MEBIBYTE),
            100.0 * ratio(memory.used, memory.total),
        )
    }
}

impl Usage {
    fn read(game: Pid) -> io::Result<Self> {
        let path = format!("/proc/{}/stat", game.as_raw_nonzero());
        let game = process_ticks(&fs::read_to_string(&path)?).ok_or_else(|| unknown_format(&path))?;
        let machine = fs::read_to_string("/proc/stat")?;
        let (busy, total) = machine_ticks(&machine).ok_or_else(|| unknown_format("/proc/stat"))?;
        Ok(Self { game, busy, total })
    }
}

impl Memory {
    fn read() -> io::Result<Self> {
        Self::parse(&fs::read_to_string("/proc/meminfo")?).ok_or_else(|| unknown_format("/proc/meminfo"))
    }

    fn parse(meminfo: &str) -> Option<Self> {
        let bytes = |name: &str| {
            let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
        };
        let total = bytes("MemTotal:")?;
        Some(Self { total, used: total.saturating_sub(bytes("MemAvailable:")?) })
    }
}

/// User and system time of a process. Its name, which may hold anything, ends at the last parenthesis.
pub(crate) fn process_ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    // utime and stime are fields 14 and 15; the state, field 3, is the first after the name.
    fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>().ok()
}

/// The machine's busy time, and all its time.
fn machine_ticks(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    // What follows the first eight columns, guests' time, is contained in them.
    let columns: Vec<u64> = line.split_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
    let total = columns.iter().sum::<u64>();
    let idle = columns.get(3)? + columns.get(4)?;
    Some((total - idle, total))
}

/// The bytes of memory that a process occupies.
fn resident(process: Pid) -> io::Result<u64> {
    let path = format!("/proc/{}/statm", process.as_raw_nonzero());
    let pages =
        fs::read_to_string(&path)?.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    Ok(pages.ok_or_else(|| unknown_format(&path))? * page_size() as u64)
}

fn unknown_format(path: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{path} has an unknown format"))
}

#[expect(clippy::cast_precision_loss, reason = "figures to read: four digits of them count")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_have_any_name() {
        let stat = "4242 (a) b (c) S 1 4242 4242 0 -1 4194304 1 0 0 0 30 12 0 0 20 0 3 0 100 1 1";
        assert_eq!(process_ticks(stat), Some(42));
        assert_eq!(process_ticks("4242 (game"), None);
    }

    #[test]
    fn waiting_for_input_is_idle_time() {
        assert_eq!(machine_ticks("cpu  10 1 5 80 4 0 0 0 7 0\ncpu0 1"), Some((16, 100)));
    }

    #[test]
    fn used_memory_is_what_is_not_available() {
        let meminfo = "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:   400 kB\n";
        assert_eq!(Memory::parse(meminfo), Some(Memory { total: 1_024_000, used: 614_400 }));
    }
}
