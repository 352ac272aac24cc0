//! What a report adds to indexing: `cargo bench --bench report`.
//!
//! Exports of the sizes of `docs/performance.md`, and one of a million files, are examined and judged as index-export does it, from a file
//! on disk instead of S3, so that nothing is waited for; then the page is made. After that the function itself indexes some of them, with an S3
//! that answers after 20 ms: between the requests for report and record lies all that the report makes it wait for.

#![expect(clippy::print_stdout, reason = "that is what it is for")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

use std::time::{Duration, Instant};

use crash_capture::archive::FileSource;
use crash_capture::record::{ExportObject, Record, SessionFacts, State};
use crash_capture::report::{MAX_BYTES, Story};
use crash_capture::session::SessionName;
use crash_capture::triage::{Rules, examine};
use crash_capture::verdict::{Ending, judge};
use crash_capture_local::cloud::{LocalCloud, Options};
use crash_capture_local::s3::{AccessLogEntry, Shape};
use crash_capture_local::zips::Image;
use crash_capture_local::zips::sessions::{all, million};
use jiff::SignedDuration;

const ARN: &str = "arn:aws:gameliftstreams:us-west-2:111122223333:streamsession/sg-1AB2C3De4/ABC123def4567";

/// How often each is done; the fastest counts.
const TIMES: usize = 5;

/// S3 as a Lambda function sees it: assumed, not measured.
const SHAPE: Shape =
    Shape { first_byte: Duration::from_millis(20), per_connection: 90_000_000, in_all: 75_000_000 };

#[tokio::main]
async fn main() {
    without_waiting().await;
    with_s3().await;
}

async fn without_waiting() {
    let exports = all().into_iter().map(|session| (session.name, session.image));
    for (name, image) in exports.chain([("a million files", million())]) {
        let mut fastest: Option<(Duration, Duration, usize)> = None;
        for _ in 0..TIMES {
            let took = index(&image).await;
            if fastest.is_none_or(|(examining, ..)| took.0 < examining) {
                fastest = Some(took);
            }
        }
        let (examining, page, bytes) = fastest.unwrap();
        let share = 100.0 * page.as_secs_f64() / examining.as_secs_f64();
        println!(
            "{name}: examined in {examining:.2?}, page of {bytes} bytes in {page:.2?}: {share:.1} % more"
        );
        assert!(bytes <= MAX_BYTES, "{name}");
    }
}

async fn with_s3() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = LocalCloud::start(Options::new(folder.path())).await.unwrap();
    cloud.s3.shape(Some(SHAPE));
    for session in all().into_iter().filter(|session| session.name != "d") {
        let mut fastest: Option<(Duration, Duration)> = None;
        for number in 0..TIMES {
            let took = index_in_s3(&cloud, &session.image, &format!("{}{number}", session.name)).await;
            if fastest.is_none_or(|(whole, _)| took.0 < whole) {
                fastest = Some(took);
            }
        }
        let (whole, report) = fastest.unwrap();
        let share = 100.0 * report.as_secs_f64() / (whole.as_secs_f64() - report.as_secs_f64());
        println!(
            "{}, S3 after 20 ms: indexed in {whole:.0?}, of which the report {report:.0?}: {share:.1} % more",
            session.name
        );
    }
    cloud.stop().await;
}

/// How long the function took, and how much of it the report.
async fn index_in_s3(cloud: &LocalCloud, image: &Image, session: &str) -> (Duration, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.zip");
    image.write_to(&path).unwrap();
    let mark = cloud.s3.access_log().mark();
    let key = format!("exports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/{session}.zip");
    cloud.s3.put(&cloud.bucket, &key, path, "111122223333").await.unwrap();
    cloud.bus.settled().await;
    let entries = cloud.s3.access_log().since(mark);
    let put = |prefix: &str| {
        let is_it = |key: &str| key.starts_with(prefix) && key.contains(&format!("/{session}."));
        let put = |it: &&AccessLogEntry| it.operation == "PutObject" && it.key.as_deref().is_some_and(is_it);
        entries.iter().find(put).unwrap().time
    };
    let report = Duration::try_from(put("index/").duration_since(put("reports/"))).unwrap();
    (cloud.lambda.invocations().last().unwrap().outcome.duration, report)
}

/// How long examining takes, and making the page; and the page's length.
async fn index(image: &Image) -> (Duration, Duration, usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.zip");
    image.write_to(&path).unwrap();
    let source = FileSource::open(&path).unwrap();
    let begun = Instant::now();
    let mut findings = examine(&source, Some(source.size()), None, &Rules::default()).await.unwrap();
    let details = std::mem::take(&mut findings.details);
    let lasted = Some(SignedDuration::from_mins(30));
    let ending = Ending { reason: Some("applicationExit".to_owned()), lasted };
    let session = SessionFacts::of_name(&SessionName::from_arn(ARN).unwrap());
    let mut record = Record::new(State::Indexed, session);
    record.judgement = judge(findings, &ending, &[]);
    let examining = begun.elapsed();
    record.export = Some(ExportObject {
        bucket: "captures".to_owned(),
        key: "exports/a-9ZY8X7Wv6/sg-1AB2C3De4/2026-11-23/ABC123def4567.zip".to_owned(),
        version_id: None,
        etag: None,
        size: Some(source.size()),
        expires_on: None,
    });
    let story = Story { record: &record, details: &details, first_sight: None, lasted, bucket: "captures" };
    let begun = Instant::now();
    let page = story.page();
    (examining, begun.elapsed(), page.len())
}
