//! What a million sessions cost, by the requests and durations that were counted and measured.
//!
//! In US dollars, us-east-1, arm64, as commonly listed in November 2026 (<https://aws.amazon.com/s3/pricing/>,
//! <https://aws.amazon.com/lambda/pricing/>); calls of GameLift Streams cost nothing. What is stored, and for how long, is no matter of
//! who reads it, and is left out: `docs/operations.md` has the whole bill.

use std::collections::BTreeMap;
use std::time::Duration;

use crash_capture_local::zips::sessions;

use super::Failure;
use super::indexing::{Export, INDEX_EXPORT, MODEL, forget};
use super::start_up::{ARM, START_EXPORT, arm};
use super::table::{head, median, ms, row};
use super::world::{Peer, Programs, World};

/// One request each: what reads an object, and what writes or lists.
const READ: f64 = 0.000_000_4;
const WRITE: f64 = 0.000_005;
const INVOCATION: f64 = 0.000_000_2;
const GIGABYTE_SECOND: f64 = 0.000_013_333_4;

/// A function of so many megabytes has one processor (Lambda developer guide, "Configure Lambda function memory"), of fewer a part.
const WHOLE_PROCESSOR: f64 = 1769.0;

/// How often a process is given an event, once it is warm.
const WARM: u32 = 20;

const PEERS: [(Peer, f64); 5] = [
    (START_EXPORT, 128.0),
    (ARM, 128.0),
    (INDEX_EXPORT, 512.0),
    (Peer::new("the same plan in Python, and a record", "plan"), 512.0),
    (Peer::new("full download in Python, and a record", "full"), 512.0),
];

/// What a million requests of S3 cost, by operation.
fn requests(counts: &BTreeMap<String, usize>) -> f64 {
    let price = |(operation, count): (&String, &usize)| {
        let each = match operation.as_str() {
            "ListStreamSessions" | "ExportStreamSessionFiles" | "GetStreamSession" | "DeleteObject" => 0.0,
            read if read.starts_with("Get") || read.starts_with("Head") => READ,
            _ => WRITE,
        };
        f64::from(u32::try_from(*count).unwrap_or(u32::MAX)) * each
    };
    1e6 * counts.iter().map(price).sum::<f64>()
}

/// How long it takes where a function has but a part of a processor: waiting takes as long, computing longer.
fn throttled(took: Duration, cpu: Duration, megabytes: f64) -> Duration {
    took + cpu.mul_f64(WHOLE_PROCESSOR / megabytes - 1.0)
}

/// What a million invocations of that duration cost.
fn invocations(duration: Duration, megabytes: f64) -> f64 {
    1e6 * (INVOCATION + duration.as_secs_f64() * megabytes / 1024.0 * GIGABYTE_SECOND)
}

/// What reading a million exports costs at 512 MB.
pub(crate) fn of_reading(gets: usize, took: Duration, cpu: Duration) -> f64 {
    let counts = BTreeMap::from([("GetObject".to_owned(), gets)]);
    requests(&counts) + invocations(throttled(took, cpu, 512.0), 512.0)
}

/// What a month of sweeps costs, one a minute, which each make these requests once and last until the next one.
pub(crate) fn of_sweeps(counts: &BTreeMap<String, usize>) -> f64 {
    const A_MONTH: f64 = 43_200.0;
    A_MONTH / 1e6 * (requests(counts) + invocations(Duration::from_mins(1), 128.0))
}

/// Prints what a session costs that is armed by an event and whose export is `a`, with modelled latency.
#[expect(clippy::print_stdout, reason = "that is what it is for")]
pub(crate) async fn run(programs: &Programs) -> Result<(), Failure> {
    let world = World::start(programs, &PEERS.map(|(peer, _)| peer)).await?;
    let export = Export::put_image(&world, "a", &sessions::a()).await?;
    world.s3.shape(Some(MODEL));
    println!("\n{}", head(&["", "requests", "S3", "takes", "Lambda", "a million"]));
    for (peer, megabytes) in PEERS {
        let (mut took, mut first, mut last, mut counts) = (Vec::new(), None, None, BTreeMap::new());
        for number in 0..=WARM {
            let event = match peer {
                START_EXPORT | ARM => arm(&world, peer, number),
                _ => export.event().clone(),
            };
            let it = world.invoke(peer, &event).await?;
            forget(&world).await?;
            took.push(it.outcome.duration);
            first = first.or(it.outcome.processor_time);
            last = it.outcome.processor_time;
            // What the first event wrote is there at the next ones.
            for request in it.requests.into_iter().filter(|_| number == 0) {
                *counts.entry(request.operation).or_insert(0) += 1;
            }
        }
        let cpu = last.zip(first).map(|(last, first)| last.saturating_sub(first) / WARM);
        let takes = throttled(median(took).unwrap_or_default(), cpu.unwrap_or_default(), megabytes);
        let (s3, lambda) = (requests(&counts), invocations(takes, megabytes));
        let names: Vec<_> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        println!(
            "{}",
            row(&[
                peer.name.to_owned(),
                names.join(", "),
                format!("${s3:.2}"),
                format!("{} at {megabytes} MB", ms(takes)),
                format!("${lambda:.2}"),
                format!("${:.2}", s3 + lambda),
            ])
        );
    }
    Ok(())
}
