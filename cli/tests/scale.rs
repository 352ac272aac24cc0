//! `crash-capture list` over ten thousand captures: many reads at a time, and little memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crash_capture_local::faults::Fault;
use tokio::time::{Instant, sleep};

use support::Deployment;
use support::records::{self, GAME, GROUP};

const CAPTURES: usize = 10_000;
const DAYS: usize = 20;

/// What the process may take at most, in KiB: some 30 MiB are the SDK's own, in a debug build.
const MEMORY: u64 = 64 * 1024;

async fn many() -> Deployment {
    let deployment = Deployment::start().await;
    for number in 0..CAPTURES {
        let (day, second) = (number % DAYS + 1, number / DAYS);
        let created = format!("2026-10-{day:02}T10:{:02}:{:02}Z", second / 60, second % 60);
        let verdict = if number % 100 == 0 { "crash" } else { "clean" };
        let record = records::indexed(GAME, GROUP, &format!("S{number:012}"), &created, verdict);
        deployment.put(&records::record_key(&record), record.to_string()).await;
    }
    deployment
}

/// The most memory that a process has taken so far, in KiB; nothing once it has ended.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[tokio::test]
async fn ten_thousand_captures_are_read_many_at_a_time_with_little_memory() {
    let deployment = many().await;
    let mark = deployment.mark();
    let mut command = deployment.command(&["list", "--verdict", "crash", "--limit", "0", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let (process, mut most) = (child.id().unwrap(), 0);
    let stdout = child.stdout.take().unwrap();
    let mut listed = Box::pin(read(stdout));
    let text = loop {
        tokio::select! {
            text = &mut listed => break text,
            () = sleep(Duration::from_millis(5)) => most = peak(process).unwrap_or(0).max(most),
        }
    };
    assert!(child.wait().await.unwrap().success());
    assert_eq!(text.lines().count(), CAPTURES / 100);
    let log = deployment.s3.access_log().since(mark);
    assert_eq!(log.iter().filter(|entry| entry.operation == "GetObject").count(), CAPTURES);
    // One for the days, and one for each of them.
    assert_eq!(log.iter().filter(|entry| entry.operation == "ListObjectsV2").count(), 1 + DAYS);
    assert!(most > 0 && most < MEMORY, "{most} KiB");

    let mark = deployment.mark();
    assert_eq!(deployment.json(&["list", "--limit", "10"]).await.len(), 10);
    let read = deployment.requests_since(mark, "index/v1/dt=").len();
    assert!(read < 2 * CAPTURES / DAYS, "no more than the newest day, and what was under way: {read}");
}

async fn read(mut stdout: tokio::process::ChildStdout) -> String {
    let mut text = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stdout, &mut text).await.unwrap();
    text
}

#[tokio::test]
async fn no_more_than_so_many_reads_are_under_way() {
    let deployment = Deployment::start().await;
    for number in 0..200 {
        let record = records::indexed(GAME, GROUP, &format!("S{number}"), "2026-10-01T10:00:00Z", "clean");
        deployment.put(&records::record_key(&record), record.to_string()).await;
    }
    deployment.s3.inject(|entry| {
        entry
            .key
            .as_deref()
            .is_some_and(|key| Path::new(key).extension().is_some_and(|it| it == "json"))
            .then_some(Fault::Never)
    });
    let mark = deployment.mark();
    let _child = deployment.command(&["list"]).kill_on_drop(true).stdout(Stdio::null()).spawn().unwrap();
    let under_way = || deployment.requests_since(mark, "index/v1/dt=").len();
    let start = Instant::now();
    while under_way() < 64 {
        assert!(start.elapsed() < Duration::from_mins(1), "{} reads, and no more come", under_way());
        sleep(Duration::from_millis(20)).await;
    }
    sleep(Duration::from_millis(200)).await;
    assert_eq!(under_way(), 64);
}
