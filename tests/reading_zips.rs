//! The built `index-export` reads every zip that there is within its bounds: memory, requests, bytes, time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "fixtures/dumps.rs"]
mod dumps;
mod support;

use std::time::Duration;

use crash_capture::report::MAX_BYTES;
use crash_capture_local::cloud::{APPLICATION, STREAM_GROUP};
use crash_capture_local::lambda::Outcome;
use crash_capture_local::s3::AccessLogEntry;
use crash_capture_local::zips::writer::{End, Entry, Zip};
use crash_capture_local::zips::{Image, odd, sessions};
use serde_json::Value;

use dumps::{Dump, UNREAL_CONTEXT};
use support::{Cloud, INDEX_EXPORT};

const MIB: u64 = 1024 * 1024;

/// What index-export may need, at most, in bytes.
const MEMORY: u64 = 64 * MIB;

/// What reading a zip took.
struct Reading {
    outcome: Outcome,
    requests: usize,
    bytes: u64,
    size: u64,
}

impl Reading {
    fn record(&self) -> &Value {
        self.outcome.result.as_ref().unwrap()
    }
}

/// Puts a zip into the bucket, and waits until it is indexed.
async fn index(cloud: &Cloud, number: usize, image: &Image) -> Reading {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.zip");
    image.write_to(&path).unwrap();
    let key = format!("exports/{APPLICATION}/{STREAM_GROUP}/2026-11-23/session{number:06}.zip");
    cloud.s3.put(&cloud.bucket, &key, path, "111122223333").await.unwrap();
    cloud.bus.settled().await;
    let outcome = cloud.lambda.invocations().last().unwrap().outcome.clone();
    let (requests, bytes) = cloud.reads(INDEX_EXPORT, &key);
    Reading { outcome, requests, bytes, size: image.size() }
}

fn assert_within_memory(reading: &Reading, name: &str) {
    let memory = reading.outcome.max_memory.unwrap();
    assert!(memory <= MEMORY, "{name}: {} MiB", memory / MIB);
}

#[tokio::test]
async fn sessions_of_all_sizes_are_read_with_a_few_requests_and_little_memory() {
    let cloud = Cloud::start().await;
    for (number, session) in sessions::all().into_iter().enumerate() {
        let reading = index(&cloud, number, &session.image).await;
        assert_eq!(reading.record()["state"], "indexed", "{}", session.name);
        assert_ne!(reading.record()["verdict"], "unreadable", "{}", session.name);
        assert_within_memory(&reading, session.name);
        // What the plan costs (`src/archive/tests/costs.rs`).
        assert_eq!(reading.requests, [1, 1, 6, 17, 6, 7][number], "{}", session.name);
        if number < 2 {
            assert_eq!((reading.requests, reading.bytes), (1, reading.size));
        }
    }
    let is_head_of_export = |entry: &AccessLogEntry| {
        let is_export = entry.key.as_deref().is_some_and(|key| key.starts_with("exports/"));
        entry.operation == "HeadObject" && is_export
    };
    assert_eq!(cloud.s3.access_log().entries().iter().filter(|entry| is_head_of_export(entry)).count(), 0);
}

#[tokio::test]
async fn a_directory_of_a_million_entries_is_read_with_little_memory() {
    let cloud = Cloud::start().await;
    let reading = index(&cloud, 1, &sessions::million()).await;
    assert_eq!(reading.record()["files"]["count"], 1_000_001);
    assert_within_memory(&reading, "a million entries");
    // The tail, the rest of the directory, the log.
    assert_eq!(reading.requests, 3);
    assert!(reading.bytes <= 128 * MIB, "{}", reading.bytes);
    let report = reading.record()["report"]["key"].as_str().unwrap().to_owned();
    let report = cloud.s3.read(&cloud.bucket, &report).await.unwrap();
    assert!(report.len() <= MAX_BYTES, "{} bytes", report.len());
}

/// As many dumps and logs as are read, each of them larger than all that may be held.
fn greedy() -> Image {
    let mut zip = Zip::default();
    // What tells of the crash comes behind 40 MB.
    let mut dump = Dump::windows(0x1_4000_0000, 0x1234);
    dump.gaps.0 = 40_000_000;
    dump.streams = vec![(UNREAL_CONTEXT, vec![b'x'; 1 << 20])];
    let memory = Entry::deflated("", &dump.bytes());
    let zeros = Entry::deflated("", &vec![0; 50_000_000]);
    for number in 0..16 {
        zip.add(&memory.clone().but(|entry| entry.name = format!("temp/{number}.dmp").into()));
        zip.add(&Entry::zeros(format!("application/{number}"), 1 << 20));
        zip.add(&zeros.clone().but(|entry| entry.name = format!("profile/{number}.log").into()));
        zip.add(&Entry::zeros(format!("application/{number}-"), 1 << 20));
    }
    zip.finish(&End::default())
}

#[tokio::test]
async fn files_that_are_larger_than_memory_are_read_with_little_memory() {
    let cloud = Cloud::start().await;
    // The second time by the same process: what it held for the first has to be gone.
    for number in [1, 2] {
        let reading = index(&cloud, number, &greedy()).await;
        assert_eq!(reading.record()["signature"]["confidence"], "high");
        assert_within_memory(&reading, "large files");
    }
}

#[tokio::test]
async fn hostile_zips_cost_little_and_are_recorded() {
    let cloud = Cloud::start().await;
    for (number, case) in odd::all().into_iter().enumerate() {
        let reading = index(&cloud, number, &case.image).await;
        let name = case.name;
        assert_eq!(reading.record()["state"], "indexed", "{name}");
        assert_within_memory(&reading, name);
        assert!(reading.requests <= 4, "{name}: {} requests", reading.requests);
        // S3's words for an empty object are 135 bytes.
        let most = reading.size.clamp(1024, 5 * MIB);
        assert!(reading.bytes <= most, "{name}: {} of {} bytes", reading.bytes, reading.size);
        // A second, optimised and undisturbed.
        assert!(reading.outcome.duration < Duration::from_secs(20), "{name}: {:?}", reading.outcome.duration);
    }
}
