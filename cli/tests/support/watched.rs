//! What a run of the command takes: memory and processor, as Linux counts them.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// A run that ended well.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) stdout: String,
    /// The most memory that it held, in KiB (`VmHWM`).
    pub(crate) memory: u64,
    /// Of the processor, in its own name and the kernel's.
    pub(crate) cpu: Duration,
    pub(crate) took: Duration,
}

/// Runs a command, and looks at it every few milliseconds.
pub(crate) async fn watched(mut command: Command) -> Watched {
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let process = child.id().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut reading = Box::pin(async move {
        let mut text = String::new();
        stdout.read_to_string(&mut text).await.unwrap();
        text
    });
    let (mut memory, mut cpu) = (0, Duration::ZERO);
    let stdout = loop {
        tokio::select! {
            text = &mut reading => break text,
            () = sleep(Duration::from_millis(5)) => {
                memory = peak(process).unwrap_or(0).max(memory);
                cpu = processor(process).unwrap_or_default().max(cpu);
            }
        }
    };
    assert!(child.wait().await.unwrap().success());
    Watched { stdout, memory, cpu, took: begun.elapsed() }
}

/// In KiB; nothing once the process has ended.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// To a hundredth of a second: proc(5), `utime` and `stime` in ticks, of which Linux has a hundred a second everywhere.
fn processor(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks()? + ticks()?)))
}
