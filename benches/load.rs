//! What `index-export` bears: a hundred invocations at once, and ten thousand over ten minutes.
//!
//!     cargo build --release --bin start-export --bin index-export
//!     CRASH_CAPTURE_FUNCTIONS=target/release cargo bench --bench load
//!     CRASH_CAPTURE_FUNCTIONS=target/release cargo bench --bench load -- 1000 60
//!
//! The numbers after `--` are how many, and over how many seconds. The functions are the processes that they are in Lambda; S3 and GameLift
//! Streams are the local cloud, on the same cores.

#![expect(clippy::print_stdout, reason = "that is what it is for")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Duration;

use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::lambda::LoggedInvocation;
use tokio::time::{Instant, MissedTickBehavior, interval};

use support::exports::crashed;
use support::{Cloud, FAILED_INVOCATIONS, UNDELIVERED_EVENTS};

/// How many come at once.
const AT_ONCE: usize = 100;

/// How many signatures they have.
const SIGNATURES: usize = 7;

#[tokio::main]
async fn main() {
    // Cargo adds `--bench`.
    let numbers: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (count, seconds) = match numbers.as_slice() {
        [count, seconds] => (*count, *seconds),
        _ => (10_000, 600),
    };
    let cloud = Cloud::start_with(|options| options.concurrency = AT_ONCE).await;
    let begun = Instant::now();
    for number in 0..AT_ONCE {
        put(&cloud, &format!("atonce{number}"), number).await;
    }
    cloud.bus.settled().await;
    report("at once", &cloud, &cloud.lambda.invocations(), begun.elapsed());
    drop(cloud);

    let cloud = Cloud::start().await;
    let begun = Instant::now();
    let mut ticks = interval(Duration::from_secs(seconds) / u32::try_from(count).unwrap_or(u32::MAX));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0..count {
        ticks.tick().await;
        put(&cloud, &format!("steady{number}"), usize::try_from(number).unwrap_or(0)).await;
    }
    cloud.bus.settled().await;
    let invocations = cloud.lambda.invocations();
    report("over time", &cloud, &invocations, begun.elapsed());
    for (part, of) in
        invocations.chunks(invocations.len().div_ceil(4).max(1)).zip(["1st", "2nd", "3rd", "4th"])
    {
        println!("  {of} quarter: at most {} MiB in one process", most_memory(part) >> 20);
    }
}

async fn put(cloud: &Cloud, session: &str, assertion: usize) {
    let key = format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/{session}.zip");
    let zip = crashed(assertion % SIGNATURES);
    cloud.s3.put(&cloud.bucket, &key, zip, "111122223333").await.expect("the local S3 takes it");
}

fn report(what: &str, cloud: &Cloud, invocations: &[LoggedInvocation], took: Duration) {
    let failed = invocations.iter().filter(|it| it.outcome.result.is_err()).count();
    let lost = [FAILED_INVOCATIONS, UNDELIVERED_EVENTS].map(|queue| cloud.dead_letters(queue).len());
    let mut durations: Vec<_> = invocations.iter().map(|it| it.outcome.duration).collect();
    durations.sort();
    let at = |percent: usize| durations.get(durations.len() * percent / 100).or(durations.last());
    let count = invocations.len();
    let each_second = f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / took.as_secs_f64();
    println!("{what}: {count} invocations in {took:.1?}, {each_second:.1} a second");
    println!("  {failed} failed, {lost:?} events lost, {} open files here", open_files());
    println!(
        "  half of them within {:?}, of a hundred 99 within {:?}, all within {:?}",
        at(50),
        at(99),
        at(100)
    );
    println!("  at most {} MiB in one process", most_memory(invocations) >> 20);
}

/// Bytes.
fn most_memory(invocations: &[LoggedInvocation]) -> u64 {
    invocations.iter().filter_map(|it| it.outcome.max_memory).max().unwrap_or(0)
}

/// Files and sockets of this process, in which S3 is: whoever does not give connections back is seen here.
fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
