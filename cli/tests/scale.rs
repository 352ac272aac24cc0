//! `crash-capture list` over ten thousand captures: many reads at a time, and little memory.

mod support;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crash_capture_local::faults::Fault;
use tokio::time::{Instant, sleep};

use support::Deployment;
use support::records::{self, CAPTURES, DAYS, GAME, GROUP};
use support::watched::{Watched, watched};

/// What the process may take at most, in KiB: some 30 MiB are the SDK's own, in a debug build.
const MEMORY: u64 = 64 * 1024;

#[tokio::test]
async fn ten_thousand_captures_are_read_many_at_a_time_with_little_memory() {
    let deployment = records::many().await;
    let mark = deployment.mark();
    let command = deployment.command(&["list", "--verdict", "crash", "--limit", "0", "--json"]);
    let Watched { stdout, memory, .. } = watched(command).await;
    assert_eq!(stdout.lines().count(), CAPTURES / 100);
    let log = deployment.s3.access_log().since(mark);
    assert_eq!(log.iter().filter(|entry| entry.operation == "GetObject").count(), CAPTURES);
    // One for the days, and one for each of them.
    assert_eq!(log.iter().filter(|entry| entry.operation == "ListObjectsV2").count(), 1 + DAYS);
    assert!(memory > 0 && memory < MEMORY, "{memory} KiB");

    let mark = deployment.mark();
    assert_eq!(deployment.json(&["list", "--limit", "10"]).await.len(), 10);
    let read = deployment.requests_since(mark, "index/v1/dt=").len();
    assert!(read < 2 * CAPTURES / DAYS, "no more than the newest day, and what was under way: {read}");
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
